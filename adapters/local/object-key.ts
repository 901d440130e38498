const maximumKeyBytes = 1024;
/** What ext4, XFS and APFS take as one name. */
const maximumSegmentBytes = 255;

/** A key or prefix that this store will not turn into a path. */
export class InvalidKeyError extends Error {
  override readonly name = 'InvalidKeyError';
}

/**
 * Splits an object key into the segments of a path below the root: relative, nothing empty, no `.` or `..`, no NUL.
 * S3 takes more keys than that; a file system does not.
 * @throws {InvalidKeyError} naming the key and what is wrong with it.
 */
export function splitKey(key: string): readonly string[] {
  const segments = key.split('/');
  for (const segment of segments) {
    const problem = describeProblem(segment);
    if (problem !== undefined) throw new InvalidKeyError(`key ${quote(key)}: ${problem}`);
  }
  const bytes = Buffer.byteLength(key);
  if (bytes > maximumKeyBytes) {
    throw new InvalidKeyError(`key ${quote(key)}: expected at most ${maximumKeyBytes} bytes, saw ${bytes}`);
  }
  return segments;
}

/**
 * Splits a prefix into the directory that holds every key under it and the beginning of the names there.
 * @throws {InvalidKeyError} as `splitKey`.
 */
export function splitPrefix(prefix: string): { readonly directory: readonly string[]; readonly begin: string } {
  const slash = prefix.lastIndexOf('/');
  const begin = prefix.slice(slash + 1);
  if (begin.includes('\0') || !begin.isWellFormed()) {
    throw new InvalidKeyError(`prefix ${quote(prefix)}: expected well-formed text without NUL`);
  }
  return { directory: slash < 0 ? [] : splitKey(prefix.slice(0, slash)), begin };
}

/** Orders texts as their UTF-8 bytes do, which is how S3 lists keys. UTF-16 puts U+E000–U+FFFF after the rest. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return rankCodeUnit(x) - rankCodeUnit(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for the code points above all others. */
function rankCodeUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function describeProblem(segment: string): string | undefined {
  if (segment === '') return 'expected no empty segment, no slash at either end';
  if (segment === '.' || segment === '..') return `expected no segment ${segment}`;
  if (segment.includes('\0')) return 'expected no NUL';
  if (!segment.isWellFormed()) return 'expected well-formed text, saw a lone surrogate';
  const bytes = Buffer.byteLength(segment);
  if (bytes > maximumSegmentBytes) return `expected segments of at most ${maximumSegmentBytes} bytes, saw ${bytes}`;
  return undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
