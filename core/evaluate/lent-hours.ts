import type { Baseline } from '../model/baseline.ts';
import type { Calendar } from '../model/calendar.ts';
import { createCellReader } from './cells.ts';
import type { ExpectedShares } from './expected-shares.ts';
import type { GroupedWindows } from './window-set.ts';

/** A cell that expects fewer records of a bin says nothing of it: one record would be a factor of many. */
const fewestRecords = 10;
const secondsPerHour = 3600;

/**
 * A total's shares by group of cells: each bin varies over the hours by the factors by which it varies live. First whether
 * there is a value, then which: hours without any have none, however rare each of the values is.
 * @param mix shares of the total's records by group, as far as they are known
 */
export function lendHours(total: ExpectedShares, live: ExpectedShares, mix: Float64Array): ExpectedShares {
  const { bins } = total.plan;
  const missing = bins - 1;
  const cells = total.records.length - 1;
  const usual = meanOf(live.shares, mix, bins);
  const [usualUnseen = 0] = meanOf(live.unseen, mix, 1);
  const rows = live.records.subarray(0, cells);
  const missingRows = rows.map((count, cell) => count * (live.shares[cell * bins + missing] ?? 0));
  const presentRows = rows.map((count, cell) => count - (missingRows[cell] ?? 0));
  const usuallyMissing = usual[missing] ?? 0;
  const usuallyPresent = 1 - usuallyMissing;
  // The rarer of the two says how both vary.
  const isOftenMissing = usuallyMissing > usuallyPresent;
  const rare = vary(
    isOftenMissing ? presentRows : missingRows,
    rows.map((count) => count * Math.min(usuallyMissing, usuallyPresent)),
  );
  const ofRest = (factor: number) => {
    const share = Math.min(usuallyMissing, usuallyPresent);
    return Math.max(0, 1 - share * factor) / (1 - share);
  };
  const ofRare = rare.factors;
  const ofPresent = isOftenMissing ? ofRare : ofRare.map(ofRest);
  const ofMissing = isOftenMissing ? ofRare.map(ofRest) : ofRare;
  const expectedOf = (share: number) => presentRows.map((count) => (count * share) / usuallyPresent);
  const shares = total.shares.slice();
  const noise = new Float64Array(cells);
  for (let bin = 0; bin < bins; bin++) {
    const seen = rows.map((count, cell) => count * (live.shares[cell * bins + bin] ?? 0));
    const values = bin === missing ? undefined : vary(seen, expectedOf(usual[bin] ?? 0));
    for (let cell = 0; cell < cells; cell++) {
      const share = shares[cell * bins + bin] ?? 0;
      const ofValue = values ? (ofPresent[cell] ?? 1) * (values.factors[cell] ?? 1) : (ofMissing[cell] ?? 1);
      shares[cell * bins + bin] = share * ofValue;
      noise[cell] = (noise[cell] ?? 0) + share * (values?.variances[cell] ?? 0);
    }
  }
  for (let cell = 0; cell < cells; cell++) {
    const here = shares.subarray(cell * bins, (cell + 1) * bins);
    const whole = here.reduce((all, share) => all + share, 0);
    here.set(whole > 0 ? here.map((share) => share / whole) : total.shares.subarray(cells * bins));
  }
  const ofUnseen = vary(
    rows.map((count, cell) => count * (live.unseen[cell] ?? 0)),
    expectedOf(usualUnseen),
  ).factors;
  const unseen = total.unseen.map((share, cell) => Math.min(1, share * (ofPresent[cell] ?? 1) * (ofUnseen[cell] ?? 1)));
  // Where live shares are far from the total's, what is lent is worth fewer records than it was learned from.
  const records = total.records.map((count, cell) =>
    cell < cells ? Math.min(rows[cell] ?? 0, bins / (noise[cell] ?? 0)) : count,
  );
  return { ...total, shares, unseen, records, leansOn: total.records[cells] };
}

/**
 * By cell how many records of something there are against those that there would be if cells were alike, drawn to 1 as far
 * as chance explains how the cells differ (James and Stein 1961); and the variance of that factor.
 */
function vary(seen: Float64Array, expected: Float64Array): { factors: Float64Array; variances: Float64Array } {
  const isTold = expected.map((count) => (count >= fewestRecords ? 1 : 0));
  let [differences, cells] = [0, 0];
  for (const [cell, told] of isTold.entries()) {
    if (told === 0) continue;
    differences += ((seen[cell] ?? 0) - (expected[cell] ?? 0)) ** 2 / (expected[cell] ?? 1);
    cells++;
  }
  const weight = differences > 0 ? Math.max(0, 1 - (cells - 1) / differences) : 0;
  return {
    factors: isTold.map((told, cell) => 1 + told * weight * ((seen[cell] ?? 0) / (expected[cell] || 1) - 1)),
    variances: isTold.map((told, cell) => (told * weight * weight) / (expected[cell] || 1)),
  };
}

/** A mixture of a table's rows. */
function meanOf(table: Float64Array, mix: Float64Array, columns: number): Float64Array {
  return Float64Array.from({ length: columns }, (_, column) =>
    mix.reduce((sum, weight, row) => sum + weight * (table[row * columns + column] ?? 0), 0),
  );
}

/**
 * Shares of a baseline's records by group of cells; where it has no times, or windows too wide to tell hours, of the live
 * ones.
 */
export function mixOf({ time }: Baseline, { groups, records, windows }: GroupedWindows, calendar: Calendar) {
  const mix = new Float64Array(groups.size);
  const cellOf = createCellReader(calendar);
  const widest = Math.max(secondsPerHour, windows.windowMilliseconds / 1000);
  for (const [start, count] of time && time.windowSeconds <= widest ? time.windows : []) {
    const group = groups.indexOf(cellOf(Date.parse(start)));
    if (group !== undefined) mix[group] = (mix[group] ?? 0) + count;
  }
  const counts = mix.some((count) => count > 0) ? mix : records;
  const total = counts.reduce((all, count) => all + count, 0);
  return total > 0 ? counts.map((count) => count / total) : counts;
}
