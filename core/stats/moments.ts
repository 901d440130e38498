import type { ExactSum } from './exact-sum.ts';
import { clampToFinite } from './log-linear-bucket.ts';

/** From centres of this size on v − centre may be larger than a double, whatever finite number v is. */
const overflowingCentre = 2 ** 969;

/**
 * Mean and sample standard deviation (n − 1) of `count` values from the exact Σ(v − centre) and Σ(v − centre)².
 * No values: the centre and 0; one value: standard deviation 0. Squares too large for a double were counted as the
 * largest one: where there may be any the deviation is not known, nor the mean if v − centre may have been cut as well.
 */
export function momentsFromSums(
  count: number,
  centre: number,
  sum: ExactSum,
  sumOfSquares: ExactSum,
): { mean: number | undefined; standardDeviation: number | undefined } {
  if (count === 0) return { mean: centre, standardDeviation: 0 };
  const offset = sum.dividedBy(count);
  const isCut = sumOfSquares.value() >= Number.MAX_VALUE;
  const mean = isCut && Math.abs(centre) >= overflowingCentre ? undefined : clampToFinite(centre + offset);
  if (count === 1) return { mean, standardDeviation: 0 };
  if (isCut) return { mean, standardDeviation: undefined };
  const spread = Math.max(0, sumOfSquares.dividedBy(count) - offset * offset);
  return { mean, standardDeviation: Math.sqrt(spread) * Math.sqrt(count / (count - 1)) };
}
