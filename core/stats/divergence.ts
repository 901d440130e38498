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

/** p·ln(p/q), 0 at p = 0. */
function relativeEntropyTerm(p: number, q: number): number {
  return p === 0 ? 0 : p * Math.log(p / q);
}

/**
 * Jensen–Shannon distance: √(½·KL(p‖r) + ½·KL(q‖r)), r = (p + q)/2, natural logarithms, raw shares.
 * From 0 (equal) to √ln 2 ≈ .8326 (nothing shared); a metric. 0 when either side has no counts.
 * The same as `scipy.spatial.distance.jensenshannon`.
 */
export function jensenShannonDistance(baseline: ArrayLike<number>, current: ArrayLike<number>): number {
  let divergence = 0;
  visitShares(baseline, current, (p, q) => {
    const middle = (p + q) / 2;
    divergence += (relativeEntropyTerm(p, middle) + relativeEntropyTerm(q, middle)) / 2;
  });
  return Math.sqrt(Math.max(0, divergence));
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
