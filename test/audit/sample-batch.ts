import type { BundleFacts } from '../../core/audit/bundle-format.ts';
import type { Quarantined } from '../../core/model/quarantine.ts';
import type { Cell, Column, Invocation, RecordBatch } from '../../core/model/record-batch.ts';

export const sampleKey: Uint8Array = new Uint8Array(32).map((_, index) => index);

export const sampleFacts: BundleFacts = {
  type: 'inferences',
  model: 'flights',
  config: 'c'.repeat(64),
  baselines: ['b'.repeat(64)],
  windowSeconds: 3600,
  code: '0.1.0',
  source: {
    bucket: 'secret-bucket',
    key: 'datacapture/flights/AllTraffic/2026/03/10/05/00-00-000-x.jsonl',
    etag: 'd41d8cd98f00b204e9800998ecf8427e',
    bytes: 1234,
    lastModified: Date.UTC(2026, 2, 10, 5, 2),
  },
};

/** One line of a capture object, as far as the evidence cares: rows of cells by column name, or a quarantined line. */
export interface SampleLine {
  readonly eventId: string;
  readonly time: number;
  readonly version?: string;
  readonly rows: readonly (readonly (readonly [name: string, cell: Cell])[] | 'quarantined')[];
}

export function sampleLine(index: number, cells: readonly (readonly [string, Cell])[] = [['age', index]]): SampleLine {
  return { eventId: `event-${index}`, time: Date.UTC(2026, 2, 10, 5, 0, index), rows: [cells] };
}

/** Decodes lines as one batch; `first` is the 1-based number of the first. */
export function sampleBatch(
  lines: readonly SampleLine[],
  first = 1,
): { readonly batch: RecordBatch; readonly quarantined: readonly Quarantined[] } {
  const invocations: Invocation[] = [];
  const rows: { invocation: number; row: number }[] = [];
  const quarantined: Quarantined[] = [];
  const columns = new Map<string, Cell[]>();
  for (const [index, { eventId, time, version, rows: lineRows }] of lines.entries()) {
    const place = { line: first + index, offset: (first + index) * 100, length: 99 };
    for (const [row, cells] of lineRows.entries()) {
      if (cells === 'quarantined') {
        quarantined.push({ reason: 'not-a-number', ...place, row, seen: 'text', expected: 'a number' });
        continue;
      }
      for (const [name, cell] of cells) {
        const column = columns.get(name) ?? [];
        columns.set(name, column);
        column[rows.length] = cell;
      }
      rows.push({ invocation: invocations.length, row });
    }
    const all = lineRows.length > 0 && lineRows.every((row) => row === 'quarantined');
    if (!all) invocations.push({ eventId, time, variant: 'AllTraffic', version: version ?? 'v1', ...place });
  }
  return {
    batch: {
      invocations,
      rows,
      columns: [...columns].map(
        ([name, cells]): Column => ({ name, side: 'input', cells: rows.map((_, row) => cells[row]) }),
      ),
    },
    quarantined,
  };
}
