/**
 * What a scalar series measures, and so on what scale it is charted:
 * `mean`: any number, differences;
 * `share`: a share of records in [0, 1]; `count`: events per window, ratios, and tests for drop, surge and silence.
 */
export type SeriesKind = 'mean' | 'share' | 'count';

/** One window's value. */
export interface SeriesPoint {
  /** Start of the window, milliseconds since the epoch. */
  readonly start: number;
  /** `share`: in [0, 1]. `count`: events in the window. */
  readonly value: number;
  /** Records the value was made of: a mean of few is noisier. Not used for a `count`. */
  readonly weight: number;
  /** Slot of the week to compare with; absent: hour of day × weekday or weekend, UTC. A holiday calendar sets it. */
  readonly cell?: string | undefined;
}

/** A series to be charted, with its past as the baseline saw it (phase I). */
export interface ScalarSeries {
  /** Unique among the charts of a model; part of the finding's id. */
  readonly name: string;
  readonly kind: SeriesKind;
  /**
   * Variance of one record's value, of a `mean`.
   * @default - estimated from how the windows' spread depends on their weights; binomial for a share
   */
  readonly withinVariance?: number | undefined;
  /**
   * Smallest shift worth a finding: in the value's units (`mean`), in shares (`share`), as a ratio less 1 (`count`).
   * @default - 0 for a mean, .01 for a share, .5 for a count
   */
  readonly minimumEffect?: number | undefined;
  /** Closed windows of the baseline, in any order; windows without events may be left out of a count. */
  readonly phaseOne: readonly SeriesPoint[];
}

/** The default of `ScalarSeries.minimumEffect`. */
export const defaultMinimumEffect: Readonly<Record<SeriesKind, number>> = {
  mean: 0,
  share: 0.01,
  count: 0.5,
};

/** Values beyond it are left out of a baseline, and held there when judged: their squares must be finite. */
export const largestValue = 1e100;

/** The value on the scale it is charted on; undefined where there is no such value. */
export function transformValue(kind: SeriesKind, value: number, weight: number): number | undefined {
  if (!Number.isFinite(value)) return undefined;
  if (kind !== 'count' && !(weight > 0)) return undefined;
  const bounded = Math.min(largestValue, Math.max(-largestValue, value));
  switch (kind) {
    case 'mean':
      return bounded;
    case 'share':
      return bounded < 0 || bounded > 1 ? undefined : angle(bounded, weight);
    case 'count':
      return bounded < 0 ? undefined : Math.log(bounded + 0.5);
  }
}

/** Back from the charted scale to the value's own. */
export function restoreValue(kind: SeriesKind, transformed: number): number {
  switch (kind) {
    case 'mean':
      return transformed;
    case 'share':
      return Math.sin(Math.min(Math.PI / 2, Math.max(0, transformed))) ** 2;
    case 'count':
      return Math.max(0, Math.exp(Math.min(700, transformed)) - 0.5);
  }
}

/** Anscombe's angle of a share, of variance 1/(4n + 2) whatever the share. */
function angle(share: number, weight: number): number {
  const records = Math.min(weight, 1e15);
  return Math.asin(Math.sqrt((share * records + 0.375) / (records + 0.75)));
}
