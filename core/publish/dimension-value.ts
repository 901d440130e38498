/** CloudWatch's limit on a dimension's value, in characters. */
export const maximumDimensionValueLength = 1024;

/**
 * A name as CloudWatch takes it for a dimension's value: printable ASCII, 1 to 1,024 characters, not only spaces, no
 * colon at the start. Whatever does not fit becomes `%` and the hexadecimal bytes of its UTF-8, and so does `%`
 * itself, so that two names never share a value; a name too long for that keeps its head.
 */
export function dimensionValue(name: string): string {
  let value = '';
  for (const character of name.toWellFormed()) {
    const isPlain = /^[\x20-\x7e]$/.test(character) && character !== '%';
    const isAllowedHere = value !== '' || (character !== ':' && character !== ' ');
    const piece = isPlain && isAllowedHere ? character : encodeCharacter(character);
    if (value.length + piece.length > maximumDimensionValueLength) break;
    value += piece;
  }
  return value === '' ? '%' : value;
}

function encodeCharacter(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
