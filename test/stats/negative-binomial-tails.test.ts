import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  overdispersedLowerTail,
  overdispersedUpperTail,
  overdispersedZero,
} from '../../core/stats/negative-binomial-tails.ts';
import { poissonLowerTail, poissonUpperTail } from '../../core/stats/poisson-tail.ts';
import { expectRelative } from './reference.ts';

/** P(X = 0), P(X = 1), … until what is left cannot count. */
function probabilities(mean: number, dispersion: number): number[] {
  const terms = [(1 + dispersion * mean) ** (-1 / dispersion)];
  const success = (dispersion * mean) / (1 + dispersion * mean);
  for (let k = 1; k < mean || (terms.at(-1) ?? 0) > 1e-280; k++) {
    terms.push((((terms.at(-1) ?? 0) * (k - 1 + 1 / dispersion)) / k) * success);
  }
  return terms;
}

/** From the smallest on. */
function sum(terms: readonly number[]): number {
  return terms.toSorted((a, b) => a - b).reduce((total, term) => total + term, 0);
}

describe('negative binomial tails', () => {
  test('are the sums of the probabilities, far into either tail', () => {
    const mean = fc.double({ min: 1e-3, max: 50, noNaN: true });
    const dispersion = fc.double({ min: 0.01, max: 4, noNaN: true });
    fc.assert(
      fc.property(mean, dispersion, fc.double({ min: 0, max: 0.8, noNaN: true }), (m, d, part) => {
        const terms = probabilities(m, d);
        const k = Math.floor(terms.length * part);
        expectRelative(overdispersedUpperTail(k, m, d), sum(terms.slice(k)), 1e-9, `P(X ≥ ${k}), ${m}, ${d}`);
        expectRelative(overdispersedLowerTail(k, m, d), sum(terms.slice(0, k + 1)), 1e-9, `P(X ≤ ${k}), ${m}, ${d}`);
      }),
      { numRuns: 200 },
    );
  });

  test('where nearly every count is 0 keep their relative accuracy', () => {
    for (const dispersion of [999, 1001, 1e5, 1e8, 1e15, 1e300]) {
      for (const mean of [1e-3, 1, 1e4, 1e300]) {
        // ln P(X = 0), and P(X = 1) by its ratio to that.
        const logZero = -(Math.log(dispersion) + Math.log(mean + 1 / dispersion)) / dispersion;
        const one = Math.exp(logZero) / (1 / mean + dispersion);
        expectRelative(overdispersedUpperTail(1, mean, dispersion), -Math.expm1(logZero), 1e-9);
        expectRelative(overdispersedUpperTail(2, mean, dispersion), -Math.expm1(logZero) - one, 1e-9);
      }
    }
  });

  test('become those of Poisson’s law, and take a count between two whole ones for the next outside', () => {
    for (const k of [0, 1, 80, 100, 103, 300]) {
      expectRelative(overdispersedUpperTail(k, 100, 2e-15), poissonUpperTail(k, 100), 1e-9);
      expectRelative(overdispersedLowerTail(k, 100, 2e-15), poissonLowerTail(k, 100), 1e-9);
      expect(overdispersedUpperTail(k - 0.5, 100, 0.2)).toBe(overdispersedUpperTail(k, 100, 0.2));
      expect(overdispersedLowerTail(k + 0.5, 100, 0.2)).toBe(overdispersedLowerTail(k, 100, 0.2));
    }
  });

  test('are there for any arguments, in few steps: a sum of terms would never end', () => {
    const counts = [
      -1,
      0,
      0.5,
      1,
      2,
      100,
      1e5,
      1e9,
      1e12,
      1e15,
      1e16,
      1e100,
      Number.MAX_VALUE,
      Number.POSITIVE_INFINITY,
    ];
    const means = [0, 5e-324, 1e-300, 1e-9, 1, 1e4, 1e7, 1e9, 1e12, 1e15, 1e18, 1e300, Number.MAX_VALUE];
    const dispersions = [
      0,
      5e-324,
      1e-16,
      1e-15,
      1e-12,
      1e-8,
      0.01,
      1,
      3,
      999,
      1e4,
      1e8,
      1e20,
      1e300,
      Number.MAX_VALUE,
    ];
    for (const mean of means) {
      for (const dispersion of dispersions) {
        let before = 1;
        for (const k of counts) {
          const what = `${k}, ${mean}, ${dispersion}`;
          const upper = overdispersedUpperTail(k, mean, dispersion);
          expect(upper >= 0 && upper <= before, `${what}: ${upper} after ${before}`).toBe(true);
          // The normal law that stands in for Poisson's from 1e12 on has no steps.
          expect(Math.abs(overdispersedLowerTail(Math.ceil(k) - 1, mean, dispersion) + upper - 1), what).toBeLessThan(
            1e-6,
          );
          before = upper;
        }
        const zero = overdispersedZero(mean, dispersion);
        expect(zero >= 0 && zero <= 1, `0, ${mean}, ${dispersion}: ${zero}`).toBe(true);
      }
    }
  });
});
