import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { valuesOfWindow } from '../../core/evaluate/charts/window-values.ts';
import { judgeQuality } from '../../core/evaluate/data-quality.ts';
import { type ClosedContext, judgeClosed } from '../../core/evaluate/judge-closed.ts';
import { judgeDrift } from '../../core/evaluate/judge-drift.ts';
import { extendTrail } from '../../core/evaluate/trail.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { Calendar } from '../../core/model/calendar.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { Series, Summary, Window } from '../../core/model/profile.ts';
import type { Finding, Tier, Verdict } from '../../core/model/verdict.ts';
import { readJudgeContext } from '../../core/pipeline/judge-context.ts';
import { judgeInContext } from '../../core/pipeline/judge-window.ts';
import { createModelRuntime, type ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { windowAt } from '../../core/pipeline/series.ts';
import { PipelineMemory } from './pipeline-memory.ts';
import { shippedFleet, shippedPolicy } from './shipped-policy.ts';

/** A feature that the shipped rule found, and the length of the stretch that decided. */
export interface FoundFeature {
  readonly feature: number;
  readonly scale: number;
}

export interface SeriesVerdict {
  readonly tier: Tier;
  /** Features that drifted, whether or not that raised the tier. */
  readonly drifted: readonly FoundFeature[];
  /** Findings that raise the tier. */
  readonly raised: readonly Finding[];
}

const quiet: SeriesVerdict = { tier: 'green', drifted: [], raised: [] };

/** A window of one of the model's series. */
export interface SeriesWindow {
  readonly series: Series;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly summary: Summary;
}

export interface ShippedRuleOptions {
  readonly policy?: ModelPolicy;
  /**
   * False: nothing is learned of the first live windows. The drift of a baseline with windows is judged the same without
   * that, as only a new version's outputs and the charts are learned then.
   */
  readonly learns?: boolean;
  /** True: verdicts are made of all windows, also of those in which nothing was found: twice the work, for the same. */
  readonly makesAllVerdicts?: boolean;
  /** True: a verdict says since when something has drifted, as the pipeline's do. It finds the same. */
  readonly tellsOnset?: boolean;
}

/**
 * One model, judged by the pipeline's own `readJudgeContext` and `judgeClosed`: what is bench here is only where trails are
 * kept. Since when something has drifted is only asked where it is wanted, and a verdict is only made
 * where one of its parts finds something: most of the work is to describe what is green.
 */
export class ShippedModel {
  readonly #makesAllVerdicts: boolean;
  readonly #tellsOnset: boolean;
  readonly #baseline: Baseline;
  readonly #calendar: Calendar;
  readonly #runtime: ModelRuntime;
  readonly #memory: PipelineMemory;
  readonly #featureIndex: ReadonlyMap<string, number>;

  constructor(baseline: Baseline, calendar: Calendar, options: ShippedRuleOptions = {}) {
    const { policy = shippedPolicy(), learns = true, makesAllVerdicts = false, tellsOnset = false } = options;
    this.#makesAllVerdicts = makesAllVerdicts;
    this.#tellsOnset = tellsOnset;
    this.#baseline = baseline;
    this.#calendar = calendar;
    this.#runtime = createModelRuntime({ ...policy, calendar }, shippedFleet(), new Map(), 'bench');
    this.#memory = new PipelineMemory(learns);
    this.#featureIndex = new Map(baseline.layout.features.map(([name], index) => [name, index]));
  }

  /** @param version absent: the one that the baseline is of */
  openSeries(variant = 'AllTraffic', version = this.#runtime.defaultVersion): Series {
    return { ...this.#runtime.seriesOf(variant, version), layout: this.#baseline.layoutId };
  }

  /** Judges the windows of one hour, one of each series that was called in it. */
  async judge(slot: readonly SeriesWindow[]): Promise<readonly SeriesVerdict[]> {
    for (const each of slot) this.#arrive(each);
    const verdicts: SeriesVerdict[] = [];
    for (const each of slot) verdicts.push(await this.#judgeOne(each));
    return verdicts;
  }

  /** Counts a window in without judging it. */
  skip(skipped: SeriesWindow): void {
    this.#arrive(skipped);
    const { series, start, summary } = skipped;
    const { layout } = this.#baseline;
    const cell = cellOfWindow(start, this.#calendar);
    const trail = extendTrail(this.#memory.trails.newest(series), { start }, summary, layout, cell);
    this.#memory.trails.keep(series, { ...trail, values: valuesOfWindow(summary, layout) });
  }

  #arrive({ series, start, summary }: SeriesWindow): void {
    this.#memory.arrive(series, windowAt(series, start), summary);
  }

  async #judgeOne({ series, start, summary }: SeriesWindow): Promise<SeriesVerdict> {
    const [baseline, runtime] = [this.#baseline, this.#runtime];
    const window: Window = windowAt(series, start);
    const context = await readJudgeContext(runtime, this.#memory, baseline, series, window, summary, undefined);
    if (context.trail) this.#memory.trails.keep(series, context.trail);
    if (!this.#makesAllVerdicts && this.#findsNothing(summary, context.closed)) return quiet;
    const input = {
      policy: runtime.policy,
      baseline,
      summary,
      series,
      window,
      revision: 0,
      lateCounted: 0,
      invocations: summary.records.captured,
      evidence: { baseline: null, config: runtime.configHash, code: runtime.code, profiles: [] },
    };
    const verdict = this.#tellsOnset ? await judgeInContext(input, context) : judgeClosed(input, context.closed);
    const raised = verdict.findings.filter(({ tier }) => tier !== 'green');
    return { tier: verdict.tier, drifted: this.#listDrifted(verdict), raised };
  }

  /**
   * Whether the parts of a verdict are all silent. Values that are drawn as bins lie in the baseline's range, none is
   * quarantined or repeated, and the policy knows every version. What is compared with another series has its verdict made.
   */
  #findsNothing(summary: Summary, { drift, quality, charts, beside }: ClosedContext): boolean {
    if (summary.records.counted === 0 || beside || charts.length > 0) return false;
    const [baseline, { policy }] = [this.#baseline, this.#runtime];
    const { calibration, stretches, level, windowsOfTrail } = drift;
    const { features } = judgeDrift({ policy, baseline, calibration, stretches, level });
    if (features.some(({ drifted }) => drifted)) return false;
    const none: ReadonlySet<string> = new Set();
    const parts = { baseline, summary, stretches, windowsOfTrail, drifted: none, ignored: none };
    return judgeQuality({ ...parts, ...quality }).length === 0;
  }

  #listDrifted({ features }: Verdict): readonly FoundFeature[] {
    return Object.entries(features).flatMap(([name, { drifted, decidingScale = 0 }]) => {
      const feature = this.#featureIndex.get(name);
      return drifted && feature !== undefined ? [{ feature, scale: decidingScale }] : [];
    });
  }
}
