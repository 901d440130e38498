import { findShortStretch, type ShortStretch } from '../stats/short-stretch.ts';
import { probabilityWithinBudget } from './burn-guard.ts';
import { type BurnRate, budgetOf, burnRate, type Objective } from './burn-rate.ts';
import { burnRateOver, type EventHistory } from './error-budget.ts';

/** A pair of windows that must both burn the budget too fast (Site Reliability Workbook, chapter 5). */
export interface BurnRule {
  /** red pages, yellow is a ticket. */
  readonly tier: 'yellow' | 'red';
  /** In multiples of the rate that spends the budget exactly. */
  readonly burnRate: number;
  /** Is it enough to matter? */
  readonly longMinutes: number;
  /** Does it still go on? */
  readonly shortMinutes: number;
  /** The short window where traffic is low, to begin and to go on; absent: its length is fixed. */
  readonly stretches?: { readonly begin: ShortStretch; readonly goOn: ShortStretch };
}

const pageBurn = 14.4;
const hour = 60;
const day = 24 * hour;

/**
 * The most urgent first. Of a 30-day budget, 2 % is gone in an hour at 14.4 times the budgeted rate, 5 % in six hours at 6
 * times, 10 % in a day at 3 times and in three days at the budgeted rate itself. Short windows reach no further back than
 * two hours by minutes: older ones are known by the hour.
 */
export const burnRules: readonly BurnRule[] = [
  {
    tier: 'red',
    burnRate: pageBurn,
    longMinutes: hour,
    shortMinutes: 5,
    stretches: {
      begin: { minutes: 5, maximumMinutes: hour, events: 5 },
      goOn: { minutes: 15, maximumMinutes: hour, events: 15 },
    },
  },
  {
    tier: 'red',
    burnRate: 6,
    longMinutes: 6 * hour,
    shortMinutes: 30,
    stretches: {
      begin: { minutes: 30, maximumMinutes: 2 * hour, events: 5 },
      goOn: { minutes: 30, maximumMinutes: 2 * hour, events: 15 },
    },
  },
  { tier: 'yellow', burnRate: 3, longMinutes: day, shortMinutes: 2 * hour },
  { tier: 'yellow', burnRate: 1, longMinutes: 3 * day, shortMinutes: 6 * hour },
];

/** Chance, at exactly the budgeted error rate, of as many clusters of bad events in the long window. */
export const guardLevel = 1e-5;

/**
 * What a rule that has rung goes by until it is over, so that it does not ring anew with every other event: the long
 * window may be a little under the rate, the short one, which must hold more events, down to half of it, and chance may
 * explain the long one as often as once in a hundred.
 */
const release = { longShare: 0.8, shortShare: 0.5, level: 0.01 } as const;

/**
 * Burn rate at which a rule rings for an objective: its own, or less where the budget is so wide that 14.4 times it is more
 * than half of all events. From an objective of 0.965 down half of the events failing for an hour is enough to page, or
 * the whole budget where that is more, and the other rules in proportion.
 */
export function ruleBurnRate(rule: BurnRule, slo: Objective): number {
  return Math.max(1, Math.min(rule.burnRate, (0.5 / budgetOf(slo)) * (rule.burnRate / pageBurn)));
}

/** What one rule sees. */
export interface RuleReading {
  readonly rule: BurnRule;
  /** `ruleBurnRate`. */
  readonly threshold: number;
  readonly long: BurnRate;
  readonly short: BurnRate;
}

/** @throws {RangeError} for an objective outside (0, 1) */
export function readRule(rule: BurnRule, slo: Objective, history: EventHistory, endMinute: number): RuleReading {
  return {
    rule,
    threshold: ruleBurnRate(rule, slo),
    long: burnRateOver(history, slo, endMinute, rule.longMinutes),
    short: readShort(rule, slo, history, endMinute, rule.stretches?.begin),
  };
}

/** True where both windows burn too fast and the failures of the long one are beyond chance. */
export function rings(slo: Objective, { threshold, long, short }: RuleReading): boolean {
  if (long.rate === undefined || short.rate === undefined) return false;
  if (long.rate < threshold || short.rate < threshold) return false;
  return isBeyondChance(slo, long, guardLevel);
}

/** True where a rule that has rung is not over yet. */
export function goesOn(
  slo: Objective,
  { rule, threshold, long }: RuleReading,
  history: EventHistory,
  endMinute: number,
): boolean {
  if (long.rate === undefined || long.rate < release.longShare * threshold) return false;
  const short = readShort(rule, slo, history, endMinute, rule.stretches?.goOn);
  if (short.rate === undefined || short.rate < release.shortShare * threshold) return false;
  return isBeyondChance(slo, long, release.level);
}

/** True where chance explains a stretch's clusters of failures at most this often at exactly the budgeted rate. */
export function isBeyondChance(slo: Objective, stretch: BurnRate, level: number): boolean {
  return probabilityWithinBudget(stretch, stretch.clusters, budgetOf(slo)) <= level;
}

function readShort(
  rule: BurnRule,
  slo: Objective,
  history: EventHistory,
  endMinute: number,
  stretch: ShortStretch | undefined,
): BurnRate {
  if (stretch === undefined) return burnRateOver(history, slo, endMinute, rule.shortMinutes);
  const counted = history.slots.map(
    ({ minute, slis }) => [minute, slis.find(([name]) => name === slo.name)?.[2] ?? 0] as const,
  );
  return burnRate(history.slots, slo, endMinute, endMinute - findShortStretch(counted, endMinute, stretch));
}
