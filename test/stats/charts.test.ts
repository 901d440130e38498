import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shewhartLimit, shewhartRunLength } from '../../core/stats/arl-shewhart.ts';
import { estimateAutoregression, ewmaVarianceFactor, longRunVarianceFactor } from '../../core/stats/autoregression.ts';
import { updateCusum } from '../../core/stats/cusum-chart.ts';
import { cusumLimit, cusumRunLength, upperCusumRunLength } from '../../core/stats/cusum-run-length.ts';
import { updateEwma } from '../../core/stats/ewma-chart.ts';
import { ewmaLimit, ewmaRunLength, ewmaStandardDeviation } from '../../core/stats/ewma-run-length.ts';
import { gaussLegendreRule } from '../../core/stats/gauss-legendre.ts';
import {
  overdispersedLowerTail,
  overdispersedUpperTail,
  overdispersedZero,
} from '../../core/stats/negative-binomial-tails.ts';
import { poissonLowerTail, poissonUpperTail } from '../../core/stats/poisson-tail.ts';
import { mewmaRunLength } from './mewma-run-length.ts';
import { expectRelative, expectRows, seededUniform } from './reference.ts';

interface Reference {
  readonly gaussLegendre: Readonly<Record<string, readonly [points: number[], weights: number[]]>>;
  readonly ewmaRunLength: number[][];
  readonly upperCusumRunLength: number[][];
  readonly negativeBinomialLowerTail: number[][];
  readonly negativeBinomialUpperTail: number[][];
  readonly poissonLowerTail: number[][];
  readonly poissonUpperTail: number[][];
}

/** Of R's package spc: [parameter, limit, run length per shift], and limits as [parameter, run length, limit]. */
interface SpcReference {
  readonly shifts: number[];
  readonly ewma: [number, number, number[]][];
  readonly cusum: [number, number, number[]][];
  readonly upperCusum: [number, number, number[]][];
  readonly shewhart: [number, number[]];
  /** [λ, limit, series, run length]. */
  readonly mewma: [number, number, number, number][];
  readonly ewmaLimit: number[][];
  readonly cusumLimit: number[][];
}

const readFixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/stats/${name}.json`, import.meta.url), 'utf8'));

/** Values of numpy, scipy and mpmath: see test/fixtures/stats/make_charts.py. */
const reference: Reference = readFixture('charts');
/** See test/fixtures/stats/make-spc.R. */
const spc: SpcReference = readFixture('spc');

describe('Gauss–Legendre quadrature', () => {
  test('has the points and weights of numpy', () => {
    for (const [count, [points, weights]] of Object.entries(reference.gaussLegendre)) {
      const rule = gaussLegendreRule(Number(count), -1, 1);
      for (const [i, point] of rule.points.entries()) expect(Math.abs(point - (points[i] ?? 9))).toBeLessThan(1e-14);
      for (const [i, weight] of rule.weights.entries()) expectRelative(weight, weights[i] ?? Number.NaN, 1e-12);
      expect(rule.points.length).toBe(points.length);
    }
  });

  test('integrates polynomials of degree 2n − 1 exactly, on any interval', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: -3, max: 3, noNaN: true }), (count, lower) => {
        const { points, weights } = gaussLegendreRule(count, lower, lower + 2);
        const degree = Math.min(2 * count - 1, 9);
        const sum = points.reduce((total, x, i) => total + (weights[i] ?? 0) * (x - lower) ** degree, 0);
        expectRelative(sum, 2 ** (degree + 1) / (degree + 1), 1e-11);
      }),
    );
  });
});

describe('average run lengths', () => {
  test('agree with a finer quadrature to 1e-9', () => {
    // Longer lengths are worse conditioned: the system is singular but for 1/length.
    const check = (rows: number[][], compute: (a: number, b: number, shift: number) => number) => {
      for (const [a = 0, b = 0, shift = 0, expected = 0] of rows) {
        expectRelative(compute(a, b, shift), expected, 1e-9 + 1e-14 * expected, `${a}, ${b}, ${shift}`);
      }
    };
    check(reference.ewmaRunLength, ewmaRunLength);
    check(reference.upperCusumRunLength, upperCusumRunLength);
  });

  test('agree with R package spc to 1e-11', () => {
    const check = (compute: (shift: number) => number, lengths: readonly number[], message: string) => {
      expect(lengths).toHaveLength(spc.shifts.length);
      spc.shifts.forEach((shift, i) => {
        expectRelative(compute(shift), lengths[i] ?? Number.NaN, 1e-11, `${message}, shift ${shift}`);
      });
    };
    for (const [lambda, limit, lengths] of spc.ewma) {
      check((shift) => ewmaRunLength(lambda, limit, shift), lengths, `EWMA ${lambda}`);
    }
    for (const [k, h, lengths] of spc.cusum) check((shift) => cusumRunLength(k, h, shift), lengths, `CUSUM ${k}`);
    for (const [k, h, lengths] of spc.upperCusum) {
      check((shift) => upperCusumRunLength(k, h, shift), lengths, `upper CUSUM ${k}`);
    }
    const [limit, lengths] = spc.shewhart;
    check((shift) => shewhartRunLength(limit, shift), lengths, 'Shewhart');
  });

  test('an EWMA with λ = 1 is the Shewhart chart', () => {
    for (const shift of [0, 0.5, 2]) expectRelative(ewmaRunLength(1, 3, shift), shewhartRunLength(3, shift), 1e-9);
  });

  test('do not depend on the sign of a shift, and fall with its size', () => {
    const shift = fc.double({ min: 0.01, max: 3, noNaN: true });
    fc.assert(
      fc.property(shift, fc.constantFrom(0.05, 0.2, 0.4), (size, lambda) => {
        expectRelative(ewmaRunLength(lambda, 3, size), ewmaRunLength(lambda, 3, -size), 1e-9);
        expectRelative(cusumRunLength(0.5, 4, size), cusumRunLength(0.5, 4, -size), 1e-9);
        expect(ewmaRunLength(lambda, 3, size * 1.1)).toBeLessThan(ewmaRunLength(lambda, 3, size));
        expect(cusumRunLength(0.5, 4, size * 1.1)).toBeLessThan(cusumRunLength(0.5, 4, size));
      }),
      { numRuns: 15 },
    );
  });

  test('agree with charts that are run', () => {
    const uniform = seededUniform(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    const runs = 4000;
    let [ewmaTotal, cusumTotal] = [0, 0];
    for (let run = 0; run < runs; run++) {
      let [value, up, down] = [0, 0, 0];
      while (Math.abs(value) <= 2.962 * ewmaStandardDeviation(0.2)) {
        value = updateEwma(value, normal() + 1, 0.2);
        ewmaTotal++;
      }
      while (Math.max(up, down) <= 4) {
        const x = normal() + 0.5;
        up = updateCusum(up, x, 0.5, 100);
        down = updateCusum(down, -x, 0.5, 100);
        cusumTotal++;
      }
    }
    expectRelative(ewmaTotal / runs, 10.542, 0.03);
    expectRelative(cusumTotal / runs, 26.63, 0.05);
  });

  test('stay defined far out', () => {
    expect(ewmaRunLength(0.2, 12, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(ewmaRunLength(0.2, 3, 1e6)).toBe(1);
    expect(ewmaRunLength(0.2, 0, 0)).toBe(1);
    expect(cusumRunLength(0.5, 5, -1e6)).toBe(1);
    expect(cusumRunLength(5, 100, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(() => ewmaRunLength(0, 3, 0)).toThrow('expected λ in [.001, 1], saw 0');
    expect(() => ewmaRunLength(0.2, Number.NaN, 0)).toThrow('saw NaN');
    expect(() => cusumRunLength(0.5, 5, Number.POSITIVE_INFINITY)).toThrow('finite shift');
    expect(() => upperCusumRunLength(-1, 5, 0)).toThrow('expected k in [0, 5], saw -1');
  });
});

describe('limits for a wanted run length', () => {
  test('agree with R package spc to 1e-9', () => {
    for (const [lambda = 0, length = 0, limit = 0] of spc.ewmaLimit) {
      expectRelative(ewmaLimit(lambda, length), limit, 1e-9);
    }
    for (const [k = 0, length = 0, limit = 0] of spc.cusumLimit) expectRelative(cusumLimit(k, length), limit, 1e-9);
    expect(shewhartLimit(370.398)).toBeCloseTo(3, 5);
  });

  test('give the wanted run length back', () => {
    for (const wanted of [2, 370.4, 75_600, 1e7]) {
      for (const lambda of [0.05, 0.2, 1])
        expectRelative(ewmaRunLength(lambda, ewmaLimit(lambda, wanted), 0), wanted, 1e-7);
      if (wanted > 2)
        for (const k of [0.25, 0.5, 1]) expectRelative(cusumRunLength(k, cusumLimit(k, wanted), 0), wanted, 1e-6);
    }
  });

  test('refuse what cannot be had', () => {
    for (const wanted of [1, 0, -5, Number.NaN, 1e10, Number.POSITIVE_INFINITY]) {
      expect(() => ewmaLimit(0.2, wanted)).toThrow(`saw ${wanted}`);
      expect(() => cusumLimit(0.5, wanted)).toThrow(`saw ${wanted}`);
    }
    expect(() => cusumLimit(0, 1e6)).toThrow('no limit up to 100');
    expect(() => shewhartLimit(1)).toThrow('expected more than 1');
  });
});

describe('counts', () => {
  test('tails of the Poisson and the negative binomial law agree with mpmath', () => {
    expectRows(reference.poissonLowerTail, poissonLowerTail);
    expectRows(reference.poissonUpperTail, poissonUpperTail);
    expectRows(reference.negativeBinomialLowerTail, overdispersedLowerTail);
    expectRows(reference.negativeBinomialUpperTail, overdispersedUpperTail);
  });

  test('tails complement one another and fall outwards', () => {
    const mean = fc.double({ min: 0.001, max: 1e4, noNaN: true });
    const dispersion = fc.oneof(fc.constant(0), fc.double({ min: 1e-8, max: 20, noNaN: true }));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), mean, dispersion, (k, m, d) => {
        const upper = overdispersedUpperTail(k + 1, m, d);
        expect(overdispersedLowerTail(k, m, d) + upper).toBeCloseTo(1, 9);
        expect(overdispersedUpperTail(k + 2, m, d)).toBeLessThanOrEqual(upper);
        expectRelative(overdispersedZero(m, d), overdispersedLowerTail(0, m, d), 1e-9);
      }),
    );
  });

  test('stay defined for huge counts and means', () => {
    for (const [k, mean, dispersion] of [
      [1e15, 1e15, 0.1],
      [1e9, 2e9, 0.2],
      [0, 1e300, 1e300],
      [1e308, 1e308, 0],
    ] as const) {
      for (const tail of [overdispersedLowerTail(k, mean, dispersion), overdispersedUpperTail(k, mean, dispersion)]) {
        expect(tail).toBeGreaterThanOrEqual(0);
        expect(tail).toBeLessThanOrEqual(1);
      }
    }
    expect(overdispersedUpperTail(-1, 3, 1)).toBe(1);
    expect(overdispersedLowerTail(-1, 3, 1)).toBe(0);
    expect(poissonUpperTail(1, 0)).toBe(0);
    expect(poissonLowerTail(0, 0)).toBe(1);
    expect(() => poissonUpperTail(1, -1)).toThrow('saw -1');
    expect(() => poissonLowerTail(Number.NaN, 1)).toThrow('saw NaN');
    expect(() => overdispersedUpperTail(1, Number.POSITIVE_INFINITY, 1)).toThrow('finite mean');
    expect(() => overdispersedLowerTail(1, 1, Number.NaN)).toThrow('saw NaN');
  });
});

describe('autoregression', () => {
  test('is estimated without the bias of short series', () => {
    const uniform = seededUniform(3);
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    for (const coefficient of [0, 0.5, 0.8]) {
      let total = 0;
      const runs = 600;
      for (let run = 0; run < runs; run++) {
        let value = normal();
        const values = Array.from({ length: 100 }, () => {
          value = coefficient * value + Math.sqrt(1 - coefficient ** 2) * normal();
          return value;
        });
        const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
        total += estimateAutoregression(
          values.map((x) => x - mean),
          values.map((_, t) => t > 0),
        );
      }
      expect(Math.abs(total / runs - coefficient)).toBeLessThan(0.015);
    }
  });

  test('looks only at values that follow one another', () => {
    const values = Array.from({ length: 40 }, (_, t) => (t % 4 < 2 ? 1 : -1));
    // Pairs 1,1 and −1,−1 only.
    expect(
      estimateAutoregression(
        values,
        values.map((_, t) => t % 2 === 1),
      ),
    ).toBe(0.99);
    expect(
      estimateAutoregression(
        values,
        values.map(() => false),
      ),
    ).toBe(0);
    expect(
      estimateAutoregression(
        values.map(() => 0),
        values.map(() => true),
      ),
    ).toBe(0);
  });

  test('inflates variances as the formulas say', () => {
    expectRelative(ewmaVarianceFactor(0.5, 0.2), 1.4 / 0.6, 1e-12);
    expect(ewmaVarianceFactor(0, 0.2)).toBe(1);
    expect(longRunVarianceFactor(0.5)).toBe(3);
  });
});

// The limit in circulation for λ = .05, 24.790, gives 996.79; 1,000 comes of a quadrature with 20 nodes, spc's default.
test.each(spc.mewma)('a MEWMA has the run length of R package spc, λ %d', (lambda, limit, series, runLength) => {
  expectRelative(mewmaRunLength(lambda, series, limit), runLength, 1e-9);
  expectRelative(runLength, 1000, 4e-3);
});
