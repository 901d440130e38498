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

interface TailReference {
  readonly chiSquaredUpperTail: Rows;
  readonly noncentralChiSquaredUpperTail: Rows;
  readonly fUpperTail: Rows;
  readonly studentUpperTail: Rows;
  readonly lowerBeta: Rows;
  readonly upperBeta: Rows;
  readonly logLowerBeta: Rows;
  readonly largeGammaTail: Rows;
  readonly largeLowerBeta: Rows;
  readonly cramerVonMisesUpperTail: Rows;
  readonly logNormalUpperTail: Rows;
  readonly normalUpperQuantile: Rows;
}

interface MomentReference {
  readonly baseline: readonly [number, number, number];
  readonly current: readonly [number, number, number];
  readonly welch: readonly [number, number];
  readonly variance: readonly [number, number];
}

interface TwoSampleReference {
  readonly samples: readonly {
    readonly x: readonly number[];
    readonly y: readonly number[];
    readonly kolmogorovSmirnov: readonly [statistic: number, exact: number, asymptotic: number, givenTies: number];
    readonly wasserstein: number | null;
    readonly cramerVonMises: readonly [statistic: number, pValue: number];
  }[];
  readonly moments: readonly (MomentReference & { readonly pooled: readonly [number, number] })[];
  readonly shares: readonly {
    readonly baseline: readonly number[];
    readonly current: readonly number[];
    readonly jensenShannonBase2: number;
    readonly largestCumulative: number;
  }[];
  readonly histograms: readonly {
    readonly a: readonly (readonly [number, number])[];
    readonly b: readonly (readonly [number, number])[];
    readonly centre: number;
    readonly unit: number;
    readonly wasserstein: number;
    readonly kolmogorovSmirnov: number;
  }[];
  readonly fisher: Rows;
  readonly falseDiscovery: { readonly pValues: number[]; readonly yekutieli: number[] };
}

interface RReference {
  readonly ties: readonly { x: number[]; y: number[]; statistic: number; pValue: number }[];
  readonly fisher: Rows;
  readonly moments: readonly MomentReference[];
  readonly adjusted: { pValues: number[]; hochberg: number[]; yekutieli: number[]; bonferroni: number[] };
}

/** Values computed by scipy and mpmath: see test/fixtures/stats/make.py. */
export const reference: Reference = read('scipy.json');
/** Far tails by mpmath in 400 digits: see test/fixtures/stats/make-tails.py. */
export const tailReference: TailReference = read('tails.json');
/** Two-sample tests and distances by scipy: see test/fixtures/stats/make-two-sample.py. */
export const twoSampleReference: TwoSampleReference = read('two-sample.json');
/** Values computed by R: see test/fixtures/stats/make-r.R. */
export const rReference: RReference = read('r.json');

function read<Shape>(name: string): Shape {
  return JSON.parse(readFileSync(new URL(`../fixtures/stats/${name}`, import.meta.url), 'utf8'));
}

/** The linear congruential generator of the published examples: uniform numbers in [0, 1). */
export function lcg(length: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = Number((1664525n * BigInt(state) + 1013904223n) % 2n ** 32n);
    return state / 2 ** 32;
  });
}

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
