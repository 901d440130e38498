/**
 * What a model's scores turned out to mean: the rate of positives by score, never falling, from a labelled set. Counts of
 * later scores by step are all that an estimate of the model's performance needs.
 */
export interface CalibrationMap {
  /** Scores from here on are predicted positives; always one of the edges. Absent: every record is one. */
  readonly threshold?: number | undefined;
  /** Scores at which a step begins, ascending; k edges make k + 1 steps, and a score at an edge is in the upper one. */
  readonly edges: readonly number[];
  /** Labelled records of each step, and the positives among them. */
  readonly steps: readonly (readonly [records: number, positives: number])[];
}

/** What a baseline's labels tell of its scores, so that later scores can be weighed without labels. */
export interface ScoreCalibration {
  /** Short hash of the rest: counts of other steps are not added to those of these. */
  readonly id: string;
  /** The output that holds the score. */
  readonly score: string;
  /** `positives`: a score is that of a yes. `right`: it is the model's confidence in its prediction. */
  readonly of: 'positives' | 'right';
  /** The column that held the labels. */
  readonly label: string;
  readonly map: CalibrationMap;
}

/** Records per step of a map: whole numbers, so that counts merge by addition. */
export type StepCounts = readonly number[];

/** Labelled records of one range of scores: how many, the sum of their scores in units of 2^−20, and the positives. */
export type CalibrationBin = readonly [records: number, scoreSum: number, positives: number];

/** Bins of equal width over the scores from 0 to 1; the last one includes 1. */
export type CalibrationBins = readonly CalibrationBin[];
