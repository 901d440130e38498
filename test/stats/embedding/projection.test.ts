import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fitProjection } from '../../../core/stats/embedding/fit-projection.ts';
import { dot } from '../../../core/stats/embedding/orthonormal.ts';
import { principalAxes } from '../../../core/stats/embedding/principal-axes.ts';
import {
  createProjectedVector,
  createProjection,
  distanceBin,
  projectVector,
  scoreLimit,
} from '../../../core/stats/embedding/projection.ts';
import { symmetricEigen } from '../../../core/stats/embedding/symmetric-eigen.ts';
import { VectorSample } from '../../../core/stats/embedding/vector-sample.ts';
import { expectRelative } from '../reference.ts';
import { dimensions, projectionOf, VectorMaker } from './made-vectors.ts';

interface Reference {
  readonly principalAxes: {
    readonly vectors: readonly (readonly number[])[];
    readonly variances: readonly number[];
    readonly axes: readonly (readonly number[])[];
    readonly totalVariance: number;
  };
}

const { principalAxes: numpy }: Reference = JSON.parse(
  readFileSync(new URL('../../fixtures/embedding/reference.json', import.meta.url), 'utf8'),
);

describe('principal axes', () => {
  test("agree with numpy's eigenvectors", () => {
    const found = principalAxes(numpy.vectors, 4);
    expectRelative(found.totalVariance, numpy.totalVariance);
    numpy.variances.forEach((variance, i) => {
      expectRelative(found.variances[i] ?? 0, variance, 1e-6);
      const axis = found.axes.subarray(i * 12, (i + 1) * 12);
      expect(Math.abs(dot(axis, numpy.axes[i] ?? []))).toBeGreaterThan(1 - 1e-6);
    });
  });
  test('are fewer where the vectors vary in fewer directions, and none for a constant', () => {
    const maker = new VectorMaker(1);
    const flat = Array.from({ length: 100 }, () => {
      const [a, b] = [maker.normal(), maker.normal()];
      return [a, b, a + b, a - b, 3];
    });
    expect(principalAxes(flat, 4).variances).toHaveLength(2);
    expect(
      principalAxes(
        [
          [1, 2],
          [1, 2],
        ],
        2,
      ).variances,
    ).toEqual([]);
    expect(principalAxes([], 2).variances).toEqual([]);
  });
  test('the small eigenvalue problem is solved to the last bits', () => {
    const { values, vectors } = symmetricEigen([
      Float64Array.of(2, 1, 0),
      Float64Array.of(1, 2, 0),
      Float64Array.of(0, 0, 7),
    ]);
    expect(values.map((value) => Number(value.toFixed(13)))).toEqual([7, 3, 1]);
    expect(Math.abs(dot(vectors[1] ?? [], [Math.SQRT1_2, Math.SQRT1_2, 0]))).toBeCloseTo(1, 14);
  });
});

describe('a fitted projection', () => {
  const projection = projectionOf(new VectorMaker(2), 2000);
  test('gives fresh vectors scores of mean 0 and deviation 1, and deciles of the distance', () => {
    const maker = new VectorMaker(3);
    const result = createProjectedVector(projection);
    const bins = new Array<number>(projection.distanceEdges.length + 1).fill(0);
    const scores: number[][] = [];
    for (const vector of maker.many(3000)) {
      expect(projectVector(projection, vector, result)).toBe(true);
      scores.push([...result.scores]);
      const bin = distanceBin(projection.distanceEdges, result.distance);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    for (let axis = 0; axis < projection.deviations.length; axis++) {
      const column = scores.map((row) => row[axis] ?? 0);
      expect(Math.abs(column.reduce((a, b) => a + b) / 3000)).toBeLessThan(0.12);
      expect(Math.sqrt(column.reduce((a, b) => a + b * b, 0) / 3000)).toBeCloseTo(1, 0.8);
    }
    bins.slice(0, 9).forEach((count) => {
      expect(count).toBeGreaterThan(230);
      expect(count).toBeLessThan(370);
    });
  });
  test('measures distance as the rest that the axes leave', () => {
    const result = createProjectedVector(projection);
    const [vector = []] = new VectorMaker(4).many(1);
    projectVector(projection, vector, result);
    const rest = vector.map((value, k) => value - (projection.mean[k] ?? 0));
    projection.deviations.forEach((_, axis) => {
      const row = projection.axes.subarray(axis * dimensions, (axis + 1) * dimensions);
      const score = dot(row, rest);
      row.forEach((value, k) => {
        rest[k] = (rest[k] ?? 0) - score * value;
      });
    });
    expectRelative(result.distance, Math.sqrt(dot(rest, rest)), 1e-9);
  });
  test('is the same for the same vectors, and survives being stored', () => {
    const again = projectionOf(new VectorMaker(2), 2000);
    expect(again).toEqual(projection);
    const stored = {
      ...projection,
      mean: Float32Array.from(projection.mean),
      axes: Float32Array.from(projection.axes),
    };
    const restored = createProjection(stored);
    const [a, b] = [createProjectedVector(projection), createProjectedVector(restored)];
    const [vector = []] = new VectorMaker(5).many(1);
    projectVector(projection, vector, a);
    projectVector(restored, vector, b);
    // Storing rounds once more what was made orthonormal after the first rounding.
    a.scores.forEach((score, axis) => {
      expect(b.scores[axis]).toBeCloseTo(score, 5);
    });
  });
  test.each([
    ['another length', new Array<number>(dimensions - 1).fill(1)],
    ['nothing', []],
    ['NaN', new Array<number>(dimensions).fill(Number.NaN)],
    ['an infinity', [...new Array<number>(dimensions - 1).fill(1), Number.NEGATIVE_INFINITY]],
    ['zeros', new Array<number>(dimensions).fill(0)],
    ['negative zeros', new Array<number>(dimensions).fill(-0)],
    ['numbers too large to be squared', new Array<number>(dimensions).fill(1e308)],
    ['text', new Array<unknown>(dimensions).fill('1')],
    ['null', new Array<unknown>(dimensions).fill(null)],
  ])('does not take %s for a vector', (_, vector) => {
    expect(projectVector(projection, vector, createProjectedVector(projection))).toBe(false);
  });
  test('holds huge and tiny vectors', () => {
    const result = createProjectedVector(projection);
    for (const size of [1e150, 5e-324, -1e150]) {
      expect(projectVector(projection, new Array<number>(dimensions).fill(size), result)).toBe(true);
      expect(Number.isFinite(result.distance)).toBe(true);
      for (const score of result.scores) expect(Math.abs(score)).toBeLessThanOrEqual(scoreLimit);
    }
  });
});

describe('odd baselines', () => {
  test('too few vectors give no projection', () => {
    const maker = new VectorMaker(6);
    expect(fitProjection(maker.many(49), maker.many(200))).toBeUndefined();
    expect(fitProjection(maker.many(50), maker.many(50))?.projection.deviations).toHaveLength(5);
    expect(fitProjection(maker.many(500), maker.many(500))?.projection.deviations).toHaveLength(dimensions / 2);
  });
  test('constant vectors: no axes, and a bin on either side of the one distance', () => {
    const constant = Array.from({ length: 60 }, () => [1, 2, 3]);
    const projection = fitProjection(constant, constant)?.projection;
    expect(projection?.deviations).toEqual([]);
    expect(projection?.distanceDeviation).toBe(0);
    expect(projection?.distanceEdges).toHaveLength(2);
    expect(distanceBin(projection?.distanceEdges ?? [], 0)).toBe(1);
    expect(distanceBin(projection?.distanceEdges ?? [], 0.1)).toBe(2);
  });
  test('one absurd vector does not turn the axes', () => {
    const maker = new VectorMaker(7);
    const [fitting, measuring] = [maker.many(300), maker.many(300)];
    const clean = fitProjection(fitting, measuring)?.projection;
    const giant = new Array<number>(dimensions).fill(1e30);
    expect(fitProjection([...fitting, giant], [giant, ...measuring])?.projection).toEqual(clean);
  });
  test('one dimension', () => {
    const maker = new VectorMaker(8);
    const vectors = Array.from({ length: 200 }, () => [maker.normal()]);
    const projection = fitProjection(vectors.slice(0, 100), vectors.slice(100))?.projection;
    expect(projection?.deviations).toHaveLength(1);
    expect(projection?.distanceDeviation).toBe(0);
  });
  test('a stored projection that fits no fit is refused', () => {
    const projection = projectionOf(new VectorMaker(2), 100);
    expect(() => createProjection({ ...projection, axes: [1] })).toThrow('embedding projection: expected');
    expect(() => createProjection({ ...projection, distanceEdges: [2, 1] })).toThrow('ascending');
    expect(() => createProjection({ ...projection, distanceDeviation: Number.NaN })).toThrow('distance');
    const negative = projection.deviations.map(() => -1);
    expect(() => createProjection({ ...projection, deviations: negative })).toThrow('positive');
  });
});

describe('vector sample', () => {
  test('is bounded, fair over the rows, and leaves out what can not be fitted', () => {
    const sample = new VectorSample(1000);
    for (let row = 0; row < 20_000; row++) sample.add(row, row % 10 === 0 ? [Number.NaN, 1] : [row, 1]);
    const { fitting, measuring } = sample.halves();
    const rows = [...fitting, ...measuring].map(({ row }) => row);
    expect(rows.length).toBeGreaterThan(400);
    expect(rows.length).toBeLessThanOrEqual(1000);
    expect(rows.filter((row) => row < 10_000).length / rows.length).toBeCloseTo(0.5, 0.8);
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows.some((row) => row % 10 === 0)).toBe(false);
    expect(Math.abs(fitting.length - measuring.length)).toBeLessThanOrEqual(1);
  });
  test('keeps the most frequent length', () => {
    const sample = new VectorSample();
    for (let row = 0; row < 30; row++) sample.add(row, row % 3 === 0 ? [1] : [1, 2]);
    const { fitting, measuring } = sample.halves();
    expect([...fitting, ...measuring].every(({ vector }) => vector.length === 2)).toBe(true);
    expect(fitting.length + measuring.length).toBe(20);
    expect(() => new VectorSample(1)).toThrow(RangeError);
  });
});
