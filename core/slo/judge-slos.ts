import type { AvailabilitySloPolicy, LatencySloPolicy, SloPolicy } from '../model/policy.ts';
import type { SloVerdict } from '../model/verdict.ts';
import { binomialUpperTail } from '../stats/binomial.ts';
import { findShortStretch } from '../stats/short-stretch.ts';
import { type BurnRate, budgetOf, burnRate, type Objective } from './burn-rate.ts';
import { countPeriod, type EventHistory, errorBudgetRemaining } from './error-budget.ts';

/** The pair of windows that pages: at 14.4 times the budgeted rate, 2 % of a 30-day budget is gone in an hour. */
export const pageRule = { longMinutes: 60, shortMinutes: 5, burnRate: 14.4 } as const;

/** Five minutes, or as far back as it takes to see five requests. */
const shortStretch = { minutes: pageRule.shortMinutes, maximumMinutes: pageRule.longMinutes, events: 5 } as const;

/** Chance, at exactly the budgeted error rate, of as many bad events in the long window (statistics A10). */
const guardLevel = 1e-5;

/**
 * Burn rate at which an objective pages: 14.4, or less where the budget is so wide that 14.4 times it is more than
 * half of all requests. From an objective of 0.965 down half of the requests failing is enough, or the whole budget
 * where that is more; without this, objectives under 0.931 could never page.
 */
export function pageBurnRate(slo: Objective): number {
  return Math.min(pageRule.burnRate, Math.max(1, 0.5 / budgetOf(slo)));
}

/**
 * Judges the latency and availability objectives at the minute `endMinute` (exclusive; see `findWatermark`). An
 * objective is broken where the burn rate of both the last hour and the last five minutes (with little traffic the last
 * five requests, see `findShortStretch`) reaches the page's, and the
 * bad events of the hour are more than chance explains at exactly the budgeted rate: with ten requests an hour one
 * failure is a burn rate of 100 and means nothing. `good` and `valid` are those of the last hour.
 * @throws {RangeError} for an objective outside (0, 1)
 */
export function judgeSlos(slos: readonly SloPolicy[], history: EventHistory, endMinute: number): readonly SloVerdict[] {
  return slos.filter(isCounted).map((slo) => {
    const long = burnRate(history.slots, slo, endMinute, pageRule.longMinutes);
    const events = history.slots.map(
      ({ minute, slis }) => [minute, slis.find(([name]) => name === slo.name)?.[2] ?? 0] as const,
    );
    const shortStart = findShortStretch(events, endMinute, shortStretch);
    const short = burnRate(history.slots, slo, endMinute, endMinute - shortStart);
    const period = countPeriod(history, slo.name, endMinute, slo.periodSeconds);
    return {
      name: slo.name,
      kind: slo.kind,
      objective: slo.objective,
      good: long.good,
      valid: long.valid,
      burnRateLong: long.rate,
      burnRateShort: short.rate,
      errorBudgetRemaining: errorBudgetRemaining(slo, period),
      broken: pages(slo, long, short),
    };
  });
}

/** True where the pair of windows pages and the long one is beyond chance. */
export function pages(slo: Objective, long: BurnRate, short: BurnRate): boolean {
  const threshold = pageBurnRate(slo);
  if (long.rate === undefined || short.rate === undefined) return false;
  if (long.rate < threshold || short.rate < threshold) return false;
  return binomialUpperTail(long.valid - long.good, long.valid, budgetOf(slo)) <= guardLevel;
}

function isCounted(slo: SloPolicy): slo is LatencySloPolicy | AvailabilitySloPolicy {
  return slo.kind !== 'completeness';
}
