import { createHash, type Hash } from 'node:crypto';
import type { Quarantined } from '../model/quarantine.ts';
import type { Column, Invocation, RecordBatch } from '../model/record-batch.ts';
import {
  authenticateLine,
  type BundleFacts,
  bundleSchema,
  evidenceDay,
  headerText,
  hourOf,
  joinLine,
  type QuarantinedEvidence,
  quarantineFrameText,
  recordFrameText,
  recordTag,
  trailerText,
} from './bundle-format.ts';
import { type BundleKeys, deriveBundleKeys } from './bundle-keys.ts';
import { MerkleRoot } from './merkle-root.ts';
import { RecordFrame } from './record-frame.ts';
import { sealMessage } from './seal.ts';

const maximumFrameEntries = 256;
const maximumFrameSize = 1024 * 1024;
/** Frames filled side by side: records of several hours and versions may alternate. */
const maximumOpenFrames = 16;

interface RecordEntry {
  readonly line: number;
  /** -1: the whole line. */
  readonly row: number;
  readonly invocation: Invocation;
  readonly batchRow: number | undefined;
}

/**
 * Writes the evidence bundle of one capture object: JSON Lines, a header, frames of records or of quarantined lines,
 * a trailer. Give it the decoded batches in the order of the object's lines and append what each call returns.
 * Holds at most 16 unfinished frames of 1 MiB.
 *
 * The bytes depend on the facts, the key, and the records and quarantined lines in their order, not on how they were
 * cut into batches, so a retry writes the same object.
 */
export class BundleWriter {
  readonly #keys: BundleKeys;
  readonly #lines: Hash = createHash('sha256');
  readonly #headerHash: Uint8Array;
  readonly #root = new MerkleRoot();
  readonly #open = new Map<string, RecordFrame>();
  #pending: Uint8Array[] = [];
  #quarantined: QuarantinedEvidence[] = [];
  #finished = false;
  #frames = 0;
  #records = 0;
  #requests = 0;
  #quarantinedTotal = 0;
  #firstHour: string | null = null;
  #lastHour: string | null = null;

  /** @param modelDayKey the key of the model and of `evidenceDay(facts.source)`. */
  constructor(facts: BundleFacts, modelDayKey: Uint8Array) {
    this.#keys = deriveBundleKeys(modelDayKey);
    const { source, ...rest } = facts;
    const header = headerText({ ...rest, schema: bundleSchema, day: evidenceDay(source) });
    const { bucket, key, etag, versionId, bytes, lastModified } = source;
    const pointer = JSON.stringify({ bucket, key, etag, versionId, bytes, lastModified });
    const line = this.#append(
      joinLine(header, { ...sealMessage(this.#keys, Buffer.from(header), Buffer.from(pointer)) }),
    );
    this.#headerHash = createHash('sha256').update(line).digest();
  }

  /**
   * Takes decoded records and the lines that could not be read. All rows of an invocation come in one call; an
   * invocation without a row is kept as a request.
   * @returns what is to be appended to the bundle now, possibly nothing.
   */
  add(batch: RecordBatch, quarantined: readonly Quarantined[]): readonly Uint8Array[] {
    if (this.#finished) throw new Error('bundle writer: add after finish');
    const lost = quarantined.toSorted((a, b) => a.line - b.line || (a.row ?? -1) - (b.row ?? -1));
    // A frame numbers its columns as they come; by name, so that it does not matter which rows share a batch.
    const columns = batch.columns.toSorted((a, b) => compareText(a.side, b.side) || compareText(a.name, b.name));
    let next = 0;
    for (const entry of orderEntries(batch)) {
      for (let item = lost[next]; item !== undefined && precedes(item, entry); item = lost[next]) {
        this.#addQuarantined(item);
        next += 1;
      }
      this.#addRecord(columns, entry);
    }
    for (const item of lost.slice(next)) this.#addQuarantined(item);
    return this.#take();
  }

  /**
   * Closes the bundle. A writer can't be used afterwards.
   * @param duplicates records left out because the object held their event id and row before.
   */
  finish(duplicates: number): readonly Uint8Array[] {
    if (this.#finished) throw new Error('bundle writer: finish called twice');
    this.#finished = true;
    for (const frame of this.#open.values()) this.#closeRecords(frame);
    this.#open.clear();
    this.#closeQuarantined();
    const clear = trailerText({
      frames: this.#frames,
      records: this.#records,
      requests: this.#requests,
      quarantined: this.#quarantinedTotal,
      duplicates,
      firstHour: this.#firstHour,
      lastHour: this.#lastHour,
      root: this.#root.digest(),
    });
    const before = this.#lines.copy().digest();
    this.#append(joinLine(clear, { mac: authenticateLine(this.#keys, before, clear) }));
    return this.#take();
  }

  #addRecord(columns: readonly Column[], entry: RecordEntry): void {
    const { invocation } = entry;
    const hour = hourOf(invocation.time);
    const name = JSON.stringify([hour, invocation.variant, invocation.version]);
    let frame = this.#open.get(name);
    if (frame === undefined) {
      const [oldest] = this.#open;
      if (oldest !== undefined && this.#open.size >= maximumOpenFrames) {
        this.#open.delete(oldest[0]);
        this.#closeRecords(oldest[1]);
      }
      frame = new RecordFrame(hour, invocation.variant, invocation.version);
      this.#open.set(name, frame);
    }
    const row = entry.batchRow === undefined ? undefined : entry.row;
    frame.add(recordTag(this.#keys, invocation.eventId, row), invocation, columns, entry.batchRow, row);
    if (frame.tags.length >= maximumFrameEntries || frame.size >= maximumFrameSize) {
      this.#open.delete(name);
      this.#closeRecords(frame);
    }
  }

  #addQuarantined({ reason, line, offset, length, row }: Quarantined): void {
    this.#quarantined.push({ reason, line, offset, length, ...(row === undefined ? {} : { row }) });
    if (this.#quarantined.length >= maximumFrameEntries) this.#closeQuarantined();
  }

  #closeRecords(frame: RecordFrame): void {
    const { hour, variant, version, tags } = frame;
    const clear = recordFrameText({ frame: this.#frames, hour, variant, version, tags });
    const additionalData = Buffer.concat([this.#headerHash, Buffer.from(clear)]);
    this.#append(joinLine(clear, { ...sealMessage(this.#keys, additionalData, frame.encode()) }));
    for (const tag of tags) this.#root.append(Buffer.from(tag, 'base64url'));
    this.#frames += 1;
    this.#records += frame.rows;
    this.#requests += tags.length - frame.rows;
    if (this.#firstHour === null || hour < this.#firstHour) this.#firstHour = hour;
    if (this.#lastHour === null || hour > this.#lastHour) this.#lastHour = hour;
  }

  #closeQuarantined(): void {
    if (this.#quarantined.length === 0) return;
    const clear = quarantineFrameText({ frame: this.#frames, quarantined: this.#quarantined });
    this.#append(joinLine(clear, { mac: authenticateLine(this.#keys, this.#headerHash, clear) }));
    this.#frames += 1;
    this.#quarantinedTotal += this.#quarantined.length;
    this.#quarantined = [];
  }

  #append(line: string): Uint8Array {
    const bytes = Buffer.from(line);
    this.#lines.update(bytes);
    this.#pending.push(bytes);
    return bytes;
  }

  #take(): readonly Uint8Array[] {
    const taken = this.#pending;
    this.#pending = [];
    return taken;
  }
}

/** Rows and invocations without a row, by line and row. */
function orderEntries(batch: RecordBatch): RecordEntry[] {
  const entries: RecordEntry[] = [];
  const withRows = new Set<number>();
  for (const [batchRow, { invocation: index, row }] of batch.rows.entries()) {
    const invocation = batch.invocations[index];
    if (invocation === undefined) {
      throw new RangeError(`row ${batchRow}: expected one of ${batch.invocations.length} invocations, saw ${index}`);
    }
    withRows.add(index);
    entries.push({ line: invocation.line, row, invocation, batchRow });
  }
  for (const [index, invocation] of batch.invocations.entries()) {
    if (!withRows.has(index)) entries.push({ line: invocation.line, row: -1, invocation, batchRow: undefined });
  }
  return entries.sort((a, b) => a.line - b.line || a.row - b.row);
}

function precedes(quarantined: Quarantined, entry: RecordEntry): boolean {
  return quarantined.line < entry.line || (quarantined.line === entry.line && (quarantined.row ?? -1) < entry.row);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
