import type { Cohort, QualityMeasure } from '../../model/labels.ts';
import type { OutcomeDay } from '../../model/outcome-days.ts';
import { addBets, type BetLogs, betOnMean, logMeanEvidence } from '../../stats/mean-evidence.ts';
import { averageRestarts, firstFollowedDay, keepFollowedDays, measureEvidence } from './outcome-evidence.ts';
import {
  addCounts,
  areaUnderCurve,
  boundOfShare,
  type DatedCounts,
  labelledOf,
  meanSquaredError,
  recordsOf,
  shareOutcomes,
} from './quality-counts.ts';

const millisecondsPerDay = 86_400_000;
/** Of the labels that are expected, those that must be there where those that wait can't be counted as good. */
const nearlyAll = 0.95;

/** Hours and cohorts by the day on which they count, whole days since the epoch. */
export interface CountingDay {
  readonly day: number;
  readonly hours: readonly DatedCounts[];
  /** Cohorts all of whose hours count by then. */
  readonly cohorts: readonly Cohort[];
}

export interface QualityEvidence {
  readonly logEvidence: number;
  /** The restart that says most: whole days since the epoch. */
  readonly sinceDay?: number | undefined;
}

/**
 * The evidence that an objective is broken, which may be looked at as often as wanted: see `measureEvidence`. Undefined for the
 * calibration error, which is not tested.
 * @param days ascending
 * @param coverage share of records that ever get a label
 */
export function measureQualityEvidence(
  measure: QualityMeasure,
  bound: number,
  coverage: number,
  days: readonly CountingDay[],
  now: number,
): QualityEvidence | undefined {
  const today = Math.floor(now / millisecondsPerDay);
  if (measure === 'calibration') return undefined;
  if (measure === 'rmse') return measureErrorEvidence(days, today, bound, coverage);
  const outcomes = days.flatMap((one): OutcomeDay[] => {
    const outcome = measure === 'auc' ? pairsOf(one, coverage) : sharesOf(measure, one, coverage);
    return outcome && outcome.trials > 0 ? [[one.day, outcome.successes, outcome.trials]] : [];
  });
  return measureEvidence(keepFollowedDays(outcomes, today), today, boundOfShare(measure, bound));
}

function sharesOf(measure: QualityMeasure, { hours }: CountingDay, coverage: number) {
  return shareOutcomes(measure, addCounts(hours.map(({ counts }) => counts)), coverage);
}

/**
 * Positives and negatives in pairs, each record in one: independent trials, whose chance is the area under the curve. Their mean over
 * all pairings takes the place of one drawn at random: evidence is convex in it, so that it can only become less. Rounded upwards.
 */
function pairsOf({ cohorts }: CountingDay, coverage: number) {
  const outcomes = cohorts
    .filter((cohort) => isNearlyLabelled(countsOf(cohort), coverage))
    .flatMap(({ bins }) => {
      const curve = areaUnderCurve(bins);
      return curve ? [{ successes: Math.ceil(curve.area * curve.pairs), trials: curve.pairs }] : [];
    });
  return outcomes.reduce(
    (sum, one) => ({ successes: sum.successes + one.successes, trials: sum.trials + one.trials }),
    {
      successes: 0,
      trials: 0,
    },
  );
}

function countsOf({ hours }: Cohort): { readonly records: number; readonly labelled: number } {
  return hours.reduce(
    (sum, hour) => ({
      records: sum.records + hour.predicted + hour.others,
      labelled: sum.labelled + hour.truePositives + hour.falsePositives + hour.falseNegatives + hour.trueNegatives,
    }),
    { records: 0, labelled: 0 },
  );
}

function isNearlyLabelled(
  { records, labelled }: { readonly records: number; readonly labelled: number },
  coverage: number,
) {
  return labelled > 0 && labelled >= nearlyAll * coverage * records;
}

/** Each hour's mean squared error is a value; hours whose labels are not nearly all there wait. */
function measureErrorEvidence(
  days: readonly CountingDay[],
  today: number,
  atMost: number,
  coverage: number,
): QualityEvidence | undefined {
  const logs = new Map<number, BetLogs>();
  for (const { day, hours } of days) {
    const values = hours.flatMap((hour) => {
      const counts = { records: recordsOf(hour.counts), labelled: labelledOf(hour.counts) };
      const error = isNearlyLabelled(counts, coverage) ? meanSquaredError([hour]) : undefined;
      return error === undefined ? [] : [error];
    });
    if (values.length > 0) logs.set(day, betOnMean(values, atMost ** 2));
  }
  const since: (QualityEvidence & { readonly sinceDay: number })[] = [];
  let sum = betOnMean([], atMost ** 2);
  const first = firstFollowedDay(today);
  for (const [day, bets] of [...logs].filter(([day]) => day >= first && day <= today).sort(([a], [b]) => b - a)) {
    sum = addBets(sum, bets);
    since.push({ logEvidence: logMeanEvidence(sum), sinceDay: day });
  }
  since.reverse();
  const none: QualityEvidence = { logEvidence: 0 };
  return averageRestarts((start) => since.find(({ sinceDay }) => sinceDay >= start) ?? none, today) ?? none;
}
