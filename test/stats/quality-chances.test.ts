import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logAllInOneClass } from '../../core/stats/beta-binomial.ts';
import { logEvenSplit } from '../../core/stats/even-split.ts';

interface Reference {
  readonly evenSplit: readonly (readonly [counts: number[], samples: number, log: number])[];
  readonly allInOneClass: readonly (readonly [draws: number, share: number, correlation: number, log: number])[];
}

const reference: Reference = JSON.parse(
  readFileSync(new URL('../fixtures/stats/quality.json', import.meta.url), 'utf8'),
);

function expectClose(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));
}

describe('the chance of the very same counts', () => {
  test.each(reference.evenSplit)('%j in %i samples', (counts, samples, expected) => {
    expectClose(logEvenSplit(counts, samples), expected);
  });

  test('adds up to one with all other ways to part two samples', () => {
    // Five records in two bins, both samples together [6, 4]: hypergeometric(10, 6, 5) at 3.
    expect(Math.exp(logEvenSplit([3, 2], 2))).toBeCloseTo((20 * 6) / 252, 12);
  });

  test('falls with every sample that repeats', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(200), { minLength: 2, maxLength: 12 }),
        fc.integer({ min: 2, max: 6 }),
        (counts, k) => {
          const log = logEvenSplit(counts, k);
          expect(log).toBeLessThanOrEqual(0);
          expect(logEvenSplit(counts, k + 1)).toBeLessThanOrEqual(log + 1e-9);
          expectClose(logEvenSplit(counts.toReversed(), k), log);
        },
      ),
    );
  });

  test('is the share of repeats among samples of one distribution', () => {
    // Four values in three bins, all pairs of samples counted.
    const samples = partitions(4, 3);
    const weightOf = (counts: readonly number[]) =>
      24 / counts.reduce((product, count) => product * factorial(count), 1);
    for (const counts of samples) {
      const margin = counts.map((count) => 2 * count);
      const others = partitions(4, 3).filter((other) => other.every((count, bin) => count <= (margin[bin] ?? 0)));
      const total = others.reduce(
        (sum, other) => sum + weightOf(other) * weightOf(other.map((count, bin) => (margin[bin] ?? 0) - count)),
        0,
      );
      expect(Math.exp(logEvenSplit(counts, 2))).toBeCloseTo(weightOf(counts) ** 2 / total, 12);
    }
  });

  test('takes no longer for more samples, and is 0 where samples can not differ', () => {
    expect(logEvenSplit([7, 0, 0], 1e9)).toBe(0);
    expect(logEvenSplit([0, 0], 1e9)).toBe(0);
    // Half in either bin: ln of (k·n)!/(n!)^k is k·n·ln k − (k − 1)·½·ln 2π + ½·(ln kn − k·ln n) but for 1/12n a sample.
    const stirling = (n: number, k: number) => (1 / k - k) / (12 * n) + 0.5 * (Math.log(k * n) - k * Math.log(n));
    const [n, k] = [1e6, 1e9];
    const expected = 2 * stirling(n / 2, k) - stirling(n, k) - (k - 1) * 0.5 * Math.log(2 * Math.PI);
    expect(Math.abs(logEvenSplit([n / 2, n / 2], k) / expected - 1)).toBeLessThan(1e-9);
  });

  test.each([[[0.5, 1]], [[-1, 2]], [[Number.NaN]], [[1e17]]])('refuses %j', (counts) => {
    expect(() => logEvenSplit(counts, 2)).toThrow(/expected whole counts/);
  });
});

describe('the chance of one class', () => {
  test.each(reference.allInOneClass)('%d draws of share %d, correlation %d', (draws, share, correlation, expected) => {
    expectClose(logAllInOneClass(draws, share, correlation), expected);
  });

  test('lies between that of independent draws and of one draw, and falls with the draws', () => {
    const share = fc.double({ min: 1e-300, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), share, share, (draws, p, correlation) => {
        const log = logAllInOneClass(draws, p, correlation);
        expect(log).toBeLessThanOrEqual(Math.log(p));
        expect(log).toBeGreaterThanOrEqual(draws * Math.log(p) * (1 + 1e-9) - 1e-6);
        expect(logAllInOneClass(draws + 1, p, correlation)).toBeLessThanOrEqual(
          log + 1e-9 * Math.max(1, Math.abs(log)),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('edges', () => {
    expect(logAllInOneClass(0, 0.3, 0.5)).toBe(0);
    expect(logAllInOneClass(100, 1, 0.5)).toBe(0);
    expect(logAllInOneClass(100, 0, 0.5)).toBe(Number.NEGATIVE_INFINITY);
    expect(logAllInOneClass(100, 0.3, 1)).toBe(Math.log(0.3));
    expect(logAllInOneClass(100, 0.3, 0)).toBe(100 * Math.log(0.3));
    expect(logAllInOneClass(1e9, 5e-324, 1e-300)).toBeLessThan(-1e9);
  });

  test.each([
    [-1, 0.5, 0.5],
    [1.5, 0.5, 0.5],
    [3, 1.1, 0.5],
    [3, 0.5, -0.1],
    [3, Number.NaN, 0.5],
  ])('refuses %d draws, share %d, correlation %d', (draws, share, correlation) => {
    expect(() => logAllInOneClass(draws, share, correlation)).toThrow(/beta-binomial: expected/);
  });
});

function partitions(total: number, bins: number): readonly (readonly number[])[] {
  if (bins === 1) return [[total]];
  return Array.from({ length: total + 1 }, (_, first) => first).flatMap((first) =>
    partitions(total - first, bins - 1).map((rest) => [first, ...rest]),
  );
}

function factorial(count: number): number {
  return count < 2 ? 1 : count * factorial(count - 1);
}
