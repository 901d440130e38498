/** Arrays that a file holds one after another, all of one length. */
export type ColumnArray = Float64Array | Float32Array | Uint32Array | Uint16Array | Uint8Array;

const kinds = { f64: Float64Array, f32: Float32Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array } as const;
export type ColumnKind = keyof typeof kinds;
const sizes: Readonly<Record<ColumnKind, number>> = { f64: 8, f32: 4, u32: 4, u16: 2, u8: 1 };

const magic = 'TWC1';
const alignment = 8;
const preamble = 8;

/** Bytes that are no file of columns. */
export class ColumnsError extends Error {
  override readonly name = 'ColumnsError';
}

/**
 * Bytes of a file: `TWC1`, the length of the header (32 bits), the header as JSON, and each column, in little-endian order and
 * beginning at a multiple of 8.
 */
export function encodeColumns(header: string, columns: readonly ColumnArray[]): Uint8Array {
  const text = Buffer.from(header);
  const start = align(preamble + text.length);
  const length = columns.reduce((sum, { byteLength }) => sum + align(byteLength), start);
  const bytes = Buffer.alloc(length);
  bytes.write(magic, 0, 'latin1');
  bytes.writeUInt32LE(text.length, 4);
  text.copy(bytes, preamble);
  let at = start;
  for (const column of columns) {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    at += align(column.byteLength);
  }
  return bytes;
}

/** The header's text of a file. @throws {ColumnsError} */
export function readHeader(bytes: Uint8Array): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < preamble || view.toString('latin1', 0, 4) !== magic) {
    throw new ColumnsError('columns: expected a file that begins with TWC1');
  }
  const end = preamble + view.readUInt32LE(4);
  if (end > view.length) throw new ColumnsError(`columns: expected a header of ${end} bytes, saw ${view.length}`);
  return view.toString('utf8', preamble, end);
}

/** What a file of rows says of itself, beside its schema. */
export interface RowsHeader {
  readonly model: string;
  /** ETag of the object that the rows were taken from; absent of packs. */
  readonly etag?: string | undefined;
  /** Of packs: the run that wrote it. */
  readonly run?: number | undefined;
}

/** The header as JSON, of a schema and with a number of rows. @throws {ColumnsError} */
export function readRowsHeader(bytes: Uint8Array, schema: string): { readonly rows: number } {
  const value = parseJson(readHeader(bytes));
  if (typeof value === 'object' && value !== null && 'schema' in value && value.schema === schema && 'rows' in value) {
    const { rows } = value;
    if (typeof rows === 'number') return { ...value, rows };
  }
  throw new ColumnsError(`columns: expected a header of ${schema}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads the columns of a file one after another. */
export class ColumnReader {
  readonly #bytes: Uint8Array;
  readonly #rows: number;
  #at: number;

  /** @param rows that each column has. @throws {ColumnsError} */
  constructor(bytes: Uint8Array, rows: number) {
    this.#bytes = bytes;
    this.#rows = rows;
    this.#at = align(preamble + Buffer.byteLength(readHeader(bytes)));
    if (!(Number.isSafeInteger(rows) && rows >= 0)) throw new ColumnsError('columns: expected a whole number of rows');
  }

  f64(): Float64Array {
    return new Float64Array(this.#take('f64'));
  }

  f32(): Float32Array {
    return new Float32Array(this.#take('f32'));
  }

  u32(): Uint32Array {
    return new Uint32Array(this.#take('u32'));
  }

  u16(): Uint16Array {
    return new Uint16Array(this.#take('u16'));
  }

  u8(): Uint8Array {
    return new Uint8Array(this.#take('u8'));
  }

  /** @throws {ColumnsError} where bytes are left. */
  end(): void {
    if (this.#at !== this.#bytes.length) {
      throw new ColumnsError(`columns: expected ${this.#at} bytes, saw ${this.#bytes.length}`);
    }
  }

  /** A copy, because the bytes may begin anywhere in their buffer. */
  #take(kind: ColumnKind): ArrayBuffer {
    const length = this.#rows * sizes[kind];
    if (this.#at + length > this.#bytes.length) {
      throw new ColumnsError(`columns: expected ${this.#at + length} bytes, saw ${this.#bytes.length}`);
    }
    const column = new ArrayBuffer(length);
    new Uint8Array(column).set(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += align(length);
    return column;
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** Rows in order of their ids; of equal ids in the order in which they stand. */
export function orderById(ids: Float64Array): Uint32Array {
  const order = Uint32Array.from(ids, (_, index) => index);
  return order.sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0) || a - b);
}

/** The first row whose id is at least this, of ascending ones from `from` on. */
export function lowerBound(ids: Float64Array, id: number, from = 0): number {
  let low = from;
  let step = 1;
  while (low + step <= ids.length && (ids[low + step - 1] ?? 0) < id) {
    low += step;
    step *= 2;
  }
  let high = Math.min(ids.length, low + step);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Every pair of rows with the same id, both sides ascending. The work follows the smaller side. */
export function matchIds(a: Float64Array, b: Float64Array, visit: (a: number, b: number) => void): void {
  if (a.length > b.length) {
    matchIds(b, a, (left, right) => visit(right, left));
    return;
  }
  let first = 0;
  for (let left = 0; left < a.length; left++) {
    const id = a[left] ?? 0;
    first = lowerBound(b, id, first);
    for (let right = first; right < b.length && b[right] === id; right++) visit(left, right);
  }
}
