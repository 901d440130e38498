import type { OutcomeDay, OutcomeDays } from '../../model/outcome-days.ts';
import { logMean, logProportionEvidence } from '../../stats/proportion-evidence.ts';

/** Days whose restarts share one budget for false alarms, counted from the epoch. */
export const evidencePeriodDays = 28;
/** Periods whose restarts are still followed: a decline is seen for two to three periods after the restart before it. */
const followedPeriods = 3;

/** What labelled outcomes say against "the rate is at least so high". */
export interface OutcomeEvidence {
  /** ln of the e-value; ln 100 = 4.6 is reached in at most 1 % of the periods in which the rate holds. */
  readonly logEvidence: number;
  /** The restart that says most: whole days since the epoch. Absent without outcomes. */
  readonly sinceDay?: number | undefined;
  /** Outcomes from that day on. */
  readonly successes: number;
  readonly trials: number;
}

/**
 * The evidence that a rate has fallen below `atLeast`, to be looked at as often as wanted.
 *
 * A test that runs from the very beginning forgets slowly: after healthy weeks it must first use up what they earned. So a
 * process starts afresh on each day; those of one period are averaged (weights 1/28, days to come count 1), which is again
 * an e-process; and the largest of the last three periods' averages counts.
 * @param today whole days since the epoch, not before the last outcome's
 * @throws {RangeError} where counts are not whole, days not ascending, or later than today
 */
export function measureEvidence(days: OutcomeDays, today: number, atLeast: number): OutcomeEvidence {
  checkDays(days, today);
  const none: OutcomeEvidence = { logEvidence: 0, successes: 0, trials: 0 };
  if (days.length === 0) return none;
  return averageRestarts(restartsFrom(days, firstFollowedDay(today), atLeast), today) ?? none;
}

/**
 * The largest of the last periods' averages over processes that start afresh on each day.
 * @param restarts the process that starts on a day; `sinceDay` is absent where nothing came from then on
 */
export function averageRestarts<Evidence extends Pick<OutcomeEvidence, 'logEvidence' | 'sinceDay'>>(
  restarts: (day: number) => Evidence,
  today: number,
): Evidence | undefined {
  let best: Evidence | undefined;
  for (let start = firstFollowedDay(today); start <= today; start += evidencePeriodDays) {
    const period = Array.from({ length: evidencePeriodDays }, (_, index) => restarts(start + index));
    const logEvidence = logMean(period.map((restart) => restart.logEvidence));
    if (logEvidence <= (best?.logEvidence ?? 0) && best?.sinceDay !== undefined) continue;
    const strongest = period.reduce((most, restart) => (restart.logEvidence >= most.logEvidence ? restart : most));
    best = { ...strongest, logEvidence };
  }
  return best;
}

/** What must be kept for `measureEvidence` from `today` on: at most 84 days. */
export function keepFollowedDays(days: OutcomeDays, today: number): OutcomeDays {
  const first = firstFollowedDay(today);
  return days.filter(([day]) => day >= first);
}

export function firstFollowedDay(today: number): number {
  return (Math.floor(today / evidencePeriodDays) - followedPeriods + 1) * evidencePeriodDays;
}

/** The process that starts on a day; those between two days with outcomes are the same. */
function restartsFrom(days: OutcomeDays, first: number, atLeast: number): (day: number) => OutcomeEvidence {
  const since: (readonly [day: number, evidence: OutcomeEvidence])[] = [];
  let successes = 0;
  let trials = 0;
  for (const [day, daySuccesses, dayTrials] of days.toReversed()) {
    if (day < first) break;
    successes += daySuccesses;
    trials += dayTrials;
    const logEvidence = logProportionEvidence(successes, trials, atLeast);
    since.push([day, { logEvidence, sinceDay: day, successes, trials }]);
  }
  since.reverse();
  const none = { logEvidence: 0, successes: 0, trials: 0 };
  return (start) => since.find(([day]) => day >= start)?.[1] ?? none;
}

function checkDays(days: OutcomeDays, today: number): void {
  let before: OutcomeDay | undefined;
  for (const day of days) {
    if (!(Number.isSafeInteger(day[0]) && day[0] <= today && day[0] > (before?.[0] ?? Number.NEGATIVE_INFINITY))) {
      throw new RangeError(
        `outcomes: expected whole ascending days up to ${today}, saw ${day[0]} after ${before?.[0]}`,
      );
    }
    const [, successes, trials] = day;
    if (!(Number.isSafeInteger(trials) && Number.isSafeInteger(successes) && successes >= 0 && successes <= trials)) {
      throw new RangeError(`outcomes: expected whole counts, successes among trials, saw ${successes} of ${trials}`);
    }
    before = day;
  }
}
