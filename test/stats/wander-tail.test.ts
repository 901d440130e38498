import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chiSquaredUpperTail } from '../../core/stats/chi-squared.ts';
import { fitVariancePrior, moderateVariance } from '../../core/stats/moderated-variance.ts';
import { noncentralChiSquaredUpperTail } from '../../core/stats/noncentral-chi-squared.ts';
import { normalScoreOfStudent, studentUpperTail, studentUpperTailQuick } from '../../core/stats/student-t.ts';
import { type Scatter, wanderTail } from '../../core/stats/wander-tail.ts';

const reference: { readonly wanderTail: readonly (readonly number[])[] } = JSON.parse(
  readFileSync(new URL('../fixtures/stats/wander.json', import.meta.url), 'utf8'),
);
/** So sure that Student's t is the normal distribution, but not so that the exact path is taken. */
const nearlyCertain = 9e8;

describe('the tail of a wandering distance', () => {
  test('within an eighth of the exact one from the middle down to 1e-40, and seldom below it', () => {
    for (const [x = 0, sampling = 0, degreesOfFreedom = 0, wander = 0, shift = 0, exact = 0] of reference.wanderTail) {
      if (exact < 1e-40) continue;
      const scatter = { sampling, degreesOfFreedom, wander, certainty: nearlyCertain };
      const ratio = wanderTail(x, scatter, shift) / exact;
      // One squared normal alone is the worst case of a saddle point, and it errs to the safe side.
      expect(ratio).toBeLessThan(degreesOfFreedom === 1 ? 1.2 : 1.125);
      expect(ratio).toBeGreaterThan(0.92);
    }
  });

  test('without wander it is exactly the test of Pearson and its noncentral tail', () => {
    const scatter: Scatter = { sampling: 0.002, degreesOfFreedom: 9, wander: 0, certainty: Number.POSITIVE_INFINITY };
    for (const x of [0.001, 0.018, 0.05, 0.2]) {
      expect(wanderTail(x, scatter)).toBe(chiSquaredUpperTail(x / 0.002, 9));
      expect(wanderTail(x, scatter, 0.02)).toBe(noncentralChiSquaredUpperTail(x / 0.002, 9, 10));
    }
  });

  test('falls with the distance, rises with wander, shift and uncertainty, and stays within [0, 1]', () => {
    const positive = fc.double({ min: 1e-9, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(
        positive,
        positive,
        fc.integer({ min: 1, max: 60 }),
        positive,
        fc.double({ min: 0, max: 10, noNaN: true }),
        fc.double({ min: 4, max: 1e6, noNaN: true }),
        (x, sampling, degreesOfFreedom, wander, shift, certainty) => {
          const scatter = { sampling, degreesOfFreedom, wander, certainty };
          const p = wanderTail(x, scatter, shift);
          expect(p).toBeGreaterThanOrEqual(0);
          expect(p).toBeLessThanOrEqual(1);
          // Saddle points are accurate to some per cent only: monotone up to that.
          const slack = 1.05;
          expect(wanderTail(1.5 * x, scatter, shift)).toBeLessThanOrEqual(p * (1 + 1e-9));
          expect(wanderTail(x, { ...scatter, wander: 3 * wander }, shift) * slack).toBeGreaterThanOrEqual(p);
          expect(wanderTail(x, scatter, shift + 1) * slack).toBeGreaterThanOrEqual(p);
        },
      ),
      { numRuns: 500, seed: 4, endOnFailure: true },
    );
  });

  test('hostile distances have defined tails; impossible scatters are refused', () => {
    const scatter: Scatter = { sampling: 0.002, degreesOfFreedom: 9, wander: 0.01, certainty: 40 };
    expect(wanderTail(0, scatter)).toBe(1);
    expect(wanderTail(-1, scatter)).toBe(1);
    expect(wanderTail(Number.POSITIVE_INFINITY, scatter)).toBe(0);
    for (const x of [5e-324, 1e-300, 1e300, Number.MAX_VALUE]) {
      const p = wanderTail(x, scatter, 0.02);
      expect(p >= 0 && p <= 1).toBe(true);
    }
    expect(() => wanderTail(Number.NaN, scatter)).toThrow(RangeError);
    for (const bad of [
      { sampling: 0 },
      { degreesOfFreedom: 0 },
      { wander: -1 },
      { wander: Number.NaN },
      { certainty: 0 },
    ]) {
      expect(() => wanderTail(1, { ...scatter, ...bad })).toThrow(RangeError);
    }
  });
});

describe("Student's t, quick", () => {
  test('agrees with the exact tail to a part in a hundred down to 1e-12, and is a normal score', () => {
    for (const degrees of [4, 5, 8, 27, 112, 1e4, 1e12]) {
      for (const t of [-3, 0, 0.5, 2, 5, 7]) {
        const exact = studentUpperTail(t, degrees);
        if (exact < 1e-12) continue;
        expect(Math.abs(studentUpperTailQuick(t, degrees) / exact - 1)).toBeLessThan(0.01);
      }
      expect(normalScoreOfStudent(3, degrees)).toBeLessThanOrEqual(3);
    }
    expect(studentUpperTailQuick(2, 1)).toBe(studentUpperTail(2, 1));
    for (const degrees of [1, 5, 1e4, 1e12]) {
      const tails = [-1e300, -40, 40, 1e160, 1e300, Number.POSITIVE_INFINITY].map((t) =>
        studentUpperTailQuick(t, degrees),
      );
      expect(tails).toEqual([...tails].sort((a, b) => b - a));
      expect(tails.at(-1)).toBe(0);
    }
  });
});

describe('moderated variances', () => {
  test('variances that differ as chance would have it are taken for one', () => {
    const variances = [0.9, 1.1, 1, 1.05, 0.95];
    const prior = fitVariancePrior(variances, [0.1, 0.1, 0.1, 0.1, 0.1]);
    expect(prior).toEqual({ variance: 1, degreesOfFreedom: Number.POSITIVE_INFINITY });
    expect(moderateVariance({ variance: 7, degreesOfFreedom: 3 }, prior)).toEqual(prior);
  });

  test('the moments of a scaled inverse chi-squared come back', () => {
    // d0 = 14, s0² = 2: mean 2·14/12, squared coefficient of variation 2/10.
    const mean = (2 * 14) / 12;
    const deviation = mean * Math.sqrt(0.2);
    const prior = fitVariancePrior(
      [mean - deviation, mean + deviation, mean, mean - deviation, mean + deviation],
      [0, 0, 0, 0, 0],
    );
    expect(prior.degreesOfFreedom).toBeCloseTo(14, 9);
    expect(prior.variance).toBeCloseTo(2, 9);
  });

  test('few or non-positive variances have nothing in common', () => {
    const own = { variance: 3, degreesOfFreedom: 5 };
    for (const prior of [
      fitVariancePrior([1, 2], [0, 0]),
      fitVariancePrior([-1, -2, 1], [0, 0, 0]),
      fitVariancePrior([], []),
    ]) {
      expect(prior.degreesOfFreedom).toBe(0);
      expect(moderateVariance(own, prior)).toBe(own);
    }
  });

  test('a moderated variance lies between its own and the common one, and is known better than either', () => {
    const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(positive, positive, positive, positive, (variance, d, common, d0) => {
        const moderated = moderateVariance(
          { variance, degreesOfFreedom: d },
          { variance: common, degreesOfFreedom: d0 },
        );
        expect(moderated.variance).toBeGreaterThanOrEqual(Math.min(variance, common) * (1 - 1e-12));
        expect(moderated.variance).toBeLessThanOrEqual(Math.max(variance, common) * (1 + 1e-12));
        expect(moderated.degreesOfFreedom).toBe(d + d0);
      }),
    );
  });
});
