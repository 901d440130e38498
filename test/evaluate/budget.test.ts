import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocateBudget, budgetShares } from '../../core/model/budget.ts';

const hourly = { yellowPerWeek: 1, models: 1, windowSeconds: 3600, scales: 7 };

test('shares add up to one', () => {
  expect(budgetShares.reduce((sum, [, share]) => sum + share, 0)).toBeCloseTo(1, 12);
});

test('a model that uses nothing else spends all of its budget on drift', () => {
  const { risk, risks, driftLevel } = allocateBudget(hourly);
  expect(risk).toBe(0.1);
  expect(risks).toEqual({ drift: 0.1, slices: 0, charts: 0, quality: 0, retests: 0 });
  expect(driftLevel).toBeCloseTo(0.1 / 1176, 15);
});

test('kinds in use take their share, and the levels follow', () => {
  const uses = { slices: true, charts: true, quality: true, retests: true };
  const { risks, driftLevel, sliceLevel, retestLevel } = allocateBudget({ ...hourly, uses });
  expect(risks.drift).toBeCloseTo(0.055, 12);
  expect(risks.charts).toBeCloseTo(0.015, 12);
  expect(driftLevel).toBeCloseTo(0.055 / 1176, 15);
  expect(sliceLevel).toBeCloseTo(0.02 / 1176, 15);
  expect(retestLevel).toBeCloseTo(0.005 / 1176, 15);
  expect(allocateBudget({ ...hourly, uses: { charts: true } }).risks.drift).toBeCloseTo(0.085, 12);
});

test('the kinds never add up to more than the risk, nor the models to more than the fleet allows', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.record({ slices: fc.boolean(), charts: fc.boolean(), quality: fc.boolean(), retests: fc.boolean() }),
      (yellowPerWeek, models, uses) => {
        const { risk, risks } = allocateBudget({ ...hourly, yellowPerWeek, models, uses });
        expect(risk).toBeLessThanOrEqual(0.1);
        expect(risk * models).toBeLessThanOrEqual(yellowPerWeek * (1 + 1e-12));
        expect(Object.values(risks).reduce((sum, each) => sum + each, 0)).toBeCloseTo(risk, 12);
      },
    ),
  );
});

test('what is not positive is refused', () => {
  for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => allocateBudget({ ...hourly, models: value })).toThrow(RangeError);
    expect(() => allocateBudget({ ...hourly, yellowPerWeek: value })).toThrow(RangeError);
    expect(() => allocateBudget({ ...hourly, scales: value })).toThrow(RangeError);
  }
});
