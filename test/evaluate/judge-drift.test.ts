import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calibrate } from '../../core/evaluate/calibration.ts';
import { judgeDrift } from '../../core/evaluate/judge-drift.ts';
import { StretchReader } from '../../core/evaluate/stretch-reader.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { FeatureLayout } from '../../core/model/layout.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { TrailingCounts } from '../../core/model/trailing-counts.ts';
import { pearsonTest } from '../../core/stats/pearson.ts';
import { baselineOf, type Design, drawWindows, Follower, firstHour, hour } from './drawn-windows.ts';
import { createBaseline, plainPolicy } from './synthetic-model.ts';

const weeks = 24 * 28;
const policy: ModelPolicy = { ...plainPolicy, drift: { ...plainPolicy.drift, level: 0.1 / 1176 } };
const options = { windowSeconds: 3600, calendar: utcCalendar };

/** Draws a baseline and live hours after it. */
function follow(design: Omit<Design, 'hours'>, live: number, seed: number, chosen: ModelPolicy = policy) {
  const windows = drawWindows({ ...design, hours: weeks + live }, seed);
  const baseline = baselineOf(windows.slice(0, weeks));
  const calibration = calibrate(baseline, options);
  const follower = new Follower(baseline, calibration, chosen);
  const judgements = windows.slice(weeks).map((window) => follower.judge(window));
  return { baseline, calibration, follower, judgements };
}

/** A stretch with the given counts of every feature. */
function stretchOf(counts: readonly (readonly number[])[], scale = 1): TrailingCounts {
  const records = Math.max(...counts.map((row) => row.reduce((sum, count) => sum + count, 0)));
  const start = firstHour + weeks * hour;
  return { scale, start, end: start + scale * hour, windows: scale, records, cells: [['00|weekday', records]], counts };
}

describe('the main rule', () => {
  const still = { features: 10, recordsPerHour: 150, swing: 0.3, wander: 0.1 };

  test('two days of season and daily wander raise nothing', () => {
    const { judgements } = follow(still, 48, 1);
    for (const { features } of judgements) expect(features.filter(({ drifted }) => drifted)).toEqual([]);
    const last = judgements.at(-1)?.features[0];
    expect(last?.scales.map(({ scale, windows }) => [scale, windows])).toEqual([
      [1, 1],
      [2, 2],
      [4, 4],
      [8, 8],
      [24, 24],
      [72, 48],
      [168, 48],
    ]);
    // What could have been seen stands beside every scale, and longer stretches see smaller changes.
    const detectable = last?.scales.map(({ minimumDetectableEffect }) => minimumDetectableEffect ?? 0) ?? [];
    expect(detectable.every((effect) => effect > 0.02)).toBe(true);
    expect(detectable[4]).toBeLessThan(detectable[0] ?? 0);
  });

  test('a lasting shift is found in the features that have it, at a scale that says why', () => {
    const shift = (feature: number, at: number) => (feature < 3 && at >= weeks ? 0.7 : 0);
    const { judgements } = follow({ ...still, shift }, 30, 2);
    const found = judgements.map(({ features }) => features.flatMap(({ drifted }, index) => (drifted ? [index] : [])));
    expect(found.some((indices) => indices.length > 0)).toBe(true);
    expect(found.flat().every((index) => index < 3)).toBe(true);
    expect(new Set(found.flat()).size).toBe(3);
    const drift = judgements.at(-1)?.features.find(({ drifted }) => drifted);
    const deciding = drift?.scales[drift.deciding];
    expect(deciding?.causes).toEqual(['distribution']);
    expect(deciding?.qValue).toBeLessThanOrEqual(policy.drift.level);
    expect(deciding?.effectFloor?.pValue).toBeLessThanOrEqual(policy.drift.effectLevel);
  });

  test('a missing share that wanders in health raises nothing; one five times as high is found', () => {
    const missing = { features: 4, recordsPerHour: 1000, missingShare: 0.02, missingWander: 0.006 };
    const alarms = follow(missing, 24, 3).judgements.flatMap(({ features }) =>
      features.filter(({ drifted }) => drifted),
    );
    expect(alarms).toEqual([]);
    const { baseline, calibration } = follow(missing, 0, 3);
    const row = [...new Array<number>(10).fill(2160), 2400];
    const quiet = baseline.features.map(() => [...new Array<number>(10).fill(2352), 480]);
    const stretches = [stretchOf([row, ...quiet.slice(1)], 24)];
    const [first, ...others] = judgeDrift({ policy, baseline, calibration, stretches }).features;
    expect(first?.causes).toContain('missing');
    expect(others.some(({ drifted }) => drifted)).toBe(false);
  });
});

describe('a judgement', () => {
  const { baseline, calibration } = follow({ features: 6, recordsPerHour: 100 }, 0, 4);
  const counts = Array.from({ length: 6 }, (_, feature) =>
    Array.from({ length: 11 }, (_, bin) => (bin === 10 ? 0 : 30 + ((bin * (feature + 3)) % 7))),
  );

  test('has the statistic of Pearson against what the baseline expects', () => {
    const uncalibrated = calibrate(
      baselineOf(drawWindows({ features: 6, hours: weeks, recordsPerHour: 100 }, 4), false),
      options,
    );
    const [result] =
      judgeDrift({ policy, baseline, calibration: uncalibrated, stretches: [stretchOf(counts)] }).features[2]?.scales ??
      [];
    const expected = uncalibrated.features[2];
    const before = [...(expected?.shares ?? [])].slice(-11, -1).map((share) => share * (expected?.records.at(-1) ?? 0));
    const exact = pearsonTest(before, counts[2]?.slice(0, 10) ?? []);
    expect(result?.pearson?.statistic).toBeCloseTo(exact.statistic, 9);
    expect(result?.pearson?.pValue).toBeCloseTo(exact.pValue, 12);
    expect(result?.pearson?.degreesOfFreedom).toBe(9);
  });

  test('does not depend on the order of features or stretches', () => {
    const stretches = [stretchOf(counts), stretchOf(counts, 4), stretchOf(counts, 24)];
    const plain = judgeDrift({ policy, baseline, calibration, stretches });
    const turned = judgeDrift({
      policy,
      baseline: {
        ...baseline,
        layout: { ...baseline.layout, features: baseline.layout.features.toReversed() },
      },
      calibration: { ...calibration, features: calibration.features.toReversed() },
      stretches: stretches.map((stretch) => ({ ...stretch, counts: stretch.counts.toReversed() })).toReversed(),
    });
    const qValues = (judgement: typeof plain) =>
      new Map(
        judgement.features.map(({ name, qValue, scales }) => [
          name,
          [qValue, new Map(scales.map(({ scale, qValue: q }) => [scale, q]))],
        ]),
      );
    expect(qValues(turned)).toEqual(qValues(plain));
  });

  test('leaves ignored features out, and stretches of too few records untested', () => {
    const ignored: ModelPolicy = {
      ...policy,
      features: [['feature 001', { ignore: true, required: false, published: false }]],
    };
    const judged = judgeDrift({ policy: ignored, baseline, calibration, stretches: [stretchOf(counts)] });
    expect(judged.features.map(({ name }) => name)).not.toContain('feature 001');
    const few = counts.map((row) => row.map((count) => Math.floor(count / 10)));
    const [first] = judgeDrift({ policy, baseline, calibration, stretches: [stretchOf(few)] }).features;
    expect(first).toMatchObject({ qValue: null, drifted: false, deciding: -1 });
    expect(first?.scales[0]?.minimumDetectableEffect).toBeGreaterThan(0.02);
  });

  test('what could have been detected depends on the level', () => {
    const { calibration } = follow({ features: 1, recordsPerHour: 150 }, 0, 9);
    const [feature] = calibration.features;
    if (!feature) throw new Error('expected a feature');
    const at = (...levels: readonly number[]) => {
      const reader = new StretchReader(calibration, policy.drift);
      const row = [...new Array<number>(10).fill(15), 0];
      reader.open(stretchOf([row]));
      reader.measure(feature, row, 0);
      return levels.map((level) => reader.detectable(0, level));
    };
    const [loose, strict] = at(1e-2, 1e-6);
    expect(strict).toBeGreaterThan(loose ?? Number.POSITIVE_INFINITY);
    expect([strict, loose]).toEqual(at(1e-6, 1e-2));
  });

  test('a stretch with gaps wanders like a short one', () => {
    const full = { ...stretchOf(counts, 168), windows: 168 };
    const sparse = { ...full, windows: 2 };
    const pValue = (stretch: TrailingCounts) =>
      judgeDrift({ policy, baseline, calibration: restless, stretches: [stretch] }).features[0]?.scales[0]?.pearson
        ?.pValue ?? 0;
    expect(pValue(sparse)).toBeGreaterThan(pValue(full));
  });
  const restless = follow({ features: 6, recordsPerHour: 100, wander: 0.3 }, 0, 5).calibration;

  describe('by an uncalibrated baseline', () => {
    const uncalibrated = calibrate(
      baselineOf(drawWindows({ features: 1, hours: 100, recordsPerHour: 500, missingShare: 0.02 }, 6), false),
      options,
    );
    const judge = (shares: readonly number[], ...stretches: readonly TrailingCounts[]) => {
      const rows = [shares.map((share) => Math.round(share * 50_000))];
      const all = [stretchOf(rows), ...stretches];
      return judgeDrift({ policy, baseline, calibration: uncalibrated, stretches: all }).features[0];
    };
    // PSI .04, .2 and 2.2.
    const small = [0.14, 0.06, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.08, 0.02];
    const middling = [0.2, 0.02, 0.08, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.08, 0.02];
    const gross = [0.5, 0.3, 0.1, 0.02, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.02];

    test('asks for a PSI of two, and calls one of a tenth provisional', () => {
      expect(judge(small)).toMatchObject({ drifted: false, causes: [] });
      expect(judge(middling)).toMatchObject({ drifted: false, causes: ['distribution'] });
      expect(judge(gross)).toMatchObject({ drifted: true, causes: ['distribution'] });
    });

    test('asks for a half where two days tell something of ups and downs', () => {
      const brief = baselineOf(drawWindows({ features: 1, hours: 48, recordsPerHour: 500, wander: 0.1 }, 6));
      const judgeShift = (shift: number) => {
        const shifted = { features: 1, hours: 1, recordsPerHour: 500, shift: () => shift };
        const stretches = [stretchOf(drawWindows(shifted, 7)[0]?.counts ?? [])];
        return judgeDrift({ policy, baseline: brief, calibration: calibrate(brief, options), stretches }).features[0];
      };
      expect(judgeShift(0.6)).toMatchObject({ drifted: false });
      expect(judgeShift(1.4)).toMatchObject({ drifted: true });
    });

    const judgeShare = (usual: number, share: number) => {
      const rowOf = (missing: number) => [...new Array<number>(10).fill((1 - missing) * 5000), missing * 50_000];
      const table = baselineOf([{ start: firstHour, records: 50_000, counts: [rowOf(usual)] }], false);
      const stretches = [stretchOf([rowOf(share)])];
      return judgeDrift({ policy, baseline: table, calibration: calibrate(table, options), stretches }).features[0];
    };

    test('asks missing values for a rise of a fifth', () => {
      expect(judgeShare(0.04, 0.23)).toMatchObject({ drifted: false, causes: expect.arrayContaining(['missing']) });
      expect(judgeShare(0.04, 0.25)).toMatchObject({ drifted: true, causes: expect.arrayContaining(['missing']) });
      expect(judgeShare(0.04, 0.25)?.scales[0]?.populationStabilityIndex).toBeLessThan(0.5);
    });

    test('calls whatever a column does provisional that may lack values by the hour', () => {
      expect(judgeShare(0.05, 1)).toMatchObject({ drifted: false, causes: expect.arrayContaining(['missing']) });
      // Office hours: it has values in all rows where one in three was expected.
      expect(judgeShare(0.65, 0)).toMatchObject({ drifted: false, causes: ['distribution'] });
      expect(judgeShare(0.65, 0)?.scales[0]?.populationStabilityIndex).toBeGreaterThan(2);
    });

    test('asks of a large rise that its own test rejects', () => {
      const layout: FeatureLayout = { kind: 'categorical', side: 'input', categories: ['a'] };
      const summary = {
        kind: 'categorical',
        count: 500,
        missing: 49_500,
        categories: [[0, 250]],
        unseen: 250,
      } as const;
      const table = createBaseline([
        ['kind', [layout, { kind: 'categorical', summary, distinct: 2, singletons: 0, rare: 250 }]],
      ]);
      const calibration = calibrate(table, options);
      // As if it were known not to lack values by the hour.
      const features = calibration.features.map((feature) => ({ ...feature, provisionalBelow: undefined }));
      // Sixty values where three were expected; that forty-five instead of thirty of them are unseen may be chance.
      const input = { policy, baseline: table, calibration: { ...calibration, features } };
      const [judged] = judgeDrift({ ...input, stretches: [stretchOf([[15, 45, 240]])] }).features;
      expect(judged?.scales[0]?.unseenRise).toBeGreaterThan(0.2);
      expect(judged).toMatchObject({ drifted: false, causes: ['distribution'] });
    });

    test('prefers what is gross to what is provisional, however sure that is', () => {
      const longer = stretchOf([gross.map((share) => Math.round(share * 3000))], 2);
      expect(judge(middling, longer)).toMatchObject({ drifted: true, deciding: 1 });
    });
  });

  test('missing values in hours that never had any: surer with each of them, never certain', () => {
    const missing = { variance: 2.3e-5, uncertainty: 2.6e-10 };
    const features = calibration.features.map((feature) => ({
      ...feature,
      wander: feature.wander.map((wander) => ({ ...wander, missing })),
    }));
    const pValueOf = (count: number) => {
      const rows = counts.map((row) => [...row.slice(0, 10), count]);
      const judged = judgeDrift({
        policy,
        baseline,
        calibration: { ...calibration, features },
        stretches: [stretchOf(rows)],
      });
      return judged.features[0]?.scales[0]?.missing?.pValue ?? Number.NaN;
    };
    expect(calibration.features[0]?.shares[10]).toBe(0);
    expect(pValueOf(0)).toBe(1);
    const pValues = [2, 5, 20, 100, 1e4].map(pValueOf);
    expect(pValues).toEqual([...pValues].sort((a, b) => b - a));
    expect(pValues.at(-1)).toBeGreaterThan(0);
    expect(pValues.at(-1)).toBeLessThan(1e-5);
    expect(pValueOf(1e8)).toBeLessThan(1e-5);
  });

  test('impossible and extreme counts give defined numbers', () => {
    const extreme = fc.constantFrom(0, 1, 9, 1e6, 1e12);
    fc.assert(
      fc.property(
        fc.array(fc.array(extreme, { minLength: 11, maxLength: 11 }), { minLength: 6, maxLength: 6 }),
        (rows) => {
          for (const { scales, qValue } of judgeDrift({
            policy,
            baseline,
            calibration,
            stretches: [stretchOf(rows), stretchOf(rows, 168)],
          }).features) {
            expect(qValue === null || (qValue >= 0 && qValue <= 1)).toBe(true);
            for (const result of scales) {
              const numbers = [
                result.populationStabilityIndex,
                result.pearson?.pValue,
                result.effectFloor?.pValue,
                result.missing?.pValue,
                result.minimumDetectableEffect,
              ];
              for (const value of numbers)
                expect(value === null || value === undefined || Number.isFinite(value)).toBe(true);
            }
          }
        },
      ),
      { numRuns: 60, seed: 9, endOnFailure: true },
    );
    // A feature whose counts are lost, or of another layout, is not tested.
    const judged = judgeDrift({
      policy,
      baseline,
      calibration,
      stretches: [stretchOf([[1, 2], ...counts.slice(1, 5)])],
    });
    expect(judged.features.map(({ qValue }) => qValue === null)).toEqual([true, false, false, false, false, true]);
  });
});
