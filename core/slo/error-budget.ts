import type { MinuteSlot } from '../model/profile.ts';
import { budgetOf, countEvents, type EventCount, type Objective } from './burn-rate.ts';
import type { HourSum } from './minute-slots.ts';

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
  for (const { hour, slis } of history.hours) {
    if (hour >= history.slotsFrom || hour < Math.floor(startMinute / 60) || hour * 60 >= endMinute) continue;
    for (const [name, goodHere, validHere] of slis) {
      if (name !== slo) continue;
      good += goodHere;
      valid += validHere;
    }
  }
  return { good, valid };
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
