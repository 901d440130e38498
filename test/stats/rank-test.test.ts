import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pearsonTest } from '../../core/stats/pearson.ts';
import { measureRankShift, rankTest } from '../../core/stats/rank-test.ts';

const rows = fc
  .integer({ min: 3, max: 12 })
  .chain((bins) =>
    fc.tuple(...[1, 2].map(() => fc.array(fc.nat({ max: 5_000 }), { minLength: bins, maxLength: bins }))),
  );

test('turning the order of the bins, or the two sides, changes nothing', () => {
  fc.assert(
    fc.property(rows, ([a = [], b = []]) => {
      const { statistic, pValue } = rankTest(a, b);
      expect(rankTest(b, a).statistic).toBeCloseTo(statistic, 6);
      expect(rankTest(a.toReversed(), b.toReversed()).pValue).toBeCloseTo(pValue, 9);
      expect(pValue).toBeGreaterThanOrEqual(0);
      expect(pValue).toBeLessThanOrEqual(1);
    }),
  );
});

test('empty bins take no part', () => {
  expect(rankTest([5, 0, 9, 30], [9, 0, 9, 10])).toEqual(rankTest([5, 9, 30], [9, 9, 10]));
});

test('no direction of a difference holds more than all of it', () => {
  fc.assert(
    fc.property(rows, ([a = [], b = []]) => {
      expect(rankTest(a, b).statistic).toBeLessThanOrEqual(pearsonTest(a, b).statistic * (1 + 1e-9) + 1e-9);
    }),
  );
});

test('of two bins it is Pearson’s test, but for ranks drawn without replacement', () => {
  const [a, b] = [
    [400, 600],
    [300, 200],
  ];
  expect(rankTest(a, b).statistic).toBeCloseTo((pearsonTest(a, b).statistic * 1499) / 1500, 9);
});

test('a change of spread about the middle is none of rank', () => {
  const shift = measureRankShift([100, 100, 100, 100], [200, 50, 50, 200], 4);
  expect(shift?.distance).toBeCloseTo(0, 12);
});

test('nothing to compare: no shift, no difference', () => {
  expect(measureRankShift([0, 0, 0], [1, 2, 3], 3)).toBeUndefined();
  expect(measureRankShift([0, 7, 0], [0, 3, 0], 3)).toBeUndefined();
  expect(rankTest([], [])).toEqual({ statistic: 0, degreesOfFreedom: 0, pValue: 1 });
  expect(measureRankShift([1e308, 1e308, 1], [1, 1, 1], 3)).toBeUndefined();
  expect(rankTest([1e99, 1, 0], [1, 1, 1]).pValue).toBe(0);
});
