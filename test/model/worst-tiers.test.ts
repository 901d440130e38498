import { expect, test } from 'vitest';
import type { Finding, FindingKind, Tier } from '../../core/model/verdict.ts';
import { capTiers, worstTiers } from '../../core/model/worst-tiers.ts';

const of = (kind: FindingKind, tier: Tier): Finding => ({ id: kind, kind, tier, message: '', evidence: {} });
const judged = (findings: readonly Finding[], tier: Tier) => ({ findings, tier });

test('whatever a judge says, a finding is no worse than its kind can be, and the verdict no worse than its findings', () => {
  for (const kind of Object.keys(worstTiers) as FindingKind[])
    expect(capTiers(judged([of(kind, 'red')], 'red')).tier).toBe(worstTiers[kind]);
  expect(capTiers(judged([of('drift', 'red'), of('learning', 'yellow')], 'red'))).toEqual(
    judged([of('drift', 'yellow'), of('learning', 'green')], 'yellow'),
  );
  expect(capTiers(judged([of('drift', 'red'), of('slo', 'red')], 'red'))).toEqual(
    judged([of('drift', 'yellow'), of('slo', 'red')], 'red'),
  );
});

test('what is within bounds stays as it was judged, also where its tier was kept from before', () => {
  const kept = judged([of('drift', 'yellow'), of('slo', 'green')], 'red');
  expect(capTiers(kept)).toBe(kept);
});
