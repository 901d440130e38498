import { decodeCapture } from '../../core/decode/decode-capture.ts';
import {
  type Decoded,
  type DecodePlan,
  type DuplicateInvocation,
  defaultLimits,
} from '../../core/decode/decode-plan.ts';
import type { Quarantined } from '../../core/model/quarantine.ts';
import type { Cell, Invocation } from '../../core/model/record-batch.ts';

/** One side of a SageMaker record. */
export interface SideOptions {
  readonly data: string;
  readonly encoding?: string | undefined;
  readonly contentType?: string | null | undefined;
}

export interface RecordOptions {
  readonly input?: SideOptions | undefined;
  readonly output?: SideOptions | undefined;
  readonly metadata?: object | undefined;
}

/** A line as SageMaker data capture writes it. */
export function sagemakerLine({ input, output, metadata }: RecordOptions): string {
  const side = (options: SideOptions | undefined, mode: string) =>
    options && {
      observedContentType: options.contentType === undefined ? 'text/csv' : options.contentType,
      mode,
      data: options.data,
      encoding: options.encoding ?? 'CSV',
    };
  return JSON.stringify({
    captureData: { endpointInput: side(input, 'INPUT'), endpointOutput: side(output, 'OUTPUT') },
    eventMetadata: { eventId: 'event-1', inferenceTime: '2026-03-01T12:00:00Z', ...metadata },
    eventVersion: '0',
  });
}

export function csv(data: string): SideOptions {
  return { data };
}

export function json(value: unknown): SideOptions {
  return { data: JSON.stringify(value), encoding: 'JSON', contentType: 'application/json' };
}

export function planOf(changes: Partial<DecodePlan> = {}): DecodePlan {
  return {
    format: 'sagemaker-capture',
    gzip: 'auto',
    variant: 'AllTraffic',
    defaultVersion: 'v1',
    versions: [{ match: 'v1', predictions: [] }],
    role: 'inferences',
    limits: defaultLimits,
    batchRows: 256,
    ...changes,
  };
}

/** A plan whose only version has these names. */
export function schemaPlan(columns: readonly string[] | undefined, predictions: readonly string[] = []): DecodePlan {
  return planOf({ versions: [{ match: 'v1', columns, predictions }] });
}

export async function* chunked(bytes: Uint8Array, sizes: readonly number[] = []): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

/** All that an object decodes to, with rows as lists of [column, cell] without absent columns. */
export interface Whole {
  readonly rows: readonly (readonly (readonly [column: string, cell: Cell])[])[];
  readonly places: readonly { readonly line: number; readonly row: number }[];
  readonly sides: ReadonlyMap<string, string>;
  readonly invocations: readonly Invocation[];
  readonly quarantined: readonly Quarantined[];
  readonly duplicates: readonly DuplicateInvocation[];
  readonly batches: readonly Decoded[];
}

export async function decodeChunks(chunks: AsyncIterable<Uint8Array>, plan: DecodePlan): Promise<Whole> {
  const batches: Decoded[] = [];
  for await (const decoded of decodeCapture(chunks, plan)) batches.push(decoded);
  const rows: (readonly (readonly [string, Cell])[])[] = [];
  const places: { line: number; row: number }[] = [];
  const sides = new Map<string, string>();
  for (const { batch } of batches) {
    for (const column of batch.columns) {
      sides.set(column.name, column.side);
      if (column.cells.length !== batch.rows.length) throw new Error(`ragged column: ${column.cells.length} cells`);
    }
    for (const [index, place] of batch.rows.entries()) {
      const cells = batch.columns.map(({ name, cells }) => [name, cells[index]] as const);
      rows.push(cells.filter(([, cell]) => cell !== undefined));
      places.push({ line: batch.invocations[place.invocation]?.line ?? -1, row: place.row });
    }
  }
  return {
    rows,
    places,
    sides,
    invocations: batches.flatMap(({ batch }) => batch.invocations),
    quarantined: batches.flatMap(({ quarantined }) => quarantined),
    duplicates: batches.flatMap(({ duplicates }) => duplicates),
    batches,
  };
}

export function decodeBytes(bytes: Uint8Array, plan: DecodePlan): Promise<Whole> {
  return decodeChunks(chunked(bytes), plan);
}

export function decodeLines(lines: readonly string[], plan: DecodePlan): Promise<Whole> {
  return decodeBytes(Buffer.from(lines.map((line) => `${line}\n`).join('')), plan);
}

/** The reasons of an object's quarantined lines and rows. */
export function reasons(whole: Whole): string[] {
  return whole.quarantined.map(({ reason }) => reason);
}
