import { totalsOfSameBins } from './counts.ts';

/** Calls `visit` with the raw shares of each bin; not at all when either side has no counts. */
function visitShares(
  baseline: ArrayLike<number>,
  current: ArrayLike<number>,
  visit: (p: number, q: number) => void,
): void {
  const [n, m] = totalsOfSameBins(baseline, current);
  if (n === 0 || m === 0) return;
  for (let bin = 0; bin < baseline.length; bin++) visit((baseline[bin] ?? 0) / n, (current[bin] ?? 0) / m);
}

/**
 * Jensen–Shannon distance: √(½·KL(p‖r) + ½·KL(q‖r)), r = (p + q)/2, raw shares; a metric.
 * From 0 (equal) to 1 (nothing shared) with logarithms to base 2, to √ln 2 ≈ .8326 with natural ones, the default.
 * 0 when either side has no counts. The same as `scipy.spatial.distance.jensenshannon`. Compare its value with a
 * threshold only where you know the base.
 */
export function jensenShannonDistance(
  baseline: ArrayLike<number>,
  current: ArrayLike<number>,
  logarithm: 'natural' | 'base-2' = 'natural',
): number {
  let divergence = 0;
  visitShares(baseline, current, (p, q) => {
    if (p + q === 0) return;
    // Twice the bin's part is (p + q)/2·((1 + d)·ln(1 + d) + (1 − d)·ln(1 − d)): written so that nothing cancels.
    const d = (q - p) / (p + q);
    const bent = Math.abs(d) === 1 ? 2 * Math.LN2 : Math.log1p(-d * d) + 2 * d * Math.atanh(d);
    divergence += ((p + q) / 4) * bent;
  });
  return Math.sqrt(Math.max(0, logarithm === 'natural' ? divergence : divergence / Math.LN2));
}

/** Hellinger distance: √(½·Σ(√p − √q)²), from 0 (equal) to 1 (nothing shared). 0 when either side has no counts. */
export function hellingerDistance(baseline: ArrayLike<number>, current: ArrayLike<number>): number {
  let sum = 0;
  visitShares(baseline, current, (p, q) => {
    sum += (Math.sqrt(p) - Math.sqrt(q)) ** 2;
  });
  return Math.min(1, Math.sqrt(sum / 2));
}

/**
 * Total variation: ½·Σ|p − q|, from 0 to 1: the largest difference in probability any set of bins can show.
 * 0 when either side has no counts.
 */
export function totalVariation(baseline: ArrayLike<number>, current: ArrayLike<number>): number {
  let sum = 0;
  visitShares(baseline, current, (p, q) => {
    sum += Math.abs(p - q);
  });
  return Math.min(1, sum / 2);
}

/**
 * Largest difference of the cumulative shares over ordered bins, from 0 to 1: the L∞ distance of two binned
 * distributions, never above that of the raw values (`kolmogorovSmirnovTest`). 0 when either side has no counts.
 */
export function largestCumulativeDifference(baseline: ArrayLike<number>, current: ArrayLike<number>): number {
  let [cumulative, largest] = [0, 0];
  visitShares(baseline, current, (p, q) => {
    cumulative += p - q;
    largest = Math.max(largest, Math.abs(cumulative));
  });
  return Math.min(1, largest);
}
