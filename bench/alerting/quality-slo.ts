import { judgeQuality } from '../../core/evaluate/performance/judge-quality.ts';
import { keepFollowedDays, measureEvidence } from '../../core/evaluate/performance/outcome-evidence.ts';
import type { OutcomeDay } from '../../core/model/outcome-days.ts';
import { alarmRate } from '../detection/alarm-rate.ts';
import { createRandomSource, type RandomSource } from '../detection/random-source.ts';
import { cohortOf, createQualityPolicy, dayName, firstDay, runUneven } from './label-streams.ts';

const bound = 0.85;
const labelsPerHour = 20;
const hourMilliseconds = 3_600_000;
const dayHours = 24;
/** Looks at which the evidence is far from red are not judged in full. */
const closeToRed = Math.log(20);

/** Precision by the hour, of labels that come within an hour, looked at each hour. */
interface HourlyStream {
  readonly healthyHours: number;
  readonly healthyRate: number;
  /** From then on, for so many hours. */
  readonly rate: number;
  readonly hours: number;
}

export interface QualityFigures {
  /** Weeks with a red, of weeks at a rate of exactly the objective. */
  readonly falseRed: number;
  readonly falseRedUpper95: number;
  readonly falseRedWeeks: number;
  readonly medianDelayHours: number;
  readonly delayHours90: number;
  readonly delayRuns: number;
  /** Streams of 380 days with a red, of those whose rate is exactly the objective and whose bad outcomes are known first. */
  readonly falseRedUneven: number;
  readonly falseRedUnevenUpper95: number;
  readonly unevenRuns: number;
  /** Of the same streams those where the labels that are there would have shown a broken objective. */
  readonly unevenShownByLabelsAlone: number;
  /** Days from .92 → .80 to red in such a stream, looked at daily; bad outcomes need 60 to be known. */
  readonly unevenMedianDelayDays: number;
}

export interface QualityRuns {
  readonly weeks: number;
  readonly declines: number;
  readonly uneven: number;
}

export function measureQualitySlo({ weeks, declines, uneven }: QualityRuns, seed: string): QualityFigures {
  const reds = Array.from({ length: weeks }, (_, run): number => {
    // A third each: the first week, and a week after four at the objective or well above it.
    const healthy = [
      { healthyHours: 0, healthyRate: bound },
      { healthyHours: 28 * dayHours, healthyRate: bound },
      { healthyHours: 28 * dayHours, healthyRate: 0.92 },
    ][run % 3] ?? { healthyHours: 0, healthyRate: bound };
    const stream = { ...healthy, rate: bound, hours: 7 * dayHours };
    return Number.isFinite(hoursToRed(stream, createRandomSource(`${seed} week ${run}`), run % 28)) ? 1 : 0;
  });
  const delays = Array.from({ length: declines }, (_, run) => {
    const stream = { healthyHours: 28 * dayHours + (run % 4) * 6, healthyRate: 0.92, rate: 0.8, hours: 400 };
    return hoursToRed(stream, createRandomSource(`${seed} decline ${run}`), run % 28);
  }).sort((a, b) => a - b);
  const stream = { perDay: 60, badAfterDays: 60, goodAfterDays: 300, labelsWithinDays: 61 };
  const outcomes = Array.from({ length: uneven }, (_, run) => {
    const random = createRandomSource(`${seed} uneven ${run}`);
    return runUneven({ ...stream, days: 380, everyDays: 10, rateOf: () => bound }, () => random.uniform());
  });
  const unevenDelays = Array.from({ length: Math.ceil(uneven / 15) }, (_, run) => {
    const random = createRandomSource(`${seed} uneven decline ${run}`);
    const rateOf = (day: number) => (day < 150 ? 0.92 : 0.8);
    return runUneven({ ...stream, days: 260, everyDays: 1, rateOf }, () => random.uniform()).red - 150;
  }).sort((a, b) => a - b);
  const unevenReds = outcomes.map(({ red }) => (Number.isFinite(red) ? 1 : 0));
  return {
    falseRed: alarmRate(reds, 1).perModelWeek,
    falseRedUpper95: alarmRate(reds, 1).upper95,
    falseRedWeeks: weeks,
    medianDelayHours: delays[Math.floor(declines / 2)] ?? Number.POSITIVE_INFINITY,
    delayHours90: delays[Math.floor(0.9 * declines)] ?? Number.POSITIVE_INFINITY,
    delayRuns: declines,
    falseRedUneven: alarmRate(unevenReds, 1).perModelWeek,
    falseRedUnevenUpper95: alarmRate(unevenReds, 1).upper95,
    unevenRuns: uneven,
    unevenShownByLabelsAlone: outcomes.filter(({ naiveRed }) => Number.isFinite(naiveRed)).length,
    unevenMedianDelayDays: unevenDelays[Math.floor(unevenDelays.length / 2)] ?? Number.POSITIVE_INFINITY,
  };
}

/**
 * Hours from the change of the rate to the first red, the hour that labels take included; Infinity: none within the stream.
 * @param shift days by which the stream begins later in the period of restarts
 */
export function hoursToRed(stream: HourlyStream, random: RandomSource, shift: number): number {
  const policy = createQualityPolicy([{ labelsWithinSeconds: 3600 }]);
  const good: number[] = [];
  const beginDay = firstDay / (dayHours * hourMilliseconds) + shift;
  const days: OutcomeDay[] = [];
  for (let hour = 0; hour < stream.healthyHours + stream.hours; hour++) {
    const rate = hour < stream.healthyHours ? stream.healthyRate : stream.rate;
    const drawn = Array.from({ length: labelsPerHour }, () => random.uniform()).filter((one) => one < rate).length;
    good.push(drawn);
    // Counted an hour after it ended.
    const day = beginDay + Math.floor((hour + 1) / dayHours);
    const last = days.at(-1);
    if (last?.[0] === day) days[days.length - 1] = [day, last[1] + drawn, last[2] + labelsPerHour];
    else days.push([day, drawn, labelsPerHour]);
    if (hour < stream.healthyHours) continue;
    if (measureEvidence(keepFollowedDays(days, day), day, bound).logEvidence < closeToRed) continue;
    const now = beginDay * dayHours * hourMilliseconds + (hour + 2) * hourMilliseconds;
    const cohorts = cohortsOf(good, shift);
    const { tier } = judgeQuality({ policy, cohorts, ids: 0, matched: 0, now, calibrations: new Map() });
    if (tier === 'red') return hour + 2 - stream.healthyHours;
  }
  return Number.POSITIVE_INFINITY;
}

function cohortsOf(good: readonly number[], shift: number) {
  return Array.from({ length: Math.ceil(good.length / dayHours) }, (_, day) =>
    cohortOf(
      { day: dayName(day + shift) },
      {
        hours: good.slice(day * dayHours, (day + 1) * dayHours).map((successes, hour) => ({
          hour,
          predicted: labelsPerHour,
          others: 0,
          truePositives: successes,
          falsePositives: labelsPerHour - successes,
          falseNegatives: 0,
          trueNegatives: 0,
        })),
      },
    ),
  );
}
