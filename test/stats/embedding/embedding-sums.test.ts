import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EmbeddingCounter,
  type EmbeddingSums,
  emptySums,
  flattenSums,
  maximumVectors,
  mergeEmbeddings,
  subtractEmbeddings,
  unflattenSums,
} from '../../../core/stats/embedding/embedding-sums.ts';
import { dimensions, projectionOf, VectorMaker } from './made-vectors.ts';

const projection = projectionOf(new VectorMaker(1), 200);
const axes = projection.deviations.length;

type Vector = readonly unknown[] | null | undefined;

function sumsOf(vectors: readonly Vector[]): EmbeddingSums {
  const counter = new EmbeddingCounter(projection);
  for (const vector of vectors) counter.addVector(vector);
  return counter.finish();
}

const anyNumber = fc.oneof(
  fc.double(),
  fc.double({ min: -3, max: 3, noNaN: true }),
  fc.constantFrom(0, -0, 1e308, -1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY),
);
const vector: fc.Arbitrary<Vector> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: dimensions, maxLength: dimensions }),
  },
  { weight: 2, arbitrary: fc.array(anyNumber, { minLength: dimensions, maxLength: dimensions }) },
  { weight: 1, arbitrary: fc.array(fc.anything(), { maxLength: dimensions + 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(null, undefined) },
);
const vectors = fc.array(vector, { maxLength: 12 });

describe('laws', () => {
  test('merging is counting together, in any order and grouping', () => {
    fc.assert(
      fc.property(vectors, vectors, vectors, (a, b, c) => {
        const all = sumsOf([...a, ...b, ...c]);
        const [x, y, z] = [sumsOf(a), sumsOf(b), sumsOf(c)];
        expect(mergeEmbeddings(mergeEmbeddings(x, y), z)).toEqual(all);
        expect(mergeEmbeddings(x, mergeEmbeddings(y, z))).toEqual(all);
        expect(mergeEmbeddings(z, mergeEmbeddings(y, x))).toEqual(all);
        expect(sumsOf([...c, ...a, ...b].reverse())).toEqual(all);
        expect(mergeEmbeddings(all, emptySums(axes, projection.distanceEdges.length + 1))).toEqual(all);
        expect(subtractEmbeddings(all, z)).toEqual(mergeEmbeddings(x, y));
      }),
      { seed: 1, numRuns: 60 },
    );
  });
  test('every record is counted once, all numbers are whole, and JSON keeps them', () => {
    fc.assert(
      fc.property(vectors, (records) => {
        const sums = sumsOf(records);
        expect(sums.count + sums.missing + sums.invalid).toBe(records.length);
        expect(sums.distances.reduce((total, count) => total + count, 0)).toBe(sums.count);
        const row = flattenSums(sums);
        for (const value of row) {
          expect(Number.isSafeInteger(value)).toBe(true);
          expect(Object.is(value, -0)).toBe(false);
        }
        expect(unflattenSums(row, axes)).toEqual(sums);
        expect(JSON.parse(JSON.stringify(sums))).toEqual(sums);
      }),
      { seed: 2, numRuns: 60 },
    );
  });
});

test('missing and unusable vectors are told apart', () => {
  const good = new VectorMaker(2).next();
  const sums = sumsOf([
    good,
    null,
    undefined,
    [],
    [1],
    good.map(() => 0),
    good.map(() => Number.NaN),
    good.map(() => 1e308),
  ]);
  expect([sums.count, sums.missing, sums.invalid]).toEqual([1, 2, 5]);
});

test('one vector moves a sum by six standard deviations at most', () => {
  const far = new VectorMaker(3).next().map((value) => value * 1e6);
  const limit = 6 * 65_536;
  for (const sum of [...sumsOf([far]).scoreSums, sumsOf([far]).distanceSum])
    expect(Math.abs(sum)).toBeLessThanOrEqual(limit);
  expect(sumsOf([far]).distanceSum).toBe(limit);
});

test('sums of another projection, parts that are no parts and too many vectors are refused', () => {
  const sums = sumsOf(new VectorMaker(4).many(3));
  expect(() => mergeEmbeddings(sums, emptySums(axes + 1, sums.distances.length))).toThrow('another projection');
  expect(() => mergeEmbeddings(sums, emptySums(axes, 1))).toThrow('another projection');
  expect(() => subtractEmbeddings(emptySums(axes, sums.distances.length), sums)).toThrow('expected a part');
  expect(() => mergeEmbeddings({ ...sums, count: maximumVectors }, sums)).toThrow('at most');
  expect(() => unflattenSums([0, 0, 0], axes)).toThrow('expected a row');
});
