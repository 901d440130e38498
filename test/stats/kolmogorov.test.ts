import { describe, expect, test } from 'vitest';
import { kolmogorovSmirnovTest, kolmogorovUpperTail } from '../../core/stats/kolmogorov.ts';
import { expectRelative, expectRows, reference } from './reference.ts';

/** The linear congruential generator of the published example. */
function lcg(length: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = Number((1664525n * BigInt(state) + 1013904223n) % 2n ** 32n);
    return state / 2 ** 32;
  });
}

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
  test('ties are taken into account', () => {
    const x = [1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7, 7, 8];
    const y = [2, 3, 4, 5, 5, 6, 6, 7, 8, 8, 9];
    expect(kolmogorovSmirnovTest(x, y).pValue.toFixed(4)).toBe('0.2707');
    expect(kolmogorovSmirnovTest(y, x)).toEqual(kolmogorovSmirnovTest(x, y));
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
