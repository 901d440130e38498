import { evaluationLagLimitSeconds } from '../contract/alarm-definitions.ts';
import { parseFragmentWindowPrefix } from '../contract/keys.ts';
import { minimumQuarantined } from '../evaluate/record-findings.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { Series, Window } from '../model/profile.ts';
import { type Tier, worstTier } from '../model/verdict.ts';
import { gaugeMetrics, type ModelState as ModelGauges } from '../publish/gauge-metrics.ts';
import { FailedModels, type ModelFailure } from './failed-models.ts';
import { guardIntegrity } from './guard-integrity.ts';
import { judgeNow, type LivePorts } from './judge-now.ts';
import { type Judgement, type JudgePorts, judgeWindow } from './judge-window.ts';
import type { ModelRuntime } from './model-runtime.ts';
import { updateModelState } from './model-state.ts';
import type { MetricSink } from './ports.ts';
import { addRefused, publishMetrics, type RefusedMetrics } from './publish-metrics.ts';
import { noRevision, rollUpWindow } from './roll-up.ts';
import { listSeries, type SeriesState, updateSeries } from './series.ts';
import type { WindowContent } from './window-reader.ts';

export type TickPorts = JudgePorts & LivePorts & { readonly metrics: MetricSink };

/** A closed window that was judged. */
export type JudgedWindow = Omit<Judgement, 'written'>;

export interface TickReport {
  readonly judged: readonly JudgedWindow[];
  /** Scores and gauges that CloudWatch would not take. */
  readonly refused: readonly RefusedMetrics[];
}

/**
 * What happens every minute: closed windows that are due are judged, every model is judged as of now, the gauges are
 * published. The heartbeat comes last and says that all of it was done.
 * @throws {FailedModels} after the gauges of all other models were published, and without a heartbeat.
 */
export async function tick(runtimes: readonly ModelRuntime[], ports: TickPorts): Promise<TickReport> {
  const judged: JudgedWindow[] = [];
  const gauges: ModelGauges[] = [];
  const failures: ModelFailure[] = [];
  for (const runtime of runtimes) {
    try {
      const done = await tickModel(runtime, ports);
      judged.push(...done.judged);
      gauges.push(done.gauges);
    } catch (error) {
      // One model's trouble must not take the gauges of the others.
      failures.push({ model: runtime.policy.name, error });
    }
  }
  const isComplete = failures.length === 0;
  const refused = await publishMetrics(ports, gaugeMetrics(gauges, ports.clock.now(), isComplete));
  if (!isComplete) throw new FailedModels('tick', failures);
  return { judged, refused: addRefused([...judged.flatMap((window) => window.refused), ...refused]) };
}

async function tickModel(
  runtime: ModelRuntime,
  ports: TickPorts,
): Promise<{ readonly judged: readonly JudgedWindow[]; readonly gauges: ModelGauges }> {
  const { name } = runtime.policy;
  const series = await listSeries(ports.table, name);
  const judged: JudgedWindow[] = [];
  for (const state of series) {
    // One series that can't be judged must not keep the others from it.
    judged.push(...((await guardIntegrity(runtime, ports, () => judgeDueWindows(runtime, ports, state))) ?? []));
  }
  // Read again only where judging may have changed it.
  const current = judged.length === 0 ? series : await listSeries(ports.table, name);
  const gauges = await guardIntegrity(runtime, ports, () => measureModel(runtime, ports, current));
  return { judged, gauges: gauges ?? unreadable(name) };
}

/**
 * Judges a window again that was touched by late data. Windows that are not due yet are left to their turn.
 * @param windowPrefix as `TouchQueue.touch` was given it.
 * @returns undefined where there was nothing to do.
 */
export async function judgeTouched(
  runtimes: readonly ModelRuntime[],
  ports: TickPorts,
  windowPrefix: string,
): Promise<JudgedWindow | undefined> {
  const parsed = parseFragmentWindowPrefix(windowPrefix);
  const runtime = runtimes.find(({ policy }) => policy.name === parsed?.series.model);
  if (!parsed || !runtime) return undefined;
  const { series, windowStart } = parsed;
  const window = { start: windowStart, end: windowStart + runtime.policy.windowSeconds * 1000 };
  const state = (await listSeries(ports.table, series.model)).find((one) => isSeries(one, series));
  if (!state || window.start >= state.judgedThrough) return undefined;
  return guardIntegrity(runtime, ports, async () => {
    const outcome = await judgeOwnWindow(runtime, ports, series, window);
    return outcome?.written ? outcome : undefined;
  });
}

/**
 * Judges a closed window where it is this series' to be judged for; else only its SLI sums are kept.
 * @returns undefined where it is not.
 */
async function judgeOwnWindow(
  runtime: ModelRuntime,
  ports: JudgePorts,
  series: Series,
  window: Window,
): Promise<Judgement | undefined> {
  const content = await ports.windows.read(series, window.start);
  if (await isForSeries(ports, series, window, content)) return judgeWindow(runtime, ports, series, window);
  // Of what was just seen to hold no records: sums without a verdict tell the sweep that these fragments need none.
  if (content.fragments.length > 0) await rollUpWindow(ports, series, window, content, noRevision);
  return undefined;
}

/** What is stored of a model can't be trusted: that pages, and nothing else is said of it. */
function unreadable(model: string): ModelGauges {
  return { model, tier: 'red', evaluationLagSeconds: undefined, quarantineShare: undefined, slos: [] };
}

/** In the order of the windows; also where a window needed no verdict, the series' place is moved on. */
async function judgeDueWindows(
  runtime: ModelRuntime,
  ports: TickPorts,
  state: SeriesState,
): Promise<readonly JudgedWindow[]> {
  const { windowSeconds, graceSeconds, name } = runtime.policy;
  const width = windowSeconds * 1000;
  const due = ports.clock.now() - graceSeconds * 1000;
  const judged: JudgedWindow[] = [];
  const series: Series = { model: name, variant: state.variant, version: state.version, layout: state.layout };
  for (let start = state.judgedThrough; start + width <= due; start += width) {
    const window = { start, end: start + width };
    const outcome = await judgeOwnWindow(runtime, ports, series, window);
    if (outcome) judged.push(outcome);
    else {
      await updateSeries(ports.table, series, (known) => ({
        ...(known ?? state),
        judgedThrough: Math.max(known?.judgedThrough ?? 0, window.end),
      }));
    }
  }
  return judged;
}

/**
 * A window without inference records is judged for one series only, the one that had records last, and only where no
 * other series of the model had any: a retired version is not silent.
 */
async function isForSeries(
  ports: JudgePorts,
  series: Series,
  window: Window,
  { summary }: WindowContent,
): Promise<boolean> {
  if (summary.records.captured > 0) return true;
  const all = await listSeries(ports.table, series.model);
  for (const other of all) {
    if (isSeries(other, series) || other.newestWindow < window.start || other.firstWindow > window.start) continue;
    const content = await ports.windows.read({ model: series.model, ...other }, window.start);
    if (content.summary.records.captured > 0) return false;
  }
  const last = [...all].sort((a, b) => b.newestWindow - a.newestWindow)[0];
  return last !== undefined && isSeries(last, series);
}

function isSeries(state: SeriesState, series: Omit<Series, 'model'>): boolean {
  return state.variant === series.variant && state.version === series.version && state.layout === series.layout;
}

async function measureModel(
  runtime: ModelRuntime,
  ports: TickPorts,
  states: readonly SeriesState[],
): Promise<ModelGauges> {
  const { policy } = runtime;
  const now = ports.clock.now();
  // The first tick makes the model known: silence counts from then.
  const model = await updateModelState(ports.table, policy.name, now, (state) => state);
  const judgement = await judgeNow(runtime, ports, states, model);
  const lagSeconds = Math.max(0, (now - judgedUntil(policy, states, model.since, now)) / 1000);
  const stale = lagSeconds > evaluationLagLimitSeconds(policy);
  const newest = newestVerdicts(states);
  return {
    model: policy.name,
    tier: currentTier(judgement.tier, newest, stale),
    evaluationLagSeconds: lagSeconds,
    quarantineShare: stale ? undefined : shareOf(newest),
    slos: judgement.slos,
  };
}

/** The end of what has been judged: of the newest window, or of the series that is behind with a window it has records of. */
function judgedUntil(policy: ModelPolicy, states: readonly SeriesState[], since: number, now: number): number {
  const due = now - (policy.windowSeconds + policy.graceSeconds) * 1000;
  const behind = states.filter((state) => state.judgedThrough <= Math.min(state.newestWindow, due));
  if (behind.length > 0) return Math.min(...behind.map((state) => state.judgedThrough));
  const judged = states.filter(({ newest }) => newest).map((state) => state.judgedThrough);
  return judged.length > 0 ? Math.max(...judged) : since;
}

/** A stale judgement neither raises nor clears anything, but an objective that is broken right now still pages. */
function currentTier(live: Tier, newest: readonly NewestVerdict[], stale: boolean): Tier | undefined {
  if (stale) return live === 'red' ? live : undefined;
  return worstTier([live, ...newest.map(({ tier }) => tier)]);
}

type NewestVerdict = NonNullable<SeriesState['newest']>;

/** The verdicts of the newest judged window, one per series that took part in it. */
function newestVerdicts(states: readonly SeriesState[]): readonly NewestVerdict[] {
  const verdicts = states.flatMap(({ newest }) => newest ?? []);
  const start = Math.max(...verdicts.map(({ windowStart }) => windowStart));
  return verdicts.filter(({ windowStart }) => windowStart === start);
}

/** 0 where too few were quarantined to be worth a finding: the alarm must not say more than the verdict. */
function shareOf(newest: readonly NewestVerdict[]): number | undefined {
  const captured = newest.reduce((sum, verdict) => sum + verdict.captured, 0);
  const quarantined = newest.reduce((sum, verdict) => sum + verdict.quarantined, 0);
  if (captured === 0) return undefined;
  return quarantined < minimumQuarantined ? 0 : quarantined / captured;
}
