import { evaluationLagLimitSeconds } from '../contract/alarm-definitions.ts';
import { parseFragmentWindowPrefix } from '../contract/keys.ts';
import { metricNamespace } from '../contract/metric-names.ts';
import { minimumQuarantined } from '../evaluate/record-findings.ts';
import type { MetricDatum } from '../model/metric.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { Series, Window } from '../model/profile.ts';
import { type Tier, type Verdict, worstTier } from '../model/verdict.ts';
import { batchMetrics } from '../publish/batch-metrics.ts';
import { gaugeMetrics, type ModelState as ModelGauges } from '../publish/gauge-metrics.ts';
import { judgeNow, type LivePorts } from './judge-now.ts';
import { type JudgePorts, judgeWindow } from './judge-window.ts';
import type { ModelRuntime } from './model-runtime.ts';
import { updateModelState } from './model-state.ts';
import type { MetricSink } from './ports.ts';
import { noRevision, rollUpWindow } from './roll-up.ts';
import { listSeries, type SeriesState, updateSeries } from './series.ts';
import { IntegrityError } from './write-once.ts';

export type TickPorts = JudgePorts & LivePorts & { readonly metrics: MetricSink };

/** A closed window that was judged. */
export interface JudgedWindow {
  readonly key: string;
  readonly verdict: Verdict;
}

export interface TickReport {
  readonly judged: readonly JudgedWindow[];
}

/**
 * What happens every minute: closed windows that are due are judged, every model is judged as of now, the gauges are
 * published. The heartbeat comes last and says that all of it was done.
 */
export async function tick(runtimes: readonly ModelRuntime[], ports: TickPorts): Promise<TickReport> {
  const judged: JudgedWindow[] = [];
  const gauges: ModelGauges[] = [];
  for (const runtime of runtimes) {
    const { name } = runtime.policy;
    const series = await listSeries(ports.table, name);
    const due: JudgedWindow[] = [];
    for (const state of series) {
      // One series that can't be judged must not keep the others from it.
      due.push(...((await guardIntegrity(runtime, ports, () => judgeDueWindows(runtime, ports, state))) ?? []));
    }
    judged.push(...due);
    // Read again only where judging may have changed it.
    const current = due.length === 0 ? series : await listSeries(ports.table, name);
    const measured = await guardIntegrity(runtime, ports, () => measureModel(runtime, ports, current));
    gauges.push(measured ?? unreadable(name));
  }
  await publish(ports, gaugeMetrics(gauges, ports.clock.now()));
  return { judged };
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
    return outcome?.written ? { verdict: outcome.verdict, key: outcome.key } : undefined;
  });
}

/**
 * Judges a closed window where it is this series' to be judged for; else only its SLI sums are kept.
 * @returns undefined where it is not.
 */
export async function judgeOwnWindow(
  runtime: ModelRuntime,
  ports: JudgePorts,
  series: Series,
  window: Window,
): Promise<(JudgedWindow & { readonly written: boolean }) | undefined> {
  if (await isForSeries(ports, series, window)) return judgeWindow(runtime, ports, series, window);
  const content = await ports.windows.read(series, window.start);
  if (content.summary.minutes.length > 0) await rollUpWindow(ports, series, window, content, noRevision);
  return undefined;
}

/** Runs a step; a key with other content becomes a finding that pages, and the rest of the fleet goes on. */
export async function guardIntegrity<T>(
  runtime: ModelRuntime,
  ports: Pick<TickPorts, 'table' | 'clock'>,
  step: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    const { key } = error;
    const now = ports.clock.now();
    await updateModelState(ports.table, runtime.policy.name, now, (state) =>
      state.integrity.some(([known]) => known === key)
        ? state
        : { ...state, integrity: [...state.integrity, [key, now] as const].slice(-maximumIntegrityKeys) },
    );
    return undefined;
  }
}

const maximumIntegrityKeys = 20;

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
    if (outcome) {
      judged.push({ verdict: outcome.verdict, key: outcome.key });
    } else {
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
async function isForSeries(ports: JudgePorts, series: Series, window: Window): Promise<boolean> {
  if ((await ports.windows.read(series, window.start)).summary.records.captured > 0) return true;
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

async function publish(ports: TickPorts, data: readonly MetricDatum[]): Promise<void> {
  for (const batch of batchMetrics(data, ports.clock.now()).batches) await ports.metrics.put(metricNamespace, batch);
}
