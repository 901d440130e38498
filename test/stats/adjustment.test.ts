import { describe, expect, test } from 'vitest';
import { benjaminiHochberg, bonferroni } from '../../core/stats/benjamini-hochberg.ts';
import { poolNeighbours, poolRare } from '../../core/stats/pooling.ts';
import { clopperPearsonInterval, wilsonInterval } from '../../core/stats/proportion-intervals.ts';
import { expectRelative, reference } from './reference.ts';

describe('benjamini-hochberg', () => {
  test('the textbook example, shuffled', () => {
    const pValues = [0.6, 0.0005, 0.2, 0.003, 0.04, 0.009, 0.021, 0.012];
    const expected = [0.6, 0.004, 0.2 * (8 / 7), 0.012, 0.04 * (8 / 6), 0.024, 0.0336, 0.024];
    benjaminiHochberg(pValues).forEach((q, index) => {
      expectRelative(q, expected[index] ?? Number.NaN);
    });
  });
  test('scipy', () => {
    benjaminiHochberg(reference.benjaminiHochberg.pValues).forEach((q, index) => {
      expectRelative(q, reference.benjaminiHochberg.qValues[index] ?? Number.NaN);
    });
  });
  test('ends', () => {
    expect(benjaminiHochberg([])).toEqual([]);
    expect(benjaminiHochberg([1, 1, 1])).toEqual([1, 1, 1]);
    expect(benjaminiHochberg([0])).toEqual([0]);
    expect(bonferroni([0.01, 0.5, 0.9])).toEqual([0.03, 1, 1]);
    expect(() => benjaminiHochberg([0.1, Number.NaN])).toThrow('at 1, saw NaN');
    expect(() => bonferroni([1.5])).toThrow(RangeError);
  });
});

describe('proportion intervals', () => {
  test('scipy', () => {
    for (const [successes = 0, trials = 0, confidence, ...bounds] of reference.intervals) {
      const wilson = wilsonInterval(successes, trials, confidence);
      const exact = clopperPearsonInterval(successes, trials, confidence);
      [wilson.lower, wilson.upper, exact.lower, exact.upper].forEach((bound, index) => {
        expect(Math.abs(bound - (bounds[index] ?? Number.NaN))).toBeLessThan(1e-9);
      });
    }
  });
  test('no trials', () => {
    expect(wilsonInterval(0, 0)).toEqual({ lower: 0, upper: 1 });
    expect(clopperPearsonInterval(0, 0)).toEqual({ lower: 0, upper: 1 });
    expect(() => wilsonInterval(3, 2)).toThrow(RangeError);
  });
  test('many trials', () => {
    for (const interval of [wilsonInterval(3e8, 1e12), clopperPearsonInterval(3e8, 1e12)]) {
      expectRelative(interval.lower, 3e-4 - 1.96 * Math.sqrt(3e-4 / 1e12), 1e-7);
      expectRelative(interval.upper, 3e-4 + 1.96 * Math.sqrt(3e-4 / 1e12), 1e-7);
    }
  });
});

describe('pooling neighbours', () => {
  test('closes a group as soon as both rows expect enough; the short rest joins the left', () => {
    // Half of all records are current: a group needs 20 records in all.
    expect(poolNeighbours([10, 9, 1, 30, 4], [10, 9, 1, 30, 4])).toEqual([[0], [1, 2], [3, 4]]);
  });
  test('looks at the smaller row', () => {
    expect(poolNeighbours([1000, 1000, 1000], [6, 6, 12])).toEqual([[0, 1, 2]]);
    expect(poolNeighbours([1000, 1000, 1000], [20, 20, 20])).toEqual([[0], [1], [2]]);
  });
  test('is the same whichever row the records are in', () => {
    expect(poolNeighbours([30, 10, 30, 30], [10, 10, 10, 70])).toEqual(
      poolNeighbours([10, 10, 30, 50], [30, 10, 10, 50]),
    );
  });
  test('nothing and too little', () => {
    expect(poolNeighbours([], [])).toEqual([]);
    expect(poolNeighbours([1, 2], [1, 2])).toEqual([[0, 1]]);
    expect(poolNeighbours([0, 0], [5, 5])).toEqual([[0, 1]]);
  });
});

describe('pooling rare categories', () => {
  test('pools those that fall short', () => {
    expect(poolRare([50, 7, 40, 8], [50, 7, 40, 8])).toEqual({ kept: [0, 2], pooled: [1, 3] });
  });
  test('the smallest kept joins a pooled bin that falls short, of equals the last', () => {
    expect(poolRare([50, 20, 20, 1], [50, 20, 20, 1])).toEqual({ kept: [0, 1], pooled: [2, 3] });
  });
  test('categories that nobody uses ask for nothing', () => {
    expect(poolRare([50, 20, 0], [50, 20, 0])).toEqual({ kept: [0, 1], pooled: [2] });
  });
  test('nothing and too little', () => {
    expect(poolRare([], [])).toEqual({ kept: [], pooled: [] });
    expect(poolRare([5, 1], [5, 1])).toEqual({ kept: [], pooled: [0, 1] });
  });
});
