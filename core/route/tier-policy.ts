import type { Finding, FindingKind, Tier } from '../model/verdict.ts';

/** What a kind of finding is about. */
export type FindingClass = 'objective' | 'silence' | 'evidence' | 'quality' | 'drift' | 'set-up';

/** What a kind of finding may do. */
export interface TierRule {
  readonly about: FindingClass;
  /** The worst tier it can have. Red pages. */
  readonly worst: Tier;
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
    worst: 'red',
    yellow: 'the error budget burns slowly: 3 times too fast for a day, or too fast for three days',
    red: 'the error budget burns 14.4 times too fast for an hour, or 6 times for six hours',
  },
  completeness: {
    about: 'objective',
    worst: 'red',
    yellow: '-',
    red: 'a required feature is missing more often than its objective allows',
  },
  quality: {
    about: 'objective',
    worst: 'red',
    yellow: 'evidence of 20 to 1 by records whose labels had their time, or of 100 to 1 by all so far',
    red: 'evidence of 100 to 1 by records whose labels had their time that the objective is broken',
  },
  silence: {
    about: 'silence',
    worst: 'red',
    yellow: '-',
    red: 'no record for longer than the model ever rests, or calls without captures',
  },
  integrity: {
    about: 'evidence',
    worst: 'red',
    yellow: '-',
    red: 'a key holds other bytes than were written to it',
  },
  'schema-break': {
    about: 'quality',
    worst: 'red',
    yellow: '-',
    red: 'payloads do not fit the schema any more, by count',
  },
  'missing-column': {
    about: 'quality',
    worst: 'red',
    yellow: 'a column is no longer sent',
    red: 'a required column has no value in a closed window',
  },
  missing: { about: 'quality', worst: 'yellow', yellow: quality, red: '-' },
  'extra-column': { about: 'quality', worst: 'yellow', yellow: 'a column nobody configured', red: '-' },
  type: { about: 'quality', worst: 'yellow', yellow: 'values of another type than the baseline has', red: '-' },
  range: { about: 'quality', worst: 'yellow', yellow: 'values far outside the range of the baseline', red: '-' },
  quarantine: { about: 'quality', worst: 'yellow', yellow: 'more unreadable records than are allowed', red: '-' },
  duplicate: { about: 'quality', worst: 'yellow', yellow: quality, red: '-' },
  constant: { about: 'quality', worst: 'yellow', yellow: 'a feature that varied has one value', red: '-' },
  stale: { about: 'quality', worst: 'yellow', yellow: 'the very values of before are sent again', red: '-' },
  'unseen-category': { about: 'drift', worst: 'yellow', yellow: quality, red: '-' },
  drift: { about: 'drift', worst: 'yellow', yellow: drift, red: '-' },
  chart: { about: 'drift', worst: 'yellow', yellow: 'a control chart left its limits, within the budget', red: '-' },
  beside: { about: 'drift', worst: 'yellow', yellow: `unlike the version beside it: ${drift}`, red: '-' },
  caller: { about: 'drift', worst: 'green', yellow: '-', red: '-' },
  performance: {
    about: 'drift',
    worst: 'yellow',
    yellow: 'the estimate and its whole interval left what the labelled baseline showed',
    red: '-',
  },
  labelling: {
    about: 'quality',
    worst: 'yellow',
    yellow: 'labels are of another rate, lag, coverage or source, by a test within its budget and above a floor',
    red: '-',
  },
  learning: { about: 'set-up', worst: 'green', yellow: '-', red: '-' },
  'unknown-version': { about: 'set-up', worst: 'yellow', yellow: 'records of a version nobody configured', red: '-' },
  'no-baseline': { about: 'set-up', worst: 'green', yellow: '-', red: '-' },
  'insufficient-data': { about: 'set-up', worst: 'green', yellow: '-', red: '-' },
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
