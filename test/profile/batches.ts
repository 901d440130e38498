import type { Decoded } from '../../core/decode/decode-plan.ts';
import { validateBatch } from '../../core/decode/validate.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { Quarantined } from '../../core/model/quarantine.ts';
import type { Cell, RecordBatch } from '../../core/model/record-batch.ts';
import { type BaselineOptions, createBaseline } from '../../core/pipeline/create-baseline.ts';

export type TestColumn = readonly [name: string, cells: readonly Cell[]];

export interface BatchOptions {
  /** Milliseconds since the epoch per row; absent: all 0. */
  readonly times?: readonly number[] | undefined;
  readonly version?: string | undefined;
}

/** A batch with an invocation per row. */
export function batchOf(columns: readonly TestColumn[], { times, version = 'v1' }: BatchOptions = {}): RecordBatch {
  const rows = Math.max(0, times?.length ?? 0, ...columns.map(([, cells]) => cells.length));
  const indices = Array.from({ length: rows }, (_, row) => row);
  return {
    invocations: indices.map((row) => ({
      eventId: `row-${row}`,
      time: times?.[row] ?? 0,
      variant: 'AllTraffic',
      version,
      line: row + 1,
      offset: row,
      length: 1,
    })),
    rows: indices.map((invocation) => ({ invocation, row: 0 })),
    columns: columns.map(([name, cells]) => ({ name, side: 'input', cells: indices.map((row) => cells[row]) })),
  };
}

/** The rows of a batch, in the order given. */
export function pickRows(batch: RecordBatch, rows: readonly number[]): RecordBatch {
  const place = { invocation: 0, row: 0 };
  return {
    invocations: batch.invocations,
    rows: rows.map((row) => batch.rows[row] ?? place),
    columns: batch.columns.map((column) => ({ ...column, cells: rows.map((row) => column.cells[row]) })),
  };
}

export function decodedOf(batch: RecordBatch, quarantined: readonly Quarantined[] = []): Decoded {
  return { batch, quarantined, duplicates: [] };
}

/** A baseline of batches. */
export function learn(batches: readonly RecordBatch[], options: Partial<BaselineOptions> = {}): Promise<Baseline> {
  async function* open() {
    for (const batch of batches) yield decodedOf(batch);
  }
  return createBaseline({ open }, { windowSeconds: undefined, ...options });
}

/** A baseline of one batch with the given columns. */
export function learnColumns(
  columns: readonly TestColumn[],
  options: Partial<BaselineOptions> & BatchOptions = {},
): Promise<Baseline> {
  return learn([batchOf(columns, options)], options);
}

/** A batch as it must be before it is counted. */
export function validated(batch: RecordBatch, layout: Layout): RecordBatch {
  return validateBatch(batch, () => layout).batch;
}
