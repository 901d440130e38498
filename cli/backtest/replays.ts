import { MemoryMetrics } from '../../adapters/local/memory-metrics.ts';
import { MemoryStateTable } from '../../adapters/local/memory-state-table.ts';
import { ScratchObjectStore } from '../../adapters/local/scratch-object-store.ts';
import type { AlarmDefinition, AlarmTransition } from '../../core/model/alarm.ts';
import type { Message } from '../../core/model/delivery.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { ArrivedFragments } from '../../core/pipeline/backtest/arrived-fragments.ts';
import {
  type RecordedFragment,
  type RecordedQuality,
  type RecordedVerdict,
  readRecordedFragments,
  readRecordedQuality,
  readRecordedVerdicts,
} from '../../core/pipeline/backtest/recorded-verdicts.ts';
import { rejudge } from '../../core/pipeline/backtest/rejudge.ts';
import { type AlarmReplayStep, replayRecorded } from '../../core/pipeline/backtest/replay-recorded.ts';
import { Calibrations } from '../../core/pipeline/calibrations.ts';
import { Measurements } from '../../core/pipeline/measurements.ts';
import type { ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import type { MetricSource, ObjectStore, TouchQueue } from '../../core/pipeline/ports.ts';
import { RecordedMetricReader } from '../../core/pipeline/recorded-metric-reader.ts';
import { ReplayClock, recordedUntil, type TouchConsumer } from '../../core/pipeline/replay.ts';
import { RollUpReader } from '../../core/pipeline/roll-up.ts';
import { TrailReader } from '../../core/pipeline/trail-store.ts';
import { AlarmWatch } from '../../core/pipeline/watch-alarms.ts';
import { WindowReader } from '../../core/pipeline/window-reader.ts';
import { asDeployed, type RecordedState } from './recorded-state.ts';

/** What would have happened: every state change, every message, and the verdicts behind them. */
export interface Replayed {
  readonly transitions: readonly AlarmTransition[];
  readonly messages: readonly Message[];
  /** Newest revision of each closed window, by model and window. */
  readonly windows: readonly Verdict[];
  /** Closed and live, by the time they came into force. */
  readonly verdicts: readonly RecordedVerdict[];
}

export type OnProgress = (share: number, time: number) => void;

/** Messages and ARNs of alarms are told as those of the embedded backend. */
const place = { account: '000000000000', region: 'local' };
/** From the last tick to the message about it. */
const settleMilliseconds = 300_000;

/** Runs alarms over what a state folder recorded. Nothing is written to it. */
export async function replayState(
  state: RecordedState,
  metrics: MemoryMetrics,
  runtimes: readonly ModelRuntime[],
  definitions: readonly AlarmDefinition[],
  onProgress: OnProgress,
): Promise<Replayed> {
  const policies = runtimes.map(({ policy }) => policy);
  const verdicts = await readVerdicts(state.store, runtimes);
  const ports = watchPorts(state.store, asDeployed(metrics), definitions);
  const { from } = state;
  const steps = replayRecorded({ policies, definitions, verdicts, from, to: state.to + settleMilliseconds }, ports);
  return collect(steps, ports, verdicts, onProgress);
}

/** What can be judged anew of a state folder. */
export interface Recording {
  /** By their arrival. */
  readonly fragments: readonly RecordedFragment[];
  /** What labels showed, by its time. */
  readonly quality: readonly RecordedQuality[];
}

export interface RejudgeOptions {
  readonly tickMinutes: number;
  /** See `LivePorts.isQuiet`. */
  readonly isQuiet?: ((model: string, time: number) => boolean) | undefined;
  readonly onProgress: OnProgress;
}

/** Judges a state folder's fragments anew under another configuration. Nothing is written to it. */
export async function rejudgeState(
  state: RecordedState,
  { fragments, quality }: Recording,
  runtimes: readonly ModelRuntime[],
  definitions: readonly AlarmDefinition[],
  { tickMinutes, isQuiet, onProgress }: RejudgeOptions,
): Promise<Replayed> {
  const clock = new ReplayClock();
  const scratch = new ScratchObjectStore(new ArrivedFragments(state.store, fragments, clock), 'fragments/');
  const metrics = new MemoryMetrics();
  const touches = new TouchList();
  const watch = watchPorts(scratch, asDeployed(metrics), definitions, clock);
  const last = fragments.at(-1)?.at ?? state.to;
  const ports = {
    ...watch,
    metrics,
    invocations: state.invocations,
    measurements: new Measurements(new RecordedMetricReader(state.metrics)),
    liveClock: recordedUntil(last, clock),
    isQuiet,
    touches,
    touched: touches,
    windows: new WindowReader(scratch),
    rollUps: new RollUpReader(scratch),
    trails: new TrailReader(scratch),
    calibrations: new Calibrations(),
  };
  const { from, to } = state;
  const steps = rejudge(
    { runtimes, definitions, fragments, quality, from, to: to + settleMilliseconds, lastTick: to, tickMinutes },
    ports,
  );
  const replayed = await collect(steps, watch, [], onProgress);
  const verdicts = await readVerdicts(scratch, runtimes);
  return { ...replayed, verdicts, windows: newestWindows(verdicts) };
}

/** Windows to be judged again, each once. */
class TouchList implements TouchQueue, TouchConsumer {
  readonly #prefixes = new Set<string>();

  async touch(windowPrefix: string): Promise<void> {
    this.#prefixes.add(windowPrefix);
  }

  async take(limit: number) {
    return [...this.#prefixes].slice(0, limit).map((windowPrefix) => ({ windowPrefix, generation: 1 }));
  }

  async acknowledge({ windowPrefix }: { readonly windowPrefix: string }): Promise<void> {
    this.#prefixes.delete(windowPrefix);
  }
}

export async function readVerdicts(
  store: Pick<ObjectStore, 'get' | 'list'>,
  runtimes: readonly ModelRuntime[],
): Promise<readonly RecordedVerdict[]> {
  const verdicts = await Promise.all(runtimes.map(({ policy }) => readRecordedVerdicts(store, policy)));
  return verdicts.flat().sort((a, b) => a.at - b.at);
}

export async function readRecording(state: RecordedState, runtimes: readonly ModelRuntime[]): Promise<Recording> {
  const fragments: RecordedFragment[] = [];
  const quality: RecordedQuality[] = [];
  for (const { policy } of runtimes) {
    fragments.push(...(await readRecordedFragments(state.store, policy.name)));
    quality.push(...(await readRecordedQuality(state.store, policy.name)));
  }
  return { fragments: fragments.sort((a, b) => a.at - b.at), quality: quality.sort((a, b) => a.at - b.at) };
}

function watchPorts(
  store: ObjectStore,
  recorded: MetricSource,
  definitions: readonly AlarmDefinition[],
  clock: ReplayClock = new ReplayClock(),
) {
  const messages: Message[] = [];
  const table = new MemoryStateTable();
  return {
    state: store,
    // What is tried out is no evidence.
    audit: new ScratchObjectStore(),
    table,
    clock,
    notifier: {
      deliver: async (message: Message) => {
        if (!messages.some(({ id }) => id === message.id)) messages.push(message);
      },
    },
    alarms: new AlarmWatch(definitions, { table, recorded, clock }, place),
    messages,
  };
}

async function collect(
  steps: AsyncIterable<AlarmReplayStep>,
  { messages }: { readonly messages: readonly Message[] },
  verdicts: readonly RecordedVerdict[],
  onProgress: OnProgress,
): Promise<Replayed> {
  const transitions: AlarmTransition[] = [];
  for await (const { share, time, changes } of steps) {
    transitions.push(...changes.map(({ transition }) => transition));
    onProgress(share, time);
  }
  return { transitions, messages, verdicts, windows: newestWindows(verdicts) };
}

function newestWindows(verdicts: readonly RecordedVerdict[]): readonly Verdict[] {
  const newest = new Map<string, Verdict>();
  for (const { verdict, series } of verdicts) {
    if (!series) continue;
    const key = JSON.stringify([series, verdict.window.start]);
    if ((newest.get(key)?.revision ?? -1) <= verdict.revision) newest.set(key, verdict);
  }
  return [...newest.values()];
}
