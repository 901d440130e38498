import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BaselineFeature } from '../../core/model/baseline.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import type { NumericLayout } from '../../core/model/layout.ts';
import { EmptyBaselineError } from '../../core/pipeline/create-baseline.ts';
import { layoutId } from '../../core/profile/build-baseline.ts';
import { bucketBounds, bucketIndex } from '../../core/stats/log-linear-histogram.ts';
import { batchOf, learn, learnColumns } from './batches.ts';

async function learnNumbers(values: readonly (number | null)[]): Promise<readonly [NumericLayout, BaselineFeature]> {
  const baseline = await learnColumns([['x', values]], { choose: () => ({ kind: 'numeric', ignore: false }) });
  const layout = baseline.layout.features[0]?.[1];
  const feature = baseline.features[0]?.[1];
  if (layout?.kind !== 'numeric' || !feature) throw new Error('expected a numeric feature');
  return [layout, feature];
}

/** Mean and standard deviation in integers of 2^−1074 where doubles would round: no digit is lost. */
function exactMoments(values: readonly number[]): { mean: number; standardDeviation: number } {
  const shift = 60n;
  const scaled = values.map((value) => BigInt(Math.round(value * 2 ** 20)) << (shift - 20n));
  const sum = scaled.reduce((total, value) => total + value, 0n);
  const count = BigInt(values.length);
  const squares = scaled.reduce((total, value) => total + (value * count - sum) ** 2n, 0n);
  const variance = Number(squares / (count * count * count - count * count)) / 2 ** 120;
  return { mean: Number(sum / count) / 2 ** 60, standardDeviation: Math.sqrt(variance) };
}

const scales = fc.constantFrom(1e-3, 1, 37, 1e6);
const offsets = fc.constantFrom(0, -5, 1e6, 1e9);
/** Multiples of 2^−20, so that the reference can be exact. */
const samples = fc
  .tuple(fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 2, maxLength: 300 }), scales, offsets)
  .map(([values, scale, offset]) =>
    values.map((value) => Math.round((offset + scale * value ** 3) * 2 ** 20) / 2 ** 20),
  );

describe('a numeric feature', () => {
  test('has the exact mean and standard deviation', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (values) => {
        const [, feature] = await learnNumbers(values);
        const exact = exactMoments(values);
        const size = Math.max(Math.abs(exact.mean), exact.standardDeviation, 1e-6);
        expect(Math.abs((feature.mean ?? Number.NaN) - exact.mean)).toBeLessThanOrEqual(1e-9 * size);
        // The deviations are from the median, so a far outlier among equal values costs digits, not the order.
        expect(Math.abs((feature.standardDeviation ?? Number.NaN) - exact.standardDeviation)).toBeLessThanOrEqual(
          1e-9 * Math.max(exact.standardDeviation, 1e-6),
        );
      }),
      { numRuns: 150 },
    );
  });

  test('has no moments where its values are too far apart for doubles', async () => {
    const [, feature] = await learnNumbers([1e308, -1e308, 1e308, -1e308]);
    expect(feature).toMatchObject({ kind: 'numeric', distinct: 2, summary: { count: 4 } });
    expect([feature.mean, feature.standardDeviation]).toEqual([undefined, undefined]);
  });

  test('has quantiles within a bucket of the exact ones, and a range that holds all values', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (values) => {
        const [layout, feature] = await learnNumbers(values);
        const sorted = values.toSorted((a, b) => a - b);
        for (const [probability, quantile] of feature.quantiles ?? []) {
          // The rank interpolated to lies between these two values.
          const rank = probability * sorted.length;
          const low = sorted[Math.max(0, Math.ceil(rank) - 1)] ?? 0;
          const { lower, upper } = bucketBounds(
            bucketIndex(low, layout.centre, layout.unit),
            layout.centre,
            layout.unit,
          );
          expect(quantile).toBeGreaterThanOrEqual(lower);
          expect(quantile).toBeLessThanOrEqual(upper);
        }
        const [least, greatest] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
        expect(feature.min).toBeLessThanOrEqual(least);
        expect(feature.max).toBeGreaterThanOrEqual(greatest);
      }),
      // Edges that are neighbouring doubles: what is interpolated between them may round to beyond.
      { numRuns: 150, examples: [[[...new Array<number>(8).fill(1e9), 999_999_999.9999981]]] },
    );
  });

  test('may hold any finite numbers', async () => {
    const extreme = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(1e308, -1e308, Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, -5e-324, -0, 0, 1e15, 1e15 + 0.125),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(extreme, { minLength: 1, maxLength: 40 }), async (values) => {
        const baseline = await learnColumns([['x', values]], { choose: () => ({ kind: 'numeric', ignore: false }) });
        // Canonical JSON refuses whatever is not finite.
        expect(JSON.parse(canonicalJson(baseline))).toBeTruthy();
        const feature = baseline.features[0]?.[1];
        expect(feature?.summary.count).toBe(values.length);
        if (feature?.summary.kind !== 'numeric') throw new Error('expected a numeric feature');
        expect(feature.summary.buckets.reduce((sum, [, count]) => sum + count, 0)).toBe(values.length);
      }),
      { numRuns: 200 },
    );
  });

  test('keeps the digits of small differences on a huge offset', async () => {
    const [, feature] = await learnNumbers([1e15, 1e15 + 0.125, 1e15 + 0.25, 1e15 + 0.375]);
    expect(feature.mean).toBe(1e15 + 0.1875);
    expect(feature.standardDeviation).toBeCloseTo(0.16137430609197573, 12);
  });

  test('that never changes has itself as mean, quantiles and range', async () => {
    const [layout, feature] = await learnNumbers(new Array(500).fill(7));
    expect(feature).toMatchObject({ mean: 7, standardDeviation: 0, min: 7, distinct: 1, singletons: 0 });
    expect(feature.quantiles?.every(([, value]) => value === 7)).toBe(true);
    expect(feature.summary).toMatchObject({ buckets: [[0, 500]] });
    expect(layout).toMatchObject({ centre: 7 });
  });

  test('treats 0 and −0 as one', async () => {
    const [, feature] = await learnNumbers([0, -0, 0, -0, 1]);
    expect(feature).toMatchObject({
      distinct: 2,
      summary: {
        buckets: [
          [0, 4],
          [expect.any(Number), 1],
        ],
      },
    });
  });
});

describe('a baseline', () => {
  test('counts missing values, also those before a column appears', async () => {
    const late = batchOf([
      ['a', [1, null, 3, '']],
      ['late', ['x', 'x', undefined, 'x']],
    ]);
    const baseline = await learn([batchOf([['a', [1, 2, 'NaN']]]), late, batchOf([['late', ['x']]])], {
      choose: (column) => ({ kind: column === 'a' ? 'numeric' : 'categorical', ignore: false }),
    });
    expect(baseline.records).toBe(8);
    expect(Object.fromEntries(baseline.features)).toMatchObject({
      a: { summary: { count: 4, missing: 4 } },
      late: { summary: { count: 4, missing: 4 } },
    });
  });

  test('can be made of one row', async () => {
    const baseline = await learnColumns([
      ['amount', [12.5]],
      ['region', ['EU']],
    ]);
    expect(Object.fromEntries(baseline.features)).toMatchObject({
      amount: { mean: 12.5, standardDeviation: 0, summary: { count: 1 } },
      region: { rare: 1, distinct: 1, singletons: 1, summary: { count: 1, unseen: 1 } },
    });
  });

  test('leaves out a column that never holds a value', async () => {
    const baseline = await learnColumns([
      ['amount', [1, 2, 3]],
      ['empty', [null, '', 'NA']],
    ]);
    expect(baseline.layout).toMatchObject({ leftOut: ['empty'] });
    expect(baseline.notes).toEqual(['empty: left out, it never holds a value']);
  });

  test('needs records and a column worth comparing', async () => {
    await expect(learn([])).rejects.toThrow(new EmptyBaselineError('expected at least one inference record, saw none'));
    await expect(learnColumns([['empty', [null, null]]])).rejects.toThrow(/saw none: empty: left out, it never holds/);
    const unreadable = learnColumns([['word', ['a', 'b']]], { choose: () => ({ kind: 'numeric', ignore: false }) });
    await expect(unreadable).rejects.toThrow(
      'that fits its columns, saw none: word: 2 of 2 values are no numbers; their rows are quarantined',
    );
  });

  test('does not depend on the order of its records, or on how they are batched', async () => {
    const cell = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(1, 2, 3, null));
    const text = fc.constantFrom('a', 'b', 'c', '', 'NA');
    const rows = fc.array(fc.tuple(cell, text, fc.integer({ min: 0, max: 30_000_000 })), {
      minLength: 1,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(
        rows.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }), fc.nat(7))),
        async ([ordered, shuffled, cut]) => {
          const batch = (part: typeof ordered) =>
            batchOf(
              [
                ['number', part.map(([number]) => number)],
                ['text', part.map(([, value]) => value)],
              ],
              { times: part.map(([, , time]) => time) },
            );
          const options = { windowSeconds: 3600, choose: (column: string) => kindOf(column) };
          const one = await learn([batch(ordered)], options);
          const other = await learn([batch(shuffled.slice(0, cut)), batch(shuffled.slice(cut))], options);
          expect(canonicalJson(other)).toBe(canonicalJson(one));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('takes a column for a sequence only where its records come in order', async () => {
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    expect(
      (
        await learnColumns([
          ['n', numbers],
          ['k', numbers.map((n) => n % 2)],
        ])
      ).layout.leftOut,
    ).toEqual(['n']);
    const swapped = numbers.with(5, 6).with(6, 5);
    expect(
      (
        await learnColumns([
          ['n', swapped],
          ['k', numbers.map((n) => n % 2)],
        ])
      ).layout.leftOut,
    ).toEqual([]);
  });

  test('of 10,000 columns is made within the time that a test may take', async () => {
    const rows = 200;
    const columns = Array.from(
      { length: 10_000 },
      (_, column) =>
        [`c${column}`, Array.from({ length: rows }, (_, row) => ((row + 1) * (column + 7919)) % 104_729)] as const,
    );
    const baseline = await learn(
      [batchOf(columns, { times: Array.from({ length: rows }, (_, row) => row * 60_000) })],
      {
        windowSeconds: 3600,
      },
    );
    expect(baseline.features.length).toBeGreaterThan(9_000);
    expect(layoutId(baseline.layout)).toBe(baseline.layoutId);
  });
});

function kindOf(column: string) {
  return { kind: column === 'number' ? ('numeric' as const) : ('categorical' as const), ignore: false };
}
