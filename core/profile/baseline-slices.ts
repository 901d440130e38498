import type { Baseline, BaselineSlice } from '../model/baseline.ts';
import type { Layout } from '../model/layout.ts';
import type { RecordBatch } from '../model/record-batch.ts';
import type { SlicePolicy } from '../model/slice.ts';
import { SliceCounter, SlicePlan } from './slice-counter.ts';

/**
 * Numbers kept for windows × slices × bins; beyond it the counts per window are left out, with a note. More than for
 * the model itself: a slice's counts are kept as text, which takes a fraction of the memory.
 */
const maximumSliceCounts = 20_000_000;

/** Counts the slices of a baseline, in total and per window. */
export class BaselineSlices {
  readonly #plan: SlicePlan;
  readonly #total: SliceCounter;
  readonly #windows = new Map<string, SliceCounter>();
  readonly #maximumWindows: number;
  #keepsWindows = true;

  constructor(layout: Layout, slices: readonly SlicePolicy[], maximumCounts = maximumSliceCounts) {
    this.#plan = new SlicePlan(layout, slices);
    this.#total = new SliceCounter(this.#plan);
    this.#maximumWindows = Math.floor(maximumCounts / Math.max(1, slices.length * this.#plan.bins));
  }

  /** @param windowOf the key of a row's window; absent where the records have no times. */
  add(batch: RecordBatch, windowOf: ((row: number) => string) | undefined): void {
    const all = batch.rows.map((_, row) => row);
    this.#total.add(batch, all);
    if (!windowOf || !this.#keepsWindows) return;
    const rowsOf = new Map<string, number[]>();
    for (const row of all) {
      const key = windowOf(row);
      const rows = rowsOf.get(key);
      if (rows) rows.push(row);
      else rowsOf.set(key, [row]);
    }
    for (const [key, rows] of rowsOf) {
      const counter = this.#windows.get(key) ?? new SliceCounter(this.#plan);
      this.#windows.set(key, counter);
      counter.add(batch, rows);
    }
    if (this.#windows.size <= this.#maximumWindows) return;
    this.#keepsWindows = false;
    this.#windows.clear();
  }

  /** @param windows keys of all windows of the baseline, ascending; undefined: the records have no times. */
  finish(windows: readonly string[] | undefined): { readonly slices: Baseline['slices']; readonly notes: string[] } {
    if (this.#plan.slices.length === 0) return { slices: undefined, notes: [] };
    const totals = new Map(this.#total.finish());
    const absent = this.#plan.slices.filter((name) => !totals.has(name));
    const notes = absent.map((name) => `slice ${name}: left out, no record is in it`);
    if (!this.#keepsWindows) notes.push('counts of slices per window are left out: too many windows, slices and bins');
    const byWindow =
      windows && this.#keepsWindows ? windows.map((key) => new Map(this.#windows.get(key)?.finish() ?? [])) : undefined;
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
