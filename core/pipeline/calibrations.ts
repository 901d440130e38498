import { type Calibration, calibrate } from '../evaluate/calibration.ts';
import { createCellReader } from '../evaluate/cells.ts';
import { type PreparedCharts, prepareCharts } from '../evaluate/charts/prepare-charts.ts';
import type { SeriesKind, SeriesPoint } from '../evaluate/charts/scalar-series.ts';
import { prepareQuality, type QualityReference } from '../evaluate/data-quality.ts';
import { outputsOf } from '../evaluate/learning.ts';
import { sliceBaseline } from '../evaluate/slice-baseline.ts';
import type { Baseline } from '../model/baseline.ts';
import { type Calendar, utcCalendar } from '../model/calendar.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { SlicePolicy } from '../model/slice.ts';
import { type StoredWindows, windowsOfWeek } from './learned-windows.ts';

/** A slice, prepared like a model of its own. */
export interface PreparedSlice {
  readonly slice: SlicePolicy;
  readonly baseline: Baseline;
  readonly calibration: Calibration;
}

/** All that is computed of a baseline, and of what was learned live, before windows are judged. */
export interface Prepared {
  readonly calendar: Calendar;
  readonly calibration: Calibration;
  readonly quality: QualityReference;
  readonly slices: readonly PreparedSlice[];
  readonly charts: PreparedCharts | undefined;
  /** Where the learned windows are kept that it was made with. */
  readonly learnedKey: string | undefined;
}

/** Where what the first windows of a series told is to be had. */
export interface LearningSource {
  readonly key: string;
  /** True where these windows are the baseline of the version's outputs. */
  readonly replacesOutputs: boolean;
  read(): Promise<StoredWindows | undefined>;
}

/**
 * Prepares baselines once: a second or so for hundreds of features, and needed for every window. What was prepared
 * last is kept in memory, by baseline, policy and what was learned.
 */
export class Calibrations {
  readonly #capacity: number;
  readonly #known = new Map<string, Prepared>();

  constructor(capacity = 64) {
    this.#capacity = capacity;
  }

  /**
   * @param configHash of the policy
   * @param learning what the series' first windows tell, read where it is not known yet; absent: nothing so far
   */
  async prepare(
    policy: ModelPolicy,
    configHash: string,
    baseline: Baseline,
    learning: LearningSource | undefined,
  ): Promise<Prepared> {
    const key = [configHash, baseline.sha256, learning?.key ?? '', learning?.replacesOutputs ?? false].join('\n');
    const known = this.#known.get(key);
    if (known) return known;
    const learned = await learning?.read();
    const prepared = {
      ...prepare(policy, baseline, learned, learning?.replacesOutputs ?? false),
      learnedKey: learned && learning?.key,
    };
    this.#known.set(key, prepared);
    const oldest = this.#known.keys().next();
    if (this.#known.size > this.#capacity && !oldest.done) this.#known.delete(oldest.value);
    return prepared;
  }
}

function prepare(
  policy: ModelPolicy,
  baseline: Baseline,
  learned: StoredWindows | undefined,
  replacesOutputs: boolean,
): Omit<Prepared, 'learnedKey'> {
  const { windowSeconds, drift } = policy;
  const calendar = policy.calendar ?? utcCalendar;
  const options = { windowSeconds, calendar, scales: drift.scales };
  const learnedWindows = learned && {
    starts: learned.starts,
    counts: learned.counts,
    ...(replacesOutputs && { replaces: outputsOf(baseline.layout) }),
  };
  return {
    calendar,
    calibration: calibrate(baseline, { ...options, learnedWindows }),
    quality: prepareQuality(baseline, windowSeconds),
    slices: (policy.slices ?? []).flatMap((slice) => {
      const part = sliceBaseline(baseline, slice.name);
      return part ? [{ slice, baseline: part, calibration: calibrate(part, options) }] : [];
    }),
    charts: learned && prepareFrom(learned, policy, calendar),
  };
}

/** Charts are calibrated on the first windows of the series itself: of what it is called for, its baseline may know nothing. */
function prepareFrom(
  learned: StoredWindows,
  { windowSeconds, drift }: ModelPolicy,
  calendar: Calendar,
): PreparedCharts | undefined {
  const { chartAlarmsPerWeek } = drift;
  if (chartAlarmsPerWeek === undefined || learned.windows < windowsOfWeek(windowSeconds)) return undefined;
  const cellOf = createCellReader(calendar);
  const series = new Map<string, { name: string; kind: SeriesKind; phaseOne: SeriesPoint[] }>();
  learned.values.forEach((values, window) => {
    const start = learned.starts[window] ?? 0;
    for (const { name, kind, value, weight } of values) {
      const known = series.get(name) ?? { name, kind, phaseOne: [] };
      known.phaseOne.push({ start, value, weight, cell: cellOf(start) });
      series.set(name, known);
    }
  });
  return prepareCharts([...series.values()], { windowSeconds, falseAlarmsPerWeek: chartAlarmsPerWeek });
}
