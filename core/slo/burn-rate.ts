import type { MinuteSlot } from '../model/profile.ts';
import { countClusters } from './burn-guard.ts';

/** What an objective needs to be counted: its name in the slots, and the share that must be good. */
export interface Objective {
  readonly name: string;
  /** In (0, 1). */
  readonly objective: number;
}

/** Events of one objective in a stretch of time. */
export interface EventCount {
  readonly good: number;
  readonly valid: number;
}

/** Events of one objective in the slots of [from, to), in minutes since the epoch. */
export function countEvents(slots: Iterable<MinuteSlot>, slo: string, from: number, to: number): EventCount {
  let good = 0;
  let valid = 0;
  for (const slot of slots) {
    if (slot.minute < from || slot.minute >= to) continue;
    for (const [name, goodHere, validHere] of slot.slis) {
      if (name !== slo) continue;
      good += goodHere;
      valid += validHere;
    }
  }
  return { good, valid };
}

/** A stretch's error rate against the budgeted one. */
export interface BurnRate extends EventCount {
  /** Clusters that the bad events form: `countClusters`. */
  readonly clusters: number;
  /** Error rate in multiples of the rate that would spend the error budget exactly; undefined without valid events. */
  readonly rate: number | undefined;
}

/**
 * Burn rate over the `lengthMinutes` before `endMinute` (exclusive): (bad / valid) / (1 − objective).
 * Site Reliability Workbook, chapter 5.
 * @throws {RangeError} for an objective outside (0, 1)
 */
export function burnRate(
  slots: Iterable<MinuteSlot>,
  slo: Objective,
  endMinute: number,
  lengthMinutes: number,
): BurnRate {
  const from = endMinute - lengthMinutes;
  const events = countEvents(slots, slo.name, from, endMinute);
  return toBurnRate(slo, events, countClusters(slots, slo.name, from, endMinute));
}

/** @throws {RangeError} for an objective outside (0, 1) */
export function toBurnRate(slo: Objective, { good, valid }: EventCount, clusters: number): BurnRate {
  const budget = budgetOf(slo);
  return { good, valid, clusters, rate: valid > 0 ? (valid - good) / valid / budget : undefined };
}

/**
 * The share of events that may be bad.
 * @throws {RangeError} for an objective outside (0, 1)
 */
export function budgetOf({ name, objective }: Objective): number {
  if (!(objective > 0 && objective < 1)) {
    throw new RangeError(`service-level objective ${name}: expected an objective between 0 and 1, saw ${objective}`);
  }
  return 1 - objective;
}
