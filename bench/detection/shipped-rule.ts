import { type Calibration, calibrate, type LearnedWindows } from '../../core/evaluate/calibration.ts';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { type DriftJudgement, judgeDrift } from '../../core/evaluate/judge-drift.ts';
import { extendTrail, trailBorders, trailingCounts } from '../../core/evaluate/trail.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { Calendar } from '../../core/model/calendar.ts';
import { defaultFeaturePolicy, type ModelPolicy } from '../../core/model/policy.ts';
import { chooseScales } from '../../core/model/scales.ts';
import type { Trail } from '../../core/model/trailing-counts.ts';
import { featureName } from './counted-baseline.ts';
import type { StreamWindow } from './model-stream.ts';
import { hourMilliseconds } from './scenario.ts';
import { shippedPolicy } from './shipped-policy.ts';

const windowSeconds = hourMilliseconds / 1000;

/** A feature that the shipped rule found, and the length of the stretch that decided. */
export interface FoundFeature {
  readonly feature: number;
  readonly scale: number;
}

export interface SeriesVerdict {
  readonly drifted: readonly FoundFeature[];
  readonly judgement: DriftJudgement;
}

/** The shipped rule over one series of windows of one baseline. */
export interface JudgedSeries {
  judge(window: StreamWindow): SeriesVerdict;
  /** Counts a window in without judging it. */
  skip(window: StreamWindow): void;
  /**
   * A new version begins: its stretches do not reach back to the one before, and the named features, its predictions,
   * are learned from its own first windows before they are judged.
   */
  restart(relearned: readonly string[]): void;
}

export interface ShippedRule {
  openSeries(): JudgedSeries;
}

/** Calibrates a baseline and judges hourly windows as the pipeline does, with nothing of its own in between. */
export function createShippedRule(
  baseline: Baseline,
  calendar: Calendar,
  policy: ModelPolicy = shippedPolicy(),
): ShippedRule {
  const scales = chooseScales(windowSeconds, recordsPerWeek(baseline));
  const recalibrate = (learnedWindows?: LearnedWindows) =>
    calibrate(baseline, { windowSeconds, calendar, scales, learnedWindows });
  const calibration = recalibrate();
  return { openSeries: () => new HourlySeries({ baseline, calendar, policy, scales, calibration, recalibrate }) };
}

interface RuleSetting {
  readonly baseline: Baseline;
  readonly calendar: Calendar;
  readonly policy: ModelPolicy;
  readonly scales: readonly number[];
  readonly calibration: Calibration;
  readonly recalibrate: (learned: LearnedWindows) => Calibration;
}

/** Windows that a version's predictions are learned from before they are judged, and after which they are again. */
const learnedWindows = 24;
/** Windows after which what was learned stays. */
const mostLearnedWindows = 168;

class HourlySeries implements JudgedSeries {
  readonly #setting: RuleSetting;
  readonly #featureIndex: ReadonlyMap<string, number>;
  readonly #trails = new Map<number, Trail>();
  #newest: Trail | undefined;
  #calibration: Calibration;
  #policy: ModelPolicy;
  #learning: { readonly features: readonly string[]; readonly windows: StreamWindow[] } | undefined;

  constructor(setting: RuleSetting) {
    this.#setting = setting;
    this.#calibration = setting.calibration;
    this.#policy = setting.policy;
    this.#featureIndex = new Map(setting.baseline.layout.features.map((_, index) => [featureName(index), index]));
  }

  skip(window: StreamWindow): void {
    this.#extend(window);
  }

  judge(window: StreamWindow): SeriesVerdict {
    const now = this.#extend(window);
    const { baseline, scales } = this.#setting;
    const earlier = trailBorders(window.start, scales, hourMilliseconds).flatMap(
      (border) => this.#trails.get(border) ?? [],
    );
    const stretches = trailingCounts(now, earlier, scales, hourMilliseconds);
    const judgement = judgeDrift({ policy: this.#policy, baseline, calibration: this.#calibration, stretches });
    return { drifted: listDrifted(judgement, this.#featureIndex), judgement };
  }

  restart(relearned: readonly string[]): void {
    this.#trails.clear();
    this.#newest = undefined;
    this.#learning = { features: relearned, windows: [] };
    const muted = relearned.map((name) => [name, { ...defaultFeaturePolicy, ignore: true }] as const);
    this.#policy = { ...this.#setting.policy, features: [...this.#setting.policy.features, ...muted] };
  }

  #extend(window: StreamWindow): Trail {
    const { baseline, calendar, scales } = this.#setting;
    const cell = cellOfWindow(window.start, calendar);
    const trail = extendTrail(this.#newest, window, window.counts, baseline.layout, cell);
    this.#newest = trail;
    this.#trails.set(window.start, trail);
    this.#trails.delete(window.start - (Math.max(...scales) + 1) * hourMilliseconds);
    this.#learn(window);
    return trail;
  }

  #learn(window: StreamWindow): void {
    if (!this.#learning) return;
    const { features, windows } = this.#learning;
    windows.push(window);
    if (windows.length % learnedWindows !== 0) return;
    this.#calibration = this.#setting.recalibrate({
      starts: windows.map(({ start }) => start),
      counts: this.#setting.baseline.layout.features.map((_, index) =>
        windows.map(({ counts }) => counts[index] ?? []),
      ),
      replaces: new Set(features),
    });
    this.#policy = this.#setting.policy;
    if (windows.length >= mostLearnedWindows) this.#learning = undefined;
  }
}

function recordsPerWeek({ records, time }: Baseline): number {
  const windows = time?.windows.length ?? 0;
  return windows > 0 ? (records / windows) * 168 : Number.POSITIVE_INFINITY;
}

function listDrifted(judgement: DriftJudgement, featureIndex: ReadonlyMap<string, number>): readonly FoundFeature[] {
  return judgement.features.flatMap(({ name, drifted, scales, deciding }) => {
    const feature = featureIndex.get(name);
    return drifted && feature !== undefined ? [{ feature, scale: scales[deciding]?.scale ?? 0 }] : [];
  });
}
