import { canonicalJson } from '../model/canonical-json.ts';
import { sha256 } from '../model/content-hash.ts';

/** Longest segment of a key, in bytes after encoding. A file name may have 255. */
export const maximumSegmentBytes = 200;

/** Of what is restated: verdicts, cohorts. */
export const maximumRevision = 999_999;
const dayPattern = /^\d{4}-\d{2}-\d{2}$/;
const hashPattern = /^[0-9a-f]{16,64}$/;

/** A value that can't stand in a storage key. `seen` is cut short and escaped, because it may come from a payload. */
export class KeyError extends Error {
  override readonly name = 'KeyError';

  constructor(what: string, seen: unknown, expected: string) {
    super(`storage key: ${what}: saw ${String(JSON.stringify(seen)).slice(0, 60)}, expected ${expected}`);
  }
}

/** The segment a name becomes, or undefined where it can't be one: empty, `.`, `..`, ill-formed or too long. */
function tryEncodeSegment(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..' || name.length > maximumSegmentBytes || !name.isWellFormed()) {
    return undefined;
  }
  let encoded = '';
  for (const byte of new TextEncoder().encode(name)) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded.length <= maximumSegmentBytes ? encoded : undefined;
}

/** True where a model, variant or version of this name can have keys. Ingest quarantines records of others. */
export function isKeyName(name: string): boolean {
  return tryEncodeSegment(name) !== undefined;
}

/**
 * A name as one segment of a key: `[A-Za-z0-9._-]` stay, every other byte of its UTF-8 becomes `%XX`.
 * @throws {KeyError} for an empty name, `.`, `..`, a lone surrogate, or more than 200 bytes after encoding.
 */
export function encodeSegment(name: string): string {
  const encoded = tryEncodeSegment(name);
  if (encoded === undefined) {
    throw new KeyError('name', name, `well-formed text of 1 to ${maximumSegmentBytes} bytes other than "." and ".."`);
  }
  return encoded;
}

/** The name behind a segment; undefined where `encodeSegment` would not have written it so. */
export function decodeSegment(segment: string): string | undefined {
  try {
    const name = decodeURIComponent(segment);
    return tryEncodeSegment(name) === segment ? name : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The start of a window as key text that sorts by time: `20010211T000000Z`.
 * @param start Milliseconds since the epoch; whole seconds, years 0 to 9999.
 * @throws {KeyError} for any other number.
 */
export function windowKey(start: number): string {
  const date = new Date(start);
  const year = Number.isNaN(date.getTime()) ? -1 : date.getUTCFullYear();
  if (start % 1000 !== 0 || year < 0 || year > 9999) {
    throw new KeyError('window start', start, 'milliseconds since the epoch in whole seconds, years 0 to 9999');
  }
  return `${date.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

/** Milliseconds since the epoch, or undefined where the text is no window key. */
export function parseWindowKey(text: string): number | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text) ?? [];
  if (year === undefined) return undefined;
  const start = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return !Number.isNaN(start) && windowKey(start) === text ? start : undefined;
}

/** The UTC day of a time in milliseconds since the epoch: `2001-02-11`. */
export function dayKey(time: number): string {
  const date = new Date(time);
  const day = Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10);
  if (!dayPattern.test(day)) throw new KeyError('time', time, 'milliseconds since the epoch, years 0 to 9999');
  return day;
}

/** The name of a capture object in our keys: 128 bits of the SHA-256 of its bucket and key. */
export function objectId(bucket: string, key: string): string {
  return sha256(canonicalJson([bucket, key])).slice(0, 32);
}

export function checkDay(day: string): string {
  const isDay = dayPattern.test(day) && !Number.isNaN(Date.parse(day)) && dayKey(Date.parse(day)) === day;
  if (!isDay) throw new KeyError('day', day, 'a UTC day as yyyy-mm-dd');
  return day;
}

export function checkHash(what: string, hash: string): string {
  if (!hashPattern.test(hash)) throw new KeyError(what, hash, '16 to 64 lower-case hexadecimal digits');
  return hash;
}

export function padNumber(what: string, value: number, maximum: number): string {
  if (!Number.isInteger(value) || value < 0 || value > maximum) {
    throw new KeyError(what, value, `a whole number from 0 to ${maximum}`);
  }
  return String(value).padStart(String(maximum).length, '0');
}

/**
 * What the segments of a key say, if formatting it gives the same key again: no two keys are read as one.
 * @param head the first segment, @param count how many there are.
 */
export function parseKey<T>(
  key: string,
  head: string,
  count: number,
  read: (segments: readonly string[]) => T,
  format: (value: T) => string,
): T | undefined {
  const segments = key.split('/');
  if (segments.length !== count || segments[0] !== head) return undefined;
  try {
    const value = read(segments);
    return format(value) === key ? value : undefined;
  } catch (error) {
    if (error instanceof KeyError) return undefined;
    throw error;
  }
}

export function nameAt(segments: readonly string[], index: number): string {
  const name = decodeSegment(segments[index] ?? '');
  if (name === undefined) throw new KeyError('segment', segments[index], 'an encoded name');
  return name;
}

export function windowAt(segments: readonly string[], index: number): number {
  const start = parseWindowKey(segments[index] ?? '');
  if (start === undefined) throw new KeyError('segment', segments[index], 'a window start');
  return start;
}
