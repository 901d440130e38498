import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { benjaminiHochberg, bonferroni } from '../../core/stats/benjamini-hochberg.ts';
import { hellingerDistance, jensenShannonDistance, totalVariation } from '../../core/stats/divergence.ts';
import { effectFloorTest } from '../../core/stats/effect-floor.ts';
import { ExactSum } from '../../core/stats/exact-sum.ts';
import { kolmogorovSmirnovTest } from '../../core/stats/kolmogorov.ts';
import {
  bucketBounds,
  bucketIndex,
  chooseBinEdges,
  histogramBins,
  histogramKolmogorovSmirnov,
  histogramQuantile,
  histogramWasserstein,
  type SparseCounts,
} from '../../core/stats/log-linear-histogram.ts';
import { gTest, pearsonTest } from '../../core/stats/pearson.ts';
import { poolNeighbours, poolRare } from '../../core/stats/pooling.ts';
import { populationStabilityIndex } from '../../core/stats/population-stability-index.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const count = fc.oneof(fc.nat(30), fc.nat(100_000), fc.integer({ min: 0, max: 1e12 }));
const rows = fc.array(fc.tuple(count, count), { maxLength: 25 }).map((pairs) => ({
  baseline: pairs.map(([a]) => a),
  current: pairs.map(([, b]) => b),
}));
const sparseCounts: fc.Arbitrary<SparseCounts> = fc
  .uniqueArray(fc.tuple(fc.integer({ min: -2000, max: 2000 }), fc.integer({ min: 1, max: 1000 })), {
    selector: ([index]) => index,
    maxLength: 60,
  })
  .map((pairs) => pairs.sort(([a], [b]) => a - b));

/** The exact sum as an integer multiple of 2^−1074, by arithmetic on fractions alone. */
function scaledReference(values: readonly number[]): bigint {
  let sum = 0n;
  for (const value of values) {
    let [mantissa, exponent] = [value, 0];
    while (!Number.isInteger(mantissa)) {
      // Doubling is exact away from overflow, and a fraction is far from it.
      mantissa *= 2;
      exponent++;
    }
    sum += BigInt(mantissa) << BigInt(1074 - exponent);
  }
  return sum;
}

function sumOf(values: readonly number[]): ExactSum {
  const sum = new ExactSum();
  for (const value of values) sum.add(value);
  return sum;
}

/** Sums by a tree of merges, shaped by the choices. */
function sumByTree(values: readonly number[], choices: readonly number[]): ExactSum {
  if (values.length <= 2) return ExactSum.parse(sumOf(values).toString());
  const cut = 1 + ((choices[0] ?? 0) % (values.length - 1));
  const left = sumByTree(values.slice(0, cut), choices.slice(1));
  left.merge(sumByTree(values.slice(cut), choices.slice(2)));
  return left;
}

describe('exact sum', () => {
  test('any order and any tree of merges give the same text', () => {
    const cases = fc
      .array(finite, { maxLength: 40 })
      .chain((values) =>
        fc.tuple(
          fc.constant(values),
          fc.shuffledSubarray(values, { minLength: values.length, maxLength: values.length }),
          fc.array(fc.nat(), { maxLength: 40 }),
        ),
      );
    fc.assert(
      fc.property(cases, ([values, shuffled, choices]) => {
        const text = sumOf(values).toString();
        expect(sumOf(shuffled).toString()).toBe(text);
        expect(sumByTree(shuffled, choices).toString()).toBe(text);
        expect(ExactSum.parse(text).toString()).toBe(text);
      }),
    );
  });
  test('equals rational arithmetic, and rounds to the nearest double', () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 20 }), (values) => {
        const expected = scaledReference(values);
        const sum = sumOf(values);
        const value = sum.value();
        if (!Number.isFinite(value)) return;
        // The distance to the value is at most half the gap to its neighbours, seen from both sides.
        const distance = expected - scaledReference([value]);
        const size = distance < 0n ? -distance : distance;
        const gap = scaledReference([unitInLastPlace(value)]);
        expect(2n * size <= gap).toBe(true);
        const difference = sumOf([...values, -value]);
        expect(difference.toString() === '0').toBe(size === 0n);
      }),
    );
  });
});

function unitInLastPlace(value: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(value), 2 ** -1022)));
  const exact = 2 ** exponent > Math.abs(value) && exponent > -1022 ? exponent - 1 : exponent;
  return Math.max(2 ** (exact - 52), Number.MIN_VALUE);
}

describe('buckets', () => {
  const unit = fc.oneof(fc.constant(1), fc.double({ min: 1e-300, max: 1e300, noNaN: true }));
  const layouts = fc.record({
    centre: fc.oneof(fc.constant(0), fc.double({ min: -1e6, max: 1e6, noNaN: true }), finite),
    unit,
  });
  test('a value lies within the bounds of its bucket', () => {
    fc.assert(
      fc.property(layouts, finite, fc.double({ min: -1000, max: 1000, noNaN: true }), (layout, far, steps) => {
        for (const value of [far, layout.centre + steps * layout.unit]) {
          if (!Number.isFinite(value)) continue;
          const { lower, upper } = bucketBounds(
            bucketIndex(value, layout.centre, layout.unit),
            layout.centre,
            layout.unit,
          );
          expect(lower <= value && value < upper).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
  test('a bound is the first double of its bucket, and bounds ascend', () => {
    fc.assert(
      fc.property(layouts, fc.integer({ min: -20_000, max: 20_000 }), (layout, index) => {
        const { lower, upper } = bucketBounds(index, layout.centre, layout.unit);
        expect(lower).toBeLessThanOrEqual(upper);
        expect(bucketBounds(index + 1, layout.centre, layout.unit).lower).toBe(upper);
        if (Number.isFinite(lower) && lower > -Number.MAX_VALUE) {
          expect(bucketIndex(lower, layout.centre, layout.unit)).toBeGreaterThanOrEqual(index);
          expect(bucketIndex(doubleBelow(lower), layout.centre, layout.unit)).toBeLessThan(index);
        }
      }),
      { numRuns: 500 },
    );
  });
  test('ascend with the value', () => {
    fc.assert(
      fc.property(layouts, finite, finite, (layout, a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(bucketIndex(low, layout.centre, layout.unit)).toBeLessThanOrEqual(
          bucketIndex(high, layout.centre, layout.unit),
        );
      }),
    );
  });
});

function doubleBelow(value: number): number {
  if (value === 0) return -Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return view.getFloat64(0);
}

describe('histograms', () => {
  const total = (counts: SparseCounts) => counts.reduce((sum, [, n]) => sum + n, 0);
  test('bins keep the total', () => {
    fc.assert(
      fc.property(sparseCounts, fc.integer({ min: 1, max: 20 }), (counts, bins) => {
        const edges = chooseBinEdges(counts, bins);
        expect(histogramBins(counts, edges).reduce((sum, n) => sum + n, 0)).toBe(total(counts));
      }),
    );
  });
  test('bin edges ascend strictly; no inner bin is empty; atoms are alone', () => {
    fc.assert(
      fc.property(sparseCounts, fc.integer({ min: 1, max: 20 }), (counts, bins) => {
        const edges = chooseBinEdges(counts, bins);
        edges.slice(1).forEach((edge, position) => {
          expect(edge).toBeGreaterThan(edges[position] ?? 0);
        });
        const occupied = histogramBins(counts, edges);
        const isAtom = (n: number | undefined) => (n ?? 0) * bins >= total(counts) && counts.length > 0;
        expect(occupied.slice(1, -1).every((n) => n > 0)).toBe(true);
        if (edges.length > 0) {
          expect(occupied[0] === 0).toBe(isAtom(counts[0]?.[1]));
          expect(occupied.at(-1) === 0).toBe(isAtom(counts.at(-1)?.[1]));
        }
        for (const [index, n] of counts) {
          if (!isAtom(n)) continue;
          const bin = edges.filter((edge) => edge <= index).length;
          expect(occupied[bin]).toBe(n);
        }
        expect(edges.length).toBeLessThanOrEqual(2 * bins);
      }),
      { numRuns: 500 },
    );
  });
  test('distances are 0 to itself, symmetric, and quantiles ascend', () => {
    fc.assert(
      fc.property(sparseCounts, sparseCounts, (a, b) => {
        expect(histogramKolmogorovSmirnov(a, a)).toBe(0);
        expect(histogramWasserstein(a, a, 5, 2)).toBe(0);
        expect(histogramKolmogorovSmirnov(a, b)).toBe(histogramKolmogorovSmirnov(b, a));
        expect(histogramWasserstein(a, b, 5, 2)).toBe(histogramWasserstein(b, a, 5, 2));
        const quantiles = [0, 0.01, 0.25, 0.5, 0.9, 1].map((p) => histogramQuantile(a, 5, 2, p));
        expect(quantiles).toEqual([...quantiles].sort((x, y) => x - y));
      }),
    );
  });
});

describe('comparisons of counts', () => {
  test('scores are at least 0, symmetric, and 0 to themselves', () => {
    fc.assert(
      fc.property(rows, ({ baseline, current }) => {
        for (const score of [populationStabilityIndex, jensenShannonDistance, hellingerDistance, totalVariation]) {
          const value = score(baseline, current);
          expect(value).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(value)).toBe(true);
          expect(score(current, baseline)).toBeCloseTo(value, 10);
          expect(score(baseline, baseline)).toBe(0);
        }
        const limits = [jensenShannonDistance(baseline, current) ** 2, totalVariation(baseline, current)];
        expect(limits[0]).toBeLessThanOrEqual((limits[1] ?? 0) * Math.LN2 + 1e-12);
      }),
    );
  });
  test('tests are probabilities, symmetric, and blind to bins empty on both sides', () => {
    fc.assert(
      fc.property(rows, ({ baseline, current }) => {
        for (const test of [pearsonTest, gTest]) {
          const result = test(baseline, current);
          expect(result.pValue).toBeGreaterThanOrEqual(0);
          expect(result.pValue).toBeLessThanOrEqual(1);
          expect(result.statistic).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(result.statistic)).toBe(true);
          expect(test([0, ...baseline, 0], [0, ...current, 0])).toEqual(result);
          const mirrored = test(current, baseline);
          expect(Math.abs(mirrored.statistic - result.statistic)).toBeLessThanOrEqual(1e-9 * (1 + result.statistic));
        }
      }),
    );
  });
  test('the floor only ever raises the p-value', () => {
    fc.assert(
      fc.property(rows, fc.double({ min: 0, max: 1, noNaN: true }), ({ baseline, current }, floor) => {
        const size = (row: readonly number[]) => row.reduce((sum, n) => sum + n, 0);
        const psi = populationStabilityIndex(baseline, current);
        const test = (minimumEffect: number) =>
          effectFloorTest(psi, size(baseline), size(current), baseline.length, minimumEffect).pValue;
        expect(test(floor)).toBeGreaterThanOrEqual(test(0) * (1 - 1e-9));
        expect(test(floor)).toBeLessThanOrEqual(1);
      }),
    );
  });
  test('pooling is a partition that reaches the minimum wherever the total does', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 20 }), ({ baseline, current }, minimum) => {
        const all = baseline.map((_, bin) => bin);
        const groups = poolNeighbours(baseline, current, minimum);
        expect(groups.flat()).toEqual(all);
        expect(poolNeighbours(current, baseline, minimum)).toEqual(groups);
        const { kept, pooled } = poolRare(baseline, current, minimum);
        expect([...kept, ...pooled].sort((a, b) => a - b)).toEqual(all);
        const size = (row: readonly number[], bins: readonly number[]) =>
          bins.reduce((sum, bin) => sum + (row[bin] ?? 0), 0);
        const [n, m] = [size(baseline, all), size(current, all)];
        const isEnough = (bins: readonly number[]) =>
          (size(baseline, bins) + size(current, bins)) * (n + m === 0 ? 0 : Math.min(n, m) / (n + m)) >= minimum;
        if (groups.length > 1) expect(groups.every(isEnough)).toBe(true);
        expect(kept.every((bin) => isEnough([bin]))).toBe(true);
        if (kept.length > 0 && size(baseline, pooled) + size(current, pooled) > 0) expect(isEnough(pooled)).toBe(true);
      }),
    );
  });
});

test('adjusted p-values keep the order, lie above the p-values and below Bonferroni', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (pValues) => {
      const adjusted = benjaminiHochberg(pValues);
      const cautious = bonferroni(pValues);
      pValues.forEach((p, i) => {
        const q = adjusted[i] ?? Number.NaN;
        expect(q).toBeGreaterThanOrEqual(p);
        expect(q).toBeLessThanOrEqual(cautious[i] ?? Number.NaN);
        pValues.forEach((other, j) => {
          if (p < other) expect(q).toBeLessThanOrEqual(adjusted[j] ?? Number.NaN);
        });
      });
    }),
  );
});

test('the Kolmogorov–Smirnov test is symmetric and blind to monotone change', () => {
  const sample = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 25 });
  fc.assert(
    fc.property(sample, sample, (x, y) => {
      const test = kolmogorovSmirnovTest(x, y);
      expect(test.pValue).toBeGreaterThan(0);
      expect(test.pValue).toBeLessThanOrEqual(1);
      expect(kolmogorovSmirnovTest(y, x).pValue).toBeCloseTo(test.pValue, 12);
      const change = (sample: readonly number[]) => sample.map((value) => Math.exp(value / 10));
      expect(kolmogorovSmirnovTest(change(x), change(y))).toEqual(test);
    }),
  );
});
