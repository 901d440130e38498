import { EpisodeCounter } from './alarm-rate.ts';
import { ChartWatch } from './chart-watch.ts';
import { featureName, makeBaseline } from './counted-baseline.ts';
import { ModelStream } from './model-stream.ts';
import { PeerPanel } from './peer-panel.ts';
import { createRandomSource } from './random-source.ts';
import { calendarDays, hoursPerWeek, plan, type Scenario } from './scenario.ts';
import { createShippedRule } from './shipped-rule.ts';

/** What was counted in the judged weeks of one simulated model that nothing was wrong with. */
export interface HealthyModel {
  readonly yellowEpisodes: number;
  readonly yellowWindows: number;
  readonly weeksWithYellow: number;
  /** Of the yellow episodes' windows, runs in which a chart signalled. */
  readonly chartEpisodes: number;
  /** Features found, by the scale that found them: where false alarms come from. */
  readonly falseFindings: readonly (readonly [scale: number, findings: number])[];
  readonly peers: readonly (readonly [rule: string, PeerCounts])[];
}

export interface PeerCounts {
  readonly yellowEpisodes: number;
  readonly yellowWindows: number;
  readonly flags: number;
}

/**
 * Draws a model of a scenario, its baseline and its live weeks, and judges every hour by the shipped rule and, where
 * asked for, by the rules of others.
 */
export function judgeHealthyModel(scenario: Scenario, seed: string, withPeers: boolean): HealthyModel {
  const random = createRandomSource(seed);
  const stream = new ModelStream(scenario, random.fork('stream'), { fine: withPeers });
  const windows = stream.drawBaseline();
  const baseline = makeBaseline(stream.features, windows);
  const calendar = { timeZone: 'UTC', days: calendarDays(scenario) };
  const rule = createShippedRule(baseline, calendar);
  const charts = new ChartWatch(
    baseline,
    stream.features.findLastIndex(({ kind }) => kind === 'numeric'),
    calendar,
  );
  const stable = rule.openSeries();
  const predictions = Array.from({ length: plan.predictions }, (_, index) => featureName(plan.features - 1 - index));
  const canary = scenario.canaryShare > 0 ? rule.openSeries() : undefined;
  const panel = withPeers ? new PeerPanel(stream.features, windows, random.fork('peers')) : undefined;
  const episodes = new EpisodeCounter();
  const chartEpisodes = new EpisodeCounter();
  const findings = new Map<number, number>();
  let weeksWithYellow = 0;
  for (let week = 0; week < plan.liveWeeks; week++) {
    const before = episodes.alarmWindows;
    for (let hour = 0; hour < hoursPerWeek; hour++) {
      const live = stream.next();
      if (scenario.retrainedAt === week * hoursPerWeek + hour) {
        stable.restart(predictions);
        charts.restart();
      }
      const judged = [stable.judge(live.stable), ...(canary && live.canary ? [canary.judge(live.canary)] : [])];
      const signals = charts.judge(live.stable);
      chartEpisodes.add(signals.length > 0);
      episodes.add(signals.length > 0 || judged.some(({ drifted }) => drifted.length > 0));
      for (const { scale } of judged.flatMap(({ drifted }) => drifted))
        findings.set(scale, (findings.get(scale) ?? 0) + 1);
      panel?.judge(live.stable);
    }
    if (episodes.alarmWindows > before) weeksWithYellow++;
  }
  return {
    yellowEpisodes: episodes.episodes,
    yellowWindows: episodes.alarmWindows,
    weeksWithYellow,
    chartEpisodes: chartEpisodes.episodes,
    falseFindings: [...findings].sort(([a], [b]) => a - b),
    peers: panel?.counts() ?? [],
  };
}
