import { describe, expect, test } from 'vitest';
import { kolmogorovSmirnovTest, kolmogorovUpperTail } from '../../core/stats/kolmogorov.ts';
import { expectRelative, expectRows, lcg, reference, rReference, twoSampleReference } from './reference.ts';

describe('two samples', () => {
  test('closed form: 50 uniform and 40 bent numbers', () => {
    const test = kolmogorovSmirnovTest(
      lcg(50, 1),
      lcg(40, 2).map((u) => u ** 1.5),
    );
    expectRelative(test.statistic, 0.275);
    expectRelative(test.pValue, 0.05746364916);
    expectRelative(kolmogorovUpperTail(0.275, 22), 0.05817211642);
  });
  test('ties count by default, as in R', () => {
    expect(rReference.ties.length).toBeGreaterThan(10);
    for (const { x, y, statistic, pValue } of rReference.ties) {
      const test = kolmogorovSmirnovTest(x, y);
      expectRelative(test.statistic, statistic, 1e-12);
      // R takes its p-value from 1 and so knows its first 14 digits only.
      expect(Math.abs(test.pValue - pValue), `${x} against ${y}`).toBeLessThanOrEqual(1e-9 * pValue + 1e-13);
      expect(kolmogorovSmirnovTest(y, x).pValue).toBeCloseTo(test.pValue, 13);
    }
  });
  test('on request they are ignored, as in scipy, and never lower the p-value', () => {
    for (const { x, y, kolmogorovSmirnov } of twoSampleReference.samples) {
      const [statistic, exact, asymptotic, givenTies] = kolmogorovSmirnov;
      const test = kolmogorovSmirnovTest(x, y, { ties: 'ignored', method: 'exact' });
      expectRelative(test.statistic, statistic, 1e-12);
      expectRelative(test.pValue, exact, 1e-9, `${x} against ${y}`);
      const conditional = kolmogorovSmirnovTest(x, y).pValue;
      expectRelative(conditional, givenTies, 1e-11);
      expect(conditional).toBeLessThanOrEqual(test.pValue * (1 + 1e-12));
      const limit = kolmogorovSmirnovTest(x, y, { method: 'asymptotic' });
      expect(limit.method).toBe('asymptotic');
      expectRelative(limit.pValue, asymptotic);
    }
  });
  test('exact far into the tail: two samples that do not overlap', () => {
    // 2 of the C(n + m, n) orders are as extreme.
    for (const [n, m] of [
      [20, 30],
      [500, 400],
    ] as const) {
      const x = Array.from({ length: n }, (_, index) => index);
      const y = Array.from({ length: m }, (_, index) => index + n);
      let expected = 2;
      for (let i = 1; i <= n; i++) expected *= i / (m + i);
      expectRelative(kolmogorovSmirnovTest(x, y, { method: 'exact' }).pValue, expected, 1e-11);
    }
  });
  test('infinite values and −0 are values like others', () => {
    const [infinite, zero] = [Number.POSITIVE_INFINITY, -0];
    expect(kolmogorovSmirnovTest([infinite, -infinite, 0], [zero, infinite, -infinite]).statistic).toBe(0);
    expect(kolmogorovSmirnovTest([infinite, infinite], [1, 2]).statistic).toBe(1);
  });
  test('scipy, exact', () => {
    for (const { x, y, statistic, pValue } of reference.kolmogorovSmirnov) {
      const test = kolmogorovSmirnovTest(x, y);
      expect(test.method).toBe('exact');
      expectRelative(test.statistic, statistic);
      expectRelative(test.pValue, pValue);
    }
  });
  test('large samples are asymptotic, near the exact value', () => {
    const x = lcg(2001, 5);
    const y = lcg(2000, 9).map((u) => u ** 1.08);
    const large = kolmogorovSmirnovTest(x, y);
    expect(large.method).toBe('asymptotic');
    const exact = kolmogorovSmirnovTest(x.slice(0, 2000), y);
    expect(exact.method).toBe('exact');
    expect(Math.abs(large.pValue / exact.pValue - 1)).toBeLessThan(0.15);
  });
  test('ends', () => {
    expect(kolmogorovSmirnovTest([], [1])).toEqual({ statistic: 0, pValue: 1, method: 'exact' });
    expect(kolmogorovSmirnovTest([3, 3], [3])).toEqual({ statistic: 0, pValue: 1, method: 'exact' });
    expect(kolmogorovSmirnovTest([1, 2, 3], [4, 5, 6]).pValue).toBeCloseTo(0.1, 14);
    expect(() => kolmogorovSmirnovTest([1, Number.NaN], [1])).toThrow(RangeError);
  });
});

describe('one-sample distribution', () => {
  test('scipy: exact to 140, beyond to the accuracy of its own expansion', () => {
    expectRows(
      reference.kolmogorovUpperTail.filter(([, n = 0]) => n <= 140),
      kolmogorovUpperTail,
    );
    expectRows(
      reference.kolmogorovUpperTail.filter(([, n = 0]) => n > 140),
      kolmogorovUpperTail,
      2e-5,
    );
  });
  test('its forms meet: falling, no jump above 3e-6', () => {
    for (const n of [150, 600, 1700, 20_000]) {
      const switches = [40 / n, Math.sqrt(2.2 / n), Math.sqrt(4 / n)].filter((d) => d * Math.sqrt(n) < 2.5 && d < 0.5);
      for (const d of switches) {
        const [before, after] = [kolmogorovUpperTail(d * (1 - 1e-9), n), kolmogorovUpperTail(d * (1 + 1e-9), n)];
        expectRelative(after, before, 3e-6, `${d}, ${n}`);
      }
    }
  });
  test('ends', () => {
    expect(kolmogorovUpperTail(0, 10)).toBe(1);
    expect(kolmogorovUpperTail(1, 10)).toBe(0);
    expect(kolmogorovUpperTail(0.999, 1)).toBeCloseTo(0.002, 12);
  });
});
