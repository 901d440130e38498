import { expect, test } from 'vitest';
import { evaluateWindow } from '../../core/evaluate/evaluate-window.ts';
import type { FeaturePolicy, ModelPolicy } from '../../core/model/policy.ts';
import {
  createBaseline,
  createInput,
  createRandom,
  createSummary,
  drawNormal,
  learnCategorical,
  learnNumeric,
  plainPolicy,
  summariseCells,
} from './synthetic-model.ts';

const random = createRandom(7);
const distances = Array.from({ length: 20_000 }, () => 700 * Math.exp(0.6 * drawNormal(random)));
const [distanceLayout, distanceBaseline] = learnNumeric(distances);
const carriers = Array.from({ length: 20_000 }, () => ['AA', 'DL', 'UA', 'WN'][Math.floor(random() ** 2 * 4)] ?? 'AA');
const [carrierLayout, carrierBaseline] = learnCategorical(carriers);
const baseline = createBaseline([
  ['carrier', [carrierLayout, carrierBaseline]],
  ['distance', [distanceLayout, distanceBaseline]],
]);

function configure(feature: string, policy: Partial<FeaturePolicy>): ModelPolicy {
  return { ...plainPolicy, features: [[feature, { ignore: false, required: false, published: false, ...policy }]] };
}

function judge(
  distance: readonly (number | null)[],
  carrier: readonly (string | null)[],
  policy: ModelPolicy = plainPolicy,
) {
  const summary = createSummary([
    ['carrier', summariseCells(carrierLayout, carrier)],
    ['distance', summariseCells(distanceLayout, distance)],
  ]);
  return evaluateWindow(createInput(baseline, summary, { policy }));
}

const sameDistances = distances.slice(0, 800);
const sameCarriers = carriers.slice(0, 800);

test('nothing changed: green, nothing to say, and every feature says what it could have shown', () => {
  const verdict = judge(sameDistances, sameCarriers);
  expect(verdict).toMatchObject({ tier: 'green', findings: [] });
  for (const feature of Object.values(verdict.features)) {
    expect(feature.drifted).toBe(false);
    expect(feature.qValue).toBeGreaterThan(0.01);
    expect(feature.minimumDetectableEffect).toBeGreaterThan(0.02);
  }
});

test('distances in kilometres are drift, and the conversion is named', () => {
  const verdict = judge(
    sameDistances.map((miles) => miles * 1.609344),
    sameCarriers,
  );
  expect(verdict.tier).toBe('yellow');
  expect(verdict.findings).toHaveLength(1);
  expect(verdict.findings[0]).toMatchObject({
    id: 'drift:distance',
    kind: 'drift',
    tier: 'yellow',
    feature: 'distance',
    evidence: { unitChange: 'miles to kilometres' },
  });
  expect(verdict.findings[0]?.message).toMatch(
    /^distance: \d+ % of records now lie at or above [\d,]+, the highest four deciles of the baseline \(40 %\); the values look converted from miles to kilometres \(× 1\.61\); PSI [\d.]+, q = \S+, 800 records$/,
  );
  expect(verdict.features.distance?.drifted).toBe(true);
  expect(verdict.features.carrier?.drifted).toBe(false);
  expect(verdict.features.distance?.scores.wasserstein).toBeGreaterThan(0.5);
});

test('a shift that is no conversion is drift without a hint', () => {
  const verdict = judge(
    sameDistances.map((miles) => miles + 300),
    sameCarriers,
  );
  expect(verdict.findings[0]).toMatchObject({ id: 'drift:distance', evidence: { unitChange: null } });
});

test('a category that takes over is named with both shares', () => {
  const verdict = judge(
    sameDistances,
    sameCarriers.map((carrier, row) => (row % 3 === 0 ? 'WN' : carrier)),
  );
  expect(verdict.findings.map(({ id }) => id)).toEqual(['drift:carrier']);
  expect(verdict.findings[0]?.message).toMatch(/^carrier: \d+ % of records are now "WN", in the baseline \d+ %; PSI /);
});

test('values that vanish are a finding of their own kind', () => {
  const verdict = judge(
    sameDistances.map((miles, row) => (row % 10 === 0 ? null : miles)),
    sameCarriers,
  );
  expect(verdict.findings.map(({ id, tier }) => [id, tier])).toEqual([['missing:distance', 'yellow']]);
  expect(verdict.findings[0]?.message).toMatch(/^distance: 10 % of records have no value, in the baseline 0 %; /);
});

test('too few missing values for a bin are found by the exact test, and the bins stay free of them', () => {
  const verdict = judge(
    sameDistances.map((miles, row) => (row < 9 ? null : miles)),
    sameCarriers,
  );
  expect(verdict.findings.map(({ id }) => id)).toEqual(['missing:distance']);
  expect(verdict.features.distance?.bins?.missing).toBe(false);
  expect(verdict.features.distance?.tests.pearson?.pValue).toBeGreaterThan(0.01);
});

test('a rise of the missing share below its floor is no finding however significant', () => {
  const policy = { ...plainPolicy, drift: { ...plainPolicy.drift, minimumMissingRise: 0.02 } };
  const verdict = judge(
    sameDistances.map((miles, row) => (row < 9 ? null : miles)),
    sameCarriers,
    policy,
  );
  expect(verdict.features.distance?.qValue).toBeLessThan(policy.drift.level);
  expect(verdict).toMatchObject({ tier: 'green', findings: [] });
});

test('new categories are found by the exact test where they are too few for a bin', () => {
  const verdict = judge(
    sameDistances,
    sameCarriers.map((carrier, row) => (row < 9 ? 'XX' : carrier)),
  );
  expect(verdict.findings.map(({ id, kind }) => [id, kind])).toEqual([['unseen-category:carrier', 'unseen-category']]);
  expect(verdict.findings[0]?.message).toContain('in categories the baseline does not know, 0 % were expected');
  expect(verdict.features.carrier?.bins?.categories).toEqual(['AA', 'DL', 'UA', 'WN']);
});

test('the floor of one feature can be raised, lowered to nothing, or the feature ignored', () => {
  const shifted = sameDistances.map((miles) => miles * 1.25);
  expect(judge(shifted, sameCarriers, configure('distance', { minimumEffect: 0 })).tier).toBe('yellow');
  const raised = judge(shifted, sameCarriers, configure('distance', { minimumEffect: 0.5 }));
  expect(raised).toMatchObject({ tier: 'green' });
  expect(raised.features.distance?.qValue).toBeLessThan(plainPolicy.drift.level);
  expect(raised.features.distance?.minimumDetectableEffect).toBeGreaterThan(0.5);
  const ignored = judge(shifted, sameCarriers, configure('distance', { ignore: true }));
  expect(Object.keys(ignored.features)).toEqual(['carrier']);
});

test('a significant trifle in one test is not excused by an insignificant rise in another', () => {
  // Pearson rejects under the floor; the missing share has risen by more than its floor, but well within chance.
  const [layout, learnt] = learnNumeric(distances.map((miles, row) => (row % 100 === 0 ? null : miles)));
  const sparse = createBaseline([['distance', [layout, learnt]]]);
  const cells = sameDistances.slice(0, 150).map((miles, row) => (row < 4 ? null : miles * 1.25));
  const summary = createSummary([['distance', summariseCells(layout, cells)]]);
  const policy = { ...plainPolicy, drift: { ...plainPolicy.drift, level: 0.05, minimumEffect: 5 } };
  const { distance } = evaluateWindow(createInput(sparse, summary, { policy })).features;
  expect(distance?.qValue).toBeLessThan(0.05);
  expect(4 / 150 - 1 / 100).toBeGreaterThan(policy.drift.minimumMissingRise);
  expect(distance?.tests.missing?.pValue).toBeGreaterThan(0.05);
  expect(distance?.drifted).toBe(false);
});

test('the minimum detectable effect is what four in five windows show', () => {
  // Two equal bins: shares ½ ± d against ½ have PSI d·ln((½ + d)/(½ − d)).
  const [layout, half] = learnCategorical(Array.from({ length: 40_000 }, (_, row) => (row % 2 === 0 ? 'a' : 'b')));
  const coins = createBaseline([['coin', [layout, half]]]);
  const flip = createRandom(3);
  const toss = (share: number) => {
    const cells = Array.from({ length: 2000 }, () => (flip() < share ? 'a' : 'b'));
    return evaluateWindow(createInput(coins, createSummary([['coin', summariseCells(layout, cells)]])));
  };
  const effect = toss(0.5).features.coin?.minimumDetectableEffect ?? 0;
  let d = 0;
  while (d * Math.log((0.5 + d) / (0.5 - d)) < effect) d += 1e-5;
  let flagged = 0;
  for (let window = 0; window < 400; window++) if (toss(0.5 + d).features.coin?.drifted) flagged++;
  expect(flagged / 400).toBeGreaterThan(0.72);
  expect(flagged / 400).toBeLessThan(0.88);
});
