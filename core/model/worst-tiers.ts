import { type Finding, type FindingKind, type Tier, tierValue, worstTier } from './verdict.ts';

/**
 * The worst tier that a kind of finding can have. Red pages: it is for what was promised, for silence and for evidence that
 * does not match. What makes a kind yellow or red stands in `tierPolicy` of core/route.
 */
export const worstTiers: Readonly<Record<FindingKind, Tier>> = {
  slo: 'red',
  unmeasured: 'yellow',
  completeness: 'red',
  quality: 'red',
  'quality-beside': 'yellow',
  silence: 'red',
  integrity: 'red',
  'schema-break': 'red',
  'missing-column': 'red',
  missing: 'yellow',
  'extra-column': 'yellow',
  type: 'yellow',
  range: 'yellow',
  quarantine: 'yellow',
  duplicate: 'yellow',
  constant: 'yellow',
  stale: 'yellow',
  'unseen-category': 'yellow',
  drift: 'yellow',
  chart: 'yellow',
  beside: 'yellow',
  caller: 'green',
  performance: 'yellow',
  labelling: 'yellow',
  learning: 'green',
  'unknown-version': 'yellow',
  'no-baseline': 'green',
  'insufficient-data': 'green',
};

/** What was judged, no finding worse than its kind can be: whatever a judge says of a drift, it pages nobody. */
export function capTiers<Judged extends { readonly tier: Tier; readonly findings: readonly Finding[] }>(
  judged: Judged,
): Judged {
  const isCapped = ({ kind, tier }: Finding) => tierValue[tier] > tierValue[worstTiers[kind]];
  if (!judged.findings.some(isCapped)) return judged;
  const findings = judged.findings.map((one) => (isCapped(one) ? { ...one, tier: worstTiers[one.kind] } : one));
  return { ...judged, findings, tier: worstTier(findings.map(({ tier }) => tier)) };
}
