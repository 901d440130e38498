import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { benjaminiHochberg, bonferroni } from '../../core/stats/benjamini-hochberg.ts';
import { cramerVonMisesTest } from '../../core/stats/cramer-von-mises.ts';
import {
  hellingerDistance,
  jensenShannonDistance,
  largestCumulativeDifference,
  totalVariation,
} from '../../core/stats/divergence.ts';
import { fisherExactTest } from '../../core/stats/fisher-exact.ts';
import { hypergeometricUpperTail } from '../../core/stats/hypergeometric.ts';
import { kolmogorovSmirnovTest } from '../../core/stats/kolmogorov.ts';
import { histogramKolmogorovSmirnov, histogramWasserstein } from '../../core/stats/log-linear-histogram.ts';
import { pooledMeanTest, type SampleMoments, varianceTest, welchTest } from '../../core/stats/moment-tests.ts';
import { gTest, pearsonTest } from '../../core/stats/pearson.ts';
import { poolNeighbours, poolRare } from '../../core/stats/pooling.ts';
import { populationStabilityIndex } from '../../core/stats/population-stability-index.ts';
import { wassersteinDistance } from '../../core/stats/wasserstein.ts';
import { expectRelative, expectRows, rReference, twoSampleReference } from './reference.ts';

const moments = ([count, mean, standardDeviation]: readonly [number, number, number]): SampleMoments => ({
  count,
  mean,
  standardDeviation,
});

describe('agree with scipy and R', () => {
  test('Wasserstein and Cramér–von Mises of raw samples', () => {
    for (const { x, y, wasserstein, cramerVonMises } of twoSampleReference.samples) {
      if (wasserstein !== null) expectRelative(wassersteinDistance(x, y), wasserstein, 1e-9, `${x} against ${y}`);
      const test = cramerVonMisesTest(x, y);
      expectRelative(test.statistic, cramerVonMises[0], 1e-9, `${x} against ${y}`);
      // scipy ends its series early.
      expect(Math.abs(test.pValue - cramerVonMises[1])).toBeLessThan(1e-9);
    }
  });
  test('means and variances', () => {
    for (const { baseline, current, pooled } of twoSampleReference.moments) {
      const mean = pooledMeanTest(moments(baseline), moments(current));
      expectRelative(mean.statistic, pooled[0]);
      expectRelative(mean.pValue, pooled[1]);
    }
    for (const { baseline, current, welch, variance } of [...twoSampleReference.moments, ...rReference.moments]) {
      const mean = welchTest(moments(baseline), moments(current));
      expectRelative(mean.statistic, welch[0], 1e-9);
      expectRelative(mean.pValue, welch[1], 1e-9);
      const spread = varianceTest(moments(baseline), moments(current));
      expectRelative(spread.statistic, variance[0], 1e-9);
      expectRelative(spread.pValue, variance[1], 1e-9);
    }
  });
  test('Fisher', () => {
    expectRows(twoSampleReference.fisher, (a = 0, b = 0, c = 0, d = 0) => fisherExactTest(a, b, c, d));
    expectRows(rReference.fisher, (a = 0, b = 0, c = 0, d = 0) => fisherExactTest(a, b, c, d));
  });
  test('distances of shares', () => {
    for (const row of twoSampleReference.shares) {
      const { baseline, current } = row;
      expectRelative(jensenShannonDistance(baseline, current, 'base-2'), row.jensenShannonBase2);
      expectRelative(largestCumulativeDifference(baseline, current), row.largestCumulative);
    }
  });
  test('distances of histograms', () => {
    for (const { a, b, centre, unit, wasserstein, kolmogorovSmirnov } of twoSampleReference.histograms) {
      expectRelative(histogramWasserstein(a, b, centre, unit), wasserstein);
      expectRelative(histogramKolmogorovSmirnov(a, b), kolmogorovSmirnov);
    }
  });
  test('adjusted p-values', () => {
    const { pValues, hochberg } = rReference.adjusted;
    for (const [adjust, expected] of [
      [benjaminiHochberg, hochberg],
      [bonferroni, rReference.adjusted.bonferroni],
    ] as const) {
      adjust(pValues).forEach((q, index) => {
        expectRelative(q, expected[index] ?? Number.NaN);
      });
    }
  });
});

describe('means and variances at the ends', () => {
  const nothing = { statistic: 0, pValue: 1 };
  const side = (count: number, mean: number, standardDeviation: number) => ({ count, mean, standardDeviation });
  test('nothing to compare', () => {
    for (const compare of [welchTest, pooledMeanTest, varianceTest]) {
      expect(compare(side(1, 3, 0), side(100, 5, 1))).toEqual(nothing);
      expect(compare(side(100, 3, 1), side(0, 0, 0))).toEqual(nothing);
      expect(compare(side(100, 3, 0), side(100, 3, 0))).toEqual(nothing);
      expect(() => compare(side(9, Number.NaN, 1), side(9, 0, 1))).toThrow(RangeError);
      expect(() => compare(side(9, 1, 1), side(9, 0, Number.POSITIVE_INFINITY))).toThrow(RangeError);
    }
  });
  test('constants', () => {
    expect(pooledMeanTest(side(10, 3, 0), side(10, 2, 0)).pValue).toBe(0);
    expect(welchTest(side(10, 3, 0), side(10, 2, 0))).toEqual({ statistic: -Number.MAX_VALUE, pValue: 0 });
    expect(varianceTest(side(10, 3, 0), side(10, 2, 1))).toEqual({ statistic: Number.MAX_VALUE, pValue: 0 });
    expect(varianceTest(side(10, 3, 1), side(10, 2, 0))).toEqual({ statistic: 0, pValue: 0 });
    expect(welchTest(side(10, 3, 0), side(10, 2, 1)).pValue).toBeGreaterThan(0);
  });
  test('whatever the moments, the results are finite and probabilities, and sides can be swapped', () => {
    const real = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ min: -9, max: 9, noNaN: true }),
    );
    const sides = fc.tuple(fc.integer({ min: 0, max: 1e9 }), real, real.map(Math.abs)).map(moments);
    fc.assert(
      fc.property(sides, sides, (a, b) => {
        for (const compare of [welchTest, pooledMeanTest, varianceTest]) {
          const test = compare(a, b);
          expect(Number.isFinite(test.statistic)).toBe(true);
          expect(test.pValue >= 0 && test.pValue <= 1).toBe(true);
          expect(Math.abs(compare(b, a).pValue - test.pValue)).toBeLessThan(1e-9);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('Fisher’s exact test', () => {
  test('is the sum over all tables no likelier', () => {
    const small = fc.integer({ min: 0, max: 25 });
    fc.assert(
      fc.property(small, small, small, small, (a, b, c, d) => {
        const [drawn, successes, population] = [a + b, a + c, a + b + c + d];
        const tail = (k: number) => hypergeometricUpperTail(k, drawn, successes, population);
        const density = (k: number) => tail(k) - tail(k + 1);
        let expected = 0;
        for (let k = 0; k <= Math.min(drawn, successes); k++) {
          if (density(k) <= density(a) * (1 + 1e-7) + 1e-15) expected += density(k);
        }
        const p = fisherExactTest(a, b, c, d);
        expect(Math.abs(p - Math.min(1, expected))).toBeLessThan(1e-9);
        for (const same of [fisherExactTest(c, d, a, b), fisherExactTest(b, a, d, c), fisherExactTest(a, c, b, d)]) {
          expect(Math.abs(same - p)).toBeLessThan(1e-9);
        }
      }),
    );
  });
  test('ends and far tails', () => {
    expect(fisherExactTest(0, 0, 0, 0)).toBe(1);
    expect(fisherExactTest(5, 0, 7, 0)).toBe(1);
    expect(fisherExactTest(1e6, 1e9, 1e6, 1e9)).toBeGreaterThan(0.99);
    expect(fisherExactTest(600, 0, 0, 400)).toBeGreaterThan(0);
    expect(fisherExactTest(600, 0, 0, 400)).toBeLessThan(1e-280);
    expect(() => fisherExactTest(1.5, 1, 1, 1)).toThrow(RangeError);
    expect(() => fisherExactTest(-1, 1, 1, 1)).toThrow(/saw -1/);
  });
});

describe('raw samples', () => {
  const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -3, max: 3 }));
  const sample = fc.array(value, { minLength: 1, maxLength: 20 });
  test('are not changed; order does not matter; swapping sides changes nothing', () => {
    fc.assert(
      fc.property(sample, sample, (x, y) => {
        const before = JSON.stringify([x, y]);
        for (const compare of [
          (a: readonly number[], b: readonly number[]) => wassersteinDistance(a, b),
          (a: readonly number[], b: readonly number[]) => cramerVonMisesTest(a, b).statistic,
          (a: readonly number[], b: readonly number[]) => kolmogorovSmirnovTest(a, b).statistic,
        ]) {
          const seen = compare(x, y);
          expect(Number.isFinite(seen)).toBe(true);
          expect(compare([...x].reverse(), [...y].reverse())).toBe(seen);
          expect(Math.abs(compare(y, x) - seen)).toBeLessThanOrEqual(1e-12 * Math.abs(seen) + 1e-12);
        }
        expect(JSON.stringify([x, y])).toBe(before);
        const p = cramerVonMisesTest(x, y).pValue;
        expect(p >= 0 && p <= 1).toBe(true);
      }),
    );
  });
  test('Wasserstein: 0 to itself, a shift is the distance, never above the range, a triangle', () => {
    const small = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(small, small, small, fc.integer({ min: -9, max: 9 }), (x, y, z, shift) => {
        expect(wassersteinDistance(x, x)).toBe(0);
        expect(wassersteinDistance([...x, ...x], x)).toBe(0);
        const shifted = x.map((v) => v + shift);
        expect(wassersteinDistance(x, shifted)).toBeCloseTo(Math.abs(shift), 10);
        expect(wassersteinDistance(x, z)).toBeLessThanOrEqual(
          wassersteinDistance(x, y) + wassersteinDistance(y, z) + 1e-9,
        );
      }),
    );
  });
  test('ends', () => {
    expect(wassersteinDistance([], [1])).toBe(0);
    expect(wassersteinDistance([-1.7e308], [1.7e308])).toBe(Number.MAX_VALUE);
    expect(wassersteinDistance([5e-324], [0])).toBeGreaterThanOrEqual(0);
    expect(() => wassersteinDistance([Number.NaN], [1])).toThrow(RangeError);
    expect(() => wassersteinDistance([Number.POSITIVE_INFINITY], [1])).toThrow(/finite values, saw Infinity/);
    expect(cramerVonMisesTest([], [1])).toEqual({ statistic: 0, pValue: 1 });
    expect(cramerVonMisesTest([1], [2]).pValue).toBe(1);
    expect(() => cramerVonMisesTest([1, Number.NaN], [1])).toThrow(RangeError);
  });
});

describe('hostile counts', () => {
  test('scores and tests stay finite for any counts they accept', () => {
    const count = fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 1e98, noNaN: true }),
      fc.nat(1000),
      fc.constant(5e-324),
    );
    const rows = fc.array(fc.tuple(count, count), { maxLength: 12 });
    fc.assert(
      fc.property(rows, (pairs) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        for (const score of [
          populationStabilityIndex(a, b),
          jensenShannonDistance(a, b),
          jensenShannonDistance(a, b, 'base-2'),
          hellingerDistance(a, b),
          totalVariation(a, b),
          largestCumulativeDifference(a, b),
          pearsonTest(a, b).statistic,
          gTest(a, b).statistic,
        ]) {
          expect(Number.isFinite(score) && score >= 0, `${score}`).toBe(true);
        }
        for (const p of [pearsonTest(a, b).pValue, gTest(a, b).pValue]) expect(p >= 0 && p <= 1).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(() => pearsonTest([1e300, 1], [1, 1])).toThrow(/total of at most/);
  });
  test('shares that hardly differ keep the digits of their distance', () => {
    // With shares ½ ± ε: JS² = ε²/2·…, Hellinger² = ε²/2, to first order.
    const [n, shift] = [1e15, 1e6];
    const epsilon = shift / (2 * n);
    const a = [n, n];
    const b = [n + shift, n - shift];
    expectRelative(jensenShannonDistance(a, b), epsilon / Math.SQRT2, 1e-6);
    expectRelative(gTest(a, b).statistic, pearsonTest(a, b).statistic, 1e-6);
  });
  test('L∞: of ordered bins, total variation bounds it, and it sees a shift', () => {
    expect(largestCumulativeDifference([1, 1, 0, 0], [0, 0, 1, 1])).toBe(1);
    expect(largestCumulativeDifference([0], [3])).toBe(0);
  });
});

describe('pooling by expected counts', () => {
  // As many records on each side: half of both is expected.
  const neighbours = (expected: number[], minimum?: number) => poolNeighbours(expected, expected, minimum);
  const rare = (expected: number[]) => poolRare(expected, expected);

  test('the documented rule', () => {
    expect(neighbours([10, 9, 1, 30, 4])).toEqual([[0], [1, 2], [3, 4]]);
    expect(neighbours([])).toEqual([]);
    expect(neighbours([1, 2])).toEqual([[0, 1]]);
    expect(neighbours([5, 5], 5)).toEqual([[0], [1]]);
    expect(rare([50, 7, 40, 8])).toEqual({ kept: [0, 2], pooled: [1, 3] });
    expect(rare([50, 20, 20, 1])).toEqual({ kept: [0, 1], pooled: [2, 3] });
    expect(rare([50, 20, 0])).toEqual({ kept: [0, 1], pooled: [2] });
    expect(() => poolNeighbours([1, Number.NaN], [1, 1])).toThrow(/saw NaN/);
    expect(() => poolRare([-1], [1])).toThrow(/saw -1/);
  });
  test('nothing depends on which row the records are in', () => {
    const row = fc.array(fc.tuple(fc.nat(64), fc.nat(64)), { maxLength: 15 });
    fc.assert(
      fc.property(row, (pairs) => {
        const moved = pairs.map(([a, b]) => [a + b, 0] as const);
        const [left, right] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
        // Totals kept: as many records as before stand at the end of each row.
        const ends = [left, right].map((counts) => counts.reduce((sum, count) => sum + count, 0));
        const whole = ends.reduce((sum, count) => sum + count, 0);
        const [end = 0, other = 0] = ends;
        expect(poolNeighbours([...left, whole - end], [...right, whole - other])).toEqual(
          poolNeighbours([...moved.map(([both]) => both), 0], [...moved.map(() => 0), whole]),
        );
      }),
    );
  });
});

test('an excess kurtosis takes degrees of freedom away', () => {
  const [a, b] = [
    { count: 201, mean: 0, standardDeviation: 1 },
    { count: 101, mean: 0, standardDeviation: 1.2 },
  ];
  const fewer = [
    { ...a, count: 101 },
    { ...b, count: 51 },
  ] as const;
  expectRelative(varianceTest(a, b, 2).pValue, varianceTest(...fewer).pValue);
  expect(varianceTest(a, b, -2).pValue).toBeGreaterThanOrEqual(0);
  expect(() => varianceTest(a, b, -3)).toThrow(/at least -2, saw -3/);
  expect(() => varianceTest(a, b, Number.NaN)).toThrow(RangeError);
});
