import { fUpperTail } from './f-distribution.ts';
import { clampToFinite } from './log-linear-bucket.ts';

/** One side's moments, as `momentsFromSums` gives them. */
export interface SampleMoments {
  readonly count: number;
  readonly mean: number;
  /** Of the sample (n − 1). */
  readonly standardDeviation: number;
}

/** A two-sided test from moments. */
export interface MomentTest {
  /** Finite; 0 where there is nothing to compare. */
  readonly statistic: number;
  /** P(a statistic at least as extreme | no change), in [0, 1]; 1 where there is nothing to compare. */
  readonly pValue: number;
}

const NOTHING_TO_COMPARE: MomentTest = { statistic: 0, pValue: 1 };

/**
 * Student's test of equal means with the variance of both sides together: t = (current − baseline)/(s·√(1/n + 1/m)),
 * n + m − 2 degrees of freedom, two-sided. As `scipy.stats.ttest_ind`. The test of drift in the mean: under no drift
 * variances are equal too, and against a long baseline outliers in the window can't widen the error they are held against.
 * Two constants that differ give the p-value 0 and the largest statistic a double holds; fewer than two values on a
 * side give nothing to compare. Throws RangeError on moments that aren't finite.
 */
export function pooledMeanTest(baseline: SampleMoments, current: SampleMoments): MomentTest {
  if (!isComparable(baseline, current) || baseline.mean === current.mean) return NOTHING_TO_COMPARE;
  const [n, m] = [baseline.count, current.count];
  // The mean square of two deviations, in units of the larger.
  const wider = Math.max(baseline.standardDeviation, current.standardDeviation);
  const square = (side: SampleMoments) => (wider === 0 ? 0 : (side.standardDeviation / wider) ** 2);
  const pooled = Math.sqrt(((n - 1) * square(baseline) + (m - 1) * square(current)) / (n + m - 2));
  return judgeDifference(baseline, current, wider * (pooled * Math.sqrt(1 / n + 1 / m)), n + m - 2);
}

/**
 * Welch's test of equal means where the variances may differ: t = (current − baseline)/√(s₁²/n + s₂²/m), Student's t
 * with Welch and Satterthwaite's degrees of freedom, two-sided. As `scipy.stats.ttest_ind(equal_var=False)`.
 * At the ends like `pooledMeanTest`.
 */
export function welchTest(baseline: SampleMoments, current: SampleMoments): MomentTest {
  if (!isComparable(baseline, current) || baseline.mean === current.mean) return NOTHING_TO_COMPARE;
  const [errorA, errorB] = [standardError(baseline), standardError(current)];
  const wider = Math.max(errorA, errorB);
  const [a, b] = wider === 0 ? [0, 0] : [(errorA / wider) ** 2, (errorB / wider) ** 2];
  const degreesOfFreedom = (a + b) ** 2 / (a ** 2 / (baseline.count - 1) + b ** 2 / (current.count - 1));
  return judgeDifference(baseline, current, wider * Math.sqrt(a + b), degreesOfFreedom);
}

function judgeDifference(
  baseline: SampleMoments,
  current: SampleMoments,
  standardErrorOfDifference: number,
  degreesOfFreedom: number,
): MomentTest {
  // Halves, so that a difference of means at both ends of the doubles is finite.
  const difference = current.mean / 2 - baseline.mean / 2;
  if (standardErrorOfDifference === 0) return { statistic: Math.sign(difference) * Number.MAX_VALUE, pValue: 0 };
  const statistic = clampToFinite(2 * (difference / standardErrorOfDifference));
  // t² has an F distribution; where the square overflows, the tail of any t that data can give is 0.
  return { statistic, pValue: fUpperTail(statistic * statistic, 1, degreesOfFreedom) };
}

/**
 * F test of equal variances: s₂²/s₁², current over baseline, two-sided (twice the smaller tail). As R's `var.test`.
 *
 * For normal values only. Heavier tails scatter a variance as if there were fewer values, and then it rejects far too
 * often at any sample size; give the values' `excessKurtosis` (normal 0, uniform −1.2) to count them as that many fewer:
 * degrees of freedom (n − 1)/(1 + excess/2), after Box (1953). A constant side against one that varies gives the
 * p-value 0. Throws RangeError on moments that aren't finite and an excess kurtosis that can't be (below −2).
 */
export function varianceTest(baseline: SampleMoments, current: SampleMoments, excessKurtosis = 0): MomentTest {
  if (!(excessKurtosis >= -2 && excessKurtosis < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`moments: expected a finite excess kurtosis of at least -2, saw ${excessKurtosis}`);
  }
  if (!isComparable(baseline, current)) return NOTHING_TO_COMPARE;
  if (baseline.standardDeviation === 0 && current.standardDeviation === 0) return NOTHING_TO_COMPARE;
  const ratio = current.standardDeviation / baseline.standardDeviation;
  const statistic = clampToFinite(ratio * ratio);
  if (statistic === 0 || statistic === Number.MAX_VALUE) return { statistic, pValue: 0 };
  // At an excess of −2, two values half and half, the variance hardly scatters; held off from 0.
  const worth = (count: number) => (count - 1) / Math.max(1e-3, 1 + excessKurtosis / 2);
  const upper = fUpperTail(statistic, worth(current.count), worth(baseline.count));
  const lower = fUpperTail(1 / statistic, worth(baseline.count), worth(current.count));
  return { statistic, pValue: Math.min(1, 2 * Math.min(upper, lower)) };
}

function standardError({ count, standardDeviation }: SampleMoments): number {
  return standardDeviation / Math.sqrt(count);
}

function isComparable(...sides: readonly SampleMoments[]): boolean {
  for (const { count, mean, standardDeviation } of sides) {
    const isSound = count >= 0 && Number.isFinite(mean) && standardDeviation >= 0 && Number.isFinite(standardDeviation);
    if (!isSound || !Number.isFinite(count)) {
      throw new RangeError(
        `moments: expected a finite count, mean and standard deviation, saw ${count}, ${mean}, ${standardDeviation}`,
      );
    }
  }
  return sides.every(({ count }) => count >= 2);
}
