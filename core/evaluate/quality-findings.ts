import type { TrailingCounts } from '../model/trailing-counts.ts';
import type { Finding } from '../model/verdict.ts';
import {
  formatDuration,
  formatInstant,
  formatMinute,
  formatName,
  formatNumber,
  formatProbabilityOf,
  formatShare,
} from './number-text.ts';

/** The sentences of data quality. */

export interface RepeatedRecords {
  readonly duplicate: number;
  readonly captured: number;
  /** Share in the baseline. */
  readonly expected: number;
  readonly pValue: number;
}

export function describeDuplicates({ duplicate, captured, expected, pValue }: RepeatedRecords): Finding {
  const share = duplicate / captured;
  return {
    id: 'duplicate',
    tier: 'yellow',
    kind: 'duplicate',
    message: `${formatShare(share)} of ${formatNumber(captured)} captured records repeat an earlier one (same event id and row), in the baseline ${formatShare(expected)}; ${formatProbabilityOf('p', pValue)}; they were counted once`,
    evidence: { duplicate, captured, share, expectedShare: expected, pValue },
  };
}

export interface ConstantFeature {
  readonly feature: string;
  readonly value: string | number;
  /** Values seen. */
  readonly count: number;
  /** Distinct values of the baseline. */
  readonly distinct: number;
  /** Null: not known, the feature drifted anyway. */
  readonly chance: number | null;
  /** The trailing stretch that holds the values; undefined: the window alone. */
  readonly stretch: TrailingCounts | undefined;
}

export function describeConstant(constant: ConstantFeature): Finding & { readonly feature: string } {
  const { feature, value, count, distinct, chance, stretch } = constant;
  const shown = typeof value === 'number' ? formatNumber(value) : `"${formatName(value)}"`;
  const span = stretch ? ` of the last ${formatDuration((stretch.end - stretch.start) / 1000)}` : '';
  const odds = chance === null ? '' : `; ${formatProbabilityOf('p', chance)}`;
  return {
    id: `constant:${feature}`,
    tier: 'yellow',
    kind: 'constant',
    feature,
    message: `${formatName(feature)}: all ${formatNumber(count)} values${span} are ${shown}, the baseline has ${formatNumber(distinct)} different ones${odds}`,
    evidence: {
      value,
      values: count,
      baselineDistinct: distinct,
      chance,
      stretchStart: stretch ? formatInstant(stretch.start) : null,
    },
  };
}

export interface StaleFeature {
  readonly feature: string;
  /** How long it has kept to one bin, and how long it ever did in the baseline. */
  readonly seconds: number;
  readonly longestSeconds: number;
  /** Complete runs of the baseline. */
  readonly runs: number;
  /** Start of the first window of the run, milliseconds since the epoch. */
  readonly since: number;
}

export function describeStaleFeature({ feature, seconds, longestSeconds, runs, since }: StaleFeature): Finding {
  return {
    id: `stale:${feature}`,
    tier: 'yellow',
    kind: 'stale',
    feature,
    message: `${formatName(feature)}: has not changed for ${formatDuration(seconds)}, since ${formatMinute(since / 60_000)} or before; in the baseline it changed ${formatNumber(runs)} times, after ${formatDuration(longestSeconds)} at the latest`,
    evidence: { unchangedSeconds: seconds, longestSeconds, baselineRuns: runs, since: formatInstant(since) },
  };
}

export interface RepeatedWindows {
  readonly found: readonly { readonly feature: string; readonly windows: number; readonly chance: number }[];
  /** Features looked at. */
  readonly features: number;
  readonly records: number;
}

/** One finding for all features: where a batch is scored again, all of them repeat. */
export function describeRepeatedWindows({ found, features, records }: RepeatedWindows): Finding {
  const surest = found.reduce((best, each) => (each.chance < best.chance ? each : best));
  const { windows, chance } = surest;
  const alone = found.length === 1;
  const what = alone
    ? formatName(surest.feature)
    : `${formatNumber(found.length)} of ${formatNumber(features)} features`;
  return {
    id: 'stale',
    tier: 'yellow',
    kind: 'stale',
    message: `${what}: the last ${formatNumber(windows)} windows have the very same counts (${formatNumber(records)} records each); ${formatProbabilityOf('p', chance)}${alone ? '' : `, as for ${formatName(surest.feature)}`}; the same records seem to come again`,
    evidence: { features: found.length, windows, records, chance, surest: surest.feature },
  };
}
