import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { describeEstimate } from '../../../core/evaluate/performance/describe-estimate.ts';
import { estimatePerformance, mergeStepCounts } from '../../../core/evaluate/performance/estimate-performance.ts';
import type { CalibrationMap } from '../../../core/model/calibration-map.ts';
import { measureEstimates, measures, seededUniform, type World } from './streams.ts';

const map: CalibrationMap = {
  threshold: 0.5,
  edges: [0.2, 0.5, 0.8],
  steps: [
    [1000, 50],
    [500, 150],
    [500, 300],
    [1000, 900],
  ],
};

describe('estimates without labels', () => {
  it('are what the calibrated rates add up to', () => {
    const estimate = estimatePerformance(map, [100, 50, 40, 10]);
    const [truePositives, missed] = [0.6 * 40 + 0.9 * 10, 0.05 * 100 + 0.3 * 50];
    expect(estimate).toMatchObject({ records: 200, predictedPositives: 50 });
    expect(estimate.positives).toBeCloseTo(truePositives + missed, 12);
    expect(estimate.precision?.value).toBeCloseTo(truePositives / 50, 12);
    expect(estimate.recall?.value).toBeCloseTo(truePositives / (truePositives + missed), 12);
    expect(estimate.f1?.value).toBeCloseTo((2 * truePositives) / (50 + truePositives + missed), 12);
    expect(estimate.accuracy?.value).toBeCloseTo((truePositives + 150 - missed) / 200, 12);
    const [positives, negatives] = [
      [5, 15, 24, 9],
      [95, 35, 16, 1],
    ] as const;
    let area = 0;
    for (const [a, p] of positives.entries()) {
      for (const [b, q] of negatives.entries()) area += p * q * (a > b ? 1 : a === b ? 0.5 : 0);
    }
    expect(estimate.areaUnderCurve?.value).toBeCloseTo(area / (53 * 147), 12);
  });

  it('have the normal interval of independent outcomes where the calibration is certain', () => {
    const certain = { ...map, steps: map.steps.map(([n, y]) => [n * 1e9, y * 1e9] as const) };
    const { precision } = estimatePerformance(certain, [100, 50, 40, 10]);
    const half = (1.959963984540054 * Math.sqrt(40 * 0.24 + 10 * 0.09)) / 50;
    expect((precision?.upper ?? 0) - (precision?.value ?? 0)).toBeCloseTo(half, 7);
    expect((precision?.value ?? 0) - (precision?.lower ?? 0)).toBeCloseTo(half, 7);
  });

  it('are the share of right predictions where the score is a confidence', () => {
    const confidence = {
      edges: [0.5],
      steps: [
        [200, 80],
        [800, 720],
      ] as const,
    };
    const estimate = estimatePerformance(confidence, [100, 100]);
    expect(estimate.accuracy?.value).toBeCloseTo(0.65, 12);
    expect(estimate.recall).toBeUndefined();
    expect(describeEstimate(estimate)).toMatch(
      /^estimated without labels from 200 scores: accuracy 65 % \(.*\); if scores still mean/,
    );
  });

  it('are shares or absent for any counts and any calibration', () => {
    const steps = fc.array(fc.tuple(fc.nat(1e9), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1e12)), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(steps, fc.option(fc.nat(7), { nil: undefined }), (rows, at) => {
        const edges = rows.slice(1).map((_, index) => index);
        const any: CalibrationMap = {
          threshold: at === undefined ? undefined : edges[at],
          edges,
          steps: rows.map(([records, share]) => [records, Math.floor(records * share)] as const),
        };
        const estimate = estimatePerformance(
          any,
          rows.map(([, , count]) => count),
        );
        for (const measure of measures) {
          const value = estimate[measure];
          if (value === undefined) continue;
          expect(value.lower).toBeGreaterThanOrEqual(0);
          expect(value.lower).toBeLessThanOrEqual(value.value);
          expect(value.upper).toBeGreaterThanOrEqual(value.value);
          expect(value.upper).toBeLessThanOrEqual(1);
        }
        expect(describeEstimate(estimate)).not.toMatch(/NaN|Infinity|undefined/);
      }),
    );
  });

  it('come from counts that merge', () => {
    const [a, b] = [
      [1, 2, 3, 4],
      [10, 0, 5, 1],
    ];
    expect(mergeStepCounts([a, b])).toEqual([11, 2, 8, 5]);
    expect(mergeStepCounts([])).toEqual([]);
    expect(() => mergeStepCounts([[1], [1, 2]])).toThrow(RangeError);
  });

  it('refuse counts that do not fit', () => {
    expect(() => estimatePerformance(map, [1, 2])).toThrow(RangeError);
    expect(() => estimatePerformance(map, [1, 2, -1, 0])).toThrow(RangeError);
    expect(() => estimatePerformance(map, [1, 2, Number.NaN, 0])).toThrow(RangeError);
    expect(() => estimatePerformance(map, [1, 2, 3, 4], 1)).toThrow(RangeError);
    expect(describeEstimate(estimatePerformance(map, [0, 0, 0, 0]))).toBe('no scores to estimate the performance from');
  });
});

describe('in simulation', () => {
  const world: World = { mean: 0, intercept: -1, slope: 2 };
  const sizes = { labelled: 3_000, window: 500, runs: 60 };

  test.each([
    ['without drift', world],
    ['with other inputs', { ...world, mean: 0.7 }],
  ])('%s they hit the truth about as often as they say', (_, current) => {
    const quality = measureEstimates({ baseline: world, current }, sizes, seededUniform(31));
    for (const { bias, coverage } of quality.measures.values()) {
      expect(Math.abs(bias)).toBeLessThan(0.025);
      expect(coverage).toBeGreaterThan(0.85);
    }
  });

  test('they miss a change of what the inputs mean, and say so', () => {
    const current = { ...world, slope: 1 };
    const quality = measureEstimates({ baseline: world, current }, { ...sizes, runs: 30 }, seededUniform(32));
    expect(quality.measures.get('precision')?.bias).toBeGreaterThan(0.1);
    expect(quality.measures.get('precision')?.coverage).toBeLessThan(0.3);
    const estimate = estimatePerformance(map, [100, 50, 40, 10]);
    expect(describeEstimate(estimate)).toContain('a change of that does not show here, only in labels');
  });
});
