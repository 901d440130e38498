import { createHash } from 'node:crypto';
import type { SourceObject } from '../model/profile.ts';
import {
  authenticateLine,
  type BundleHeader,
  type BundleTrailer,
  bundleSchema,
  type EvidenceRecord,
  headerText,
  joinLine,
  type QuarantinedEvidence,
  quarantineFrameText,
  recordFrameText,
  trailerText,
} from './bundle-format.ts';
import { type BundleKeys, deriveBundleKeys } from './bundle-keys.ts';
import { MerkleRoot } from './merkle-root.ts';
import { decodeRecordFrame } from './record-frame.ts';
import { openMessage, type Sealed } from './seal.ts';
import { readCount, readInteger, readItems, readMembers, readText, readTextOrNull } from './strict-json.ts';

/** Where a bundle fails: its header, a frame by index, or its trailer. */
export type BundlePlace = 'header' | 'trailer' | number;

/** A bundle that is not what its writer wrote, or is opened with another key. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  readonly place: BundlePlace;

  constructor(place: BundlePlace, message: string, options?: ErrorOptions) {
    super(`bundle, ${typeof place === 'number' ? `frame ${place}` : place}: ${message}`, options);
    this.place = place;
  }
}

/** A frame that passed its check. */
export type BundleFrame =
  | { readonly kind: 'records'; readonly hour: string; readonly records: readonly EvidenceRecord[] }
  | { readonly kind: 'quarantined'; readonly quarantined: readonly QuarantinedEvidence[] };

export interface OpenedBundle {
  readonly header: BundleHeader;
  readonly source: SourceObject;
  readonly frames: readonly BundleFrame[];
  readonly trailer: BundleTrailer;
}

/** The clear header, unchecked: tells which model's and day's key opens the bundle. @throws {BundleError} */
export function readBundleHeader(bytes: Uint8Array): BundleHeader {
  return at('header', () => parseHeader(firstLine(bytes)).header);
}

/**
 * Decrypts and checks a whole bundle.
 * @throws {BundleError} that names the first place where the bytes differ from what was written.
 */
export function openBundle(bytes: Uint8Array, modelDayKey: Uint8Array): OpenedBundle {
  const keys = deriveBundleKeys(modelDayKey);
  const lines = splitLines(bytes);
  const [first, ...rest] = lines;
  const last = rest.pop();
  if (first === undefined) throw new BundleError('header', 'expected a line, saw none');
  const { header, source } = at('header', () => openHeader(keys, first));
  const headerHash = createHash('sha256').update(first).digest();
  const root = new MerkleRoot();
  const frames = rest.map((line, index) => at(index, () => openFrame(keys, headerHash, line, index, root)));
  if (last === undefined) throw new BundleError('trailer', 'expected a line, saw none');
  const trailer = at('trailer', () => openTrailer(keys, bytes.subarray(0, bytes.length - last.length), last));
  at('trailer', () => checkTotals(trailer, frames, root.digest()));
  return { header, source, frames, trailer };
}

function openHeader(keys: BundleKeys, line: Uint8Array): { header: BundleHeader; source: SourceObject } {
  const { header, message } = parseHeader(line);
  const pointer = openMessage(keys, Buffer.from(headerText(header)), message);
  if (pointer === undefined) throw new TypeError('does not open: changed, or the key of another model or day');
  return { header, source: readSource(decodeText(pointer)) };
}

function parseHeader(line: Uint8Array): { header: BundleHeader; message: Sealed } {
  const text = decodeText(line);
  const members = readMembers(text);
  const schema = readText(members, 'schema');
  if (schema !== bundleSchema) throw new TypeError(`expected schema ${bundleSchema}, saw ${JSON.stringify(schema)}`);
  const type = readText(members, 'type');
  if (type !== 'inferences' && type !== 'requests') {
    throw new TypeError(`expected type inferences or requests, saw ${JSON.stringify(type)}`);
  }
  const header: BundleHeader = {
    schema: bundleSchema,
    type,
    model: readText(members, 'model'),
    day: readText(members, 'day'),
    config: readText(members, 'config'),
    baselines: readItems(members, 'baselines').map((item) => {
      if (typeof item !== 'string') throw new TypeError('baselines: expected text');
      return item;
    }),
    windowSeconds: readCount(members, 'windowSeconds'),
    code: readText(members, 'code'),
    ...(members.has('served') ? { served: readItems(members, 'served').map(readServed) } : {}),
  };
  const message = readSealed(members);
  expectSameText(text, joinLine(headerText(header), { ...message }));
  return { header, message };
}

function readServed(item: unknown): readonly [since: number, version: string] {
  const [since, version]: readonly unknown[] = Array.isArray(item) ? item : [];
  if (typeof since !== 'number' || typeof version !== 'string')
    throw new TypeError('served: expected times and versions');
  return [since, version];
}

function readSource(text: string): SourceObject {
  const members = readMembers(text);
  return {
    bucket: readText(members, 'bucket'),
    key: readText(members, 'key'),
    etag: readText(members, 'etag'),
    ...(members.has('versionId') ? { versionId: readText(members, 'versionId') } : {}),
    bytes: readCount(members, 'bytes'),
    lastModified: readInteger(members, 'lastModified'),
  };
}

function openFrame(
  keys: BundleKeys,
  headerHash: Uint8Array,
  line: Uint8Array,
  index: number,
  root: MerkleRoot,
): BundleFrame {
  const text = decodeText(line);
  const members = readMembers(text);
  const frame = readCount(members, 'frame');
  if (frame !== index) throw new TypeError(`expected frame ${index}, saw ${frame}`);
  if (members.has('quarantined')) {
    const quarantined = readItems(members, 'quarantined').map(readQuarantined);
    const clear = quarantineFrameText({ frame, quarantined });
    expectSameText(text, joinLine(clear, { mac: authenticateLine(keys, headerHash, clear) }));
    return { kind: 'quarantined', quarantined };
  }
  const hour = readText(members, 'hour');
  const variant = readText(members, 'variant');
  const version = readText(members, 'version');
  const tags = readItems(members, 'tags').map((item) => {
    if (typeof item !== 'string') throw new TypeError('tags: expected text');
    return item;
  });
  const clear = recordFrameText({ frame, hour, variant, version, tags });
  const message = readSealed(members);
  expectSameText(text, joinLine(clear, { ...message }));
  const plaintext = openMessage(keys, Buffer.concat([headerHash, Buffer.from(clear)]), message);
  if (plaintext === undefined) throw new TypeError('does not open: its bytes were changed');
  for (const tag of tags) root.append(Buffer.from(tag, 'base64url'));
  return { kind: 'records', hour, records: decodeRecordFrame(plaintext, variant, version, tags) };
}

function readQuarantined(item: unknown): QuarantinedEvidence {
  const members = readMembers(JSON.stringify(item));
  return {
    reason: readText(members, 'reason'),
    line: readCount(members, 'line'),
    offset: readCount(members, 'offset'),
    length: readCount(members, 'length'),
    ...(members.has('row') ? { row: readCount(members, 'row') } : {}),
  };
}

function openTrailer(keys: BundleKeys, before: Uint8Array, line: Uint8Array): BundleTrailer {
  const text = decodeText(line);
  const members = readMembers(text);
  const trailer: BundleTrailer = {
    frames: readCount(members, 'frames'),
    records: readCount(members, 'records'),
    requests: readCount(members, 'requests'),
    quarantined: readCount(members, 'quarantined'),
    duplicates: readCount(members, 'duplicates'),
    firstHour: readTextOrNull(members, 'firstHour'),
    lastHour: readTextOrNull(members, 'lastHour'),
    root: readText(members, 'root'),
  };
  const clear = trailerText(trailer);
  const context = createHash('sha256').update(before).digest();
  expectSameText(text, joinLine(clear, { mac: authenticateLine(keys, context, clear) }));
  return trailer;
}

function checkTotals(trailer: BundleTrailer, frames: readonly BundleFrame[], root: string): void {
  let records = 0;
  let requests = 0;
  let quarantined = 0;
  for (const frame of frames) {
    if (frame.kind === 'quarantined') {
      quarantined += frame.quarantined.length;
      continue;
    }
    const rows = frame.records.filter(({ row }) => row !== undefined).length;
    records += rows;
    requests += frame.records.length - rows;
  }
  const counted: readonly (readonly [string, number | string, number | string])[] = [
    ['frames', trailer.frames, frames.length],
    ['records', trailer.records, records],
    ['requests', trailer.requests, requests],
    ['quarantined', trailer.quarantined, quarantined],
    ['root', trailer.root, root],
  ];
  for (const [what, expected, seen] of counted) {
    if (expected !== seen) throw new TypeError(`expected ${what} ${expected}, saw ${seen}`);
  }
}

function readSealed(members: ReadonlyMap<string, unknown>): Sealed {
  const message = { nonce: readText(members, 'nonce'), sealed: readText(members, 'sealed') };
  for (const [name, text] of Object.entries(message)) {
    // Unused bits of the last character could change without changing the bytes.
    if (Buffer.from(text, 'base64url').toString('base64url') !== text) throw new TypeError(`${name}: not base64url`);
  }
  return message;
}

function expectSameText(seen: string, expected: string): void {
  if (seen !== expected) throw new TypeError('its text is not the one that its content has: its bytes were changed');
}

/** Lines with their newline; the last may lack it, which its check finds. */
function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

function firstLine(bytes: Uint8Array): Uint8Array {
  const newline = bytes.indexOf(10);
  return newline < 0 ? bytes : bytes.subarray(0, newline + 1);
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

function at<T>(place: BundlePlace, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new BundleError(place, cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
