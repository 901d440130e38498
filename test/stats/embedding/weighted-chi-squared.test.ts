import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chiSquaredUpperTail } from '../../../core/stats/chi-squared.ts';
import { type WeightedTerm, weightedChiSquaredUpperTail } from '../../../core/stats/embedding/weighted-chi-squared.ts';
import { noncentralChiSquaredUpperTail } from '../../../core/stats/noncentral-chi-squared.ts';
import { expectRelative } from '../reference.ts';

interface Tail {
  readonly x: number;
  readonly terms: readonly (readonly [weight: number, degreesOfFreedom: number, offset: number])[];
  readonly exact: number;
  readonly saddlePoint: number;
}

const reference: { weightedTails: readonly Tail[] } = JSON.parse(
  readFileSync(new URL('../../fixtures/embedding/reference.json', import.meta.url), 'utf8'),
);
const termsOf = (tail: Tail): readonly WeightedTerm[] =>
  tail.terms.map(([weight, degreesOfFreedom, offset]) => ({ weight, degreesOfFreedom, offset }));

test('is the saddle-point formula', () => {
  expect(reference.weightedTails.length).toBeGreaterThan(20);
  for (const tail of reference.weightedTails) {
    expectRelative(weightedChiSquaredUpperTail(tail.x, termsOf(tail)), tail.saddlePoint, 1e-9, JSON.stringify(tail));
  }
});

test('is within five per cent of the exact tail', () => {
  for (const tail of reference.weightedTails) {
    expectRelative(weightedChiSquaredUpperTail(tail.x, termsOf(tail)), tail.exact, 0.05, JSON.stringify(tail));
  }
});

test('is exact where all weights are one', () => {
  const central = [
    { weight: 0.5, degreesOfFreedom: 3 },
    { weight: 0.5, degreesOfFreedom: 4 },
  ];
  expect(weightedChiSquaredUpperTail(20, central)).toBe(chiSquaredUpperTail(40, 7));
  expect(weightedChiSquaredUpperTail(20, [{ weight: 2, degreesOfFreedom: 5, offset: 3 }])).toBe(
    noncentralChiSquaredUpperTail(10, 5, 1.5),
  );
});

const term = fc.record({
  weight: fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
  degreesOfFreedom: fc.double({ min: 0.1, max: 50, noNaN: true }),
  offset: fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e6, noNaN: true })),
});

test('is a probability that falls with x and rises with an offset', () => {
  fc.assert(
    fc.property(
      fc.array(term, { minLength: 1, maxLength: 6 }),
      fc.double({ min: 0, max: 20, noNaN: true }),
      fc.double({ min: 1.001, max: 3, noNaN: true }),
      (terms, share, factor) => {
        const mean = terms.reduce((sum, t) => sum + t.weight * t.degreesOfFreedom + t.offset, 0);
        const tail = weightedChiSquaredUpperTail(share * mean, terms);
        expect(tail).toBeGreaterThanOrEqual(0);
        expect(tail).toBeLessThanOrEqual(1);
        expect(weightedChiSquaredUpperTail(factor * share * mean, terms)).toBeLessThanOrEqual(tail * 1.001);
        const moved = terms.map((t, index) => (index === 0 ? { ...t, offset: t.offset + mean } : t));
        expect(weightedChiSquaredUpperTail(share * mean, moved)).toBeGreaterThanOrEqual(tail * 0.999);
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});

test('next to the mean it does not jump', () => {
  const terms = [
    { weight: 3, degreesOfFreedom: 1 },
    { weight: 1, degreesOfFreedom: 6 },
  ];
  let before = weightedChiSquaredUpperTail(8.99, terms);
  for (let x = 8.99; x < 9.01; x += 0.0001) {
    const tail = weightedChiSquaredUpperTail(x, terms);
    expect(before - tail).toBeGreaterThan(-1e-7);
    expect(before - tail).toBeLessThan(1e-4);
    before = tail;
  }
});

test('extremes are defined, impossible terms are refused', () => {
  const terms = [
    { weight: 1, degreesOfFreedom: 1 },
    { weight: 1e-9, degreesOfFreedom: 3 },
  ];
  expect(weightedChiSquaredUpperTail(0, terms)).toBe(1);
  expect(weightedChiSquaredUpperTail(-1, terms)).toBe(1);
  expect(weightedChiSquaredUpperTail(Number.POSITIVE_INFINITY, terms)).toBe(0);
  expect(weightedChiSquaredUpperTail(1e308, terms)).toBe(0);
  expect(weightedChiSquaredUpperTail(Number.MIN_VALUE, terms)).toBeGreaterThan(0.99);
  expect(weightedChiSquaredUpperTail(1, [])).toBe(0);
  expect(() => weightedChiSquaredUpperTail(Number.NaN, terms)).toThrow(RangeError);
  for (const bad of [
    { weight: 0, degreesOfFreedom: 1 },
    { weight: 1, degreesOfFreedom: Number.NaN },
    { weight: 1, degreesOfFreedom: 1, offset: -1 },
    { weight: Number.POSITIVE_INFINITY, degreesOfFreedom: 1 },
  ]) {
    expect(() => weightedChiSquaredUpperTail(1, [bad])).toThrow(RangeError);
  }
});
