import { chiSquaredUpperTail } from './chi-squared.ts';
import { totalsOfSameBins } from './counts.ts';
import { deviance } from './log-density.ts';
import { clampToFinite } from './log-linear-bucket.ts';

/** A test statistic with an (asymptotic) χ² distribution. */
export interface ChiSquaredTest {
  readonly statistic: number;
  /** 0 when there is nothing to compare: fewer than two occupied bins, or a side without counts. */
  readonly degreesOfFreedom: number;
  /** P(a statistic at least this large | no drift), in [0, 1]. */
  readonly pValue: number;
}

/** A side with less is empty: counts may be weighted and so be fractions, but not such. */
const SMALLEST_TOTAL = 1e-100;

const NOTHING_TO_COMPARE: ChiSquaredTest = { statistic: 0, degreesOfFreedom: 0, pValue: 1 };

/**
 * Two-sample Pearson χ² test: do two rows of counts come from one distribution?
 * X² = Σ (b·n − a·m)² / (n·m·(a + b)), χ² with (occupied bins − 1) degrees of freedom.
 *
 * Bins empty on both sides are dropped. Both rows are samples: the baseline is not taken as exact. Records must be
 * independent. The tail is trustworthy where every expected count is about 10 or more: pool first (`pooling.ts`).
 */
export function pearsonTest(baseline: ArrayLike<number>, current: ArrayLike<number>): ChiSquaredTest {
  const totals = totalsOfSameBins(baseline, current);
  const [n, m] = totals;
  return testOccupiedBins(baseline, current, totals, (a, b) => {
    const difference = Math.sqrt(n / m) * b - Math.sqrt(m / n) * a;
    return difference * (difference / (a + b));
  });
}

/**
 * Two-sample likelihood-ratio (G) test: G = 2·Σ O·ln(O/E) over both rows, χ² like Pearson's.
 * Bins empty on both sides are dropped. Its tail is worse than Pearson's at small counts.
 */
export function gTest(baseline: ArrayLike<number>, current: ArrayLike<number>): ChiSquaredTest {
  const totals = totalsOfSameBins(baseline, current);
  const [n, m] = totals;
  return testOccupiedBins(baseline, current, totals, (a, b) => {
    const share = (a + b) / (n + m);
    return 2 * (observedTerm(a, n * share) + observedTerm(b, m * share));
  });
}

function observedTerm(observed: number, expected: number): number {
  // Observed minus expected sums to zero over a row; leaving it in keeps every term positive and the sum exact.
  return observed === 0 || expected === 0 ? expected : deviance(observed, expected);
}

function testOccupiedBins(
  baseline: ArrayLike<number>,
  current: ArrayLike<number>,
  [n, m]: readonly [number, number],
  term: (a: number, b: number) => number,
): ChiSquaredTest {
  if (n < SMALLEST_TOTAL || m < SMALLEST_TOTAL) return NOTHING_TO_COMPARE;
  let occupied = 0;
  let statistic = 0;
  for (let bin = 0; bin < baseline.length; bin++) {
    const [a, b] = [baseline[bin] ?? 0, current[bin] ?? 0];
    if (a + b === 0) continue;
    occupied++;
    statistic += term(a, b);
  }
  if (occupied < 2) return NOTHING_TO_COMPARE;
  statistic = clampToFinite(statistic);
  const degreesOfFreedom = occupied - 1;
  return { statistic, degreesOfFreedom, pValue: chiSquaredUpperTail(statistic, degreesOfFreedom) };
}
