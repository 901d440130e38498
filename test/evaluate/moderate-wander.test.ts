import { expect, test } from 'vitest';
import type { RawWander } from '../../core/evaluate/measure-wander.ts';
import { moderateWander } from '../../core/evaluate/moderate-wander.ts';
import { noWander } from '../../core/evaluate/wander.ts';

/** Degrees of freedom of the wander of twenty like features whose days move as the kurtosis seen says. */
function certaintyOf(days: number, kurtosis: number): number {
  const excess = 0.01;
  const row: RawWander = {
    sampling: 1e-5,
    excess,
    degreesOfFreedom: 9,
    scatter: (2 + kurtosis) * excess ** 2,
    perDay: 24,
    independent: days,
    missing: noWander,
    unseen: noWander,
    neighbours: 0,
  };
  const [first] = moderateWander(new Array(20).fill([row]), 0, days);
  return (2 * (first?.shares.variance ?? 0) ** 2) / (first?.shares.uncertainty ?? 0);
}

test('days that look normal are, but for few of them, which seldom hold one unlike the others', () => {
  // Four times as many as there are days, less what the tail costs: of a week that looks normal 4 + 6/1.
  expect(certaintyOf(7, 0)).toBeCloseTo(1 / (1 / 28 + 1 / 10), 0);
  expect(certaintyOf(7, -1)).toBeCloseTo(28, 0);
  expect(certaintyOf(1000, 0)).toBeGreaterThan(700);
});

test('a heavy tail costs certainty, however many days', () => {
  expect(certaintyOf(1000, 2)).toBeCloseTo(4 + 6 / 2, 0);
  expect(certaintyOf(1000, 100)).toBeCloseTo(4 + 6 / 4, 0);
});
