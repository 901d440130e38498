/** A whole number from the command line. @throws {RangeError} that names the option. */
export function readCount(name: string, text: string, least = 1): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= least) return count;
  throw new RangeError(`--${name}: expected a whole number of at least ${least}, saw ${JSON.stringify(text)}`);
}
