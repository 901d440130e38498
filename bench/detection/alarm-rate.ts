import { chiSquaredUpperQuantile } from '../../core/stats/chi-squared.ts';

/** Alarms of simulated models that nothing was wrong with. */
export interface AlarmRate {
  /** Episodes (unbroken runs of yellow or red windows) begun in a week, on average. */
  readonly perModelWeek: number;
  /** One-sided 95 % upper bound of it. */
  readonly upper95: number;
}

/**
 * The rate and its bound from independent models with the same number of weeks each. Counts of rare events are Poisson:
 * the bound is the exact one, for a variance as large as the counts of the models show where that is more than their
 * mean.
 * @param alarms of each model
 */
export function alarmRate(alarms: readonly number[], weeksPerModel: number): AlarmRate {
  const weeks = alarms.length * weeksPerModel;
  if (weeks === 0) return { perModelWeek: 0, upper95: Number.POSITIVE_INFINITY };
  const total = alarms.reduce((sum, count) => sum + count, 0);
  const mean = total / alarms.length;
  const squares = alarms.reduce((sum, count) => sum + (count - mean) ** 2, 0);
  const dispersion = alarms.length > 1 && mean > 0 ? Math.max(1, squares / (alarms.length - 1) / mean) : 1;
  const upper = (dispersion * chiSquaredUpperQuantile(0.05, 2 * (total / dispersion + 1))) / 2;
  return { perModelWeek: total / weeks, upper95: upper / weeks };
}

/** Counts runs of windows in alarm. */
export class EpisodeCounter {
  episodes = 0;
  alarmWindows = 0;
  #inAlarm = false;

  add(inAlarm: boolean): void {
    if (inAlarm) this.alarmWindows++;
    if (inAlarm && !this.#inAlarm) this.episodes++;
    this.#inAlarm = inAlarm;
  }
}
