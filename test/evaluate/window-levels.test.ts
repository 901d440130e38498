import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { levelsOf, scalesOf } from '../../core/evaluate/window-levels.ts';
import { allocateBudget } from '../../core/model/budget.ts';
import { baselineOf, drawWindows } from './drawn-windows.ts';
import { plainPolicy } from './synthetic-model.ts';

const uses = { slices: true, charts: true, quality: true, retests: true };
const budget = allocateBudget({ yellowPerWeek: 1, models: 10, windowSeconds: 3600, scales: 7, uses });
const policy = {
  ...plainPolicy,
  windowSeconds: 3600,
  drift: {
    ...plainPolicy.drift,
    level: budget.driftLevel,
    qualityLevel: budget.qualityLevel,
    retestLevel: budget.retestLevel,
  },
  sliceLevel: budget.sliceLevel,
};

describe('levels of a window', () => {
  test('add up to the budget, however many series and scales there are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 12 }), (series, scales) => {
        const { drift, slices, quality, retest } = levelsOf(policy, scales, series);
        expect(168 * series * scales * drift).toBeCloseTo(budget.risks.drift, 10);
        expect(168 * series * scales * (slices ?? 0)).toBeCloseTo(budget.risks.slices, 10);
        expect(168 * series * quality).toBeCloseTo(budget.risks.quality, 10);
        const again = scales * (retest?.drift ?? 0) + (retest?.quality ?? 0);
        expect(168 * series * again).toBeCloseTo(budget.risks.retests, 10);
        expect(retest?.quality).toBeLessThan(quality);
      }),
    );
  });

  test('are those of the policy where one series is judged at the usual scales', () => {
    const { drift, slices, quality } = levelsOf(policy, 7, 1);
    expect([drift, slices, quality]).toEqual([budget.driftLevel, budget.sliceLevel, budget.qualityLevel]);
  });

  test('what is not paid for is not judged: neither slices, nor a second look, nor quality in it', () => {
    const { sliceLevel: _, ...rest } = policy;
    const { qualityLevel: __, retestLevel: ___, ...drift } = policy.drift;
    expect(levelsOf({ ...rest, drift }, 7, 1)).toMatchObject({ slices: undefined, quality: 0, retest: undefined });
    const retested = levelsOf({ ...rest, drift: { ...drift, retestLevel: 1e-6 } }, 7, 1).retest;
    expect(retested).toEqual({ drift: 1e-6, quality: 0 });
  });
});

describe('scales', () => {
  const of = (recordsPerHour: number) =>
    scalesOf(policy, baselineOf(drawWindows({ features: 1, hours: 48, recordsPerHour }, 1)));

  test('have four weeks where the baseline saw fewer than 1,000 records a week', () => {
    expect(of(5)).toEqual([1, 2, 4, 8, 24, 72, 168, 672]);
    expect(of(100)).toEqual([1, 2, 4, 8, 24, 72, 168]);
  });

  test('are those configured, and without times the usual ones', () => {
    const timeless = baselineOf(drawWindows({ features: 1, hours: 48, recordsPerHour: 10 }, 1), false);
    expect(scalesOf(policy, timeless)).toEqual([1, 2, 4, 8, 24, 72, 168]);
    expect(scalesOf({ ...policy, drift: { ...policy.drift, scales: [1, 6] } }, timeless)).toEqual([1, 6]);
  });
});
