import { describe, expect, test } from 'vitest';
import { hellingerDistance, jensenShannonDistance, totalVariation } from '../../core/stats/divergence.ts';
import { effectFloorTest, minimumDetectableEffect } from '../../core/stats/effect-floor.ts';
import { gTest, pearsonTest } from '../../core/stats/pearson.ts';
import { populationStabilityIndex } from '../../core/stats/population-stability-index.ts';
import { expectRelative, reference } from './reference.ts';

const BASELINE = new Array<number>(10).fill(1000);
const CURRENT = [30, 42, 48, 51, 47, 55, 58, 60, 52, 57];

describe('closed forms', () => {
  test('ten deciles', () => {
    const psi = BASELINE.reduce((sum, _, bin) => {
      const q = (CURRENT[bin] ?? 0) / 500;
      return sum + (0.1 - q) * Math.log(0.1 / q);
    }, 0);
    expectRelative(psi, 0.0327623563, 2e-9);
    expectRelative(populationStabilityIndex(BASELINE, CURRENT), 0.0320601635, 2e-9);
    const pearson = pearsonTest(BASELINE, CURRENT);
    expectRelative(pearson.statistic, 13.8364362605);
    expect(pearson.degreesOfFreedom).toBe(9);
    expectRelative(pearson.pValue, 0.1282636222);
    expectRelative(gTest(BASELINE, CURRENT).statistic, 14.8973264684);
    const smoothed = populationStabilityIndex(BASELINE, CURRENT);
    expectRelative(effectFloorTest(smoothed, 10_000, 500, 10, 0.005).pValue, 0.20706, 3e-6);
    expectRelative(effectFloorTest(smoothed, 10_000, 500, 10, 0.02).pValue, 0.631141, 1e-6);
  });
  test('.1 .2 .3 .4 against uniform', () => {
    const [p, uniform] = [
      [1, 2, 3, 4],
      [5, 5, 5, 5],
    ];
    expectRelative(jensenShannonDistance(p, uniform), 0.1669299657);
    expectRelative(hellingerDistance(p, uniform), 0.1678995964);
    expectRelative(totalVariation(p, uniform), 0.2);
    // Half-smoothing vanishes at large counts.
    const large = (row: number[]) => row.map((count) => count * 1e11);
    expectRelative(populationStabilityIndex(large(p), large(uniform)), 0.2282174096);
  });
  test('a table of four categories', () => {
    const [a, b] = [
      [90, 60, 104, 95],
      [30, 50, 51, 20],
    ];
    expectRelative(pearsonTest(a, b).statistic, 23.1701681, 1e-8);
    expectRelative(pearsonTest(a, b).pValue, 3.72156e-5, 1e-5);
    expectRelative(gTest(a, b).statistic, 23.356165, 1e-8);
  });
  test('minimum detectable effect at power .8, n = 100·m', () => {
    const effect = (m: number, level: number) =>
      minimumDetectableEffect({ baselineSize: 100 * m, currentSize: m, bins: 10, level, power: 0.8 }) ?? Number.NaN;
    expect([500, 2000, 10_000].map((m) => effect(m, 8.5e-5).toFixed(4))).toEqual(['0.0728', '0.0182', '0.0036']);
    expect([500, 2000, 10_000].map((m) => effect(m, 4.3e-7).toFixed(3))).toEqual(['0.102', '0.026', '0.005']);
  });
});

test('random tables agree with scipy', () => {
  for (const table of reference.comparisons) {
    const { baseline, current } = table;
    const pearson = pearsonTest(baseline, current);
    const g = gTest(baseline, current);
    expectRelative(pearson.statistic, table.pearson[0]);
    expect(pearson.degreesOfFreedom).toBe(table.pearson[1]);
    expectRelative(pearson.pValue, table.pearson[2]);
    expectRelative(g.statistic, table.g[0]);
    expectRelative(g.pValue, table.g[2]);
    expectRelative(populationStabilityIndex(baseline, current), table.populationStabilityIndex);
    expectRelative(jensenShannonDistance(baseline, current), table.jensenShannon);
    expectRelative(hellingerDistance(baseline, current), table.hellinger);
    expectRelative(totalVariation(baseline, current), table.totalVariation);
  }
});

describe('nothing to compare', () => {
  const nothing = { statistic: 0, degreesOfFreedom: 0, pValue: 1 };
  test.each([
    [[], []],
    [[0], [0]],
    [[5], [7]],
    [
      [0, 0, 0],
      [1, 2, 3],
    ],
    [
      [1, 2, 3],
      [0, 0, 0],
    ],
    [
      [0, 9, 0],
      [0, 4, 0],
    ],
  ])('%j against %j', (a, b) => {
    expect(pearsonTest(a, b)).toEqual(nothing);
    expect(gTest(a, b)).toEqual(nothing);
    for (const score of [populationStabilityIndex, jensenShannonDistance, hellingerDistance, totalVariation]) {
      expect(Number.isFinite(score(a, b))).toBe(true);
    }
  });
  test('effects', () => {
    expect(effectFloorTest(0.3, 0, 500, 10, 0.02)).toEqual(nothing);
    expect(effectFloorTest(0.3, 500, 500, 1, 0.02)).toEqual(nothing);
    const design = { baselineSize: 1000, currentSize: 100, bins: 10, level: 0.01, power: 0.8 };
    expect(minimumDetectableEffect({ ...design, currentSize: 0 })).toBeNull();
    expect(minimumDetectableEffect({ ...design, bins: 1 })).toBeNull();
    expect(minimumDetectableEffect({ ...design, level: 0 })).toBeNull();
    expect(minimumDetectableEffect({ ...design, power: 0.01 })).toBe(0);
  });
});

test('huge counts stay defined', () => {
  const [a, b] = [
    [1e12, 2e12, 0],
    [0, 1e12, 3e12],
  ];
  for (const test of [
    pearsonTest(a, b),
    gTest(a, b),
    effectFloorTest(populationStabilityIndex(a, b), 3e12, 4e12, 3, 0.02),
  ]) {
    expect(Number.isFinite(test.statistic)).toBe(true);
    expect(test.pValue).toBe(0);
  }
  const design = { baselineSize: 1e12, currentSize: 1e12, bins: 10, level: 1e-12, power: 0.99 };
  expect(minimumDetectableEffect(design)).toBeGreaterThan(0);
});

test('impossible counts are refused', () => {
  for (const compare of [
    pearsonTest,
    gTest,
    populationStabilityIndex,
    jensenShannonDistance,
    hellingerDistance,
    totalVariation,
  ]) {
    expect(() => compare([1, 2], [1])).toThrow('expected as many current bins as baseline bins (2), saw 1');
    expect(() => compare([1, Number.NaN], [1, 1])).toThrow('in bin 1, saw NaN');
    expect(() => compare([1, 1], [-1, 1])).toThrow('in bin 0, saw -1');
  }
});
