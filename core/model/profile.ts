import type { StepCounts } from './calibration-map.ts';
import type { EmbeddingSummary } from './embedding.ts';

/**
 * How the inference records of a window add up:
 * captured = counted + quarantined + duplicate + pending + expired; `late` is a part of counted.
 */
export interface RecordCounts {
  readonly captured: number;
  readonly counted: number;
  readonly quarantined: number;
  /** The same event id and row again within one object. */
  readonly duplicate: number;
  /** Captured, not yet processed. */
  readonly pending: number;
  /** Arrived after its fragments' expiry: evidence only. */
  readonly expired: number;
  /** Counted, but arrived after the window's end plus grace. */
  readonly late: number;
}

/** [bucket or category index, count], ascending by index, counts > 0. */
export type SparseCounts = readonly (readonly [index: number, count: number])[];

/** Mergeable summary of a numeric feature. Sums are exact (see `stats/exact-sum.ts`), so merging is associative to the bit. */
export interface NumericSummary {
  readonly kind: 'numeric';
  readonly count: number;
  readonly missing: number;
  /** Exact Σ(v − centre), as a canonical hexadecimal fixed-point string. */
  readonly sum: string;
  /** Exact Σ(v − centre)², each square rounded once. */
  readonly sumOfSquares: string;
  readonly buckets: SparseCounts;
}

/** Mergeable summary of a categorical feature, by index into the layout's categories. */
export interface CategoricalSummary {
  readonly kind: 'categorical';
  readonly count: number;
  readonly missing: number;
  readonly categories: SparseCounts;
  /** Values that are none of the layout's categories; a part of count. */
  readonly unseen: number;
}

/** Mergeable summary of a column that is only counted. */
export interface OpaqueSummary {
  readonly kind: 'opaque';
  readonly count: number;
  readonly missing: number;
}

export type FeatureSummary = NumericSummary | CategoricalSummary | OpaqueSummary | EmbeddingSummary;

/** Exact counts of one UTC minute. */
export interface MinuteSlot {
  /** Minutes since the epoch. */
  readonly minute: number;
  /** Inference records counted. */
  readonly rows: number;
  /** Invocations that carried a status or a latency. */
  readonly requests: number;
  /** Inference records quarantined because they no longer fit the schema. */
  readonly schemaBreaks: number;
  /** Per SLO: [name, good events, valid events], sorted by name. */
  readonly slis: readonly (readonly [slo: string, good: number, valid: number])[];
  /** Per required feature: [name, rows without a value], sorted by name; zero counts left out. */
  readonly missing: readonly (readonly [feature: string, rows: number])[];
}

/** What a slice's records add up to. */
export interface SliceSummary {
  readonly records: number;
  /**
   * Coarse counts of all features of the baseline's layout (of those ignored none), one feature after another, each in
   * the order of `Baseline.binCounts`; as text, see `CountRuns` of core/stats: `position:count,count;…`.
   */
  readonly counts: string;
}

/** Mergeable summary of a set of records of one window: the heart of fragment and profile alike. */
export interface Summary {
  readonly records: RecordCounts;
  /** Invocations of sources that only report requests; they add up like `records`. */
  readonly requests: RecordCounts;
  /** [reason, count], sorted by reason. */
  readonly quarantine: readonly (readonly [reason: string, count: number])[];
  /** [feature, summary], sorted by name. */
  readonly features: readonly (readonly [feature: string, summary: FeatureSummary])[];
  /** Columns that are in no schema and no layout: [name, rows], sorted; at most `maximumExtraColumns` names. */
  readonly extraColumns: readonly (readonly [column: string, rows: number])[];
  /** Sorted by minute. */
  readonly minutes: readonly MinuteSlot[];
  /** [slice, summary] of the slices that have records, sorted by name; absent where there are none. */
  readonly slices?: readonly (readonly [slice: string, summary: SliceSummary])[] | undefined;
  /**
   * [hash of the caller, summary] of callers with at least 3 % of the records of a capture object, sorted by hash;
   * absent where there are none. Records of theirs in objects where they had less are not in it.
   */
  readonly callers?: readonly (readonly [caller: string, summary: SliceSummary])[] | undefined;
  /** [id of a `ScoreCalibration`, records per step of it], sorted by id; absent where no score was counted. */
  readonly scores?: readonly (readonly [calibration: string, counts: StepCounts])[] | undefined;
  /** Milliseconds since the epoch of the first and last record; absent when there is none. */
  readonly firstTime?: number | undefined;
  readonly lastTime?: number | undefined;
}

/** A capture object as ingest saw it. */
export interface SourceObject {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly versionId?: string | undefined;
  readonly bytes: number;
  /** Milliseconds since the epoch at which the object was written: the arrival of its records. */
  readonly lastModified: number;
}

/** What series of windows a fragment, profile or verdict belongs to. */
export interface Series {
  readonly model: string;
  readonly variant: string;
  readonly version: string;
  /** Short hash of the layout counted into. */
  readonly layout: string;
  /** Width of its windows. A model whose window is changed begins other series. */
  readonly windowSeconds: number;
}

/** Half-open time slot [start, end), milliseconds since the epoch. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** What one capture object adds to one window. Written once. */
export interface Fragment {
  readonly schema: 'tidewatch.fragment/1';
  readonly series: Series;
  readonly window: Window;
  readonly object: SourceObject;
  readonly summary: Summary;
}

/** Everything known of a window: its fragments merged in key order. Written once per set of fragments. */
export interface Profile {
  readonly schema: 'tidewatch.profile/1';
  readonly series: Series;
  readonly window: Window;
  /** [objectId, SHA-256 of the fragment's bytes], sorted by objectId. */
  readonly fragments: readonly (readonly [objectId: string, sha256: string])[];
  readonly summary: Summary;
}
