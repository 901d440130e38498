import type { ExactSum } from './exact-sum.ts';
import { clampToFinite } from './log-linear-bucket.ts';

/**
 * Mean and sample standard deviation (n − 1) of `count` values from the exact Σ(v − centre) and Σ(v − centre)².
 * Finite also where the sums overflow. No values: the centre and 0; one value: standard deviation 0.
 */
export function momentsFromSums(
  count: number,
  centre: number,
  sum: ExactSum,
  sumOfSquares: ExactSum,
): { mean: number; standardDeviation: number } {
  if (count === 0) return { mean: centre, standardDeviation: 0 };
  const offset = sum.dividedBy(count);
  const mean = clampToFinite(centre + offset);
  if (count === 1) return { mean, standardDeviation: 0 };
  const spread = Math.max(0, sumOfSquares.dividedBy(count) - offset * offset);
  return { mean, standardDeviation: Math.sqrt(spread) * Math.sqrt(count / (count - 1)) };
}
