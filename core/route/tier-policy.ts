import type { Finding, FindingKind } from '../model/verdict.ts';

/** What a kind of finding is about. */
export type FindingClass = 'objective' | 'silence' | 'evidence' | 'quality' | 'drift' | 'set-up';

/** What a kind of finding may do. The worst tier it can have stands in `worstTiers`, which caps every verdict. */
export interface TierRule {
  readonly about: FindingClass;
  /** What makes it yellow, and red. A dash: nothing does. */
  readonly yellow: string;
  readonly red: string;
}

const drift = 'a calibrated test within the budget for false alarms, and an effect above the floor';
const quality = 'a test within the budget for false alarms, and a rise above the floor';

/**
 * Which finding is of which tier. Red is for what was promised, for silence and for evidence that does not match; a
 * p-value alone gives no tier: yellow needs an effect as well, red needs an objective, a count or a schema.
 */
export const tierPolicy: Readonly<Record<FindingKind, TierRule>> = {
  slo: {
    about: 'objective',
    yellow: 'the error budget burns slowly: 3 times too fast for a day, or too fast for three days',
    red: 'the error budget burns 14.4 times too fast for an hour, or 6 times for six hours',
  },
  unmeasured: {
    about: 'objective',
    yellow: 'the CloudWatch metrics of an objective could not be read for a quarter of an hour',
    red: '-',
  },
  completeness: {
    about: 'objective',
    yellow: '-',
    red: 'a required feature is missing more often than its objective allows',
  },
  quality: {
    about: 'objective',
    yellow:
      'evidence of 20 to 1 by records whose labels had their time, or of 100 to 1 by all so far, times the objectives of quality',
    red: 'evidence of 100 to 1, times the objectives of quality, by records whose labels had their time',
  },
  'quality-beside': {
    about: 'objective',
    yellow: 'evidence of 100 to 1, by labels, that a version is worse than the one it came beside, and a floor',
    red: '-',
  },
  silence: {
    about: 'silence',
    yellow: '-',
    red: 'no record for longer than the model ever rests, or calls without captures',
  },
  integrity: {
    about: 'evidence',
    yellow: '-',
    red: 'a key holds other bytes than were written to it',
  },
  'schema-break': {
    about: 'quality',
    yellow: '-',
    red: 'payloads do not fit the schema any more, by count',
  },
  'missing-column': {
    about: 'quality',
    yellow: 'a column is no longer sent',
    red: 'a required column has no value in a closed window',
  },
  missing: { about: 'quality', yellow: quality, red: '-' },
  'extra-column': { about: 'quality', yellow: 'a column nobody configured', red: '-' },
  type: { about: 'quality', yellow: 'values of another type than the baseline has', red: '-' },
  range: { about: 'quality', yellow: 'values far outside the range of the baseline', red: '-' },
  quarantine: { about: 'quality', yellow: 'more unreadable records than are allowed', red: '-' },
  duplicate: { about: 'quality', yellow: quality, red: '-' },
  constant: { about: 'quality', yellow: 'a feature that varied has one value', red: '-' },
  stale: { about: 'quality', yellow: 'the very values of before are sent again', red: '-' },
  'unseen-category': { about: 'drift', yellow: quality, red: '-' },
  drift: { about: 'drift', yellow: drift, red: '-' },
  chart: { about: 'drift', yellow: 'a control chart left its limits, within the budget', red: '-' },
  beside: { about: 'drift', yellow: `unlike the version beside it: ${drift}`, red: '-' },
  caller: { about: 'drift', yellow: '-', red: '-' },
  performance: {
    about: 'drift',
    yellow: 'the estimate and its whole interval left what the labelled baseline showed',
    red: '-',
  },
  labelling: {
    about: 'quality',
    yellow: 'labels are of another rate, lag, coverage or source, by a test within its budget and above a floor',
    red: '-',
  },
  learning: { about: 'set-up', yellow: '-', red: '-' },
  'unknown-version': { about: 'set-up', yellow: 'records of a version nobody configured', red: '-' },
  'no-baseline': { about: 'set-up', yellow: '-', red: '-' },
  'insufficient-data': { about: 'set-up', yellow: '-', red: '-' },
};

/** What an incident of a model that this one depends on explains: its drift and the quality of its data, no more. */
export function isMutedByRoot(kind: FindingKind): boolean {
  const { about } = tierPolicy[kind];
  return about === 'drift' || about === 'quality';
}

/**
 * Whether an incident of a root explains all there is of a tier.
 * @param findings of the newest verdicts; none of the tier: nothing is explained
 */
export function isExplained(findings: readonly Finding[], tier: 'yellow' | 'red'): boolean {
  const own = findings.filter((finding) => finding.tier === tier);
  return own.length > 0 && own.every(({ kind }) => isMutedByRoot(kind));
}
