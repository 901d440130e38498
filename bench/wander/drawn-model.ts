import type { BinPlan } from '../../core/evaluate/bin-plan.ts';
import { createWindowSet, type WindowSet } from '../../core/evaluate/window-set.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import { normalQuantile, normalUpperTail } from '../../core/stats/normal.ts';
import { addMultinomial, samplePoisson } from '../detection/count-samplers.ts';
import type { RandomSource } from '../detection/random-source.ts';

/** A stream of hourly windows of normal features, counted in deciles. */
export interface ModelDesign {
  readonly features: number;
  readonly recordsPerHour: number;
  /** Standard deviation of a feature's mean from day to day, in standard deviations of the feature. */
  readonly dailyWander: number;
  /** Spread of that standard deviation between features: the standard deviation of its logarithm. */
  readonly wanderSpread: number;
  /** Correlation of one day's wander with the next one's. */
  readonly persistence: number;
  /** The first features change so when live time begins. */
  readonly drifting: number;
  readonly shift: number;
  readonly widening: number;
}

export const bins = 10;
export const hoursPerDay = 24;
export const baselineDays = 28;
const start = Date.UTC(2026, 2, 2);
const swing = 0.3;

/** Numeric with ten bins and a bin of missing values that stays empty. */
export const plan: BinPlan = { kind: 'numeric', coarseBins: bins + 1, bins: bins + 1, values: bins, unseen: -1 };

export interface DrawnWindow {
  readonly start: number;
  readonly records: number;
  /** Per feature, missing last. */
  readonly counts: readonly Float64Array[];
}

/** Deciles of a feature over its season. */
const edges = Array.from(
  { length: bins - 1 },
  (_, index) => Math.sqrt(1 + swing ** 2) * normalQuantile((index + 1) / bins),
);

/** Draws the baseline's and the live hours of one model. */
export function* drawModel(design: ModelDesign, random: RandomSource, hours: number): Generator<DrawnWindow> {
  const { features } = design;
  const phases = Float64Array.from({ length: features }, () => 2 * Math.PI * random.uniform());
  const directions = Float64Array.from({ length: features }, () => (random.uniform() < 0.5 ? -1 : 1));
  const wander = Float64Array.from(
    { length: features },
    () => design.dailyWander * Math.exp(design.wanderSpread * random.normal() - design.wanderSpread ** 2),
  );
  const daily = Float64Array.from({ length: features }, () => random.normal());
  const shares = new Float64Array(bins);
  for (let hour = 0; hour < hours; hour++) {
    if (hour % hoursPerDay === 0) {
      const fresh = Math.sqrt(1 - design.persistence ** 2);
      for (let feature = 0; feature < features; feature++) {
        daily[feature] = design.persistence * (daily[feature] ?? 0) + fresh * random.normal();
      }
    }
    const weekend = Math.floor(hour / hoursPerDay) % 7 >= 5;
    const records = samplePoisson(random, design.recordsPerHour * (weekend ? 0.5 : 1));
    const isLive = hour >= baselineDays * hoursPerDay;
    const counts = Array.from({ length: features }, (_, feature) => {
      const drifts = isLive && feature < design.drifting;
      const mean =
        swing * Math.sin((2 * Math.PI * hour) / hoursPerDay + (phases[feature] ?? 0)) +
        (weekend ? swing * (directions[feature] ?? 0) : 0) +
        (wander[feature] ?? 0) * (daily[feature] ?? 0) +
        (drifts ? design.shift : 0);
      const deviation = drifts ? design.widening : 1;
      let above = 1;
      edges.forEach((edge, bin) => {
        const next = normalUpperTail((edge - mean) / deviation);
        shares[bin] = above - next;
        above = next;
      });
      shares[bins - 1] = above;
      const row = new Float64Array(bins + 1);
      addMultinomial(random, records, shares, row, 0);
      return row;
    });
    yield { start: start + hour * 3_600_000, records, counts };
  }
}

export function toWindowSet(windows: readonly DrawnWindow[]): WindowSet {
  return createWindowSet(
    windows.map((window) => window.start),
    windows.map(({ records }) => records),
    3600,
    utcCalendar,
  );
}
