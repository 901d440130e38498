import type { ScoreCalibration } from './calibration-map.ts';
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
   * Of an embedding: for each of the baseline's windows, in the order of `time.windows`, the sums of its vectors as
   * one row (`flattenSums`), those that the frame was fitted to left out.
   */
  readonly embeddingWindows?: readonly (readonly number[])[] | undefined;
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

/** How silent an hour of the week is: `${hour of day}|weekday` or `|weekend`, UTC. Minutes without records between two that have some. */
export interface SilenceCell {
  readonly cell: string;
  readonly silentMinutes: number;
  /** Silent minutes that were the last of their silence. */
  readonly wakeUps: number;
  /** Of the silences that began in it: from one minute with records to the next one. 0: there are none. */
  readonly longestGapSeconds: number;
}

/** What the baseline says of a slice. Counts as in `SliceSummary`. */
export interface BaselineSlice {
  readonly records: number;
  readonly counts: string;
  /** [records, counts] per window, the last of `time.windows` in their order; absent where there are too many, or no times. */
  readonly windows?: readonly (readonly [records: number, counts: string])[] | undefined;
}

/** What the baseline says of one caller. */
export interface BaselineCaller {
  readonly records: number;
  /** Its records per window, by position in `time.windows`; as text, see `CountRuns` of core/stats. Absent: no times. */
  readonly windows?: string | undefined;
}

/** Who sent the baseline's records. */
export interface BaselineCallers {
  /** The column, or the field of the capture, that names the caller. */
  readonly column: string;
  /** Records that name their caller. */
  readonly named: number;
  /** [hash of the caller, its records] of those that hold 3 % of all records or of some windows, the largest 50, sorted by hash. */
  readonly known: readonly (readonly [caller: string, BaselineCaller])[];
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
  /** Present where callers were asked for. */
  readonly callers?: BaselineCallers | undefined;
  /** What scores meant, where the data had labels; absent: performance is not estimated. */
  readonly calibration?: ScoreCalibration | undefined;
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
        /** Sorted by cell; absent in baselines that were made before it was kept. */
        readonly silences?: readonly SilenceCell[] | undefined;
      }
    | undefined;
  /** Sentences on what was left out or assumed. */
  readonly notes: readonly string[];
}
