import { createHash } from 'node:crypto';

/** What a model's labels are compared with. */
export type LabelTask = 'binary' | 'classes' | 'regression';

/** How labels are read and joined. */
export interface LabelPolicy {
  /** binary: yes or no. classes: the predicted class's name. regression: a number. */
  readonly task: LabelTask;
  /** The output that labels are compared with; absent: the only one of the version. */
  readonly prediction?: string | undefined;
  /** binary: scores from here on are a predicted yes. */
  readonly threshold: number;
  /** binary: the text of a yes; absent: 1 and true, and 0 and false are a no. */
  readonly positive?: string | undefined;
  /** Days that inferences and labels wait for one another. */
  readonly horizonDays: number;
  /** Names of sources of labels that are told apart; all others count as one. */
  readonly sources: readonly string[];
  /** Columns of CSV files. */
  readonly columns: LabelColumns;
}

export interface LabelColumns {
  readonly id: string;
  readonly label: string;
  /** Any of these may be missing in a file. */
  readonly time: string;
  readonly source: string;
  readonly row: string;
}

/** Measures of quality that labels give. */
export const qualityMeasures = ['precision', 'recall', 'f1', 'accuracy', 'auc', 'rmse', 'calibration'] as const;
export type QualityMeasure = (typeof qualityMeasures)[number];

/** An objective of the model's quality. */
export interface QualitySloPolicy {
  readonly name: string;
  readonly measure: QualityMeasure;
  /** Smallest good value, or of an error (rmse, calibration) the largest. */
  readonly bound: number;
  readonly periodSeconds: number;
  /** Records are judged once their labels had this long to come. */
  readonly labelsWithinSeconds: number;
  /** Share of the records that ever get a label, in (0, 1]. Of these, those without one count as good. */
  readonly labelCoverage: number;
}

/** True of errors: small is good. */
export function isError(measure: QualityMeasure): boolean {
  return measure === 'rmse' || measure === 'calibration';
}

/**
 * One row of a captured line that was counted, as much as labels need of it. Columns of equal length; `ids` are 53-bit keyed
 * hashes of join ids.
 */
export interface IndexRows {
  readonly ids: Float64Array;
  /** The score (binary), the number (regression) or the code of the class. */
  readonly values: Float32Array;
  /** Seconds since the epoch. */
  readonly times: Uint32Array;
  /** Index into `series`. */
  readonly places: Uint16Array;
  /** 1: a predicted yes (binary); always 1 of other tasks. */
  readonly predicted: Uint8Array;
  /** [variant, version], sorted. */
  readonly series: readonly (readonly [variant: string, version: string])[];
}

/** Labels, column by column. */
export interface LabelRows {
  readonly ids: Float64Array;
  /** 1 or 0 (binary), the number or the code of the class. */
  readonly values: Float32Array;
  /** When the label was given, seconds since the epoch. */
  readonly times: Uint32Array;
  /** Decides between labels of one time: a hash of their content. */
  readonly orders: Uint32Array;
  /** 1 + index into the policy's sources; 0: another or none. */
  readonly sources: Uint8Array;
}

/**
 * Counts of the inferences of one hour of a day that were captured and, of those with a label, how they turned out. Of classes
 * and regression every record is a predicted yes: right ones (classes) and all (regression) are true positives.
 */
export interface CohortHour {
  /** Of the day, 0 to 23. */
  readonly hour: number;
  /** Records, those with a label included, by what was predicted. */
  readonly predicted: number;
  readonly others: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  /** Regression: exact sum of squared errors, in the text of `ExactSum`. */
  readonly squaredErrors?: string | undefined;
}

/** What is known of the inferences of one day of a variant and version: counts alone, that add up in any order. */
export interface Cohort {
  /** UTC, yyyy-mm-dd. */
  readonly day: string;
  readonly variant: string;
  readonly version: string;
  /** Those with records, ascending. */
  readonly hours: readonly CohortHour[];
  /** binary: labelled records by score: [bin of 100 over 0 to 1, records, sum of scores in units of 2^−20, positives]. */
  readonly bins: readonly (readonly [bin: number, records: number, scoreSum: number, positives: number])[];
  /** All records by step of the baseline's calibration of that id: what the estimate without labels needs. */
  readonly scores?: readonly [calibration: string, counts: readonly number[]] | undefined;
  /** Labelled records by what passed between inference and label: [index into `lagEdges`, records]. */
  readonly lags: readonly (readonly [bucket: number, records: number])[];
  /** Labelled records by source: [as in `LabelRows`, records]. */
  readonly sources: readonly (readonly [source: number, records: number])[];
  /** Records whose labels contradict one another: the newest is in force. */
  readonly corrected: number;
}

/** Upper edges of the buckets of lags, in seconds: an hour and its doubles; the first is "up to an hour". */
export const lagEdges: readonly number[] = Array.from({ length: 16 }, (_, index) => 3600 * 2 ** index);

/** A cohort with the number of its statement: one more each time labels or late records restate it. */
export interface CohortRevision {
  readonly schema: 'tidewatch.cohort/1';
  readonly model: string;
  readonly revision: number;
  readonly cohort: Cohort;
}

const yes: ReadonlySet<string> = new Set(['1', '1.0', 'true']);
const no: ReadonlySet<string> = new Set(['0', '0.0', 'false']);

/** Whether text says yes; undefined where it says neither. With a text of a yes of its own all else is a no. */
export function readYes(text: string, positive: string | undefined): boolean | undefined {
  if (positive !== undefined) return text === positive;
  const lower = text.toLowerCase();
  return yes.has(lower) ? true : no.has(lower) ? false : undefined;
}

/** 24 bits of a hash of a class's name, which a single holds exactly: two of 16 million names are taken for one. */
export function classCode(name: string): number {
  return createHash('sha256').update(name, 'utf8').digest().readUIntBE(0, 3);
}
