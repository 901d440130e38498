import { totalsOfSameBins } from './counts.ts';

/**
 * Population stability index between two rows of counts over the same bins: how far two distributions lie apart,
 * symmetric, without a unit, 0 for equal shares. With n, m the totals and B the number of bins,
 * p = (a + ½)/(n + B/2), q = (b + ½)/(m + B/2), PSI = Σ (p − q)·ln(p/q).
 *
 * An effect size, not a test: without drift PSI/(1/n + 1/m) is about χ² with B − 1 degrees of freedom, so its size
 * depends on the counts. B counts every bin given, also empty ones.
 * 0 when either side has no counts. Throws RangeError on unequal lengths and impossible counts.
 */
export function populationStabilityIndex(baseline: ArrayLike<number>, current: ArrayLike<number>): number {
  const [n, m] = totalsOfSameBins(baseline, current);
  if (n === 0 || m === 0) return 0;
  const halfBins = baseline.length / 2;
  let result = 0;
  for (let bin = 0; bin < baseline.length; bin++) {
    const p = ((baseline[bin] ?? 0) + 0.5) / (n + halfBins);
    const q = ((current[bin] ?? 0) + 0.5) / (m + halfBins);
    result += (p - q) * Math.log(p / q);
  }
  return result;
}
