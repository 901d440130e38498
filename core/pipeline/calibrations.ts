import { type Calibration, calibrate, isOfOwnWindows, type LearnedWindows } from '../evaluate/calibration.ts';
import { type CallerExpectation, expectCallers } from '../evaluate/caller-caps.ts';
import { choosePhaseOne, type SeenWindows } from '../evaluate/charts/phase-one.ts';
import { type PreparedCharts, prepareCharts } from '../evaluate/charts/prepare-charts.ts';
import { prepareQuality, type QualityReference } from '../evaluate/data-quality.ts';
import { calibrateEmbeddings, type EmbeddingCalibration } from '../evaluate/embedding/calibrate-embeddings.ts';
import { outputsOf } from '../evaluate/learning.ts';
import { leaveOutOngoing } from '../evaluate/ongoing-drift.ts';
import { sliceBaseline } from '../evaluate/slice-baseline.ts';
import { scalesOf } from '../evaluate/window-levels.ts';
import type { Baseline } from '../model/baseline.ts';
import { type Calendar, utcCalendar } from '../model/calendar.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { SlicePolicy } from '../model/slice.ts';
import { type StoredWindows, seenWindows, windowsBefore, windowsOfWeek } from './learned-windows.ts';
import { RecentlyUsed } from './recently-used.ts';

/** A slice, prepared like a model of its own. */
export interface PreparedSlice {
  readonly slice: SlicePolicy;
  readonly baseline: Baseline;
  readonly calibration: Calibration;
}

/** What a baseline tells by itself. */
interface PreparedBaseline {
  readonly calendar: Calendar;
  readonly calibration: Calibration;
  readonly quality: QualityReference;
  /** Absent: the baseline does not know who calls. */
  readonly callers: CallerExpectation | undefined;
  readonly slices: readonly PreparedSlice[];
}

/** All that is computed of a baseline, and of what was learned live, before windows are judged. */
export interface Prepared extends PreparedBaseline {
  /** Of the columns of vectors. */
  readonly embeddings: readonly EmbeddingCalibration[];
  /** By the number of series that share the budget for charts; undefined: nothing is charted. */
  chartsFor(series: number): PreparedCharts | undefined;
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
  readonly #known: RecentlyUsed<Prepared>;
  readonly #baselines: RecentlyUsed<PreparedBaseline>;

  constructor(capacity = 64) {
    this.#known = new RecentlyUsed(capacity);
    this.#baselines = new RecentlyUsed(capacity);
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
    // A series that was begun before the window was changed is judged by the same configuration with its own width.
    const baselineKey = [configHash, policy.windowSeconds, baseline.sha256].join('\n');
    const replacesOutputs = learning?.replacesOutputs ?? false;
    const key = [baselineKey, learning?.key ?? '', replacesOutputs].join('\n');
    const known = this.#known.get(key);
    if (known) return known;
    const learned = await learning?.read();
    const alone = this.#baselines.get(baselineKey) ?? prepareBaseline(policy, baseline);
    this.#baselines.keep(baselineKey, alone);
    const prepared = {
      ...prepare(alone, policy, baseline, learned, replacesOutputs),
      learnedKey: learned && learning?.key,
    };
    this.#known.keep(key, prepared);
    return prepared;
  }
}

function prepareBaseline(policy: ModelPolicy, baseline: Baseline): PreparedBaseline {
  const calendar = policy.calendar ?? utcCalendar;
  const options = calibrationOptions(policy, baseline, calendar);
  const calibration = calibrate(baseline, options);
  return {
    calendar,
    calibration,
    quality: prepareQuality(baseline, policy.windowSeconds),
    callers: expectCallers(baseline, calibration, calendar),
    slices: (policy.slices ?? []).flatMap((slice) => {
      const part = sliceBaseline(baseline, slice.name);
      return part ? [{ slice, baseline: part, calibration: calibrate(part, options) }] : [];
    }),
  };
}

/**
 * A baseline with windows of its own knows its wander: live ones tell nothing but of outputs that are another model's. What
 * drifts while it is learned is judged by what was learned of the windows up to the milestone before, if that knew hours.
 */
function calibrateLive(
  before: Calibration,
  policy: ModelPolicy,
  baseline: Baseline,
  learnedWindows: LearnedWindows,
): Calibration {
  if (isOfOwnWindows(before) && !learnedWindows.replaces?.size) return before;
  const calendar = policy.calendar ?? utcCalendar;
  const calibration = calibrate(baseline, { ...calibrationOptions(policy, baseline, calendar), learnedWindows });
  const earlier = windowsBefore(policy.windowSeconds, learnedWindows);
  const known = earlier ? calibrateLive(before, policy, baseline, earlier) : before;
  const judging = haveSameHours(known, calibration) ? known : before;
  return leaveOutOngoing(calibration, judging, learnedWindows, { policy, baseline, calendar });
}

/** Whether expectations of the one, which knows hours, can stand among those of the other. */
function haveSameHours({ groups: one }: Calibration, { groups: other }: Calibration): boolean {
  return one.size > 1 && one.size === other.size && one.hours === other.hours;
}

function calibrationOptions(policy: ModelPolicy, baseline: Baseline, calendar: Calendar) {
  return { windowSeconds: policy.windowSeconds, calendar, scales: scalesOf(policy, baseline) };
}

function prepare(
  alone: PreparedBaseline,
  policy: ModelPolicy,
  baseline: Baseline,
  learned: StoredWindows | undefined,
  replacesOutputs: boolean,
): Omit<Prepared, 'learnedKey'> {
  const { calendar } = alone;
  const replaces = replacesOutputs ? outputsOf(baseline.layout) : undefined;
  const calibration = learned
    ? calibrateLive(alone.calibration, policy, baseline, { starts: learned.starts, counts: learned.counts, replaces })
    : alone.calibration;
  const seen = learned && seenWindows(learned);
  const learnedEmbeddings = learned && {
    starts: learned.starts,
    rows: new Map(learned.embeddings),
    replaces: replaces ?? new Set<string>(),
  };
  return {
    ...alone,
    calibration,
    slices: learned ? alone.slices.map((slice) => learnSlice(slice, policy, learned, replaces)) : alone.slices,
    embeddings: calibrateEmbeddings(baseline, calibration, { calendar, learned: learnedEmbeddings }),
    chartsFor: remember((series) => seen && prepareFrom(baseline, seen, policy, calendar, series)),
  };
}

/** A slice of which too little was seen live stays as it is, without the outputs that are another model's by now. */
function learnSlice(
  slice: PreparedSlice,
  policy: ModelPolicy,
  learned: StoredWindows,
  replaces: ReadonlySet<string> | undefined,
): PreparedSlice {
  const { calibration: before, baseline } = slice;
  const windows = learned.slices?.find(([name]) => name === slice.slice.name)?.[1];
  const calibration = windows
    ? calibrateLive(before, policy, baseline, { ...windows, replaces })
    : { ...before, features: before.features.filter(({ name }) => !replaces?.has(name)) };
  return { ...slice, calibration };
}

/** Limits follow from the budget, which changes with the number of series: rarely, and back and forth. */
function remember<Result>(compute: (series: number) => Result): (series: number) => Result {
  const known = new Map<number, Result>();
  return (series) => {
    const before = known.get(series);
    if (before !== undefined) return before;
    const result = compute(series);
    known.set(series, result);
    return result;
  };
}

/**
 * Charts are calibrated once the first day of the series, or 24 windows, are known, which tell whether the baseline's own windows are its
 * past; where they are not, and what the baseline does not keep by window, after a week.
 * @param series of the model in service, which share its false alarms
 */
function prepareFrom(
  baseline: Baseline,
  seen: SeenWindows,
  { windowSeconds, drift }: ModelPolicy,
  calendar: Calendar,
  series: number,
): PreparedCharts | undefined {
  const { chartAlarmsPerWeek, charts: policy } = drift;
  if (chartAlarmsPerWeek === undefined) return undefined;
  const options = { windowSeconds, calendar, fewestWindows: windowsOfWeek(windowSeconds) };
  const pasts = choosePhaseOne(baseline, seen, options);
  if (pasts.length === 0) return undefined;
  return prepareCharts(pasts, { windowSeconds, falseAlarmsPerWeek: chartAlarmsPerWeek / series, policy });
}
