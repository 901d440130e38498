import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

/** Rows of arguments followed by the expected value. */
type Rows = readonly (readonly number[])[];

interface Comparison {
  readonly baseline: readonly number[];
  readonly current: readonly number[];
  readonly pearson: readonly [number, number, number];
  readonly g: readonly [number, number, number];
  readonly populationStabilityIndex: number;
  readonly jensenShannon: number;
  readonly hellinger: number;
  readonly totalVariation: number;
}

interface Reference {
  readonly comparisons: readonly Comparison[];
  readonly chiSquaredUpperTail: Rows;
  readonly chiSquaredQuantile: Rows;
  readonly chiSquaredUpperQuantile: Rows;
  readonly noncentralChiSquaredUpperTail: Rows;
  readonly normalUpperTail: Rows;
  readonly normalQuantile: Rows;
  readonly binomialUpperTail: Rows;
  readonly hypergeometricUpperTail: Rows;
  readonly kolmogorovUpperTail: Rows;
  readonly kolmogorovSmirnov: readonly { x: number[]; y: number[]; statistic: number; pValue: number }[];
  readonly benjaminiHochberg: { pValues: number[]; qValues: number[] };
  readonly intervals: Rows;
}

/** Values computed by scipy and mpmath: see test/fixtures/stats/make.py. */
export const reference: Reference = JSON.parse(
  readFileSync(new URL('../fixtures/stats/scipy.json', import.meta.url), 'utf8'),
);

/** Expects |actual − expected| ≤ tolerance·|expected|. */
export function expectRelative(actual: number, expected: number, tolerance = 1e-9, what = ''): void {
  const error = actual === expected ? 0 : Math.abs(actual - expected) / Math.abs(expected);
  expect(error, `${what}: saw ${actual}, expected ${expected}`).toBeLessThanOrEqual(tolerance);
}

/** Checks every row of a reference table. */
export function expectRows(rows: Rows, compute: (...parameters: number[]) => number, tolerance = 1e-9): void {
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    expectRelative(compute(...row.slice(0, -1)), row.at(-1) ?? Number.NaN, tolerance, row.slice(0, -1).join(', '));
  }
}

/** Seeded uniform numbers in [0, 1) (mulberry32). */
export function seededUniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
