import type { Decoded } from '../../core/decode/decode-plan.ts';
import type { Cell } from '../../core/model/record-batch.ts';

/** A row of a generated table: its time, and its values in the order of the columns. */
export interface TimedRow {
  readonly time: number;
  readonly cells: readonly Cell[];
}

const batchRows = 1_000;

/** Hands rows on in batches, as a decoder does. */
export function* toBatches(columns: readonly string[], rows: readonly TimedRow[]): Generator<Decoded> {
  for (let from = 0; from < rows.length; from += batchRows) {
    const some = rows.slice(from, from + batchRows);
    yield {
      batch: {
        invocations: some.map(({ time }, index) => ({
          eventId: `row-${from + index}`,
          time,
          variant: 'AllTraffic',
          version: 'default',
          line: from + index + 1,
          offset: 0,
          length: 0,
        })),
        rows: some.map((_, invocation) => ({ invocation, row: 0 })),
        columns: columns.map((name, column) => ({
          name,
          side: 'input',
          cells: some.map(({ cells }) => cells[column]),
        })),
      },
      quarantined: [],
      duplicates: [],
    };
  }
}
