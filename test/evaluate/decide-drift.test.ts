import { expect, test } from 'vitest';
import type { FeatureComparison } from '../../core/evaluate/compare-feature.ts';
import { decideDrift } from '../../core/evaluate/decide-drift.ts';
import { plainPolicy } from './synthetic-model.ts';

interface Shown {
  readonly pearson?: number;
  readonly floor?: number;
  readonly missing?: number;
  readonly rise?: number;
  readonly unseen?: number;
  readonly unseenRise?: number;
}

function createCandidate(
  { pearson = 1, floor = 1, missing = 1, rise = 0, unseen = 1, unseenRise = 0 }: Shown,
  minimumEffect = 0.02,
) {
  const comparison: FeatureComparison = {
    scores: {},
    tests: {
      pearson: { statistic: 0, pValue: pearson },
      missing: { statistic: 0, pValue: missing },
      unseen: { statistic: 0, pValue: unseen },
      effectFloor: { statistic: 0, pValue: floor },
    },
    combinedPValue: Math.min(1, 3 * Math.min(pearson, missing, unseen)),
    missingRise: rise,
    unseenRise,
    expectedUnseenShare: 0,
  };
  return { comparison, minimumEffect };
}

function decide(shown: readonly Shown[], minimumEffect?: number) {
  return decideDrift(
    shown.map((each) => createCandidate(each, minimumEffect)),
    { ...plainPolicy.drift, level: 0.05 },
  );
}

test('a rejected feature drifts only by a test that was itself rejected and reaches its own floor', () => {
  expect(decide([{ pearson: 1e-6, floor: 1e-4 }])).toEqual([{ qValue: 3e-6, causes: ['pearson'] }]);
  expect(decide([{ pearson: 1e-6, floor: 0.01 }])).toEqual([{ qValue: 3e-6, causes: [] }]);
  // The rise of the missing share matters, but is well within chance: it doesn't vouch for Pearson's trifle.
  expect(decide([{ pearson: 1e-6, floor: 0.01, missing: 0.2, rise: 0.5 }])[0]?.causes).toEqual([]);
  expect(decide([{ pearson: 1e-6, floor: 0.01, missing: 1e-3, rise: 0.5 }])[0]?.causes).toEqual(['missing']);
  expect(decide([{ pearson: 1e-6, floor: 1e-4, missing: 1e-3, rise: 0.5 }])[0]?.causes).toEqual(['pearson', 'missing']);
  expect(decide([{ pearson: 0.2, floor: 1e-9 }])[0]?.causes).toEqual([]);
});

test('new categories have a floor of their own', () => {
  expect(decide([{ unseen: 1e-6, unseenRise: 0.009 }])[0]?.causes).toEqual([]);
  expect(decide([{ unseen: 1e-6, unseenRise: 0.011 }])[0]?.causes).toEqual(['unseen']);
});

test('an effect floor of 0 is none', () => {
  expect(decide([{ pearson: 1e-6, floor: 1 }], 0)[0]?.causes).toEqual(['pearson']);
});

test('Benjamini–Hochberg runs over the tested features; an untested one takes no part', () => {
  const untested = createCandidate({});
  const decisions = decideDrift(
    [
      createCandidate({ pearson: 0.005, floor: 0 }),
      { ...untested, comparison: { ...untested.comparison, combinedPValue: null } },
      createCandidate({ pearson: 0.01, floor: 0 }),
    ],
    { ...plainPolicy.drift, level: 0.05 },
  );
  expect(decisions).toEqual([
    { qValue: 0.03, causes: ['pearson'] },
    { qValue: null, causes: [] },
    { qValue: 0.03, causes: ['pearson'] },
  ]);
  // Alone among four, 3·0.01 is not rejected at 0.05.
  expect(decide([{ pearson: 0.01, floor: 0 }, {}, {}, {}])[0]).toEqual({ qValue: 0.12, causes: [] });
  expect(decide([])).toEqual([]);
});
