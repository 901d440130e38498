import { suppressionSeconds } from '../contract/alarm-definitions.ts';
import type { AlarmDefinition, AlarmTransition } from '../model/alarm.ts';
import { recoveryHoldSeconds } from '../route/episode.ts';
import type { Sequencer } from './evidence.ts';
import { guardIntegrity } from './guard-integrity.ts';
import { type IngestPorts, type IngestReport, ingestCapture } from './ingest.ts';
import type { JoinPorts } from './join-labels.ts';
import { judgeLabels } from './judge-labels.ts';
import type { CaptureEvent } from './locate.ts';
import { RefusedCapture, rootOf, timeInKey } from './locate.ts';
import type { ModelRuntime } from './model-runtime.ts';
import { type NotifyPorts, notifyOfAlarm, notifyOverdue } from './notify.ts';
import type { AnnouncedCapture, CaptureStore, Clock, StateTable } from './ports.ts';
import { listSeries, windowAt } from './series.ts';
import { type SweepPorts, sweep } from './sweep.ts';
import { type JudgedWindow, judgeTouched, type TickPorts, tick } from './tick.ts';
import type { AlarmWatch } from './watch-alarms.ts';

/** A clock that stands where it was set: event time. */
export class ReplayClock implements Clock {
  #now: number;

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  set(now: number): void {
    this.#now = now;
  }
}

/** A capture object and when it arrived, milliseconds since the epoch. */
export interface Arrival extends CaptureEvent {
  readonly time: number;
  /** It holds labels, which come when nothing is captured any more. */
  readonly isLabels?: boolean | undefined;
}

/** Takes the touches of closed windows off the queue. */
export interface TouchConsumer {
  take(limit: number): Promise<readonly { readonly windowPrefix: string; readonly generation: number }[]>;
  acknowledge(touch: { readonly windowPrefix: string; readonly generation: number }): Promise<void>;
}

/** Takes what was announced to ingest. */
export interface AnnouncementConsumer {
  takeAll(): readonly AnnouncedCapture[];
}

export interface ReplayPorts extends IngestPorts, TickPorts, NotifyPorts, SweepPorts, JoinPorts {
  readonly captures: CaptureStore;
  readonly clock: ReplayClock;
  readonly announced: AnnouncementConsumer;
  readonly touched: TouchConsumer;
  readonly alarms: AlarmWatch;
  readonly sequencer: Sequencer;
  /** Runs a step of the replay whole or not at all, as far as the state table, metrics and outbox go. */
  transaction<T>(step: () => Promise<T>): Promise<T>;
}

export interface ReplayOptions {
  readonly runtimes: readonly ModelRuntime[];
  readonly definitions: readonly AlarmDefinition[];
  readonly arrivals: readonly Arrival[];
  /** Time between ticks: a minute when deployed. */
  readonly tickSeconds: number;
}

/** What happened in a stretch of replayed time. */
export interface ReplayStep {
  /** Replayed through this time, milliseconds since the epoch. */
  readonly time: number;
  /** Share of the replay that is done, 0 to 1. */
  readonly share: number;
  readonly ingested: readonly IngestReport[];
  readonly refused: readonly string[];
  readonly judged: readonly JudgedWindow[];
  readonly transitions: readonly AlarmTransition[];
}

const partition = 'replay';
const cursorKey = 'cursor';
const stepMilliseconds = 3_600_000;
const keyTimeDelayMilliseconds = 120_000;
/** From a tick to the message about it, the recovery too: the suppressor's wait, the hold, and a tick for each step. */
function tellMilliseconds(tickMilliseconds: number): number {
  return (suppressionSeconds.wait + recoveryHoldSeconds) * 1000 + 4 * tickMilliseconds;
}
const millisecondsPerDay = 86_400_000;

/**
 * When each object of the sources arrived, in order. That is its modification time where it lies within a day after the
 * time in its key (`aws s3 sync` keeps it), else two minutes after the time in its key.
 */
export async function planArrivals(
  runtimes: readonly ModelRuntime[],
  captures: CaptureStore,
): Promise<readonly Arrival[]> {
  const arrivals: Arrival[] = [];
  for (const { policy } of runtimes) {
    for (const source of policy.sources) {
      for await (const { key, lastModified } of captures.list(source.bucket, rootOf(source))) {
        const keyTime = timeInKey(key);
        const plausible =
          keyTime === undefined || (lastModified >= keyTime && lastModified <= keyTime + millisecondsPerDay);
        const time = plausible ? lastModified : keyTime + keyTimeDelayMilliseconds;
        const isLabels = source.role === 'labels';
        arrivals.push({ bucket: source.bucket, key, account: source.account, time, ...(isLabels && { isLabels }) });
      }
    }
  }
  return arrivals.sort((a, b) => a.time - b.time || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/**
 * The whole pipeline in event time over capture objects that lie there already: objects are ingested as they arrived,
 * and every tick judges, publishes, evaluates the alarms and notifies. A step is an hour and is kept whole with its place
 * in time, so a replay that was killed goes on where it was and ends in the same state.
 */
export async function* replay(options: ReplayOptions, backend: ReplayPorts): AsyncGenerator<ReplayStep> {
  const { arrivals, tickSeconds, runtimes } = options;
  const ports = inEventTime(backend, arrivals);
  const first = arrivals[0]?.time;
  const last = arrivals.at(-1)?.time;
  if (first === undefined || last === undefined) return;
  const tickMilliseconds = tickSeconds * 1000;
  const start = Math.floor(first / tickMilliseconds) * tickMilliseconds;
  let through = (await readCursor(ports.table)) ?? start - tickMilliseconds;
  for (;;) {
    // How long the replay goes on is known only when everything has arrived.
    const settled = through < last ? last : await settledTime(runtimes, ports.table, last);
    const end = settled + tellMilliseconds(tickMilliseconds);
    if (through >= end) break;
    const until = Math.min(nextStep(through, tickMilliseconds), Math.ceil(end / tickMilliseconds) * tickMilliseconds);
    const from = through;
    const step = await ports.transaction(() => replayStep(options, ports, from, until));
    through = until;
    yield { ...step, time: until, share: Math.min(1, (until - start) / Math.max(end - start, 1)) };
  }
  yield await ports.transaction(() => settle(options, ports, through));
}

/**
 * Ports that show every object as it arrived, whatever became of its modification time since, and none before: a step
 * that was killed leaves files of the hour to come, and the one that repeats it must not see them early.
 */
function inEventTime(ports: ReplayPorts, arrivals: readonly Arrival[]): ReplayPorts {
  const { captures, clock } = ports;
  const nameOf = (bucket: string, key: string) => JSON.stringify([bucket, key]);
  const times = new Map(arrivals.map(({ bucket, key, time }) => [nameOf(bucket, key), time]));
  const dated = <T extends { readonly key: string; readonly lastModified: number }>(bucket: string, object: T): T => ({
    ...object,
    lastModified: times.get(nameOf(bucket, object.key)) ?? object.lastModified,
  });
  const last = arrivals.findLast(({ isLabels }) => !isLabels)?.time;
  return {
    ...ports,
    windows: ports.windows.upTo(clock),
    ...(last !== undefined && { liveClock: recordedUntil(last, clock) }),
    captures: {
      async *list(bucket, prefix) {
        for await (const listing of captures.list(bucket, prefix)) yield dated(bucket, listing);
      },
      async head(bucket, key) {
        const object = await captures.head(bucket, key);
        return object && dated(bucket, object);
      },
      read: (object) => captures.read(object),
    },
  };
}

/**
 * Stands still where a recording ends. Nothing was captured after it, and that is neither silence nor recovery: what was
 * in force then stays in force.
 */
export function recordedUntil(last: number, clock: Clock): Clock {
  return { now: () => Math.min(clock.now(), last) };
}

/** When the newest window with records is closed and due. */
async function settledTime(runtimes: readonly ModelRuntime[], table: StateTable, last: number): Promise<number> {
  const ends = [last];
  for (const { policy } of runtimes) {
    for (const state of await listSeries(table, policy.name)) {
      ends.push(windowAt(state, state.newestWindow).end + policy.graceSeconds * 1000);
    }
  }
  return Math.max(...ends);
}

/** The first tick at or after the next full hour: a step ends on a tick, or what arrives after its last one is lost. */
function nextStep(time: number, tickMilliseconds: number): number {
  const hour = (Math.floor(time / stepMilliseconds) + 1) * stepMilliseconds;
  return time + Math.ceil((hour - time) / tickMilliseconds) * tickMilliseconds;
}

async function replayStep(
  options: ReplayOptions,
  ports: ReplayPorts,
  from: number,
  until: number,
): Promise<ReplayStep> {
  const tickMilliseconds = options.tickSeconds * 1000;
  const step = emptyStep(until);
  let next = firstAfter(options.arrivals, from);
  for (let time = from + tickMilliseconds; time <= until; time += tickMilliseconds) {
    for (let arrival = options.arrivals[next]; arrival && arrival.time <= time; arrival = options.arrivals[++next]) {
      ports.clock.set(arrival.time);
      await ingestArrival(options, ports, arrival, step);
    }
    ports.clock.set(time);
    // Hourly, and before the last tick of the hour, which tells what it found.
    if (time + tickMilliseconds > until) await judgeAllLabels(options, ports);
    await judgeAndTell(options, ports, step);
  }
  await keepCursor(ports.table, until);
  return step;
}

interface OpenStep {
  time: number;
  share: number;
  ingested: IngestReport[];
  refused: string[];
  judged: JudgedWindow[];
  transitions: AlarmTransition[];
}

function emptyStep(time: number): OpenStep {
  return { time, share: 1, ingested: [], refused: [], judged: [], transitions: [] };
}

async function ingestArrival(
  options: ReplayOptions,
  ports: ReplayPorts,
  arrival: CaptureEvent,
  step: OpenStep,
): Promise<void> {
  for (const runtime of options.runtimes) {
    if (!isSourceOf(runtime, arrival)) continue;
    try {
      const report = await guardIntegrity(runtime, ports, () => ingestCapture(runtime, ports, arrival));
      if (report) step.ingested.push(report);
    } catch (error) {
      if (!(error instanceof RefusedCapture)) throw error;
      step.refused.push(error.message);
    }
  }
}

function isSourceOf(runtime: ModelRuntime, arrival: CaptureEvent): boolean {
  return runtime.policy.sources.some(
    (source) => source.bucket === arrival.bucket && arrival.key.startsWith(rootOf(source)),
  );
}

async function judgeAllLabels({ runtimes }: ReplayOptions, ports: ReplayPorts): Promise<void> {
  for (const runtime of runtimes) await guardIntegrity(runtime, ports, () => judgeLabels(runtime, ports));
}

async function judgeAndTell(options: ReplayOptions, ports: ReplayPorts, step: OpenStep): Promise<void> {
  await judgeTouches(options, ports, step);
  const { judged } = await tick(options.runtimes, ports);
  step.judged.push(...judged);
  const policies = options.runtimes.map(({ policy }) => policy);
  for (const { transition, message } of await ports.alarms.step()) {
    step.transitions.push(transition);
    if (message !== undefined) await notifyOfAlarm(options.definitions, policies, ports, message);
  }
  await notifyOverdue(policies, ports);
}

async function judgeTouches(options: ReplayOptions, ports: ReplayPorts, step: OpenStep): Promise<void> {
  for (;;) {
    const touches = await ports.touched.take(1_000);
    if (touches.length === 0) return;
    for (const touch of touches) {
      const again = await judgeTouched(options.runtimes, ports, touch.windowPrefix);
      if (again) step.judged.push(again);
      await ports.touched.acknowledge(touch);
    }
  }
}

/** At the end: what no event brought, what follows from it, and everything into the hash list. */
async function settle(options: ReplayOptions, ports: ReplayPorts, time: number): Promise<ReplayStep> {
  const step = emptyStep(time);
  ports.clock.set(time);
  for (const runtime of options.runtimes) {
    for (let isWhole = false; !isWhole; ) {
      ({ isWhole } = await sweep(runtime, ports));
      const only = { ...options, runtimes: [runtime] };
      for (const capture of ports.announced.takeAll()) {
        await ingestArrival(only, ports, { ...capture, isRepeated: true }, step);
      }
    }
  }
  await judgeTouches(options, ports, step);
  await judgeAllLabels(options, ports);
  await ports.sequencer.appendNew();
  return step;
}

function firstAfter(arrivals: readonly Arrival[], time: number): number {
  const index = arrivals.findIndex((arrival) => arrival.time > time);
  return index < 0 ? arrivals.length : index;
}

async function readCursor(table: StateTable): Promise<number | undefined> {
  const row = await table.get(partition, cursorKey);
  const value = row?.value;
  return typeof value === 'number' ? value : undefined;
}

async function keepCursor(table: StateTable, through: number): Promise<void> {
  const row = await table.get(partition, cursorKey);
  await table.put(partition, cursorKey, through, row?.revision ?? 0);
}
