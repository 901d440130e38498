import { sha256 } from '../model/content-hash.ts';
import { readCount, readItems, readMembers, readText, readTextOrNull } from './strict-json.ts';

export const hashListSchema = 'tidewatch.hashes/1';

/** An object of the evidence: its key, its length and the hash of its stored bytes. */
export interface HashListObject {
  readonly key: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

export interface HashListEntry extends HashListObject {
  /** Contiguous from 0 over the whole log. */
  readonly index: number;
}

/** A part of the log, written once. Each names the hash of the one before, so none can change unnoticed but the last. */
export interface HashListSegment {
  readonly schema: typeof hashListSchema;
  /** Index of its first entry. */
  readonly first: number;
  /** SHA-256 of the previous segment's bytes; null in the first segment. */
  readonly previous: string | null;
  /** At least one. */
  readonly entries: readonly HashListEntry[];
}

/** How far a log goes: what a later verification can be held to. */
export interface LogHead {
  /** Entries. */
  readonly count: number;
  /** SHA-256 of the last segment's bytes; null for an empty log. */
  readonly sha256: string | null;
}

/** The log's entry for an evidence object as stored. */
export function hashListObject(key: string, body: Uint8Array): HashListObject {
  return { key, bytes: body.length, sha256: sha256(body) };
}

/**
 * The segment that follows another (or begins the log). Write it once under the key of `first`: of two writers that
 * follow the same segment one loses, so the log can't fork.
 * @throws {RangeError} without an entry; {TypeError} where the previous segment can't be read.
 */
export function nextSegment(
  previous: Uint8Array | undefined,
  objects: readonly HashListObject[],
): { readonly first: number; readonly head: LogHead; readonly bytes: Uint8Array } {
  if (objects.length === 0) throw new RangeError('log segment: expected at least one entry, saw none');
  const before = previous === undefined ? undefined : parseSegment(previous);
  const first = before === undefined ? 0 : before.first + before.entries.length;
  const bytes = Buffer.from(
    segmentText({
      schema: hashListSchema,
      first,
      previous: previous === undefined ? null : sha256(previous),
      entries: objects.map(({ key, bytes, sha256 }, offset) => ({ index: first + offset, key, bytes, sha256 })),
    }),
  );
  return { first, head: { count: first + objects.length, sha256: sha256(bytes) }, bytes };
}

/**
 * Reads a segment strictly: its bytes must be the very ones that its content is written as.
 * @throws {TypeError} that says what is wrong.
 */
export function parseSegment(bytes: Uint8Array): HashListSegment {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const members = readMembers(text);
  const schema = readText(members, 'schema');
  if (schema !== hashListSchema)
    throw new TypeError(`expected schema ${hashListSchema}, saw ${JSON.stringify(schema)}`);
  const first = readCount(members, 'first');
  const previous = readTextOrNull(members, 'previous');
  if ((first === 0) !== (previous === null)) {
    throw new TypeError(`previous: expected ${first === 0 ? 'null' : 'a hash'} in the segment of index ${first}`);
  }
  const entries = readItems(members, 'entries').map((item, offset) => readEntry(item, first + offset));
  if (entries.length === 0) throw new TypeError('entries: expected at least one, saw none');
  const segment: HashListSegment = { schema: hashListSchema, first, previous, entries };
  if (segmentText(segment) !== text) throw new TypeError('its text is not the one that its content has');
  return segment;
}

function readEntry(item: unknown, expectedIndex: number): HashListEntry {
  const members = readMembers(JSON.stringify(item));
  const index = readCount(members, 'index');
  if (index !== expectedIndex) throw new TypeError(`entries: expected index ${expectedIndex}, saw ${index}`);
  const hash = readText(members, 'sha256');
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new TypeError(`entry ${index}: expected a SHA-256 in hexadecimal`);
  return { index, key: readText(members, 'key'), bytes: readCount(members, 'bytes'), sha256: hash };
}

/** One entry a line, so that a person can read the log with `grep`. */
function segmentText({ schema, first, previous, entries }: HashListSegment): string {
  const lines = entries.map(({ index, key, bytes, sha256 }) => JSON.stringify({ index, key, bytes, sha256 }));
  const head = JSON.stringify({ schema, first, previous });
  return `${head.slice(0, -1)},"entries":[\n${lines.join(',\n')}\n]}\n`;
}
