import { type Calibration, calibrate } from '../../core/evaluate/calibration.ts';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { type DriftJudgement, judgeDrift } from '../../core/evaluate/judge-drift.ts';
import { sliceBaseline } from '../../core/evaluate/slice-baseline.ts';
import { judgeSlices, type SliceContext, type SliceJudgement } from '../../core/evaluate/slice-judgement.ts';
import { extendTrail, trailingCounts } from '../../core/evaluate/trail.ts';
import type { Baseline, BaselineSlice } from '../../core/model/baseline.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import { type SlicePolicy, sliceOf } from '../../core/model/slice.ts';
import type { Trail, TrailingCounts } from '../../core/model/trailing-counts.ts';
import { encodeCountRuns } from '../../core/stats/count-runs.ts';
import { drawNormal, plainPolicy } from './synthetic-model.ts';

const hour = 3_600_000;
const firstWindow = Date.UTC(2026, 0, 5);
const valueBins = 10;
const coarseBins = valueBins + 1;
const scales = [1, 2, 4, 8, 24] as const;

/** Records an hour in each value of the column `region`; the last one is no slice. */
export interface Traffic {
  readonly region: string;
  readonly perHour: number;
}

export interface SlicedModelOptions {
  readonly features: number;
  readonly traffic: readonly Traffic[];
  readonly days: number;
  /** Moves a feature's values in a region from the first live window on, in standard deviations. */
  readonly shift?: (feature: number, region: string) => number;
  /** Standard deviation, from day to day, of what all regions move by together, and of what each moves by alone. */
  readonly wander?: number;
}

type WindowCounts = readonly (readonly Float64Array[])[];

/** A month of hourly windows of standard normal features, counted by deciles and by region, and what comes after it. */
export class SlicedModel {
  readonly baseline: Baseline;
  readonly slices: readonly SlicePolicy[];
  readonly calibration: Calibration;
  readonly sliceCalibrations: readonly { readonly baseline: Baseline; readonly calibration: Calibration }[];
  readonly #options: SlicedModelOptions;
  readonly #random: () => number;
  readonly #layout: Layout;
  #next: number;
  #day = -1;
  #dayShifts: readonly (readonly number[])[] = [];
  #trails: Trail[] = [];
  #sliceTrails: Trail[][];

  constructor(options: SlicedModelOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
    this.#layout = createLayout(options.features);
    this.#next = 0;
    const listed = options.traffic.slice(0, -1).map(({ region }) => region);
    this.slices = listed.map((region) => sliceOf('region', region));
    const windows = Array.from({ length: options.days * 24 }, () => this.#draw(() => 0));
    this.baseline = createSlicedBaseline(this.#layout, windows, this.slices);
    this.calibration = calibrate(this.baseline, { windowSeconds: 3600, calendar: utcCalendar, scales });
    this.sliceCalibrations = this.slices.map(({ name }) => {
      const baseline = sliceBaseline(this.baseline, name);
      if (!baseline) throw new Error(`expected a baseline of ${name}`);
      return { baseline, calibration: calibrate(baseline, { windowSeconds: 3600, calendar: utcCalendar, scales }) };
    });
    this.#sliceTrails = this.slices.map(() => []);
  }

  /** Judges the next window, and all of its slices. */
  judgeNext(levels: { readonly drift: number; readonly slices: number }): {
    readonly whole: DriftJudgement;
    readonly slices: SliceJudgement;
    readonly policy: ModelPolicy;
    readonly stretches: readonly TrailingCounts[];
    readonly contexts: readonly SliceContext[];
  } {
    const start = firstWindow + this.#next * hour;
    const counts = this.#draw(this.#options.shift ?? (() => 0));
    const whole = this.#extend(this.#trails, start, sumOverRegions(counts));
    const policy = { ...plainPolicy, drift: { ...plainPolicy.drift, level: levels.drift, minimumRecords: 30 } };
    const judgement = judgeDrift({ policy, baseline: this.baseline, calibration: this.calibration, stretches: whole });
    const contexts = this.slices.map((slice, index) => {
      const trails = this.#sliceTrails[index] ?? [];
      const stretches = this.#extend(
        trails,
        start,
        counts.map((regions) => regions[index] ?? new Float64Array(0)),
      );
      const { baseline, calibration } = this.sliceCalibrations[index] ?? this;
      return { slice, baseline, calibration, stretches, trails: [...trails] };
    });
    const slices = judgeSlices({
      policy,
      baseline: this.baseline,
      calendar: utcCalendar,
      stretches: whole,
      whole: judgement,
      slices: contexts,
      level: levels.slices,
    });
    return { whole: judgement, slices, policy, stretches: whole, contexts };
  }

  #extend(trails: Trail[], start: number, counts: readonly Float64Array[]): readonly TrailingCounts[] {
    const rows = counts.map((row) => [...row]);
    const now = extendTrail(trails.at(-1), { start }, rows, this.#layout, cellOfWindow(start, utcCalendar));
    trails.push(now);
    while (trails.length > 26) trails.shift();
    return trailingCounts(now, trails, scales, hour);
  }

  /** Per feature and region the counts of one window. */
  #draw(shift: (feature: number, region: string) => number): WindowCounts {
    const { features, traffic, wander = 0 } = this.#options;
    const day = Math.floor(this.#next / 24);
    this.#next++;
    if (day !== this.#day) {
      this.#day = day;
      this.#dayShifts = Array.from({ length: features }, () => {
        const together = wander * drawNormal(this.#random);
        return traffic.map(() => together + wander * drawNormal(this.#random));
      });
    }
    const sizes = traffic.map(({ perHour }) =>
      Math.max(0, Math.round(perHour + Math.sqrt(perHour) * drawNormal(this.#random))),
    );
    return Array.from({ length: features }, (_, feature) =>
      traffic.map(({ region }, at) => {
        const counts = new Float64Array(coarseBins);
        const mean = shift(feature, region) + (this.#dayShifts[feature]?.[at] ?? 0);
        for (let record = 0; record < (sizes[at] ?? 0); record++) {
          const bin = decileOf(drawNormal(this.#random) + mean);
          counts[bin] = (counts[bin] ?? 0) + 1;
        }
        return counts;
      }),
    );
  }
}

const deciles = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816] as const;

function decileOf(value: number): number {
  let bin = 0;
  while (bin < deciles.length && value >= (deciles[bin] ?? 0)) bin++;
  return bin;
}

function createLayout(features: number): Layout {
  return {
    schema: 'tidewatch.layout/1',
    features: Array.from({ length: features }, (_, index) => [
      `feature${String(index).padStart(3, '0')}`,
      { kind: 'numeric', side: 'input', centre: 0, unit: 0.34, binEdges: deciles.map((_, edge) => (edge - 4) * 64) },
    ]),
    leftOut: [],
  };
}

function sumOverRegions(counts: WindowCounts): readonly Float64Array[] {
  return counts.map((regions) =>
    Float64Array.from({ length: coarseBins }, (_, bin) => regions.reduce((sum, row) => sum + (row[bin] ?? 0), 0)),
  );
}

function createSlicedBaseline(
  layout: Layout,
  windows: readonly WindowCounts[],
  slices: readonly SlicePolicy[],
): Baseline {
  const totals = windows.map(sumOverRegions);
  const sumOf = (row: Float64Array | undefined) => (row ?? new Float64Array(0)).reduce((sum, count) => sum + count, 0);
  const records = totals.map((counts) => sumOf(counts[0]));
  const all = records.reduce((sum, here) => sum + here, 0);
  const describeSlice = (_: SlicePolicy, index: number): readonly [string, BaselineSlice] => {
    const byWindow = windows.map((window) =>
      Float64Array.from(window.flatMap((regions) => [...(regions[index] ?? [])])),
    );
    const total = new Float64Array(byWindow[0]?.length ?? 0);
    for (const counts of byWindow) {
      counts.forEach((count, bin) => {
        total[bin] = (total[bin] ?? 0) + count;
      });
    }
    const size = (counts: Float64Array) => sumOf(counts.subarray(0, coarseBins));
    return [
      slices[index]?.name ?? '',
      {
        records: size(total),
        counts: encodeCountRuns(total),
        windows: byWindow.map((counts) => [size(counts), encodeCountRuns(counts)] as const),
      },
    ];
  };
  return {
    schema: 'tidewatch.baseline/1',
    sha256: 'b'.repeat(64),
    layout,
    layoutId: 'layout',
    records: all,
    quarantined: 0,
    features: layout.features.map(([name], feature) => {
      const rows = totals.map((counts) => [...(counts[feature] ?? [])]);
      const sums = Array.from({ length: valueBins }, (_, bin) => rows.reduce((sum, row) => sum + (row[bin] ?? 0), 0));
      const buckets = sums.map((count, bin) => [(bin - 5) * 64 + 5, count] as const);
      return [
        name,
        {
          kind: 'numeric',
          summary: { kind: 'numeric', count: all, missing: 0, sum: '0', sumOfSquares: '0', buckets },
          distinct: 1000,
          singletons: 0,
          rare: 0,
          binCounts: { windows: rows, cells: [] },
        },
      ];
    }),
    slices: slices.map(describeSlice),
    time: {
      first: new Date(firstWindow).toISOString(),
      last: new Date(firstWindow + windows.length * hour - 1).toISOString(),
      windowSeconds: 3600,
      windows: records.map((count, index) => [new Date(firstWindow + index * hour).toISOString(), count]),
      cells: [],
      longestGapSeconds: 60,
    },
    notes: [],
  };
}
