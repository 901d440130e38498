import { type FeatureVerdict, type Finding, type FindingKind, tierValue, type Verdict } from '../model/verdict.ts';

/** A verdict and the key it lies under. */
export interface StoredVerdict {
  readonly key: string;
  readonly verdict: Verdict;
}

/** Most urgent first; decides between findings of one tier. */
const kindOrder: readonly FindingKind[] = [
  'integrity',
  'slo',
  'quality',
  'schema-break',
  'completeness',
  'silence',
  'missing-column',
  'missing',
  'constant',
  'stale',
  'unmeasured',
  'drift',
  'beside',
  'quality-beside',
  'performance',
  'labelling',
  'chart',
  'unseen-category',
  'type',
  'range',
  'quarantine',
  'duplicate',
  'extra-column',
  'unknown-version',
  'no-baseline',
  'caller',
  'learning',
  'insufficient-data',
];

/** Worst tier first, then the newest window, then the newest revision. */
export function sortVerdicts(verdicts: readonly StoredVerdict[]): StoredVerdict[] {
  return [...verdicts].sort(
    ({ verdict: a }, { verdict: b }) =>
      tierValue[b.tier] - tierValue[a.tier] ||
      compareText(b.window.end, a.window.end) ||
      b.revision - a.revision ||
      compareText(a.variant, b.variant) ||
      compareText(a.version, b.version),
  );
}

/** Findings that are not green: worst tier first, then by urgency of kind, then as the verdict has them. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return findings
    .filter((finding) => finding.tier !== 'green')
    .sort((a, b) => tierValue[b.tier] - tierValue[a.tier] || kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind));
}

/** Drifted features, the largest PSI first, then the smallest q-value, then by name. */
export function driftedFeatures(verdict: Verdict): (readonly [name: string, feature: FeatureVerdict])[] {
  return Object.entries(verdict.features)
    .filter(([, feature]) => feature.drifted)
    .sort(
      ([nameA, a], [nameB, b]) =>
        (b.scores.populationStabilityIndex ?? 0) - (a.scores.populationStabilityIndex ?? 0) ||
        (a.qValue ?? 1) - (b.qValue ?? 1) ||
        compareText(nameA, nameB),
    );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
