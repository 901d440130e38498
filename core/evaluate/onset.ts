import { foldCounts } from './bin-plan.ts';
import type { Calibration, FeatureCalibration } from './calibration.ts';
import type { Cell } from './cells.ts';

/** One window's coarse counts of the feature in question. */
export interface OnsetWindow {
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly cell: Cell;
  readonly counts: ArrayLike<number>;
}

/** When a drift began. */
export interface Onset {
  /** Start of the window it most likely began in, milliseconds since the epoch. */
  readonly start: number;
  /** Starts of the first and last window it may have begun in: about 95 %. */
  readonly earliest: number;
  readonly latest: number;
  /** True where the best estimate is the first window given: it may have begun before. */
  readonly beforeFirst: boolean;
  /** Twice the log likelihood ratio against "nothing changed". */
  readonly likelihoodRatio: number;
}

/** χ²₁'s 95 % quantile: how far twice the log likelihood may fall from its largest. */
const supportDrop = 3.841459;

/**
 * The window that a feature's change most likely began in: the maximum-likelihood change point. For each suffix of the
 * windows the shares after the change are those observed in it, relative to what was expected of its hours; twice the
 * log likelihood ratio against no change is 2·Σ O·ln(O/E). Where hours wander the likelihood is too sure of itself: for
 * the interval it is divided by 1 + wander/sampling of a typical window (a quasi-likelihood).
 *
 * Finds changes that are more than about twice the wander; a smaller one may seem to begin with the day before.
 * @param windows ascending in time: the trailing stretch that drifted and, if known, what came before it
 * @returns undefined where there is no record
 */
export function estimateOnset(
  feature: FeatureCalibration,
  { groups }: Pick<Calibration, 'groups'>,
  windows: readonly OnsetWindow[],
): Onset | undefined {
  const { plan, shares, records } = feature;
  const { bins } = plan;
  const observed = new Float64Array(bins);
  const expected = new Float64Array(bins);
  const folded = new Float64Array(bins);
  const ratios = new Float64Array(windows.length).fill(Number.NEGATIVE_INFINITY);
  let total = 0;
  let counted = 0;
  let best = -1;
  for (let index = windows.length - 1; index >= 0; index--) {
    const window = windows[index];
    if (!window || window.counts.length !== plan.coarseBins) continue;
    foldCounts(window.counts, plan, folded);
    const group = feature.usesCells ? (groups.indexOf(window.cell) ?? records.length - 1) : records.length - 1;
    const row = (records[group] ?? 0) > 0 ? group : records.length - 1;
    let here = 0;
    for (let bin = 0; bin < bins; bin++) here += folded[bin] ?? 0;
    if (!(here > 0)) continue;
    total += here;
    for (let bin = 0; bin < bins; bin++) {
      observed[bin] = (observed[bin] ?? 0) + (folded[bin] ?? 0);
      expected[bin] = (expected[bin] ?? 0) + here * (shares[row * bins + bin] ?? 0);
    }
    const ratio = likelihoodRatio(observed, expected);
    counted++;
    ratios[index] = ratio;
    if (best < 0 || ratio > (ratios[best] ?? 0)) best = index;
  }
  const top = ratios[best];
  const start = windows[best]?.start;
  if (top === undefined || start === undefined) return undefined;
  const dispersion = 1 + ((feature.wander[0]?.shares.variance ?? 0) * total) / Math.max(counted, 1);
  const isPlausible = (ratio: number) => top - ratio <= supportDrop * dispersion;
  const earliest = windows[ratios.findIndex(isPlausible)]?.start ?? start;
  const latest = windows[ratios.findLastIndex(isPlausible)]?.start ?? start;
  return { start, earliest, latest, beforeFirst: best === 0, likelihoodRatio: Math.max(0, top) };
}

/** 2·Σ O·ln(O/E), with half a record added to either side. */
function likelihoodRatio(observed: Float64Array, expected: Float64Array): number {
  let sum = 0;
  for (let bin = 0; bin < observed.length; bin++) {
    const o = (observed[bin] ?? 0) + 0.5;
    const e = (expected[bin] ?? 0) + 0.5;
    sum += o * Math.log(o / e) - (o - e);
  }
  return 2 * sum;
}
