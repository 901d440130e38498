import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chiSquaredUpperQuantile, chiSquaredUpperTail } from '../../core/stats/chi-squared.ts';
import { cramerVonMisesUpperTail } from '../../core/stats/cramer-von-mises.ts';
import { fUpperTail } from '../../core/stats/f-distribution.ts';
import { logCompleteBeta, logLowerBeta, lowerBeta, upperBeta } from '../../core/stats/incomplete-beta.ts';
import { logUpperGamma, lowerGamma, upperGamma } from '../../core/stats/incomplete-gamma.ts';
import { noncentralChiSquaredUpperTail } from '../../core/stats/noncentral-chi-squared.ts';
import { logNormalUpperTail, normalUpperQuantile, normalUpperTail } from '../../core/stats/normal.ts';
import { scaledChiSquaredUpperTail } from '../../core/stats/scaled-chi-squared.ts';
import { studentUpperTail } from '../../core/stats/student-t.ts';
import { expectRelative, expectRows, tailReference } from './reference.ts';

describe('tails agree with 400-digit arithmetic down to 1e-307', () => {
  test('chi-squared, degrees of freedom .01 to 1e7', () => {
    expectRows(tailReference.chiSquaredUpperTail, chiSquaredUpperTail);
  });
  test('noncentral chi-squared', () => {
    expectRows(tailReference.noncentralChiSquaredUpperTail, noncentralChiSquaredUpperTail);
  });
  test('F', () => {
    expectRows(tailReference.fUpperTail, fUpperTail);
  });
  test('Student', () => {
    expectRows(tailReference.studentUpperTail, studentUpperTail);
    expectRows(
      tailReference.studentUpperTail.map(([t = 0, degrees = 0, tail = 0]) => [t * t, degrees, 2 * tail]),
      (square, degrees) => fUpperTail(square ?? 0, 1, degrees ?? 1),
    );
  });
  test('incomplete beta', () => {
    expectRows(tailReference.lowerBeta, lowerBeta);
    expectRows(tailReference.upperBeta, upperBeta);
    expectRows(tailReference.logLowerBeta, logLowerBeta);
  });
  test('normal', () => {
    expectRows(tailReference.logNormalUpperTail, logNormalUpperTail, 1e-13);
    expectRows(tailReference.normalUpperQuantile, normalUpperQuantile, 1e-13);
  });
  test('Cramér and von Mises', () => {
    expectRows(tailReference.cramerVonMisesUpperTail, cramerVonMisesUpperTail);
  });
});

describe('large parameters, where sums give way to uniform expansions', () => {
  test('gamma', () => {
    for (const [a = 0, x = 0, tail = 0] of tailReference.largeGammaTail) {
      const [smaller, larger] = x <= a ? [lowerGamma, upperGamma] : [upperGamma, lowerGamma];
      expectRelative(smaller(a, x), tail, 1e-9, `${a}, ${x}`);
      expectRelative(larger(a, x), 1 - tail, 1e-9, `${a}, ${x}`);
    }
  });
  test('beta', () => {
    expectRows(tailReference.largeLowerBeta, lowerBeta);
    for (const [x = 0, a = 0, b = 0, tail = 0] of tailReference.largeLowerBeta) {
      expectRelative(upperBeta(x, a, b), 1 - tail, 1e-9, `${x}, ${a}, ${b}`);
    }
  });
  test('quantiles undo tails', () => {
    for (const tail of [1e-250, 1e-9, 0.3, 0.5, 0.99]) {
      expectRelative(chiSquaredUpperTail(chiSquaredUpperQuantile(tail, 1e12), 1e12), tail, 1e-7);
    }
  });
  test('nothing hangs or is NaN', () => {
    for (const degrees of [1e-300, 1e-4, 1e15, 1e18, 1e100, 1e300]) {
      for (const x of [0, 5e-324, 1e-9, 1, degrees, 2 * degrees, 1e308]) {
        for (const p of [
          chiSquaredUpperTail(x, degrees),
          fUpperTail(x, degrees, 3),
          fUpperTail(x, 3, degrees),
          fUpperTail(x, degrees, degrees),
          noncentralChiSquaredUpperTail(x, 3, degrees),
          studentUpperTail(x, degrees),
        ]) {
          expect(p >= 0 && p <= 1, `${x}, ${degrees}: ${p}`).toBe(true);
        }
      }
    }
  });
  test('logarithms go on far below the smallest double', () => {
    // ln Γ(a, x)/Γ(a) is near a·ln(x/a) + a − x; I_x(a, b) has the density's logarithm too.
    expectRelative(logUpperGamma(1e12, 7e15), 1e12 * Math.log(7000) + 1e12 - 7e15, 1e-9);
    expectRelative(
      logLowerBeta(1e-12, 1e15, 1e12),
      1e15 * (Math.log(1e-12) + Math.log1p(1e-3)) + 1e12 * Math.log(1001),
      1e-9,
    );
  });
});

describe('laws', () => {
  const parameter = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  test('beta tails sum to 1, mirror, rise, and step down in a', () => {
    fc.assert(
      fc.property(parameter, parameter, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, x) => {
        const [lower, upper] = [lowerBeta(x, a, b), upperBeta(x, a, b)];
        expect(lower >= 0 && upper >= 0).toBe(true);
        expect(Math.abs(lower + upper - 1)).toBeLessThan(1e-12);
        expect(upper).toBe(lowerBeta(1 - x, b, a, x));
        expect(lowerBeta(Math.min(1, x + 1e-3), a, b)).toBeGreaterThanOrEqual(lower * (1 - 1e-10));
        // I_x(a, b) − I_x(a + 1, b) = x^a·(1 − x)^b/(a·B(a, b))
        if (x > 0 && x < 1) {
          const logStep = a * Math.log(x) + b * Math.log1p(-x) - Math.log(a) - logCompleteBeta(a, b);
          expect(Math.abs(lower - lowerBeta(x, a + 1, b) - Math.exp(logStep))).toBeLessThan(1e-9);
        }
      }),
    );
  });
  test('F: swapping the degrees of freedom turns the tail over; logarithms are logarithms', () => {
    fc.assert(
      fc.property(parameter, parameter, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (d1, d2, x) => {
        expect(Math.abs(fUpperTail(x, d1, d2) + fUpperTail(1 / x, d2, d1) - 1)).toBeLessThan(1e-9);
        const share = x / (1 + x);
        const lower = lowerBeta(share, d1, d2);
        if (lower > 1e-300) expect(Math.abs(logLowerBeta(share, d1, d2) - Math.log(lower))).toBeLessThan(1e-9);
      }),
    );
  });
  test('F with endless degrees of freedom is chi-squared; Student with one is Cauchy', () => {
    for (const x of [0.2, 1, 3, 40]) {
      expectRelative(fUpperTail(x, 9, Number.POSITIVE_INFINITY), chiSquaredUpperTail(9 * x, 9));
      expectRelative(fUpperTail(x, 9, 1e14), chiSquaredUpperTail(9 * x, 9), 1e-8);
      expectRelative(fUpperTail(x, Number.POSITIVE_INFINITY, 9), 1 - chiSquaredUpperTail(9 / x, 9), 1e-9);
    }
    for (const t of [1e-3, 1, 1e10, 1e150]) {
      expectRelative(studentUpperTail(t, 1), Math.atan2(1, t) / Math.PI, 1e-11);
      expectRelative(studentUpperTail(t, Number.POSITIVE_INFINITY), normalUpperTail(t));
    }
    // Squares that overflow: 1/√ratio·2/π
    expectRelative(fUpperTail(1e300, 1, 1), 2e-150 / Math.PI, 1e-9);
  });
  test('scaled chi-squared has the mean and the scale asked for', () => {
    expectRelative(scaledChiSquaredUpperTail(20, 9, 18), chiSquaredUpperTail(20, 9));
    expectRelative(scaledChiSquaredUpperTail(200, 90, 1800), chiSquaredUpperTail(20, 9));
    expect([8, 9, 10].map((x) => scaledChiSquaredUpperTail(x, 9, 0))).toEqual([1, 1, 0]);
    for (const variance of [1e-300, 1, 1e300]) {
      for (const x of [-1, 0, 1e-300, 9, 1e308, Number.POSITIVE_INFINITY]) {
        const p = scaledChiSquaredUpperTail(x, 9, variance);
        expect(p >= 0 && p <= 1, `${x}, ${variance}: ${p}`).toBe(true);
      }
    }
    expect(() => scaledChiSquaredUpperTail(1, 0, 1)).toThrow(RangeError);
  });
  test('impossible parameters are refused', () => {
    expect(() => lowerBeta(0.5, 0, 1)).toThrow(/above 0 and at most 1000000000000000, saw 0/);
    expect(() => lowerBeta(1.5, 1, 1)).toThrow(/in \[0, 1\], saw 1.5/);
    expect(() => lowerBeta(Number.NaN, 1, 1)).toThrow(RangeError);
    expect(() => fUpperTail(1, 0, 1)).toThrow(/above 0, saw 0/);
    expect(() => fUpperTail(Number.NaN, 1, 1)).toThrow(RangeError);
    expect(() => cramerVonMisesUpperTail(Number.NaN)).toThrow(RangeError);
  });
});
