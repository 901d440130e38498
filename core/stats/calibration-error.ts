import { chiSquaredUpperTail } from './chi-squared.ts';
import { poissonUpperTail } from './poisson-tail.ts';
import { type ProportionInterval, wilsonInterval } from './proportion-intervals.ts';

/** Labelled records of one range of scores; the sum of scores in units of 2^−20: see `CalibrationBins` of core/model. */
export type CalibrationSums = readonly (readonly [records: number, scoreSum: number, positives: number])[];

/** Scores are rounded to this many parts of 1, so that sums are whole numbers and merge exactly in any order. */
const scoreUnits = 2 ** 20;
export const calibrationBinCount = 20;

/** Counts labelled scores in bins of equal width. */
export class CalibrationCounter {
  readonly #bins: [records: number, scoreSum: number, positives: number][];

  constructor(bins: number = calibrationBinCount) {
    if (!(Number.isSafeInteger(bins) && bins >= 1 && bins <= 1_000)) {
      throw new RangeError(`calibration: expected 1 to 1,000 bins, saw ${bins}`);
    }
    this.#bins = Array.from({ length: bins }, () => [0, 0, 0]);
  }

  /** @returns false where the score is no probability: it is not counted. */
  add(score: number, isPositive: boolean): boolean {
    if (!(score >= 0 && score <= 1)) return false;
    const bin = this.#bins[Math.min(this.#bins.length - 1, Math.floor(score * this.#bins.length))];
    if (bin === undefined) return false;
    bin[0] += 1;
    bin[1] += Math.round(score * scoreUnits);
    if (isPositive) bin[2] += 1;
    return true;
  }

  finish(): CalibrationSums {
    return this.#bins.map(([records, scoreSum, positives]) => [records, scoreSum, positives] as const);
  }
}

/** Adds up sums over the same bins; of none there are none. Throws RangeError on different numbers of bins. */
export function mergeCalibrationSums(parts: readonly CalibrationSums[]): CalibrationSums {
  return parts.reduce(
    (sum, part) => {
      if (part.length !== sum.length)
        throw new RangeError(`calibration: expected ${sum.length} bins, saw ${part.length}`);
      return sum.map(([records, scoreSum, positives], index) => {
        const [n = 0, p = 0, y = 0] = part[index] ?? [];
        return [records + n, scoreSum + p, positives + y] as const;
      });
    },
    parts[0]?.map(() => [0, 0, 0] as const) ?? [],
  );
}

/** One point of a reliability diagram: what was said and what happened. */
export interface ReliabilityPoint {
  readonly records: number;
  readonly meanScore: number;
  readonly positiveShare: number;
  /** Of the positive share. */
  readonly interval: ProportionInterval;
}

/** The points of the occupied bins, by rising score. A calibrated model's lie on the diagonal. */
export function describeReliability(sums: CalibrationSums, confidence = 0.95): readonly ReliabilityPoint[] {
  return occupied(sums).map(([records, scoreSum, positives]) => ({
    records,
    meanScore: scoreSum / scoreUnits / records,
    positiveShare: positives / records,
    interval: wilsonInterval(positives, records, confidence),
  }));
}

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

/** Fewest expected positives, and expected negatives, of a group. */
const minimumExpected = 5;

/**
 * Hosmer and Lemeshow's test of scores that were fixed beforehand: X² = Σ (y − s)²/(s·(1 − s/n)) over bins with y positives
 * and scores that sum to s, χ² with as many degrees of freedom as groups. Neighbouring bins are pooled until 5 positives and
 * 5 negatives are expected, which looks at scores alone. Conservative where scores within a bin differ much. Where all bins
 * together expect fewer: 0 degrees of freedom, and whether the rarer outcome is more frequent than expected, by Poisson's law.
 */
export function testCalibration(sums: CalibrationSums): {
  statistic: number;
  degreesOfFreedom: number;
  pValue: number;
} {
  const expected = occupied(sums).map(([records, scoreSum, positives]) => {
    const said = scoreSum / scoreUnits;
    return { expected: said, negatives: records - said, observed: positives, variance: said * (1 - said / records) };
  });
  return testCounts(expected);
}

/** A number of positives beside the one expected, with its variance. */
export interface ExpectedCount {
  readonly expected: number;
  readonly negatives: number;
  readonly observed: number;
  readonly variance: number;
}

/** Σ (observed − expected)²/variance over neighbours pooled until 5 positives and 5 negatives are expected. */
export function testCounts(counts: readonly ExpectedCount[]): {
  statistic: number;
  degreesOfFreedom: number;
  pValue: number;
} {
  const isEnough = (group: ExpectedCount) => group.expected >= minimumExpected && group.negatives >= minimumExpected;
  const groups: ExpectedCount[] = [];
  let open: ExpectedCount | undefined;
  for (const count of counts) {
    open = open ? addCounts(open, count) : count;
    if (!isEnough(open)) continue;
    groups.push(open);
    open = undefined;
  }
  const last = groups.at(-1);
  if (open && last) groups[groups.length - 1] = addCounts(last, open);
  else if (open) return testRare(open);
  const statistic = groups.reduce(
    (sum, { expected, observed, variance }) => sum + (observed - expected) ** 2 / variance,
    0,
  );
  return { statistic, degreesOfFreedom: groups.length, pValue: chiSquaredUpperTail(statistic, groups.length) };
}

function testRare({ expected, negatives, observed, variance }: ExpectedCount) {
  const seen = expected <= negatives ? observed : expected + negatives - observed;
  // The variance is the larger one where the expectation itself is uncertain.
  const mean = Math.max(Math.min(expected, negatives), variance);
  return { statistic: seen, degreesOfFreedom: 0, pValue: poissonUpperTail(Math.round(seen), mean) };
}

function addCounts(a: ExpectedCount, b: ExpectedCount): ExpectedCount {
  return {
    expected: a.expected + b.expected,
    negatives: a.negatives + b.negatives,
    observed: a.observed + b.observed,
    variance: a.variance + b.variance,
  };
}

function occupied(sums: CalibrationSums): CalibrationSums {
  return sums.filter(([records]) => records > 0);
}
