import type { MinuteSlot } from '../model/profile.ts';
import { countClusters, fewestClusters } from './burn-guard.ts';
import { type BurnRate, budgetOf, countEvents, type EventCount, type Objective, toBurnRate } from './burn-rate.ts';
import type { HourSli, HourSum } from './minute-slots.ts';

/** Where the events of a period are kept. */
export interface EventHistory {
  /** Hourly sums; those from `slotsFrom` on are not looked at. Ascending, one per hour. */
  readonly hours: readonly HourSum[];
  /** Minute slots; those before `slotsFrom` are not looked at. */
  readonly slots: readonly MinuteSlot[];
  /** The hour (since the epoch) from which on the minute slots are complete. */
  readonly slotsFrom: number;
}

/**
 * Events of an objective in the period that ends at `endMinute` (exclusive): older hours from hourly sums, the rest
 * from minute slots. An hour that the period's start cuts is counted whole, where only its sum is left.
 */
export function countPeriod(history: EventHistory, slo: string, endMinute: number, periodSeconds: number): EventCount {
  const startMinute = endMinute - Math.floor(periodSeconds / 60);
  const recent = countEvents(history.slots, slo, Math.max(startMinute, history.slotsFrom * 60), endMinute);
  let { good, valid } = recent;
  for (const [, [, goodHere, validHere]] of pastHours(history, slo, startMinute, endMinute)) {
    good += goodHere;
    valid += validHere;
  }
  return { good, valid };
}

/**
 * Burn rate over the `lengthMinutes` before `endMinute` (exclusive), which may reach back into hours of which only the
 * sums are left. The one that the start cuts is counted whole.
 * @throws {RangeError} for an objective outside (0, 1)
 */
export function burnRateOver(
  history: EventHistory,
  slo: Objective,
  endMinute: number,
  lengthMinutes: number,
): BurnRate {
  const startMinute = endMinute - lengthMinutes;
  const clusters = [...pastHours(history, slo.name, startMinute, endMinute)].reduce(
    (sum, [, [, good, valid, counted]]) => sum + (counted ?? fewestClusters(valid - good)),
    countClusters(history.slots, slo.name, Math.max(startMinute, history.slotsFrom * 60), endMinute),
  );
  return toBurnRate(slo, countPeriod(history, slo.name, endMinute, lengthMinutes * 60), clusters);
}

/** The first minute with events of an objective in the period that ends at `endMinute`; undefined: there are none. */
export function firstMinute(
  history: EventHistory,
  slo: string,
  endMinute: number,
  periodSeconds: number,
): number | undefined {
  const startMinute = endMinute - Math.floor(periodSeconds / 60);
  for (const [hour, [, , valid]] of pastHours(history, slo, startMinute, endMinute)) {
    if (valid > 0) return Math.max(hour * 60, startMinute);
  }
  const from = Math.max(startMinute, history.slotsFrom * 60);
  return history.slots.find(
    ({ minute, slis }) =>
      minute >= from && minute < endMinute && slis.some(([name, , valid]) => name === slo && valid > 0),
  )?.minute;
}

/** The sums that count of [startMinute, endMinute), ascending. */
function* pastHours(
  { hours, slotsFrom }: EventHistory,
  slo: string,
  startMinute: number,
  endMinute: number,
): Generator<readonly [hour: number, sli: HourSli]> {
  const end = Math.min(slotsFrom, endMinute / 60);
  for (let index = indexOfHour(hours, Math.floor(startMinute / 60)); index < hours.length; index++) {
    const sum = hours[index];
    if (!sum || sum.hour >= end) return;
    for (const sli of sum.slis) if (sli[0] === slo) yield [sum.hour, sli];
  }
}

/** Of the first sum at or after an hour. A budget's period holds hundreds, and most windows look at a few. */
function indexOfHour(hours: readonly HourSum[], wanted: number): number {
  let [low, high] = [0, hours.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((hours[middle]?.hour ?? wanted) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Share of the error budget that is left: 1 − bad / (valid · (1 − objective)). 1 where nothing was bad or nothing
 * happened, 0 where the budget is spent exactly, negative when overspent.
 * @throws {RangeError} for an objective outside (0, 1)
 */
export function errorBudgetRemaining(slo: Objective, { good, valid }: EventCount): number {
  const budget = budgetOf(slo);
  return valid === 0 ? 1 : 1 - (valid - good) / (valid * budget);
}

/** What a projection starts from. */
export interface BudgetState {
  /** Share of the budget of the events so far: `errorBudgetRemaining`. */
  readonly remaining: number;
  readonly periodSeconds: number;
  /** How much of the period has events: less than all of it where the model is new. */
  readonly coveredSeconds: number;
}

/**
 * Seconds until the budget is spent if failures go on at `burnRate` and traffic as on average; 0 where it is spent.
 * What was burnt stays burnt, though the oldest of it leaves the period meanwhile. With the whole period behind it, a
 * share of r lasts r · period / rate. A new model's budget still grows with its traffic, so it lasts longer.
 * @param burnRate above 0
 */
export function secondsToExhaustion(
  { remaining, periodSeconds, coveredSeconds }: BudgetState,
  burnRate: number,
): number {
  if (remaining <= 0) return 0;
  const covered = Math.min(coveredSeconds, periodSeconds);
  const whileGrowing = burnRate > 1 ? (remaining * covered) / (burnRate - 1) : Number.POSITIVE_INFINITY;
  if (whileGrowing <= periodSeconds - covered) return whileGrowing;
  return (periodSeconds - (1 - remaining) * covered) / burnRate;
}
