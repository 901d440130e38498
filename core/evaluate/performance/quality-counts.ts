import type { Cohort, QualityMeasure } from '../../model/labels.ts';
import type { QualityReading } from '../../model/verdict.ts';
import { expectedCalibrationError } from '../../stats/calibration-error.ts';
import { ExactSum } from '../../stats/exact-sum.ts';
import { wilsonInterval } from '../../stats/proportion-intervals.ts';

const millisecondsPerHour = 3_600_000;
const millisecondsPerDay = 86_400_000;

/** Records of an hour, or of several, by what was predicted and what the label says. */
export interface QualityCounts {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  /** Without a label. */
  readonly openPredicted: number;
  readonly openOthers: number;
}

export interface DatedCounts {
  /** Milliseconds since the epoch: the end of the hour of the inferences. */
  readonly end: number;
  readonly counts: QualityCounts;
  readonly squaredErrors?: string | undefined;
}

const none: QualityCounts = {
  truePositives: 0,
  falsePositives: 0,
  falseNegatives: 0,
  trueNegatives: 0,
  openPredicted: 0,
  openOthers: 0,
};

/** The hours of a cohort. */
export function hoursOf({ day, hours }: Cohort): readonly DatedCounts[] {
  return hours.map(({ hour, predicted, others, squaredErrors, ...outcomes }) => ({
    end: Date.parse(day) + (hour + 1) * millisecondsPerHour,
    counts: {
      truePositives: outcomes.truePositives,
      falsePositives: outcomes.falsePositives,
      falseNegatives: outcomes.falseNegatives,
      trueNegatives: outcomes.trueNegatives,
      openPredicted: predicted - outcomes.truePositives - outcomes.falsePositives,
      openOthers: others - outcomes.falseNegatives - outcomes.trueNegatives,
    },
    squaredErrors,
  }));
}

/** The end of a cohort's day, milliseconds since the epoch. */
export function endOfCohort({ day }: Pick<Cohort, 'day'>): number {
  return Date.parse(day) + millisecondsPerDay;
}

/** Cohorts by what answered. */
export function groupByVersion(
  cohorts: readonly Cohort[],
): readonly { readonly variant: string; readonly version: string; readonly cohorts: readonly Cohort[] }[] {
  const groups = Map.groupBy(cohorts, ({ variant, version }) => JSON.stringify([variant, version]));
  return [...groups.values()].flatMap(([first, ...others]) =>
    first ? [{ variant: first.variant, version: first.version, cohorts: [first, ...others] }] : [],
  );
}

export function addCounts(parts: readonly QualityCounts[]): QualityCounts {
  return parts.reduce(
    (sum, part) => ({
      truePositives: sum.truePositives + part.truePositives,
      falsePositives: sum.falsePositives + part.falsePositives,
      falseNegatives: sum.falseNegatives + part.falseNegatives,
      trueNegatives: sum.trueNegatives + part.trueNegatives,
      openPredicted: sum.openPredicted + part.openPredicted,
      openOthers: sum.openOthers + part.openOthers,
    }),
    none,
  );
}

export function labelledOf(counts: QualityCounts): number {
  return counts.truePositives + counts.falsePositives + counts.falseNegatives + counts.trueNegatives;
}

export function recordsOf(counts: QualityCounts): number {
  return labelledOf(counts) + counts.openPredicted + counts.openOthers;
}

/** A measure that is a share of outcomes, as trials and successes. */
export interface OutcomeShare {
  readonly successes: number;
  readonly trials: number;
}

/**
 * The outcomes that a measure is a share of. A record that waits for its label counts as good, as far as labels are expected: a
 * label that comes later can then only take a success away or leave it, so what is shown against the objective is never more than
 * what all labels will show. F1 is 2J/(1 + J) of the share J of right ones among those predicted or meant to be positive.
 * @param coverage share of records that ever get a label
 */
export function shareOutcomes(
  measure: QualityMeasure,
  counts: QualityCounts,
  coverage: number,
): OutcomeShare | undefined {
  const { truePositives, falsePositives, falseNegatives, trueNegatives, openPredicted, openOthers } = counts;
  const waiting = waitingOf(truePositives + falsePositives, openPredicted, coverage);
  switch (measure) {
    case 'precision':
      return { successes: truePositives + waiting, trials: truePositives + falsePositives + waiting };
    case 'recall':
      return { successes: truePositives + waiting, trials: truePositives + falseNegatives + waiting };
    case 'f1':
      return { successes: truePositives + waiting, trials: truePositives + falsePositives + falseNegatives + waiting };
    case 'accuracy': {
      const all = labelledOf(counts);
      const open = waitingOf(all, openPredicted + openOthers, coverage);
      return { successes: truePositives + trueNegatives + open, trials: all + open };
    }
    default:
      return undefined;
  }
}

/** Records without a label that are still expected to get one. */
function waitingOf(labelled: number, open: number, coverage: number): number {
  return Math.min(open, Math.max(0, Math.ceil(coverage * (labelled + open)) - labelled));
}

/** What must hold of the share for the measure to be as large as this. */
export function boundOfShare(measure: QualityMeasure, bound: number): number {
  return measure === 'f1' ? bound / (2 - bound) : bound;
}

/** The measure that a share of outcomes makes. */
export function showShare(measure: QualityMeasure, share: number): number {
  return measure === 'f1' ? (2 * share) / (1 + share) : share;
}

/** The chance that a positive has the higher score, of labelled records by score; those of one bin are ties. */
export function areaUnderCurve(bins: Cohort['bins']): { readonly area: number; readonly pairs: number } | undefined {
  const positives = bins.reduce((sum, [, , , count]) => sum + count, 0);
  const negatives = bins.reduce((sum, [, records]) => sum + records, 0) - positives;
  if (positives === 0 || negatives === 0) return undefined;
  let below = 0;
  let area = 0;
  for (const [, records, , count] of bins.toSorted(([a], [b]) => a - b)) {
    area += count * (below + (records - count) / 2);
    below += records - count;
  }
  return { area: area / positives / negatives, pairs: Math.min(positives, negatives) };
}

export function addBins(parts: readonly Cohort['bins'][]): Cohort['bins'] {
  const sums = new Map<number, readonly [number, number, number]>();
  for (const [bin, records, scoreSum, positives] of parts.flat()) {
    const [n = 0, s = 0, y = 0] = sums.get(bin) ?? [];
    sums.set(bin, [n + records, s + scoreSum, y + positives]);
  }
  return [...sums].sort(([a], [b]) => a - b).map(([bin, counts]) => [bin, ...counts] as const);
}

/** Mean squared error of labelled records; undefined where there are none. */
export function meanSquaredError(hours: readonly DatedCounts[]): number | undefined {
  const sum = new ExactSum();
  for (const { squaredErrors } of hours) if (squaredErrors !== undefined) sum.merge(ExactSum.parse(squaredErrors));
  const labelled = hours.reduce((total, { counts }) => total + labelledOf(counts), 0);
  return labelled > 0 ? Math.max(0, sum.dividedBy(labelled)) : undefined;
}

/** Groups of a hundredth of the scores that the calibration error is measured in: twenty of five. */
const binsPerGroup = 5;

function calibrationOf(bins: Cohort['bins']) {
  const groups = new Map<number, [records: number, scoreSum: number, positives: number]>();
  for (const [bin, records, scoreSum, positives] of bins) {
    const key = Math.floor(bin / binsPerGroup);
    const group = groups.get(key) ?? [0, 0, 0];
    groups.set(key, [group[0] + records, group[1] + scoreSum, group[2] + positives]);
  }
  return expectedCalibrationError([...groups.values()]);
}

/** What labels alone show of some hours; `bins` are those of the cohorts that they make up. */
export function readQuality(
  measure: QualityMeasure,
  hours: readonly DatedCounts[],
  bins: Cohort['bins'],
): Omit<QualityReading, 'estimated'> {
  const counts = addCounts(hours.map((hour) => hour.counts));
  const base = { records: recordsOf(counts), labelled: labelledOf(counts) };
  const plain = (value: number | undefined) => ({ ...base, value: value ?? null, lower: null, upper: null });
  if (measure === 'auc') return plain(areaUnderCurve(bins)?.area);
  if (measure === 'calibration') return plain(calibrationOf(bins)?.expected);
  if (measure === 'rmse') {
    const squared = meanSquaredError(hours);
    return plain(squared === undefined ? undefined : Math.sqrt(squared));
  }
  // As if no other label came.
  const share = shareOutcomes(measure, { ...counts, openPredicted: 0, openOthers: 0 }, 1);
  if (!share || share.trials === 0) return plain(undefined);
  const { lower, upper } = wilsonInterval(share.successes, share.trials);
  const shown = (of: number) => showShare(measure, of);
  return { ...base, value: shown(share.successes / share.trials), lower: shown(lower), upper: shown(upper) };
}
