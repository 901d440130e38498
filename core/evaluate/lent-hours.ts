import type { Baseline } from '../model/baseline.ts';
import type { Calendar } from '../model/calendar.ts';
import { createCellReader } from './cells.ts';
import type { ExpectedShares } from './expected-shares.ts';
import type { GroupedWindows } from './window-set.ts';

/**
 * A total's shares by group of cells: each bin varies over the hours by the factors by which it varies live.
 * @param mix records of the total by group, as far as they are known
 */
export function lendHours(total: ExpectedShares, live: ExpectedShares, mix: Float64Array): ExpectedShares {
  const { bins } = total.plan;
  const last = total.records.length - 1;
  const shares = vary(total.shares, live.shares, mix, bins);
  for (let row = 0; row < last; row++) {
    const here = shares.subarray(row * bins, (row + 1) * bins);
    const whole = here.reduce((all, share) => all + share, 0);
    // Hours with nothing but what the total lacks have no expectation of their own.
    here.set(whole > 0 ? here.map((share) => share / whole) : total.shares.subarray(last * bins));
  }
  const unseen = vary(total.unseen, live.unseen, mix, 1).map((share) => Math.min(1, share));
  const records = live.records.slice();
  records[last] = total.records[last] ?? 0;
  return { ...total, shares, unseen, records, leansOn: total.records[last] };
}

/** Every row but the last of a table, times what the same row of another is to that one's mixture. */
function vary(table: Float64Array, live: Float64Array, mix: Float64Array, columns: number): Float64Array {
  const varied = table.slice();
  for (let column = 0; column < columns; column++) {
    const mean = mix.reduce((sum, weight, row) => sum + weight * (live[row * columns + column] ?? 0), 0);
    if (!(mean > 0)) continue;
    for (let row = 0; row < mix.length; row++) {
      const index = row * columns + column;
      varied[index] = ((table[index] ?? 0) * (live[index] ?? 0)) / mean;
    }
  }
  return varied;
}

/** Shares of a baseline's records by group of cells; where it has no times, of the live ones. */
export function mixOf({ time }: Baseline, { groups, records }: GroupedWindows, calendar: Calendar): Float64Array {
  const mix = new Float64Array(groups.size);
  const cellOf = createCellReader(calendar);
  for (const [start, count] of time?.windows ?? []) {
    const group = groups.indexOf(cellOf(Date.parse(start)));
    if (group !== undefined) mix[group] = (mix[group] ?? 0) + count;
  }
  const counts = mix.some((count) => count > 0) ? mix : records;
  const total = counts.reduce((all, count) => all + count, 0);
  return total > 0 ? counts.map((count) => count / total) : counts;
}
