import { expect, test } from 'vitest';
import type { FeatureComparison } from '../../core/evaluate/compare-feature.ts';
import { decideDrift } from '../../core/evaluate/decide-drift.ts';
import { combineTests } from '../../core/evaluate/test-shares.ts';
import { plainPolicy } from './synthetic-model.ts';

interface Shown {
  readonly kind?: 'numeric' | 'categorical';
  readonly pearson?: number;
  readonly ranks?: number;
  readonly floor?: number;
  readonly missing?: number;
  readonly rise?: number;
  readonly unseen?: number;
  readonly unseenRise?: number;
}

function createCandidate(
  { kind = 'categorical', pearson = 1, ranks = 1, floor = 1, missing = 1, rise = 0, unseen = 1, unseenRise = 0 }: Shown,
  minimumEffect = 0.02,
) {
  const comparison: FeatureComparison = {
    kind,
    scores: {},
    tests: {
      pearson: { statistic: 0, pValue: pearson },
      ...(kind === 'numeric' && { ranks: { statistic: 0, pValue: ranks } }),
      missing: { statistic: 0, pValue: missing },
      unseen: { statistic: 0, pValue: unseen },
      effectFloor: { statistic: 0, pValue: floor },
    },
    combinedPValue: combineTests(kind, { pearson, ranks, missing, unseen }),
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
  expect(decide([{ pearson: 1e-6, floor: 1e-4 }])).toEqual([{ qValue: 1e-6 / 0.8, causes: ['distribution'] }]);
  expect(decide([{ pearson: 1e-6, floor: 0.01 }])).toEqual([{ qValue: 1e-6 / 0.8, causes: [] }]);
  // The rise of the missing share matters, but is well within chance: it doesn't vouch for Pearson's trifle.
  expect(decide([{ pearson: 1e-6, floor: 0.01, missing: 0.2, rise: 0.5 }])[0]?.causes).toEqual([]);
  expect(decide([{ pearson: 1e-6, floor: 0.01, missing: 1e-3, rise: 0.5 }])[0]?.causes).toEqual(['missing']);
  expect(decide([{ pearson: 1e-6, floor: 1e-4, missing: 1e-3, rise: 0.5 }])[0]?.causes).toEqual([
    'distribution',
    'missing',
  ]);
  expect(decide([{ pearson: 0.2, floor: 1e-9 }])[0]?.causes).toEqual([]);
});

test('a shift that only ranks show is a change of the distribution', () => {
  const shown: Shown = { kind: 'numeric', pearson: 0.2, ranks: 1e-6 };
  expect(decide([{ ...shown, floor: 1e-4 }])).toEqual([{ qValue: 1e-6 / 0.45, causes: ['distribution'] }]);
  expect(decide([{ ...shown, floor: 0.01 }])[0]?.causes).toEqual([]);
});

test('new categories have a floor of their own', () => {
  expect(decide([{ unseen: 1e-6, unseenRise: 0.009 }])[0]?.causes).toEqual([]);
  expect(decide([{ unseen: 1e-6, unseenRise: 0.011 }])[0]?.causes).toEqual(['unseen']);
});

test('an effect floor of 0 is none', () => {
  expect(decide([{ pearson: 1e-6, floor: 1 }], 0)[0]?.causes).toEqual(['distribution']);
});

test('Benjamini–Hochberg runs over the tested features; an untested one takes no part', () => {
  const untested = createCandidate({});
  const decisions = decideDrift(
    [
      createCandidate({ pearson: 0.004, floor: 0 }),
      { ...untested, comparison: { ...untested.comparison, combinedPValue: null } },
      createCandidate({ pearson: 0.008, floor: 0 }),
    ],
    { ...plainPolicy.drift, level: 0.05 },
  );
  expect(decisions).toEqual([
    { qValue: 0.01, causes: ['distribution'] },
    { qValue: null, causes: [] },
    { qValue: 0.01, causes: ['distribution'] },
  ]);
  // Alone among four, 0.016/0.8 is not rejected at 0.05.
  expect(decide([{ pearson: 0.016, floor: 0 }, {}, {}, {}])[0]).toEqual({ qValue: 0.08, causes: [] });
  expect(decide([])).toEqual([]);
});
