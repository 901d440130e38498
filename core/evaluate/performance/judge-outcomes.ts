import type { OutcomeDays } from '../../model/outcome-days.ts';
import { clopperPearsonInterval, type ProportionInterval } from '../../stats/proportion-intervals.ts';
import { formatInstant, formatNumber, formatShare } from '../number-text.ts';
import { measureEvidence, type OutcomeEvidence } from './outcome-evidence.ts';

/** A rate of labelled outcomes that must hold. */
export interface OutcomeObjective {
  /** As a sentence names it: `precision`. */
  readonly measure: string;
  /** Smallest rate that is good, in (0, 1). */
  readonly atLeast: number;
  /** Days over which the rate itself is shown. */
  readonly periodDays: number;
  /** Share of 28-day periods that may be red although the rate holds, in (0, 1). */
  readonly level: number;
}

export interface OutcomeJudgement {
  /** Red. */
  readonly isBroken: boolean;
  readonly evidence: OutcomeEvidence;
  /** What the labels of the period show; absent where there are none. */
  readonly observed?:
    | {
        readonly successes: number;
        readonly trials: number;
        readonly share: number;
        readonly interval: ProportionInterval;
      }
    | undefined;
  readonly message: string;
}

const secondsPerDay = 86_400;

/**
 * Judges labelled outcomes against their objective; it may be asked every hour. Red says that the rate lies below the objective
 * since some day, which the rate over the whole period may not show yet.
 * @param today whole days since the epoch
 * @throws {RangeError} on impossible counts, rates and levels
 */
export function judgeOutcomes(days: OutcomeDays, today: number, objective: OutcomeObjective): OutcomeJudgement {
  const { measure, atLeast, level, periodDays } = objective;
  if (!(level > 0 && level < 1)) throw new RangeError(`outcomes: expected a level in (0, 1), saw ${level}`);
  const evidence = measureEvidence(days, today, atLeast);
  const isBroken = evidence.logEvidence >= -Math.log(level);
  const recent = days.filter(([day]) => day > today - periodDays);
  const successes = recent.reduce((sum, [, count]) => sum + count, 0);
  const trials = recent.reduce((sum, [, , count]) => sum + count, 0);
  const wanted = `at least ${formatShare(atLeast)} is wanted`;
  if (trials === 0 && !isBroken) {
    return { isBroken, evidence, message: `${measure}: no label in ${formatDays(periodDays)}; ${wanted}` };
  }
  const observed =
    trials === 0
      ? undefined
      : { successes, trials, share: successes / trials, interval: clopperPearsonInterval(successes, trials) };
  const shown = observed
    ? `${formatShare(observed.share)} of ${formatNumber(trials)} in ${formatDays(periodDays)} (95 %: ${formatShare(observed.interval.lower)} to ${formatShare(observed.interval.upper)})`
    : `no label in ${formatDays(periodDays)}`;
  const since =
    isBroken && evidence.sinceDay !== undefined
      ? `; since ${formatInstant(evidence.sinceDay * secondsPerDay * 1000).slice(0, 10)} ${formatShare(evidence.successes / evidence.trials)} of ${formatNumber(evidence.trials)}, evidence ${formatEvidence(evidence.logEvidence)} to 1 (red from ${formatNumber(1 / level)})`
      : '';
  return { isBroken, evidence, observed, message: `${measure} ${shown}; ${wanted}${since}` };
}

function formatDays(days: number): string {
  return days === 1 ? '1 day' : `${formatNumber(days)} days`;
}

/** Beyond a double's range only the power of ten is told. */
function formatEvidence(logEvidence: number): string {
  return logEvidence < 600 ? formatNumber(Math.exp(logEvidence)) : `1e${Math.floor(logEvidence / Math.LN10)}`;
}
