import type { Baseline } from '../model/baseline.ts';
import type { Calendar } from '../model/calendar.ts';
import { coarseBinsOf, placeCoarseBins } from '../model/coarse-bins.ts';
import type { Layout } from '../model/layout.ts';
import type { Summary } from '../model/profile.ts';
import { chiSquaredQuantile } from '../stats/chi-squared.ts';
import { addCountRuns, visitCountRuns } from '../stats/count-runs.ts';
import { type Calibration, isOfOwnWindows } from './calibration.ts';
import { type Cell, createCellReader } from './cells.ts';
import { countsOfSummary } from './trail.ts';

/** What the baseline says of a caller at some hours. */
export interface ExpectedCaller {
  /** Share of the records. */
  readonly share: number;
  /**
   * Standard deviation of a window's share beyond chance, with allowance for the few days that tell it, on the scale of
   * asin √share, where chance has the variance 1/(4·records) whatever the share; 0 where it is not known.
   */
  readonly wander: number;
}

/** What the baseline says of who calls when. */
export interface CallerExpectation {
  /** At the hours that a cell is compared with. */
  expect(caller: string, cell: Cell): ExpectedCaller;
}

/** A caller with more of a window's records than its usual share explains. */
export interface CappedCaller {
  /** Hash. */
  readonly caller: string;
  readonly records: number;
  /** Of the window's records. */
  readonly share: number;
  /** Of the baseline's at these hours. */
  readonly expectedShare: number;
  /** Share of what is left up to which it would not have been held. */
  readonly allowedShare: number;
  /** Share of what is left that it is held to. */
  readonly cap: number;
  /** Records that they count as. */
  readonly kept: number;
}

/** A window of which no caller has more than its cap. */
export interface WeighedWindow {
  /** Records that are left. */
  readonly records: number;
  /** Coarse counts per feature of the layout: whole numbers, as any window's. */
  readonly counts: readonly (readonly number[])[];
}

/** The largest share of a window that one caller may have although the baseline does not know it. */
export const callerCap = 0.1;
/** Share from which on a caller, or callers together, are the model's traffic. */
export const mostOfTraffic = 0.5;
/** Fewer records of one caller do no harm, however small the window is. */
export const fewestCallerRecords = 10;
/** A known caller may have so many times its usual share, however sure that share is. */
const ordinaryRise = 1.5;
/** Normal deviations of chance and wander allowed for: one side, a level of 1e-4 for each of at most ten large callers. */
const allowedDeviations = 3.72;
/** Lower quantile of the wander's estimate that is allowed for. */
const wanderRisk = 0.05;
/** At least a fifth of what is left comes from callers that are not held, and something must be left at all. */
const mostHeld = 0.8;
const smallestLeft = 0.01;

/**
 * What the baseline expects of each caller: by the groups of cells that its windows are compared with, as a whole where
 * the calibration knows no cells of the baseline.
 * @returns undefined where the baseline does not know who called
 */
export function expectCallers(
  baseline: Baseline,
  calibration: Pick<Calibration, 'kind' | 'groups'>,
  calendar: Calendar,
): CallerExpectation | undefined {
  const { callers, time } = baseline;
  if (!callers) return undefined;
  const known = new Map(callers.known);
  const whole = (caller: string) => (baseline.records > 0 ? (known.get(caller)?.records ?? 0) / baseline.records : 0);
  if (!time) return { expect: (caller) => ({ share: whole(caller), wander: 0 }) };
  const cellOf = createCellReader(calendar);
  const { groups } = calibration;
  const usesCells = isOfOwnWindows(calibration);
  const starts = time.windows.map(([start]) => Date.parse(start));
  const windows: CallerWindows = {
    records: time.windows.map(([, records]) => records),
    groupOf: starts.map((start) => (usesCells ? (groups.indexOf(cellOf(start)) ?? groups.size) : 0)),
    groups: (usesCells ? groups.size : 0) + 1,
    days: new Set(starts.map((start) => Math.floor(start / millisecondsPerDay))).size,
  };
  const expected = new Map(
    callers.known.map(([caller, { windows: runs }]) => [caller, expectCaller(runs ?? '', windows)]),
  );
  const totals = sumByGroup(windows.records, windows);
  return {
    expect: (caller, cell) => {
      const own = expected.get(caller);
      if (!own) return { share: 0, wander: 0 };
      const group = usesCells ? groups.indexOf(cell) : undefined;
      // A cell that the baseline never saw is compared with the baseline as a whole.
      if (group === undefined || !((totals[group] ?? 0) > 0)) return { share: whole(caller), wander: own.wander };
      return { share: own.shares[group] ?? 0, wander: own.wanders[group] ?? own.wander };
    },
  };
}

const millisecondsPerDay = 86_400_000;

interface CallerWindows {
  readonly records: readonly number[];
  readonly groupOf: readonly number[];
  readonly groups: number;
  readonly days: number;
}

function sumByGroup(counts: ArrayLike<number>, { groupOf, groups }: CallerWindows): Float64Array {
  const sums = new Float64Array(groups);
  groupOf.forEach((group, window) => {
    sums[group] = (sums[group] ?? 0) + (counts[window] ?? 0);
  });
  return sums;
}

/** A caller's share by group of cells, and how far its windows lie from it beyond chance: in the group, and in all. */
function expectCaller(runs: string, windows: CallerWindows) {
  const { records, groupOf, days } = windows;
  const counts = new Float64Array(records.length);
  visitCountRuns(runs, (window, count) => {
    if (window < counts.length) counts[window] = count;
  });
  const totals = sumByGroup(records, windows);
  const shares = sumByGroup(counts, windows).map((count, group) =>
    (totals[group] ?? 0) > 0 ? count / (totals[group] ?? 1) : 0,
  );
  const sizes = sumByGroup(
    records.map((count) => (count > 0 ? 1 : 0)),
    windows,
  );
  const excess = new Float64Array(windows.groups);
  records.forEach((count, window) => {
    const group = groupOf[window] ?? 0;
    const size = sizes[group] ?? 0;
    if (!(count > 0) || size < 2) return;
    const residual = angleOf((counts[window] ?? 0) / count) - angleOf(shares[group] ?? 0);
    excess[group] = (excess[group] ?? 0) + (residual * residual * size) / (size - 1) - 1 / (4 * count);
  });
  // Where a caller is seldom seen, how steady its absence is says nothing of it.
  const weigh = (of: ArrayLike<number>) => shares.reduce((sum, share, group) => sum + share * (of[group] ?? 0), 0);
  const all = weigh(sizes) > 0 ? weigh(excess) / weigh(sizes) : 0;
  const freedom = Math.max(1, days - 1);
  const caution = Math.sqrt(freedom / chiSquaredQuantile(wanderRisk, freedom));
  const deviation = (variance: number) => caution * Math.sqrt(Math.max(0, variance));
  const wanders = excess.map((sum, group) =>
    deviation(Math.max(all, (sizes[group] ?? 0) > 0 ? sum / (sizes[group] ?? 1) : 0)),
  );
  return { shares, wanders, wander: deviation(all) };
}

function angleOf(share: number): number {
  return Math.asin(Math.sqrt(Math.min(1, share)));
}

/**
 * The largest share of so many records that a caller may have: what chance and wander explain of its usual one, at
 * least one and a half times that, and never less than a tenth.
 */
export function allowedShare({ share, wander }: ExpectedCaller, records: number): number {
  const deviation = share > 0 ? allowedDeviations * Math.hypot(wander, 0.5 / Math.sqrt(Math.max(1, records))) : 0;
  const angle = Math.min(Math.PI / 2, angleOf(share) + deviation);
  return Math.min(1, Math.max(callerCap, ordinaryRise * share, Math.sin(angle) ** 2));
}

/**
 * The callers of a window that have more than chance and wander explain, each held to its share in the baseline, a tenth
 * at least: as a share of what is left when all of them are held. What is left is therefore as large as the window would
 * be if they had sent what they usually do, and it is by it that the others are measured.
 */
export function findCapped(summary: Summary, cell: Cell, expectation: CallerExpectation): readonly CappedCaller[] {
  const { counted } = summary.records;
  const candidates = (summary.callers ?? []).flatMap(([caller, { records }]) => {
    if (records < fewestCallerRecords) return [];
    const expected = expectation.expect(caller, cell);
    // Who sends most records anyway is the model's traffic: held to its share, it would stand and fall with the others.
    if (expected.share >= mostOfTraffic) return [];
    return [{ caller, records, expected, cap: Math.max(callerCap, expected.share) }];
  });
  const held: typeof candidates = [];
  let [others, caps, left] = [counted, 0, counted];
  for (;;) {
    // The largest excess first: what is left shrinks with each, so that those held before stay so.
    let next: (typeof candidates)[number] | undefined;
    let most = 1;
    for (const each of candidates) {
      if (held.includes(each) || caps + each.cap > mostHeld) continue;
      if ((others - each.records) / (1 - caps - each.cap) < smallestLeft * counted) continue;
      const excess = each.records / (allowedShare(each.expected, left) * left);
      if (excess > most) [next, most] = [each, excess];
    }
    if (!next) break;
    held.push(next);
    others -= next.records;
    caps += next.cap;
    left = others / (1 - caps);
  }
  return held
    .map(({ caller, records, expected, cap }) => ({
      caller,
      records,
      share: records / counted,
      expectedShare: expected.share,
      allowedShare: allowedShare(expected, left),
      cap,
      kept: Math.min(records, Math.round(cap * left)),
    }))
    .filter(({ records, kept }) => kept < records);
}

/**
 * Takes the excess of capped callers out of a window: in proportion to their own counts, feature by feature, in whole
 * records (largest remainder), so that what is left is counted like any window.
 */
export function weighWindow(summary: Summary, layout: Layout, capped: readonly CappedCaller[]): WeighedWindow {
  const { offsets, bins } = placeCoarseBins(layout);
  const counts = countsOfSummary(summary, layout);
  const callers = new Map(summary.callers);
  const own = new Float64Array(bins);
  for (const { caller, records, kept } of capped) {
    own.fill(0);
    addCountRuns(callers.get(caller)?.counts ?? '', own);
    layout.features.forEach(([, feature], position) => {
      const offset = offsets[position] ?? 0;
      const row = counts[position] ?? [];
      takeExcess(row, own.subarray(offset, offset + coarseBinsOf(feature)), records - kept);
    });
  }
  const taken = capped.reduce((sum, { records, kept }) => sum + records - kept, 0);
  return { records: summary.records.counted - taken, counts };
}

/** Takes so many records of a caller out of a feature's counts. What the caller's counts do not hold was missing. */
function takeExcess(row: number[], own: Float64Array, excess: number): void {
  const total = own.reduce((sum, count) => sum + count, 0);
  const last = row.length - 1;
  const wanted = Math.min(excess, total);
  row[last] = Math.max(0, (row[last] ?? 0) - (excess - wanted));
  if (wanted === 0) return;
  const parts = [...own].map((count, bin) => {
    const exact = (count * wanted) / total;
    return { bin, whole: Math.floor(exact), rest: exact - Math.floor(exact) };
  });
  let missing = wanted - parts.reduce((sum, { whole }) => sum + whole, 0);
  for (const { bin, whole, rest } of parts.sort((a, b) => b.rest - a.rest || a.bin - b.bin)) {
    const more = missing > 0 && rest > 0 ? 1 : 0;
    missing -= more;
    row[bin] = Math.max(0, (row[bin] ?? 0) - whole - more);
  }
}
