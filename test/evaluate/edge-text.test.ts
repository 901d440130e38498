import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeBins } from '../../core/evaluate/bin-sentence.ts';
import { describeRange } from '../../core/evaluate/edge-text.ts';
import type { NumericLayout } from '../../core/model/layout.ts';
import { bucketBounds, bucketIndex, chooseBinEdges } from '../../core/stats/log-linear-histogram.ts';

/** The layout of some values, as a baseline makes it. */
function learn(values: readonly number[], unit: number): NumericLayout {
  const sorted = [...values].sort((a, b) => a - b);
  const centre = sorted[sorted.length >> 1] ?? 0;
  const counts = new Map<number, number>();
  for (const value of sorted) {
    const index = bucketIndex(value, centre, unit);
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const binEdges = chooseBinEdges([...counts].sort(([a], [b]) => a - b));
  return { kind: 'numeric', side: 'input', centre, unit, binEdges };
}

function edgesOf({ binEdges, centre, unit }: NumericLayout): readonly number[] {
  return binEdges.map((index) => bucketBounds(index, centre, unit).lower);
}

const many = (value: number, count: number) => Array<number>(count).fill(value);

describe('where values lie', () => {
  test('usual edges have three digits', () => {
    const layout = learn(
      Array.from({ length: 1000 }, (_, index) => 100 + index * 0.85),
      150,
    );
    const edges = edgesOf(layout);
    expect(describeRange(layout, edges[6], undefined)).toMatch(/^at or above \d{3}$/);
    expect(describeRange(layout, undefined, edges[1])).toMatch(/^below \d{3}$/);
    expect(describeRange(layout, edges[2], edges[4])).toMatch(/^between \d{3} and \d{3}$/);
  });

  test('a frequent value is named: its bin begins and ends with it', () => {
    const ages = [...many(18, 60), ...Array.from({ length: 90 }, (_, index) => 19 + (index % 30))];
    const layout = learn(ages, 3.5);
    const [first, second] = edgesOf(layout);
    expect(describeRange(layout, second, undefined)).toBe('above 18');
    expect(describeRange(layout, undefined, second)).toBe('at or below 18');
    expect(describeRange(layout, first, undefined)).toBe('at or above 18');
    expect(describeRange(layout, undefined, first)).toBe('below 18');
    expect(describeRange(layout, first, second)).toBe('at 18');
    expect(describeRange(layout, second, edgesOf(layout)[4])).toMatch(/^above 18 and below \d+(\.\d+)?$/);
  });

  test('of a narrow bin that holds several round numbers, the outermost', () => {
    const [centre, unit] = [563, 150];
    const index = bucketIndex(865, centre, unit);
    const layout: NumericLayout = { kind: 'numeric', side: 'input', centre, unit, binEdges: [index, index + 1] };
    const [from, to] = edgesOf(layout);
    expect([Math.ceil(from ?? 0), Math.ceil(to ?? 0) - 1]).toEqual([863, 865]);
    expect(describeRange(layout, from, to)).toBe('from 863 to 865');
    expect(describeRange(layout, to, undefined)).toBe('above 865');
    expect(describeRange(layout, undefined, from)).toBe('below 863');
  });

  test('so is a constant, to its last digit', () => {
    const layout = learn(many(48.137, 100), 12);
    const [at, beyond] = edgesOf(layout);
    expect(describeRange(layout, at, beyond)).toBe('at 48.137');
    expect(describeRange(layout, beyond, undefined)).toBe('above 48.137');
    expect(describeRange(layout, undefined, at)).toBe('below 48.137');
  });

  test('narrow bins far from zero have as many digits as tell them apart', () => {
    const layout = learn(
      Array.from({ length: 1000 }, (_, index) => 48.13 + index * 1e-5),
      0.0012,
    );
    const texts = edgesOf(layout).map((edge) => describeRange(layout, edge, undefined));
    expect(texts).toHaveLength(9);
    for (const text of texts) expect(text).toMatch(/^at or above 48\.13\d{1,2}$/);
  });

  test('what is said of whole numbers by a frequent one is true of each', () => {
    const ages = fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(0, 18, 65)), { minLength: 1 });
    fc.assert(
      fc.property(ages, (values) => {
        const layout = learn(values, 3.5);
        for (const edge of edgesOf(layout)) {
          const [, words, number = ''] =
            /^(above|at or above) (\S+)$/.exec(describeRange(layout, edge, undefined)) ?? [];
          if (words === 'above')
            expect(values.map((value) => value > Number(number))).toEqual(values.map((value) => value >= edge));
        }
      }),
    );
  });

  test('no two edges are said alike', () => {
    const value = fc.oneof(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.integer({ min: -20, max: 20 }),
      fc.double({ min: 48.13, max: 48.14, noNaN: true }),
      fc.constantFrom(0, 18, 48.13, 9.99),
    );
    const unit = fc.constantFrom(1e-3, 0.1, 3.5, 150);
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), unit, (values, width) => {
        const layout = learn(values, width);
        const edges = edgesOf(layout);
        const lows = edges.map((edge) => describeRange(layout, edge, undefined));
        const highs = edges.map((edge) => describeRange(layout, undefined, edge));
        expect(new Set([...lows, ...highs]).size).toBe(2 * new Set(edges).size);
        for (const [index, low] of edges.entries()) {
          const between = edges.slice(index + 1).map((high) => describeRange(layout, low, high));
          expect(new Set(between).size).toBe(new Set(edges.slice(index + 1)).size);
          for (const text of between) {
            const [, a, b] = /^between (\S+) and (\S+)$/.exec(text) ?? [];
            if (a !== undefined) expect(a).not.toBe(b);
          }
        }
      }),
    );
  });
});

describe('which bins have grown', () => {
  const layout = learn(
    Array.from({ length: 1000 }, (_, index) => index / 10),
    12,
  );
  const edges = edgesOf(layout);
  const tell = (current: readonly number[], areDeciles = true) =>
    describeBins(
      { edges, missing: false, baseline: many(100, 10), current },
      { layout, areDeciles, byHours: areDeciles },
    );

  test('both ends where they grew alike', () => {
    expect(tell([20, 8, 7, 7, 7, 7, 8, 8, 9, 19])).toMatch(
      /^39 % of records now lie below 9\.\d+ or at or above 90\.\d, the lowest decile and the highest decile of the baseline \(20 % expected\)$/,
    );
    expect(tell([20, 8, 7, 7, 7, 7, 8, 8, 9, 19], false)).toMatch(/or at or above 90\.\d, in the baseline 20 %$/);
    expect(tell([19, 9, 7, 7, 7, 7, 8, 8, 8, 20])).toMatch(/^39 % of records now lie below .* or at or above /);
  });

  test('one end where the other grew less', () => {
    expect(tell([24, 8, 8, 8, 8, 8, 8, 8, 8, 12])).toMatch(
      /^24 % of records now lie below \S+, the lowest decile of the baseline \(10 % expected\)$/,
    );
    expect(tell([8, 8, 8, 8, 8, 8, 8, 8, 12, 24])).toMatch(
      /^36 % of records now lie at or above \S+, the highest two /,
    );
    expect(tell([5, 5, 5, 20, 20, 20, 10, 5, 5, 5])).toMatch(
      /^60 % of records now lie between \S+ and \S+, deciles 4 to 6 of/,
    );
  });
});
