/** The largest share of a class; of a declared probability, the larger of p and 1 − p. */
export const confidenceColumn = 'confidence';

/** What is put before a derived column's name, once or more often, where a column of the records has that name. */
export const derivedPrefix = 'output.';

/** Is this output, by its name, the confidence that was derived from scores? */
export function isConfidence(output: string): boolean {
  let name = output;
  while (name.startsWith(derivedPrefix)) name = name.slice(derivedPrefix.length);
  return name === confidenceColumn;
}
