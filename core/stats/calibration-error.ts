/** Labelled records of one range of scores; the sum of scores in units of 2^−20: see `CalibrationBins` of core/model. */
export type CalibrationSums = readonly (readonly [records: number, scoreSum: number, positives: number])[];

/** Scores are rounded to this many parts of 1, so that sums are whole numbers and merge exactly in any order. */
const scoreUnits = 2 ** 20;

export interface CalibrationError {
  readonly records: number;
  /** Σ n·|mean score − share of positives| / Σ n, from 0 to 1. */
  readonly expected: number;
  /** The largest difference of a bin. */
  readonly maximum: number;
  /** What `expected` would be about in a calibrated model with these counts: chance alone makes it positive. */
  readonly byChance: number;
  /** Mean score less share of positives: above 0 the scores are too high. */
  readonly bias: number;
}

/**
 * Expected calibration error (Naeini et al. 2015; Guo et al. 2017). It sees no error within a bin, and grows with fewer records:
 * read it against `byChance`. Undefined without records.
 */
export function expectedCalibrationError(sums: CalibrationSums): CalibrationError | undefined {
  const bins = occupied(sums).map(
    ([records, scoreSum, positives]) => [records, scoreSum / scoreUnits, positives] as const,
  );
  const records = bins.reduce((sum, [n]) => sum + n, 0);
  if (records === 0) return undefined;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / records;
  return {
    records,
    expected: mean(bins.map(([, said, happened]) => Math.abs(said - happened))),
    maximum: Math.max(...bins.map(([n, said, happened]) => Math.abs(said - happened) / n)),
    // E|X| of a normal X with the binomial's variance.
    byChance: mean(bins.map(([n, said]) => Math.sqrt((2 / Math.PI) * said * (1 - said / n)))),
    bias: mean(bins.map(([, said, happened]) => said - happened)),
  };
}

function occupied(sums: CalibrationSums): CalibrationSums {
  return sums.filter(([records]) => records > 0);
}
