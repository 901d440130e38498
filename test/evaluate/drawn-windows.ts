import type { Calibration } from '../../core/evaluate/calibration.ts';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { type DriftJudgement, judgeDrift } from '../../core/evaluate/judge-drift.ts';
import { extendTrail, trailingCounts } from '../../core/evaluate/trail.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { Trail } from '../../core/model/trailing-counts.ts';
import { normalQuantile, normalUpperTail } from '../../core/stats/normal.ts';
import { createBaseline, createRandom, drawNormal, numericFromBins } from './synthetic-model.ts';

export const hour = 3_600_000;
export const firstHour = Date.UTC(2026, 2, 2);
const bins = 10;
const edges = Array.from({ length: bins - 1 }, (_, index) => normalQuantile((index + 1) / bins));

export interface DrawnWindow {
  readonly start: number;
  readonly records: number;
  /** Per feature: ten bins, then missing. */
  readonly counts: number[][];
}

export interface Design {
  readonly features: number;
  readonly hours: number;
  readonly recordsPerHour: number;
  /** Of the means, in standard deviations: a sine over the day, and a new value every day. */
  readonly swing?: number;
  readonly wander?: number;
  readonly missingShare?: number;
  /** Standard deviation of the missing share from day to day. */
  readonly missingWander?: number;
  /** Added to the mean of a feature at an hour. */
  readonly shift?: (feature: number, hour: number) => number;
}

/** Hourly windows of normal features, counted in deciles. */
export function drawWindows(design: Design, seed: number): DrawnWindow[] {
  const random = createRandom(seed);
  const { features, hours, recordsPerHour, swing = 0, wander = 0, missingShare = 0, missingWander = 0 } = design;
  const phases = Array.from({ length: features }, () => 2 * Math.PI * random());
  let daily: number[] = [];
  let missing: number[] = [];
  return Array.from({ length: hours }, (_, at) => {
    if (at % 24 === 0) {
      daily = phases.map(() => wander * drawNormal(random));
      missing = phases.map(() => Math.max(0, missingShare + missingWander * drawNormal(random)));
    }
    const counts = phases.map((phase, feature) => {
      const mean =
        swing * Math.sin((2 * Math.PI * at) / 24 + phase) + (daily[feature] ?? 0) + (design.shift?.(feature, at) ?? 0);
      const above = edges.map((edge) => normalUpperTail(edge - mean));
      const row = new Array<number>(bins + 1).fill(0);
      for (let record = 0; record < recordsPerHour; record++) {
        if (missingShare > 0 && random() < (missing[feature] ?? 0)) {
          row[bins] = (row[bins] ?? 0) + 1;
          continue;
        }
        const u = random();
        let bin = 0;
        while (bin < bins - 1 && u < (above[bin] ?? 0)) bin++;
        row[bin] = (row[bin] ?? 0) + 1;
      }
      return row;
    });
    return { start: firstHour + at * hour, records: recordsPerHour, counts };
  });
}

/** The baseline that windows make. Without times, one that does not know its windows. */
export function baselineOf(windows: readonly DrawnWindow[], timed = true): Baseline {
  const features = windows[0]?.counts.length ?? 0;
  const learnt = Array.from({ length: features }, (_, feature) => {
    const rows = windows.map(({ counts }) => counts[feature] ?? []);
    const totals = Array.from({ length: bins + 1 }, (_, bin) => rows.reduce((sum, row) => sum + (row[bin] ?? 0), 0));
    const [layout, summary] = numericFromBins(totals.slice(0, bins), totals[bin(totals)]);
    const binCounts = { windows: rows, cells: [] };
    const described = {
      kind: 'numeric',
      summary,
      distinct: bins,
      singletons: 0,
      rare: 0,
      ...(timed && { binCounts }),
    } as const;
    return [`feature ${String(feature).padStart(3, '0')}`, [layout, described]] as const;
  });
  const baseline = createBaseline(learnt);
  if (!timed) return baseline;
  const starts = windows.map(({ start, records }) => [new Date(start).toISOString(), records] as const);
  return {
    ...baseline,
    time: {
      first: starts[0]?.[0] ?? '',
      last: starts.at(-1)?.[0] ?? '',
      windowSeconds: 3600,
      windows: starts,
      cells: [],
      longestGapSeconds: 60,
    },
  };
}

function bin(totals: readonly number[]): number {
  return totals.length - 1;
}

/** Follows live windows one by one, as a model's windows are judged. */
export class Follower {
  readonly trails: Trail[] = [];
  readonly #baseline: Baseline;
  readonly #calibration: Calibration;
  readonly #policy: ModelPolicy;

  constructor(baseline: Baseline, calibration: Calibration, policy: ModelPolicy) {
    this.#baseline = baseline;
    this.#calibration = calibration;
    this.#policy = policy;
  }

  add(window: DrawnWindow): void {
    const cell = cellOfWindow(window.start, utcCalendar);
    this.trails.push(extendTrail(this.trails.at(-1), window, window.counts, this.#baseline.layout, cell));
  }

  stretches() {
    const now = this.trails.at(-1);
    return now ? trailingCounts(now, this.trails, this.#calibration.scales, hour) : [];
  }

  judge(window: DrawnWindow): DriftJudgement {
    this.add(window);
    return judgeDrift({
      policy: this.#policy,
      baseline: this.#baseline,
      calibration: this.#calibration,
      stretches: this.stretches(),
    });
  }
}
