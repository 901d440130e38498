import { describe, expect, test } from 'vitest';
import { benjaminiHochberg } from '../../core/stats/benjamini-hochberg.ts';
import { cramerVonMisesTest } from '../../core/stats/cramer-von-mises.ts';
import { hellingerDistance, jensenShannonDistance } from '../../core/stats/divergence.ts';
import { effectFloorTest } from '../../core/stats/effect-floor.ts';
import { fisherExactTest } from '../../core/stats/fisher-exact.ts';
import { hypergeometricUpperTail } from '../../core/stats/hypergeometric.ts';
import { kolmogorovSmirnovTest } from '../../core/stats/kolmogorov.ts';
import { gTest, pearsonTest } from '../../core/stats/pearson.ts';
import { populationStabilityIndex } from '../../core/stats/population-stability-index.ts';
import { logProportionEvidence } from '../../core/stats/proportion-evidence.ts';
import { clopperPearsonInterval, wilsonInterval } from '../../core/stats/proportion-intervals.ts';
import { wassersteinDistance } from '../../core/stats/wasserstein.ts';
import { expectRelative, lcg } from './reference.ts';

/** The numbers that the project was handed as oracles, each to the digits it was handed with (half a unit of the last). */
function expectDigits(actual: number, printed: string): void {
  const [mantissa = '', exponent = '0'] = printed.split('e');
  const decimals = mantissa.split('.')[1]?.length ?? 0;
  const halfUnit = 0.5 * 10 ** (Number(exponent) - decimals);
  expect(Math.abs(actual - Number(printed)), `saw ${actual}, expected ${printed}`).toBeLessThanOrEqual(
    halfUnit * 1.001,
  );
}

describe('published closed forms', () => {
  test('ten deciles', () => {
    const baseline = new Array<number>(10).fill(1000);
    const current = [30, 42, 48, 51, 47, 55, 58, 60, 52, 57];
    // Half-smoothing vanishes at large counts.
    const large = (row: readonly number[]) => row.map((count) => count * 1e9);
    expectDigits(populationStabilityIndex(large(baseline), large(current)), '.0327623563');
    const smoothed = populationStabilityIndex(baseline, current);
    expectDigits(smoothed, '.0320601635');
    const pearson = pearsonTest(baseline, current);
    expectDigits(pearson.statistic, '13.8364362605');
    expectDigits(pearson.pValue, '.1282636222');
    expectDigits(gTest(baseline, current).statistic, '14.8973264684');
    expectDigits(effectFloorTest(smoothed, 10_000, 500, 10, 0.005).pValue, '.207060');
    expectDigits(effectFloorTest(smoothed, 10_000, 500, 10, 0.02).pValue, '.631141');
  });
  test('two raw samples of a linear congruential generator', () => {
    const x = lcg(50, 1);
    const y = lcg(40, 2).map((u) => u ** 1.5);
    const exact = kolmogorovSmirnovTest(x, y);
    expectDigits(exact.statistic, '.275');
    expectDigits(exact.pValue, '.05746364916');
    expectDigits(kolmogorovSmirnovTest(x, y, { method: 'asymptotic' }).pValue, '.05817211642');
    expectDigits(wassersteinDistance(x, y), '.145436027985');
    const cramer = cramerVonMisesTest(x, y);
    expectDigits(cramer.statistic, '.5574814815');
    expectDigits(cramer.pValue, '.028471');
  });
  test('ties: R and scipy differ', () => {
    const x = [1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7, 7, 8];
    const y = [2, 3, 4, 5, 5, 6, 6, 7, 8, 8, 9];
    expectDigits(kolmogorovSmirnovTest(x, y).pValue, '.2707');
    expectDigits(kolmogorovSmirnovTest(x, y, { ties: 'ignored' }).pValue, '.39066');
  });
  test('.1 .2 .3 .4 against uniform', () => {
    const [p, uniform] = [
      [1, 2, 3, 4],
      [5, 5, 5, 5],
    ];
    expectDigits(jensenShannonDistance(p, uniform), '.1669299657');
    expectDigits(jensenShannonDistance(p, uniform, 'base-2'), '.2005033225');
    expectDigits(hellingerDistance(p, uniform), '.1678995964');
    // Half-smoothing vanishes at large counts.
    const large = (row: readonly number[]) => row.map((count) => count * 1e12);
    expectDigits(populationStabilityIndex(large(p), large(uniform)), '.2282174096');
  });
  test('four categories, and a table of two by two', () => {
    const pair = [
      [90, 60, 104, 95],
      [30, 50, 51, 20],
    ] as const;
    expectDigits(pearsonTest(...pair).statistic, '23.1701681');
    expectDigits(pearsonTest(...pair).pValue, '3.72156e-5');
    expectDigits(gTest(...pair).statistic, '23.3561650');
    expectDigits(fisherExactTest(3, 997, 12, 988), '.0344914');
    expectDigits(hypergeometricUpperTail(5, 500, 5, 10_500), '2.402e-7');
    expectDigits(pearsonTest([10_000, 0], [495, 5]).pValue, '1.5e-23');
  });
  test('170 of 200', () => {
    const wilson = wilsonInterval(170, 200);
    expectDigits(wilson.lower, '.793944');
    expectDigits(wilson.upper, '.892864');
    const exact = clopperPearsonInterval(170, 200);
    expectDigits(exact.lower, '.792841');
    expectDigits(exact.upper, '.896450');
  });
  test.each([
    [50, 40, '-1.493087'],
    [200, 150, '4.358850'],
    [500, 400, '1.573981'],
  ] as const)('evidence that precision is below .85: %i labels, %i right', (n, k, printed) => {
    expectDigits(logProportionEvidence(k, n, 0.85), printed);
  });
  test('Benjamini and Hochberg', () => {
    const adjusted = benjaminiHochberg([0.0005, 0.003, 0.009, 0.012, 0.021, 0.04, 0.2, 0.6]);
    const printed = ['.004', '.012', '.024', '.024', '.0336', '.05333', '.22857', '.6'];
    adjusted.forEach((q, index) => {
      expectDigits(q, printed[index] ?? '');
    });
    expectRelative(adjusted[5] ?? 0, 0.32 / 6, 1e-15);
  });
});
