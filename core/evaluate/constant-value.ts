import type { NumericLayout } from '../model/layout.ts';
import type { NumericSummary } from '../model/profile.ts';
import { ExactSum } from '../stats/exact-sum.ts';
import { momentsFromSums } from '../stats/log-linear-histogram.ts';

/** Standard deviation, in parts of the distance from the centre, that rounding alone leaves. */
const rounding = 1e-6;

/**
 * The value that all values of a summary are; undefined where there are none, or where they differ. A bucket far from
 * the centre is wide: the exact sums tell whether its values are one.
 */
export function readConstant(summary: NumericSummary, layout: NumericLayout): number | undefined {
  const { count, buckets } = summary;
  if (buckets.length !== 1 || count === 0) return undefined;
  const { centre, unit } = layout;
  const sums = [ExactSum.parse(summary.sum), ExactSum.parse(summary.sumOfSquares)] as const;
  const { mean, standardDeviation } = momentsFromSums(count, centre, ...sums);
  if (mean === undefined || standardDeviation === undefined) return undefined;
  const tolerance = rounding * Math.max(Math.abs(mean - centre), unit);
  return standardDeviation <= tolerance ? mean : undefined;
}
