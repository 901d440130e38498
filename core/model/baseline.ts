import type { FeatureKind, Layout } from './layout.ts';
import type { FeatureSummary } from './profile.ts';

/** What the baseline says of one feature beside its counts. */
export interface BaselineFeature {
  readonly kind: FeatureKind;
  readonly summary: FeatureSummary;
  readonly mean?: number | undefined;
  readonly standardDeviation?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** [probability, value] at .01 .05 .25 .5 .75 .95 .99. */
  readonly quantiles?: readonly (readonly [probability: number, value: number])[] | undefined;
  /** Distinct values seen (exact up to the cap, then "at least"). */
  readonly distinct: number;
  /** Values seen exactly once: the Good–Turing estimate of the unseen share is singletons / count. */
  readonly singletons: number;
  /**
   * Rows whose category is not in the layout because it was too rare to be kept. By Good–Turing, rare / count
   * is also the share of later rows to be expected outside the layout.
   */
  readonly rare: number;
  /**
   * Counts per bin (the layout's bins or categories, then unseen for a categorical feature, then missing) for each
   * of the baseline's windows and cells, in the order of `time.windows` and `time.cells`.
   */
  readonly binCounts?:
    | { readonly windows: readonly (readonly number[])[]; readonly cells: readonly (readonly number[])[] }
    | undefined;
}

/** Records in a slot of the week: `${hour of day}|weekday` or `|weekend`, UTC. */
export interface CellCount {
  readonly cell: string;
  readonly records: number;
}

/** What the baseline says of a slice. Counts as in `SliceSummary`. */
export interface BaselineSlice {
  readonly records: number;
  readonly counts: string;
  /** [records, counts] per window, in the order of `time.windows`; absent where there are too many, or no times. */
  readonly windows?: readonly (readonly [records: number, counts: string])[] | undefined;
}

/** Profile + layout + calibration of normal behaviour. Canonical JSON; `sha256` is over the rest. */
export interface Baseline {
  readonly schema: 'tidewatch.baseline/1';
  readonly sha256: string;
  readonly layout: Layout;
  /** Short hash of the layout. */
  readonly layoutId: string;
  readonly records: number;
  /** Rows that could not be read. */
  readonly quarantined: number;
  readonly features: readonly (readonly [name: string, feature: BaselineFeature])[];
  /** Records whose event id and row were there before: not among `records`. Absent: none. */
  readonly duplicates?: number | undefined;
  /** [slice, counts] of the slices asked for that have records, sorted by name. */
  readonly slices?: readonly (readonly [slice: string, counts: BaselineSlice])[] | undefined;
  /** Present when the data has times. */
  readonly time?:
    | {
        readonly first: string;
        readonly last: string;
        readonly windowSeconds: number;
        /** [window start (ISO 8601), records], ascending. */
        readonly windows: readonly (readonly [start: string, records: number])[];
        readonly cells: readonly CellCount[];
        /** Longest silence between consecutive records, seconds: the yardstick of the silence rule. */
        readonly longestGapSeconds: number;
      }
    | undefined;
  /** Sentences on what was left out or assumed. */
  readonly notes: readonly string[];
}
