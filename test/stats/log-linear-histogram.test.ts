import { describe, expect, test } from 'vitest';
import {
  bucketBounds,
  bucketIndex,
  chooseBinEdges,
  histogramBins,
  histogramKolmogorovSmirnov,
  histogramQuantile,
  histogramRange,
  histogramWasserstein,
  type SparseCounts,
} from '../../core/stats/log-linear-histogram.ts';
import { expectRelative, seededUniform } from './reference.ts';

/** Counts values as a profile does. */
function histogramOf(values: Iterable<number>, centre: number, unit: number): SparseCounts {
  const counts = new Map<number, number>();
  for (const value of values) {
    const index = bucketIndex(value, centre, unit);
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

function lcg(length: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = Number((1664525n * BigInt(state) + 1013904223n) % 2n ** 32n);
    return state / 2 ** 32;
  });
}

describe('buckets', () => {
  test.each([
    [10, 0],
    [10.0078, 0],
    [10.0079, 1],
    [11, 128],
    [13, 256],
    [9.999, -1],
    [9, -129],
    [7, -257],
  ])('%d about 10 in units of 1 is in bucket %d', (value, index) => {
    expect(bucketIndex(value, 10, 1)).toBe(index);
  });
  test('every finite value has a bucket', () => {
    for (const centre of [0, 1, -Number.MAX_VALUE, Number.MAX_VALUE]) {
      for (const unit of [Number.MIN_VALUE, 1, Number.MAX_VALUE]) {
        for (const value of [0, -0, 1, Number.MIN_VALUE, -Number.MAX_VALUE, Number.MAX_VALUE]) {
          const index = bucketIndex(value, centre, unit);
          expect(Number.isSafeInteger(index)).toBe(true);
          expect(Math.abs(index)).toBeLessThanOrEqual(1024 * 128 + 1);
        }
      }
    }
    expect(bucketIndex(Number.MAX_VALUE, -Number.MAX_VALUE, 1)).toBe(1024 * 128);
    expect(bucketIndex(-Number.MAX_VALUE, Number.MAX_VALUE, 1)).toBe(-1024 * 128 - 1);
  });
  test('the outermost bounds', () => {
    expect(bucketBounds(1024 * 128, -Number.MAX_VALUE, 1).upper).toBe(Number.POSITIVE_INFINITY);
    expect(bucketBounds(-1024 * 128 - 1, 0, 1).lower).toBe(-Number.MAX_VALUE);
  });
});

describe('quantiles and range', () => {
  test('are within a bucket of the sample', () => {
    const values = lcg(20_000, 3).map((u) => 50 + 20 * Math.tan(Math.PI * (u - 0.5)));
    const sorted = [...values].sort((a, b) => a - b);
    const counts = histogramOf(values, 50, 10);
    for (const probability of [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) {
      const expected = sorted[Math.floor(probability * values.length)] ?? Number.NaN;
      const width = (Math.abs(expected - 50) + 10) / 128;
      expect(Math.abs(histogramQuantile(counts, 50, 10, probability) - expected)).toBeLessThan(2 * width);
    }
    const { min, max } = histogramRange(counts, 50, 10);
    expect(min).toBeLessThanOrEqual(sorted[0] ?? 0);
    expect(max).toBeGreaterThan(sorted.at(-1) ?? 0);
  });
  test('a constant is itself', () => {
    for (const probability of [0, 0.01, 0.5, 1]) expect(histogramQuantile([[0, 7]], 42, 1, probability)).toBe(42);
  });
  test('nothing answers with the centre', () => {
    expect(histogramQuantile([], 42, 1, 0.5)).toBe(42);
    expect(histogramRange([], 42, 1)).toEqual({ min: 42, max: 42 });
    expect(() => histogramQuantile([], 42, 1, Number.NaN)).toThrow(RangeError);
  });
  test('stay finite for extreme values', () => {
    const counts = histogramOf([-Number.MAX_VALUE, Number.MAX_VALUE], -Number.MAX_VALUE, 1);
    const { min, max } = histogramRange(counts, -Number.MAX_VALUE, 1);
    expect([min, max]).toEqual([-Number.MAX_VALUE, Number.MAX_VALUE]);
    for (const probability of [0, 0.5, 1]) {
      expect(Number.isFinite(histogramQuantile(counts, -Number.MAX_VALUE, 1, probability))).toBe(true);
    }
    expect(Number.isFinite(histogramWasserstein(counts, [[0, 1]], -Number.MAX_VALUE, 1))).toBe(true);
  });
});

describe('distances', () => {
  test('two samples, against the values of the raw samples', () => {
    const a = histogramOf(lcg(50, 1), 0.5, 0.1);
    const b = histogramOf(
      lcg(40, 2).map((u) => u ** 1.5),
      0.5,
      0.1,
    );
    expectRelative(histogramKolmogorovSmirnov(a, b), 0.275, 1e-12);
    // Middles of buckets are at most half a bucket off.
    expect(Math.abs(histogramWasserstein(a, b, 0.5, 0.1) - 0.145436027985)).toBeLessThan(0.6 / 256);
  });
  test('a shift is its own Wasserstein distance', () => {
    const values = lcg(5000, 7);
    const shifted = values.map((u) => u + 0.3);
    const [a, b] = [histogramOf(values, 0.5, 0.125), histogramOf(shifted, 0.5, 0.125)];
    expect(histogramWasserstein(a, b, 0.5, 0.125)).toBeCloseTo(0.3, 3);
    expect(histogramKolmogorovSmirnov(a, b)).toBeCloseTo(0.3, 1);
  });
  test('an empty side says nothing', () => {
    expect(histogramKolmogorovSmirnov([], [[0, 1]])).toBe(0);
    expect(histogramWasserstein([[0, 1]], [], 0, 1)).toBe(0);
  });
});

describe('bin edges', () => {
  test('deciles of a smooth feature', () => {
    const uniform = seededUniform(11);
    const values = Array.from({ length: 50_000 }, () => uniform() + uniform() + uniform());
    const counts = histogramOf(values, 1.5, 0.18);
    const edges = chooseBinEdges(counts);
    expect(edges).toHaveLength(9);
    for (const count of histogramBins(counts, edges)) expect(Math.abs(count / 5000 - 1)).toBeLessThan(0.05);
  });
  test('a constant has a bin of its own: leaving it shows on either side', () => {
    const edges = chooseBinEdges([[0, 500]]);
    expect(edges).toEqual([0, 1]);
    expect(
      histogramBins(
        [
          [-40, 3],
          [0, 5],
          [90, 2],
        ],
        edges,
      ),
    ).toEqual([3, 5, 2]);
  });
  test('two values: leaving either of them shows', () => {
    const edges = chooseBinEdges([
      [0, 700],
      [128, 300],
    ]);
    expect(edges).toEqual([0, 1, 129]);
    expect(
      histogramBins(
        [
          [0, 700],
          [60, 300],
        ],
        edges,
      ),
    ).toEqual([0, 700, 300, 0]);
    expect(
      histogramBins(
        [
          [60, 700],
          [128, 300],
        ],
        edges,
      ),
    ).toEqual([0, 0, 1000, 0]);
  });
  test('zeros with a smooth rest: the gap goes with the rest', () => {
    const rest = Array.from({ length: 100 }, (_, i): readonly [number, number] => [500 + i, 10]);
    const counts: SparseCounts = [[0, 4000], ...rest];
    const edges = chooseBinEdges(counts);
    expect(edges.slice(0, 2)).toEqual([0, 1]);
    expect(histogramBins(counts, edges)).toEqual([0, 4000, 110, 110, 110, 110, 120, 110, 110, 110, 110]);
  });
  test('a cap at the top keeps the gap below it with the lighter side', () => {
    const rest = Array.from({ length: 100 }, (_, i): readonly [number, number] => [i, 10]);
    const edges = chooseBinEdges([...rest, [900, 1000]]);
    expect(edges.slice(-2)).toEqual([900, 901]);
  });
  test('nothing', () => {
    expect(chooseBinEdges([])).toEqual([]);
    expect(histogramBins([[3, 4]], [])).toEqual([4]);
    expect(() => chooseBinEdges([], 0)).toThrow(RangeError);
  });
});
