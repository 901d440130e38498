import type { Baseline, BaselineSlice } from '../model/baseline.ts';
import type { Layout } from '../model/layout.ts';
import type { RecordBatch } from '../model/record-batch.ts';
import type { SlicePolicy } from '../model/slice.ts';
import { fewestWindows, NewestWindows } from './newest-windows.ts';
import { SliceCounter, SlicePlan } from './slice-counter.ts';

/** Numbers kept for windows × slices × bins; of more windows the newest are kept, with a note. */
const maximumSliceCounts = 20_000_000;

/** Counts the slices of a baseline, in total and per window. */
export class BaselineSlices {
  readonly #plan: SlicePlan;
  readonly #total: SliceCounter;
  readonly #windows: NewestWindows<SliceCounter>;

  constructor(layout: Layout, slices: readonly SlicePolicy[], maximumCounts = maximumSliceCounts) {
    this.#plan = new SlicePlan(layout, slices);
    this.#total = new SliceCounter(this.#plan);
    const most = Math.floor(maximumCounts / Math.max(1, slices.length * this.#plan.bins));
    this.#windows = new NewestWindows(most, () => new SliceCounter(this.#plan));
  }

  /** @param windowOf the key of a row's window; absent where the records have no times. */
  add(batch: RecordBatch, windowOf: ((row: number) => string) | undefined): void {
    const all = batch.rows.map((_, row) => row);
    this.#total.add(batch, all);
    if (!windowOf) return;
    const rowsOf = new Map<string, number[]>();
    for (const row of all) {
      const key = windowOf(row);
      const rows = rowsOf.get(key);
      if (rows) rows.push(row);
      else rowsOf.set(key, [row]);
    }
    for (const [key, rows] of rowsOf) this.#windows.of(key)?.add(batch, rows);
  }

  /** @param windows keys of the windows that the baseline keeps, ascending; undefined: the records have no times. */
  finish(windows: readonly string[] | undefined): { readonly slices: Baseline['slices']; readonly notes: string[] } {
    if (this.#plan.slices.length === 0) return { slices: undefined, notes: [] };
    const totals = new Map(this.#total.finish());
    const absent = this.#plan.slices.filter((name) => !totals.has(name));
    const notes = absent.map((name) => `slice ${name}: left out, no record is in it`);
    const counters = new Map(this.#windows.entries());
    const kept = windows?.filter((key) => counters.has(key));
    const isEnough = kept !== undefined && kept.length >= Math.min(fewestWindows, windows?.length ?? 0);
    if (!isEnough && kept) {
      notes.push('counts of slices per window are left out: too many windows, slices and bins');
    } else if (windows && kept && kept.length < windows.length) {
      notes.push(
        `ups and downs of slices are learned from the newest ${kept.length} of ${windows.length} windows, from ${kept[0]} on: windows × slices × bins are too many to keep all`,
      );
    }
    const byWindow = isEnough ? kept.map((key) => new Map(counters.get(key)?.finish() ?? [])) : undefined;
    const slices = [...totals].map(([name, { records, counts }]): readonly [string, BaselineSlice] => [
      name,
      {
        records,
        counts,
        ...(byWindow && {
          windows: byWindow.map((here) => {
            const window = here.get(name);
            return [window?.records ?? 0, window?.counts ?? ''] as const;
          }),
        }),
      },
    ]);
    return { slices, notes };
  }
}
