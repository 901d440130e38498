/**
 * The value of `name` in a custom attribute string: `key=value` pairs separated by commas or semicolons, white space
 * around keys and values ignored, the first of several taken. Undefined where it is not there.
 */
export function customAttribute(text: string, name: string): string | undefined {
  for (const pair of text.split(/[,;]/)) {
    const equals = pair.indexOf('=');
    if (equals >= 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
