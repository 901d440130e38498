import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Cell, Column, Invocation, Side } from '../model/record-batch.ts';
import type { EvidenceRecord } from './bundle-format.ts';
import { readItems, readMembers } from './strict-json.ts';

/** No frame written here comes near it; a frame that inflates to more is refused. */
const maximumPlaintextBytes = 256 * 1024 * 1024;

type StoredCell =
  | null
  | boolean
  | number
  | string
  | readonly []
  | { readonly [member: string]: string | number | readonly number[] };

/**
 * JSON has no word for an absent column, -0 and the non-finite numbers: `[]`, and `{"number": …}`.
 * No cell is itself an array, and an opaque cell has no member `number`.
 */
function storeCell(cell: Exclude<Cell, undefined>): StoredCell {
  if (typeof cell === 'number' && (!Number.isFinite(cell) || Object.is(cell, -0))) {
    return { number: Object.is(cell, -0) ? '-0' : String(cell) };
  }
  if (typeof cell === 'object' && cell !== null) {
    return { opaque: cell.opaque, size: cell.size, ...(cell.values && { values: cell.values }) };
  }
  return cell;
}

function restoreCell(stored: unknown): Cell {
  if (stored === null || typeof stored === 'string' || typeof stored === 'number' || typeof stored === 'boolean') {
    return stored;
  }
  if (typeof stored !== 'object' || Array.isArray(stored)) return undefined;
  if ('number' in stored) return Number(stored.number);
  if ('opaque' in stored && 'size' in stored && typeof stored.size === 'number') {
    const values = 'values' in stored && Array.isArray(stored.values) ? stored.values.map(readElement) : undefined;
    return { opaque: stored.opaque === 'array' ? 'array' : 'binary', size: stored.size, ...(values && { values }) };
  }
  return undefined;
}

/** JSON has no number beyond a double's range: such an element is no longer one either way. */
function readElement(element: unknown): number {
  return typeof element === 'number' ? element : Number.NaN;
}

/** Gathers the records of one frame and writes its plaintext. */
export class RecordFrame {
  readonly hour: string;
  readonly variant: string;
  readonly version: string;
  readonly tags: string[] = [];
  /** Inference records among the entries. */
  rows = 0;
  /** Length of the plaintext so far, in UTF-16 code units. */
  size = 0;
  readonly #invocations: string[] = [];
  /** By line, which names an invocation within its object. */
  readonly #invocationIndex = new Map<number, number>();
  readonly #columns: string[] = [];
  readonly #columnIndex: Readonly<Record<Side, Map<string, number>>> = { input: new Map(), output: new Map() };
  readonly #records: string[] = [];

  constructor(hour: string, variant: string, version: string) {
    this.hour = hour;
    this.variant = variant;
    this.version = version;
  }

  /** Adds row `batchRow` of `columns`, or an invocation without an inference record where it is undefined. */
  add(
    tag: string,
    invocation: Invocation,
    columns: readonly Column[],
    batchRow: number | undefined,
    row: number | undefined,
  ): void {
    const cells: StoredCell[] = [];
    if (batchRow !== undefined) {
      this.rows += 1;
      for (const column of columns) {
        const cell = column.cells[batchRow];
        // Absent cells leave no trace, or the frame would depend on which rows happened to share a batch.
        if (cell === undefined) continue;
        const index = this.#placeColumn(column);
        while (cells.length < index) cells.push([]);
        cells[index] = storeCell(cell);
      }
    }
    const record = JSON.stringify([this.#placeInvocation(invocation), row ?? null, cells]);
    this.tags.push(tag);
    this.#records.push(record);
    this.size += record.length + 1;
  }

  /** Deflated JSON. The same records in the same order give the same bytes under one version of zlib. */
  encode(): Uint8Array {
    const text = `{"columns":[${this.#columns}],"invocations":[${this.#invocations}],"records":[${this.#records}]}`;
    return deflateRawSync(text);
  }

  #placeColumn(column: Column): number {
    const indices = this.#columnIndex[column.side];
    let index = indices.get(column.name);
    if (index === undefined) {
      index = this.#columns.length;
      indices.set(column.name, index);
      this.#columns.push(JSON.stringify([column.side, column.name]));
      this.size += column.name.length + 12;
    }
    return index;
  }

  #placeInvocation(invocation: Invocation): number {
    let index = this.#invocationIndex.get(invocation.line);
    if (index === undefined) {
      index = this.#invocations.length;
      this.#invocationIndex.set(invocation.line, index);
      const text = JSON.stringify([
        invocation.eventId,
        invocation.inferenceId ?? null,
        invocation.time,
        invocation.status ?? null,
        invocation.latencyMilliseconds ?? null,
        invocation.route ?? null,
        invocation.line,
        invocation.offset,
        invocation.length,
      ]);
      this.#invocations.push(text);
      this.size += text.length + 1;
    }
    return index;
  }
}

/**
 * Reads the plaintext of a frame back. It is authentic by then, so a wrong shape is a fault of the writer.
 * @throws {TypeError} for one.
 */
export function decodeRecordFrame(
  plaintext: Uint8Array,
  variant: string,
  version: string,
  tags: readonly string[],
): EvidenceRecord[] {
  const text = inflateRawSync(plaintext, { maxOutputLength: maximumPlaintextBytes }).toString('utf8');
  const content = readMembers(text);
  const columns = readRows(content, 'columns').map(([side, name]) => ({
    side: side === 'output' ? ('output' as const) : ('input' as const),
    name: String(name),
  }));
  const invocations = readRows(content, 'invocations').map((stored) => restoreInvocation(stored, variant, version));
  const records = readRows(content, 'records');
  if (records.length !== tags.length) {
    throw new TypeError(`expected ${tags.length} records, one per tag, saw ${records.length}`);
  }
  return records.map(([index, row, stored], position) => {
    const invocation = typeof index === 'number' ? invocations[index] : undefined;
    const tag = tags[position];
    if (invocation === undefined || tag === undefined || !Array.isArray(stored)) {
      throw new TypeError(`record ${position}: expected an invocation and its cells`);
    }
    const cells: [Side, string, Cell][] = [];
    for (const [place, column] of columns.entries()) {
      const cell = restoreCell(stored[place]);
      if (cell !== undefined) cells.push([column.side, column.name, cell]);
    }
    return { tag, invocation, cells, ...(typeof row === 'number' ? { row } : {}) };
  });
}

function restoreInvocation(stored: readonly unknown[], variant: string, version: string): Invocation {
  const [eventId, inferenceId, time, status, latencyMilliseconds, route, line, offset, length] = stored;
  return {
    eventId: String(eventId),
    ...(typeof inferenceId === 'string' ? { inferenceId } : {}),
    time: Number(time),
    variant,
    version,
    ...(typeof status === 'number' ? { status } : {}),
    ...(typeof latencyMilliseconds === 'number' ? { latencyMilliseconds } : {}),
    ...(typeof route === 'string' ? { route } : {}),
    line: Number(line),
    offset: Number(offset),
    length: Number(length),
  };
}

function readRows(content: ReadonlyMap<string, unknown>, name: string): (readonly unknown[])[] {
  return readItems(content, name).map((item) => {
    if (!Array.isArray(item)) throw new TypeError(`${name}: expected a list in each place`);
    return item;
  });
}
