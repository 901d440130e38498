import { describe, expect, test } from 'vitest';
import { effectFloorTest } from '../../core/stats/effect-floor.ts';
import { normalQuantile } from '../../core/stats/normal.ts';
import { pearsonTest } from '../../core/stats/pearson.ts';
import { poolNeighbours } from '../../core/stats/pooling.ts';
import { populationStabilityIndex } from '../../core/stats/population-stability-index.ts';
import { seededUniform } from './reference.ts';

const BINS = 10;

/** Counts of records drawn one by one. */
function drawCounts(size: number, shares: readonly number[], uniform: () => number): number[] {
  const counts = new Array<number>(shares.length).fill(0);
  for (let record = 0; record < size; record++) {
    let rest = uniform();
    let bin = 0;
    while (bin < shares.length - 1 && rest >= (shares[bin] ?? 0)) rest -= shares[bin++] ?? 0;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/** Share of simulated pairs of samples whose p-value is at or below each level. */
function measureSize(
  runs: number,
  levels: readonly number[],
  draw: () => { baseline: number[]; current: number[] },
  pValue: (baseline: number[], current: number[]) => number,
): number[] {
  const rejected = levels.map(() => 0);
  for (let run = 0; run < runs; run++) {
    const { baseline, current } = draw();
    const p = pValue(baseline, current);
    levels.forEach((level, index) => {
      if (p <= level) rejected[index] = (rejected[index] ?? 0) + 1;
    });
  }
  return rejected.map((count) => count / runs);
}

/** Expects the measured size within four standard errors of the simulation plus the deviation allowed of the method. */
function expectSize(measured: number, level: number, runs: number, allowed: number): void {
  const noise = 4 * Math.sqrt((level * (1 - level)) / runs);
  expect(measured, `size at ${level}`).toBeLessThanOrEqual(level + noise + allowed * level);
  expect(measured, `size at ${level}`).toBeGreaterThanOrEqual(level - noise - allowed * level);
}

const uniformShares = new Array<number>(BINS).fill(1 / BINS);

describe('size under no drift', () => {
  const runs = 3000;
  test.each([
    { n: 5000, m: 500, seed: 1 },
    { n: 500, m: 500, seed: 2 },
  ])('Pearson, $n against $m records', ({ n, m, seed }) => {
    const uniform = seededUniform(seed);
    const draw = () => ({
      baseline: drawCounts(n, uniformShares, uniform),
      current: drawCounts(m, uniformShares, uniform),
    });
    const levels = [0.05, 0.01];
    const sizes = measureSize(runs, levels, draw, (a, b) => pearsonTest(a, b).pValue);
    levels.forEach((level, index) => {
      expectSize(sizes[index] ?? Number.NaN, level, runs, 0.1);
    });
  });

  test('Pearson after pooling thin bins, 2,000 against 100 records', () => {
    const uniform = seededUniform(3);
    const shares = [0.3, 0.02, 0.2, 0.01, 0.05, 0.15, 0.02, 0.1, 0.1, 0.05];
    const draw = () => ({ baseline: drawCounts(2000, shares, uniform), current: drawCounts(100, shares, uniform) });
    const pool = (row: number[], groups: number[][]) =>
      groups.map((group) => group.reduce((sum, bin) => sum + (row[bin] ?? 0), 0));
    const [size = Number.NaN] = measureSize(runs, [0.05], draw, (a, b) => {
      const groups = poolNeighbours(a, b);
      return pearsonTest(pool(a, groups), pool(b, groups)).pValue;
    });
    expectSize(size, 0.05, runs, 0.1);
  });
});

describe('size of the effect floor where the true PSI is the floor', () => {
  const runs = 2000;
  test.each([
    { floor: 0.02, seed: 4 },
    { floor: 0.1, seed: 5 },
  ])('PSI $floor, 5,000 against 500 records', ({ floor, seed }) => {
    const uniform = seededUniform(seed);
    const shares = sharesAtIndex(floor);
    const draw = () => ({
      baseline: drawCounts(5000, uniformShares, uniform),
      current: drawCounts(500, shares, uniform),
    });
    const [size = Number.NaN] = measureSize(runs, [0.05], draw, (a, b) => {
      return effectFloorTest(populationStabilityIndex(a, b), 5000, 500, BINS, floor).pValue;
    });
    expectSize(size, 0.05, runs, 0.15);
  });
});

test('a test that takes the baseline as exact would be caught', () => {
  const uniform = seededUniform(6);
  const runs = 1000;
  const draw = () => ({
    baseline: drawCounts(500, uniformShares, uniform),
    current: drawCounts(500, uniformShares, uniform),
  });
  const [size = 0] = measureSize(
    runs,
    [0.05],
    draw,
    (a, b) =>
      pearsonTest(
        a.map((count) => count * 1e6),
        b,
      ).pValue,
  );
  expect(size).toBeGreaterThan(0.3);
});

/** Shares that differ from uniform by an exponential tilt, as strong as makes the PSI `wanted`. */
function sharesAtIndex(wanted: number): number[] {
  const tilt = (strength: number) => {
    const weights = uniformShares.map((share, bin) => share * Math.exp(strength * normalQuantile((bin + 0.5) / BINS)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  };
  const index = (shares: readonly number[]) => shares.reduce((sum, q) => sum + (q - 1 / BINS) * Math.log(q * BINS), 0);
  let [low, high] = [0, 5];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (index(tilt(middle)) < wanted) low = middle;
    else high = middle;
  }
  return tilt(low);
}
