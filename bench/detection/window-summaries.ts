import { validateBatch } from '../../core/decode/validate.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { Summary } from '../../core/model/profile.ts';
import type { RecordBatch } from '../../core/model/record-batch.ts';
import { invocationOf, SummaryBuilder } from '../../core/profile/summarise.ts';
import type { TimedRecords } from './timed-records.ts';
import { type UnreadRows, UnreadRowsCounter } from './unread-rows.ts';

export interface WindowSummaries {
  /** Ascending. Windows without a record, read or not, are left out. */
  readonly windows: readonly (readonly [start: number, summary: Summary])[];
  /** Of all records, those before the first window among them. */
  readonly unread: readonly UnreadRows[];
}

/** Counts records from a time on into windows as ingest does: what can't be read is captured and quarantined. */
export async function summariseWindows(
  records: TimedRecords,
  layout: Layout,
  from: number,
  milliseconds: number,
): Promise<WindowSummaries> {
  const watch = { layout, indicators: [], required: [], ignored: new Set<string>(), role: 'inferences' } as const;
  const builders = new Map<number, SummaryBuilder>();
  const builderAt = (time: number) => {
    const start = Math.floor(time / milliseconds) * milliseconds;
    const builder = builders.get(start) ?? new SummaryBuilder(watch);
    builders.set(start, builder);
    return builder;
  };
  const unread = new UnreadRowsCounter();
  for await (const { batch, quarantined, duplicates } of records.open()) {
    const valid = validateBatch(batch, () => layout);
    for (const [start, rows] of rowsByWindow(valid.batch, from, milliseconds)) {
      builderAt(start).addRows(valid.batch, rows);
    }
    for (const entry of [...quarantined, ...valid.quarantined]) {
      unread.add(entry);
      const { time } = entry;
      if (time !== undefined && time >= from) builderAt(time).addQuarantined(entry, time);
    }
    for (const { time, rows } of duplicates) if (time >= from) builderAt(time).addDuplicates(rows);
  }
  const windows = [...builders].sort(([a], [b]) => a - b).map(([start, builder]) => [start, builder.finish()] as const);
  return { windows, unread: unread.finish() };
}

function rowsByWindow(batch: RecordBatch, from: number, milliseconds: number): Map<number, number[]> {
  const windows = new Map<number, number[]>();
  for (const row of batch.rows.keys()) {
    const { time } = invocationOf(batch, row);
    if (time < from) continue;
    const start = Math.floor(time / milliseconds) * milliseconds;
    const rows = windows.get(start);
    if (rows) rows.push(row);
    else windows.set(start, [row]);
  }
  return windows;
}
