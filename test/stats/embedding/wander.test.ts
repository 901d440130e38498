import { describe, expect, test } from 'vitest';
import { measureDifference, mixReference } from '../../../core/stats/embedding/compare-sums.ts';
import { mergeEmbeddings } from '../../../core/stats/embedding/embedding-sums.ts';
import { type EmbeddingWander, estimateEmbeddingWander } from '../../../core/stats/embedding/leave-one-out.ts';
import { type QuadraticMeasure, quadraticUpperTail } from '../../../core/stats/embedding/quadratic-test.ts';
import { estimateWander } from '../../../core/stats/embedding/wander.ts';
import { SumsMaker, units } from './made-sums.ts';

const vectors = 200;
const parts = ['shift', 'distance', 'distanceBins'] as const;

/** Share of healthy windows, one for each of so many further days, that each test rejects at a level. */
function rejectionShares(maker: SumsMaker, wander: number, isCorrected: boolean, level: number) {
  const windows = maker.windows(28, vectors, wander);
  const [[, learned] = [1, undefined]] = estimateEmbeddingWander(units, windows, [1]);
  const corrections: EmbeddingWander | undefined = isCorrected ? learned : undefined;
  const [first, ...others] = windows.map(({ sums }) => sums);
  if (!first) throw new Error('expected windows');
  const reference = mixReference([{ weight: 1, sums: others.reduce(mergeEmbeddings, first) }]);
  const runs = 300;
  const rejected = { shift: 0, distance: 0, distanceBins: 0 };
  for (let run = 0; run < runs; run++) {
    const offset = { score: wander * maker.normal(), distance: wander * maker.normal() };
    const difference = measureDifference(units, reference, maker.sums(vectors, offset));
    for (const part of parts) {
      const measure = difference[part];
      if (measure && quadraticUpperTail(measure, corrections?.[part]) <= level) rejected[part] += 1 / runs;
    }
  }
  return rejected;
}

describe('healthy windows of days that differ', () => {
  test('without correction most alarm, with it about as many as the level says', () => {
    const plain = rejectionShares(new SumsMaker(11), 0.15, false, 0.01);
    expect(plain.shift).toBeGreaterThan(0.2);
    expect(plain.distance).toBeGreaterThan(0.2);
    expect(plain.distanceBins).toBeGreaterThan(0.15);
    const corrected = rejectionShares(new SumsMaker(11), 0.15, true, 0.01);
    for (const part of parts) expect(corrected[part], part).toBeLessThanOrEqual(0.03);
  });
  test('where days do not differ the correction takes little away', () => {
    const corrected = rejectionShares(new SumsMaker(15), 0, true, 0.05);
    for (const part of parts) {
      expect(corrected[part], part).toBeGreaterThan(0.01);
      expect(corrected[part], part).toBeLessThan(0.09);
    }
  });
});

describe('estimate of the wander', () => {
  const measure = (squared: number): QuadraticMeasure => ({
    squared,
    scale: 0.01,
    noise: [{ weight: 1, degreesOfFreedom: 2 }],
  });
  test('is the excess over noise, taken at the cautious end', () => {
    const measures = Array.from({ length: 28 }, (_, day) => measure(0.02 + (day % 2 === 0 ? 0.05 : 0.15)));
    const wander = estimateWander(measures, 28);
    // 28/χ²_28(.05) = 28/16.9279
    expect(wander?.mean).toBeCloseTo((0.1 * 28) / 16.9279, 5);
    const share = (wander?.variance ?? 0) / (wander?.mean ?? 1) ** 2;
    expect(share).toBeGreaterThanOrEqual(2 / 3 - 1e-12);
    expect(share).toBeLessThanOrEqual(2);
  });
  test('is nothing where windows differ by less than noise, and unknown with few of them', () => {
    expect(estimateWander(new Array<QuadraticMeasure>(20).fill(measure(0.01)), 20)).toEqual({ mean: 0, variance: 0 });
    expect(estimateWander(new Array<QuadraticMeasure>(11).fill(measure(1)), 11)).toBeUndefined();
  });
  test('a scale without enough blocks borrows from the one below', () => {
    const windows = new SumsMaker(13).windows(14, 30, 0.2);
    const scales = estimateEmbeddingWander(units, windows, [1, 24, 168]);
    expect(scales.map(([scale]) => scale)).toEqual([1, 24, 168]);
    expect(scales[2]?.[1]).toEqual(scales[1]?.[1]);
    expect(scales[1]?.[1]).not.toEqual(scales[0]?.[1]);
    expect(estimateEmbeddingWander(units, windows.slice(0, 5), [1, 24])).toEqual([]);
    expect(estimateEmbeddingWander(units, [], [1])).toEqual([]);
  });
});

test('a tail with wander is larger, and with a floor larger still', () => {
  const measure: QuadraticMeasure = {
    squared: 0.2,
    scale: 0.004,
    noise: [
      { weight: 1, degreesOfFreedom: 1 },
      { weight: 0.5, degreesOfFreedom: 3 },
    ],
  };
  const plain = quadraticUpperTail(measure);
  const wander = { mean: 0.01, variance: 0.0002 };
  const wandering = quadraticUpperTail(measure, wander);
  const floored = quadraticUpperTail(measure, wander, 0.02);
  expect(plain).toBeGreaterThan(0);
  expect(wandering).toBeGreaterThan(10 * plain);
  expect(floored).toBeGreaterThan(2 * wandering);
  expect(quadraticUpperTail({ ...measure, noise: [{ weight: 1, degreesOfFreedom: 1 }] }, wander)).toBeGreaterThan(0);
});

describe('a mix of parts', () => {
  const maker = new SumsMaker(14);
  const [a, b] = [maker.sums(100, { score: 1 }), maker.sums(300)];
  test('has the size that its weights are worth, and means in their shares', () => {
    const mix = mixReference([
      { weight: 3, sums: a },
      { weight: 1, sums: b },
    ]);
    expect(mix.size).toBeCloseTo(1 / (0.75 ** 2 / 100 + 0.25 ** 2 / 300), 9);
    const mean = (sums: typeof a) => (sums.scoreSums[0] ?? 0) / sums.count / 65_536;
    expect(mix.scoreMeans[0]).toBeCloseTo(0.75 * mean(a) + 0.25 * mean(b), 12);
    expect(mix.distanceShares.reduce((x, y) => x + y)).toBeCloseTo(1, 12);
  });
  test('of one part is the part', () => {
    const mix = mixReference([{ weight: 0.1, sums: b }]);
    expect(mix.size).toBeCloseTo(300, 9);
    expect(mix.distanceShares).toEqual(b.distances.map((count) => expect.closeTo(count / 300, 12)));
  });
  test('of nothing has no size, and nothing can be measured against it', () => {
    const nothing = mixReference([{ weight: 0, sums: a }]);
    expect(nothing.size).toBe(0);
    const difference = measureDifference(units, nothing, b);
    expect(difference.shift).toBeUndefined();
    expect(difference.distanceBins).toBeUndefined();
    expect(mixReference([]).size).toBe(0);
    expect(() => measureDifference(units, mixReference([]), b)).toThrow('another projection');
  });
});
