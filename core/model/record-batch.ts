/** What a payload cell can hold once decoded: `null` is a missing value, `undefined` a column the row does not have. */
export type Cell = number | string | boolean | null | undefined | OpaqueCell;

/** A value that is counted and described but not parsed: a nested array, or a binary payload. */
export interface OpaqueCell {
  readonly opaque: 'array' | 'binary';
  /** Elements of an array, bytes of a binary payload. */
  readonly size: number;
  /** The elements, where they are numbers and the column is one of vectors. */
  readonly values?: readonly number[] | undefined;
}

/** Which side of the model a column stands on. */
export type Side = 'input' | 'output';

/** One captured line: one call of the model, carrying one or more inference records. */
export interface Invocation {
  readonly eventId: string;
  readonly inferenceId?: string | undefined;
  /** Milliseconds since the epoch, UTC. */
  readonly time: number;
  readonly variant: string;
  readonly version: string;
  /** HTTP status code, where the capture holds one. */
  readonly status?: number | undefined;
  /** Milliseconds from request to response, where the capture holds it. */
  readonly latencyMilliseconds?: number | undefined;
  readonly route?: string | undefined;
  /** Who called, where the capture itself names the caller in the configured field. */
  readonly caller?: string | undefined;
  /** 1-based line in the capture object. */
  readonly line: number;
  /** Byte offset of the line in the decompressed object. */
  readonly offset: number;
  /** Bytes of the line without its newline. */
  readonly length: number;
}

/** One column of a batch: `cells[row]`. */
export interface Column {
  readonly name: string;
  readonly side: Side;
  /** Made by the decoder from other outputs: it may be unknown to a baseline without being an extra column. */
  readonly derived?: boolean | undefined;
  readonly cells: readonly Cell[];
}

/** Decoded records, column by column. Every column has `rows.length` cells. */
export interface RecordBatch {
  readonly invocations: readonly Invocation[];
  /** Per row: the index of its invocation, and its 0-based place in that invocation's payload. */
  readonly rows: readonly { readonly invocation: number; readonly row: number }[];
  readonly columns: readonly Column[];
}
