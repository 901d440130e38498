import type { Finding } from '../../core/model/verdict.ts';
import { EpisodeCounter } from './alarm-rate.ts';
import { featureName, makeBaseline } from './counted-baseline.ts';
import { countedWindow } from './counted-summary.ts';
import { ModelStream } from './model-stream.ts';
import { PeerPanel } from './peer-panel.ts';
import { createRandomSource } from './random-source.ts';
import { calendarDays, hoursPerWeek, liveWeeksOf, type Scenario } from './scenario.ts';
import { type SeriesVerdict, ShippedModel } from './shipped-rule.ts';

/** What was counted in the judged weeks of one simulated model that nothing was wrong with. */
export interface HealthyModel {
  readonly weeks: number;
  readonly yellowEpisodes: number;
  readonly yellowWindows: number;
  readonly redEpisodes: number;
  readonly weeksWithYellow: number;
  /** Of the yellow episodes' windows, runs in which a chart signalled. */
  readonly chartEpisodes: number;
  /** Windows with a finding that raised the tier, by kind: where false alarms come from. */
  readonly falseKinds: readonly (readonly [kind: Finding['kind'], windows: number])[];
  /** Features found, by the scale that found them. */
  readonly falseFindings: readonly (readonly [scale: number, findings: number])[];
  readonly peers: readonly (readonly [rule: string, PeerCounts])[];
}

export interface HealthyModelOptions {
  readonly withPeers: boolean;
  /** Default: the scenario's. */
  readonly weeks?: number | undefined;
}

export interface PeerCounts {
  readonly yellowEpisodes: number;
  readonly yellowWindows: number;
  readonly flags: number;
}

/**
 * Draws a model of a scenario, its baseline and its live weeks, and judges every hour by the shipped rule and, where
 * asked for, by the rules of others. A model is as bad as the worst of its series.
 */
export async function judgeHealthyModel(
  scenario: Scenario,
  seed: string,
  { withPeers, weeks = liveWeeksOf(scenario) }: HealthyModelOptions,
): Promise<HealthyModel> {
  const random = createRandomSource(seed);
  const stream = new ModelStream(scenario, random.fork('stream'), { fine: withPeers });
  const windows = stream.drawBaseline();
  const baseline = makeBaseline(stream.features, windows, scenario.timed);
  const model = new ShippedModel(baseline, { timeZone: 'UTC', days: calendarDays(scenario) });
  const canary = model.openSeries('Canary');
  const panel = withPeers ? new PeerPanel(stream.features, windows, random.fork('peers')) : undefined;
  const log = new AlarmLog();
  for (let hour = 0; hour < weeks * hoursPerWeek; hour++) {
    const live = stream.next();
    const isNew = scenario.retrainedAt !== undefined && hour >= scenario.retrainedAt;
    const series = isNew ? model.openSeries('AllTraffic', 'retrained') : model.openSeries();
    const judged = await model.judge([
      countedWindow(series, baseline.layout, live.stable),
      ...(live.canary ? [countedWindow(canary, baseline.layout, live.canary)] : []),
    ]);
    log.add(Math.floor(hour / hoursPerWeek), judged);
    panel?.judge(live.stable);
  }
  return { weeks, ...log.summary(), peers: panel?.counts() ?? [] };
}

/** Keeps book of the alarms of a model, hour by hour. */
class AlarmLog {
  readonly #alarms = new EpisodeCounter();
  readonly #reds = new EpisodeCounter();
  readonly #charts = new EpisodeCounter();
  readonly #weeks = new Set<number>();
  readonly #kinds = new Map<Finding['kind'], number>();
  readonly #scales = new Map<number, number>();

  add(week: number, verdicts: readonly SeriesVerdict[]): void {
    const raised = verdicts.flatMap((verdict) => verdict.raised);
    const inAlarm = verdicts.some(({ tier }) => tier !== 'green');
    this.#alarms.add(inAlarm);
    this.#reds.add(verdicts.some(({ tier }) => tier === 'red'));
    this.#charts.add(raised.some(({ kind }) => kind === 'chart'));
    if (inAlarm) this.#weeks.add(week);
    for (const kind of new Set(raised.map((finding) => finding.kind))) add(this.#kinds, kind);
    for (const { drifted, raised: findings } of verdicts) {
      const named = new Set(findings.flatMap(({ feature }) => feature ?? []));
      for (const { feature, scale } of drifted) if (named.has(featureName(feature))) add(this.#scales, scale);
    }
  }

  summary(): Omit<HealthyModel, 'weeks' | 'peers'> {
    return {
      yellowEpisodes: this.#alarms.episodes,
      yellowWindows: this.#alarms.alarmWindows,
      redEpisodes: this.#reds.episodes,
      weeksWithYellow: this.#weeks.size,
      chartEpisodes: this.#charts.episodes,
      falseKinds: [...this.#kinds].sort(([a], [b]) => (a < b ? -1 : 1)),
      falseFindings: [...this.#scales].sort(([a], [b]) => a - b),
    };
  }
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
