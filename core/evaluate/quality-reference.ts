import type { Baseline, BaselineFeature } from '../model/baseline.ts';
import type { FeatureLayout } from '../model/layout.ts';
import { logAllInOneClass } from '../stats/beta-binomial.ts';
import { chiSquaredQuantile } from '../stats/chi-squared.ts';
import { logEvenSplit } from '../stats/even-split.ts';
import { binCountsOf } from './trail.ts';

/** How a feature's values lie within and between the baseline's windows. */
export interface FeatureReference {
  /** Distinct values of the baseline. */
  readonly distinct: number;
  /** Per coarse bin of values (missing left out): its share of the values, never quite 0. */
  readonly shares: readonly number[];
  /** Per bin: how much likelier two values of one window agree in it than chance says; as an upper limit. */
  readonly correlations: readonly number[];
  /** Per bin: the most time slots in a row whose windows held nothing else, although chance does not explain it. */
  readonly alone: readonly number[];
  /** Windows that hold one value each, by nature: an interest rate, a date. Undefined: it is not so. */
  readonly runs?: FeatureRuns | undefined;
  /** Windows repeat each other's counts by nature, as where the same customers are scored every day. */
  readonly repeats: boolean;
}

/** Stretches of windows through which a feature that has one value per window kept to one bin. */
export interface FeatureRuns {
  /** Complete ones: they neither begin nor end with the baseline. */
  readonly count: number;
  /** The longest, in time slots, begun or ended with the baseline or not. */
  readonly longest: number;
}

/** What judging the quality of data needs of a baseline, prepared once. */
export interface QualityReference {
  /** Windows of the baseline with counts; 0: there are none, and nothing is known of how windows differ. */
  readonly windows: number;
  readonly windowSeconds: number;
  /** By name: features that have values. */
  readonly features: ReadonlyMap<string, FeatureReference>;
}

/** Fewer windows than this say nothing of how windows differ. */
const minimumWindows = 24;
/** Share of windows in one bin from which on a feature has one value per window by nature. */
const mostWindows = 0.9;
/** Standard deviations below the mean at which windows differ too little. */
const alikeDeviations = 4;
/** What chance explains less well than this is in the nature of the feature. */
const oddProbability = 0.01;
/** How sure the upper limit of a correlation is. */
const confidence = 0.95;

/**
 * Learns from a baseline's windows how its features vary within and between them. Without windows only the shares are
 * known.
 * @param windowSeconds width of the windows that will be judged: a baseline's windows of another width say nothing of
 *   them. Default: the baseline's own.
 */
export function prepareQuality(baseline: Baseline, windowSeconds = baseline.time?.windowSeconds): QualityReference {
  const time = baseline.time?.windowSeconds === windowSeconds ? baseline.time : undefined;
  const layouts = new Map(baseline.layout.features);
  const starts = time?.windows.map(([start]) => Date.parse(start)) ?? [];
  const slots = starts.map((start) => Math.round((start - (starts[0] ?? 0)) / (1000 * (time?.windowSeconds ?? 1))));
  const days = new Set(starts.map((start) => Math.floor(start / 86_400_000))).size;
  let windows = 0;
  const features = new Map<string, FeatureReference>();
  for (const [name, feature] of baseline.features) {
    const layout = layouts.get(name);
    if (!layout || layout.kind === 'opaque' || layout.kind === 'embedding') continue;
    const known = feature.binCounts?.windows ?? [];
    const rows = known.length === slots.length && known.length >= minimumWindows ? known.map(valuesOf) : [];
    windows = Math.max(windows, rows.length);
    const totals = rows.length > 0 ? sumRows(rows) : totalsOf(feature, layout);
    const count = sum(totals);
    const byRecords = totals.map((here) => (here + 1) / (count + 1 + totals.length));
    const scatter = limitCorrelations(rows, totals, days);
    const shares = byRecords.map((share, bin) => Math.max(share, scatter[bin]?.share ?? 0));
    const correlations = totals.map((_, bin) => scatter[bin]?.correlation ?? 0);
    features.set(name, {
      distinct: feature.distinct,
      shares,
      correlations,
      alone: totals.map((_, bin) => longestAlone(rows, slots, bin, shares[bin] ?? 1, correlations[bin] ?? 1)),
      runs: findRuns(rows, slots),
      repeats: repeatsByNature(rows, slots),
    });
  }
  return { windows, windowSeconds: time?.windowSeconds ?? 0, features };
}

/** The bin that holds all values of a window; −1: several do, undefined: there is no value. */
export function onlyBin(values: ArrayLike<number>): number | undefined {
  let found: number | undefined;
  for (let bin = 0; bin < values.length; bin++) {
    if (!((values[bin] ?? 0) > 0)) continue;
    if (found !== undefined) return -1;
    found = bin;
  }
  return found;
}

/** Coarse counts without those of missing values. */
export function valuesOf(counts: ArrayLike<number>): readonly number[] {
  return Array.from({ length: Math.max(0, counts.length - 1) }, (_, bin) => counts[bin] ?? 0);
}

interface BinScatter {
  readonly share: number;
  readonly correlation: number;
}

/**
 * The intraclass correlation r of each bin, by the method of moments. By records: windows of m values with x in a bin of
 * share p have Σ(x − mp)² = p(1 − p)·Σ m(1 + (m − 1)·r) on average. By windows, each counting alike: the mean of
 * x(x − 1)/(m(m − 1)) is p² + p(1 − p)·r. The larger of the two, because the small windows of a night may be the odd
 * ones; and of the bin's own and that of all bins together. As an upper limit for the days it was learned from, because
 * windows of one day are alike.
 */
function limitCorrelations(
  rows: readonly (readonly number[])[],
  totals: readonly number[],
  days: number,
): readonly BinScatter[] {
  const sizes = rows.map(sum);
  const count = sum(sizes);
  const pairs = sizes.reduce((all, size) => all + size * (size - 1), 0);
  if (rows.length === 0) return [];
  if (!(pairs > 0)) return totals.map((total) => ({ share: count > 0 ? total / count : 0, correlation: 1 }));
  const paired = rows.filter((_, window) => (sizes[window] ?? 0) > 1).length;
  const bins = totals.map((total, bin) => {
    const share = total / count;
    let [square, byWindow, agreement] = [0, 0, 0];
    rows.forEach((row, window) => {
      const [here, size] = [row[bin] ?? 0, sizes[window] ?? 0];
      square += (here - size * share) ** 2;
      if (size < 2) return;
      byWindow += here / size;
      agreement += (here * (here - 1)) / (size * (size - 1));
    });
    return { share, spread: share * (1 - share), square, byWindow: byWindow / paired, agreement: agreement / paired };
  });
  const byRecords = (square: number, spread: number) => (spread > 0 ? (square / spread - count) / pairs : 0);
  const byWindows = (excess: number, spread: number) => (spread > 0 ? excess / spread : 0);
  const spreadOf = (share: number) => share * (1 - share);
  const together = Math.max(
    byRecords(sum(bins.map(({ square }) => square)), sum(bins.map(({ spread }) => spread))),
    byWindows(
      sum(bins.map(({ agreement, byWindow }) => agreement - byWindow ** 2)),
      sum(bins.map(({ byWindow }) => spreadOf(byWindow))),
    ),
  );
  const limit = days / chiSquaredQuantile(1 - confidence, Math.max(1, days));
  return bins.map(({ share, spread, square, byWindow, agreement }) => {
    const own = Math.max(byRecords(square, spread), byWindows(agreement - byWindow ** 2, spreadOf(byWindow)));
    return { share: Math.max(share, byWindow), correlation: Math.min(1, Math.max(0, limit * Math.max(together, own))) };
  });
}

function longestAlone(
  rows: readonly (readonly number[])[],
  slots: readonly number[],
  bin: number,
  share: number,
  correlation: number,
): number {
  let longest = 0;
  let start: number | undefined;
  rows.forEach((row, window) => {
    const size = sum(row);
    if (size === 0) return;
    const isAlone = (row[bin] ?? 0) === size && logAllInOneClass(size, share, correlation) <= Math.log(oddProbability);
    if (!isAlone) {
      start = undefined;
      return;
    }
    start ??= slots[window] ?? 0;
    longest = Math.max(longest, (slots[window] ?? 0) - start + 1);
  });
  return longest;
}

function findRuns(rows: readonly (readonly number[])[], slots: readonly number[]): FeatureRuns | undefined {
  const states = rows.map(onlyBin);
  const filled = states.flatMap((state, index) => (state === undefined ? [] : [{ state, slot: slots[index] ?? 0 }]));
  const single = filled.filter(({ state }) => state >= 0).length;
  // Windows of one record hold one value whatever the feature is.
  const sized = rows.filter((row) => sum(row) > 1).length;
  if (filled.length < minimumWindows || sized < minimumWindows || single < mostWindows * filled.length)
    return undefined;
  let [count, longest, start] = [0, 0, 0];
  let complete = false;
  for (let index = 1; index <= filled.length; index++) {
    const here = filled[index];
    const before = filled[index - 1];
    if (before && here?.state === before.state && here.state >= 0) continue;
    const length = (here?.slot ?? (before?.slot ?? 0) + 1) - (filled[start]?.slot ?? 0);
    longest = Math.max(longest, length);
    if (complete && here) count++;
    complete = true;
    start = index;
  }
  return { count, longest };
}

/**
 * True where windows are more alike than samples: one after another has the same counts although chance, over all
 * windows, does not explain it; or all together they differ too little. Σ X² over pairs of neighbours is then far below
 * its mean, which for N values in both is degrees of freedom·N/(N − 1) whatever the counts.
 */
function repeatsByNature(rows: readonly (readonly number[])[], slots: readonly number[]): boolean {
  const odd = Math.log(oddProbability / Math.max(1, rows.length));
  let [same, squares, mean, degreesOfFreedom] = [1, 0, 0, 0];
  for (let window = 1; window < rows.length; window++) {
    const [row, before] = [rows[window] ?? [], rows[window - 1] ?? []];
    if ((slots[window] ?? 0) !== (slots[window - 1] ?? 0) + 1) {
      same = 1;
      continue;
    }
    same = row.every((count, bin) => count === before[bin]) ? same + 1 : 1;
    if (same > 1 && logEvenSplit(row, same) <= odd) return true;
    const [here, there] = [sum(row), sum(before)];
    const occupied = row.filter((count, bin) => count + (before[bin] ?? 0) > 0).length;
    if (here === 0 || there === 0 || occupied < 2) continue;
    row.forEach((count, bin) => {
      const other = before[bin] ?? 0;
      if (count + other > 0) squares += (count * there - other * here) ** 2 / (here * there * (count + other));
    });
    mean += ((occupied - 1) * (here + there)) / (here + there - 1);
    degreesOfFreedom += occupied - 1;
  }
  return squares < mean - alikeDeviations * Math.sqrt(2 * degreesOfFreedom);
}

function totalsOf(feature: BaselineFeature, layout: FeatureLayout): readonly number[] {
  return valuesOf(binCountsOf(feature.summary, layout));
}

function sumRows(rows: readonly (readonly number[])[]): readonly number[] {
  return Array.from({ length: rows[0]?.length ?? 0 }, (_, bin) => rows.reduce((all, row) => all + (row[bin] ?? 0), 0));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
