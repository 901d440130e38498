import { describe, expect, test } from 'vitest';
import { binomialUpperTail } from '../../core/stats/binomial.ts';
import { chiSquaredQuantile, chiSquaredUpperQuantile, chiSquaredUpperTail } from '../../core/stats/chi-squared.ts';
import { hypergeometricUpperTail } from '../../core/stats/hypergeometric.ts';
import { noncentralChiSquaredUpperTail } from '../../core/stats/noncentral-chi-squared.ts';
import { normalQuantile, normalUpperQuantile, normalUpperTail } from '../../core/stats/normal.ts';
import { expectRelative, expectRows, reference } from './reference.ts';

describe('distributions agree with the reference', () => {
  test('chi-squared', () => {
    expectRows(reference.chiSquaredUpperTail, chiSquaredUpperTail);
    expectRows(reference.chiSquaredQuantile, chiSquaredQuantile);
    expectRows(reference.chiSquaredUpperQuantile, chiSquaredUpperQuantile);
  });
  test('noncentral chi-squared', () => {
    expectRows(reference.noncentralChiSquaredUpperTail, noncentralChiSquaredUpperTail);
  });
  test('normal', () => {
    expectRows(reference.normalUpperTail, normalUpperTail);
    expectRows(reference.normalQuantile, normalQuantile);
  });
  test('binomial', () => {
    expectRows(reference.binomialUpperTail, binomialUpperTail);
  });
  test('hypergeometric', () => {
    expectRows(reference.hypergeometricUpperTail, hypergeometricUpperTail);
  });
});

describe('chi-squared', () => {
  test('is defined at the ends', () => {
    expect(chiSquaredUpperTail(0, 9)).toBe(1);
    expect(chiSquaredUpperTail(-1, 9)).toBe(1);
    expect(chiSquaredUpperTail(Number.POSITIVE_INFINITY, 9)).toBe(0);
    expect(chiSquaredUpperTail(1e12, 9)).toBe(0);
    expect(chiSquaredUpperTail(0, 0)).toBe(1);
    expect(chiSquaredUpperTail(1, 0)).toBe(0);
    expect(chiSquaredQuantile(0, 9)).toBe(0);
    expect(chiSquaredQuantile(1, 9)).toBe(Number.POSITIVE_INFINITY);
    expect(() => chiSquaredUpperTail(Number.NaN, 9)).toThrow(RangeError);
    expect(() => chiSquaredUpperTail(1, -1)).toThrow(RangeError);
  });
  test('quantiles and tails undo each other', () => {
    for (const degreesOfFreedom of [0.5, 1, 9, 1176]) {
      for (const tail of [1e-200, 1e-9, 0.05, 0.5, 0.97]) {
        const x = chiSquaredUpperQuantile(tail, degreesOfFreedom);
        expectRelative(chiSquaredUpperTail(x, degreesOfFreedom), tail, 1e-11);
      }
    }
  });
});

describe('noncentral chi-squared', () => {
  test('far out in the tail it ends, and is what it should be', () => {
    // scipy 1.16, scipy.stats.ncx2.sf(1500, 1, 23.3); at 3,781 the tail is below the smallest double.
    expect(noncentralChiSquaredUpperTail(1500, 1, 23.3) / 3.0262654939741875e-252).toBeCloseTo(1, 9);
    expect(noncentralChiSquaredUpperTail(3781.1, 1, 23.3)).toBe(0);
  });

  test('without noncentrality is central', () => {
    expect(noncentralChiSquaredUpperTail(20, 9, 0)).toBe(chiSquaredUpperTail(20, 9));
  });
  test('with next to no noncentrality is central, on either side of the mean', () => {
    for (const noncentrality of [5e-324, 1e-250, 4.7e-104, 1e-30, 1e-13]) {
      for (const x of [0.01, 3, 9, 30, 1000]) {
        const central = chiSquaredUpperTail(x, 9);
        expectRelative(noncentralChiSquaredUpperTail(x, 9, noncentrality), central, 1e-10, `${x}, ${noncentrality}`);
      }
    }
  });
  test('ends, whatever the sizes', () => {
    for (const x of [1e-300, 1, 1e6, 1e12, 1e94, 1e102, 1e308]) {
      for (const noncentrality of [5e-324, 1e-89, 9e-8, 1e-2, 400, 1e7, 1e15, 1e90]) {
        const p = noncentralChiSquaredUpperTail(x, 3, noncentrality);
        expect(p >= 0 && p <= 1, `${x}, ${noncentrality}: ${p}`).toBe(true);
      }
    }
  });
  test('with one degree of freedom is a square of a normal', () => {
    for (const [root, shift] of [
      [2, 1],
      [9, 1],
      [101, 100],
      [1003, 1000],
      [10_003, 10_000],
      [100_000.5, 100_000],
    ] as const) {
      const expected = normalUpperTail(root - shift) + normalUpperTail(root + shift);
      expectRelative(noncentralChiSquaredUpperTail(root ** 2, 1, shift ** 2), expected, 1e-8, `${root}, ${shift}`);
    }
  });
  test('is continuous where the sum gives way to the saddle-point form', () => {
    for (const z of [-3, -0.5, 0, 1e-6, 0.3, 4, 20]) {
      const at = (noncentrality: number) => noncentrality + 9 + z * Math.sqrt(18 + 4 * noncentrality);
      const summed = noncentralChiSquaredUpperTail(at(1.9e7), 9, 1.9e7);
      const approximated = noncentralChiSquaredUpperTail(at(2.1e7), 9, 2.1e7);
      // Tails at equal z differ by the change of skewness, 3/√λ, alone.
      const drift = 1e-5 * Math.max(1, Math.abs(z)) ** 3;
      expectRelative(approximated, summed, drift, `z = ${z}`);
    }
    for (const z of [-2, -1e-9, 0, 1e-5, 1, 8]) {
      const root = 1e4 + z / 2;
      const expected = normalUpperTail(root - 1e4);
      expectRelative(noncentralChiSquaredUpperTail(root ** 2, 1, 1e8), expected, 1e-8, `z = ${z}`);
    }
  });
  test('is a probability for huge parameters', () => {
    for (const noncentrality of [1e9, 1e12, 1e300]) {
      for (const x of [0, 1, noncentrality, 2 * noncentrality, Number.POSITIVE_INFINITY]) {
        const p = noncentralChiSquaredUpperTail(x, 9, noncentrality);
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('normal', () => {
  test('quantiles and tails undo each other', () => {
    for (const tail of [1e-300, 1e-20, 0.025, 0.5, 0.8]) {
      expectRelative(normalUpperTail(normalUpperQuantile(tail)), tail, 1e-12);
    }
    expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('binomial and hypergeometric', () => {
  test('are defined at the ends', () => {
    expect(binomialUpperTail(0, 0, 0.5)).toBe(1);
    expect(binomialUpperTail(1, 0, 0.5)).toBe(0);
    expect(binomialUpperTail(3, 10, 0)).toBe(0);
    expect(binomialUpperTail(10, 10, 1)).toBe(1);
    expect(hypergeometricUpperTail(0, 0, 0, 0)).toBe(1);
    expect(hypergeometricUpperTail(1, 0, 0, 0)).toBe(0);
    expect(hypergeometricUpperTail(5, 10, 5, 10)).toBe(1);
    expect(() => hypergeometricUpperTail(1, 11, 5, 10)).toThrow(/whole drawn from 0 to 10, saw 11/);
    expect(() => binomialUpperTail(1, 2.5, 0.1)).toThrow(RangeError);
  });
  test('a category new in 5 of 500 after 0 of 10,000', () => {
    expectRelative(hypergeometricUpperTail(5, 500, 5, 10_500), 2.402e-7, 1e-3);
  });
  test('Fisher [[3, 997], [12, 988]], two-sided', () => {
    // Symmetric margins: the two-sided p-value is twice the one-sided one.
    expectRelative(2 * hypergeometricUpperTail(12, 1000, 15, 2000), 0.0344914, 1e-5);
  });
  test('neighbouring tails differ by the probability: 20 drawn from 30 of 100', () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
    for (let k = 0; k <= 20; k++) {
      const probability = (choose(30, k) * choose(70, 20 - k)) / choose(100, 20);
      const difference = hypergeometricUpperTail(k, 20, 30, 100) - hypergeometricUpperTail(k + 1, 20, 30, 100);
      expect(Math.abs(difference - probability)).toBeLessThan(1e-12);
    }
  });
  test('errors that page: at least 14.4 times a budget of .001, and rarer than 1e-5 by chance', () => {
    const leastErrors = (n: number) => {
      let k = Math.ceil(14.4 * 0.001 * n);
      while (binomialUpperTail(k, n, 0.001) > 1e-5) k++;
      return k;
    };
    expect([10, 50, 100, 500].map(leastErrors)).toEqual([3, 4, 4, 8]);
  });
});
