import { chiSquaredUpperTail } from './chi-squared.ts';
import { totalsOfSameBins } from './counts.ts';
import type { ChiSquaredTest } from './pearson.ts';

/** How far the ranks of two rows of ordered counts lie apart. */
export interface RankShift {
  /** (difference of the mean ranks)²/(variance of a rank): with `sampling` as variance it is χ² with one degree of freedom. */
  readonly distance: number;
  /** 1/n + 1/m. */
  readonly sampling: number;
}

/**
 * Compares where two rows of counts over the same ordered bins stand, by mid-ranks.
 * @param bins how many of the leading bins are compared
 * @returns undefined where there is nothing to compare: an empty side, or fewer than two occupied bins
 */
export function measureRankShift(
  baseline: ArrayLike<number>,
  current: ArrayLike<number>,
  bins: number,
): RankShift | undefined {
  let [n, m] = [0, 0];
  for (let bin = 0; bin < bins; bin++) {
    n += baseline[bin] ?? 0;
    m += current[bin] ?? 0;
  }
  const total = n + m;
  if (!(n > 0 && m > 0 && total < Number.POSITIVE_INFINITY)) return undefined;
  let [below, difference, variance] = [0, 0, 0];
  for (let bin = 0; bin < bins; bin++) {
    const [a, b] = [baseline[bin] ?? 0, current[bin] ?? 0];
    const share = (a + b) / total;
    // Mid-ranks as parts of the whole, about their mean.
    const rank = below + share / 2 - 0.5;
    below += share;
    difference += rank * (b / m - a / n);
    variance += rank * rank * share;
  }
  if (!(variance > 0)) return undefined;
  // The variance of ranks drawn without replacement.
  return { distance: ((difference * difference) / variance) * ((total - 1) / total), sampling: 1 / n + 1 / m };
}

/**
 * Wilcoxon's rank-sum (Mann–Whitney) test over ordered bins: has one row moved against the other? Values of a bin are
 * ties and share its mid-rank. X² = (difference of the mean ranks)²/its variance, χ² with one degree of freedom;
 * two-sided, without continuity correction. Against a shift it needs about half the records that Pearson's test over
 * ten bins does; a change of spread it does not see.
 *
 * Source: Mann and Whitney (1947), variance corrected for ties; equal to scipy's `mannwhitneyu(method="asymptotic",
 * use_continuity=False)`.
 */
export function rankTest(baseline: ArrayLike<number>, current: ArrayLike<number>): ChiSquaredTest {
  totalsOfSameBins(baseline, current);
  const shift = measureRankShift(baseline, current, baseline.length);
  if (!shift) return { statistic: 0, degreesOfFreedom: 0, pValue: 1 };
  const statistic = shift.distance / shift.sampling;
  return { statistic, degreesOfFreedom: 1, pValue: chiSquaredUpperTail(statistic, 1) };
}
