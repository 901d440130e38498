import {
  dayKey,
  emptyDayPrefix,
  emptyPrefix,
  fragmentPrefix,
  fragmentWindowPrefix,
  modelFragmentPrefix,
  objectId,
  parseFragmentKey,
  verdictKey,
  windowKey,
} from '../contract/keys.ts';
import type { ModelPolicy, SourcePolicy } from '../model/policy.ts';
import type { Series } from '../model/profile.ts';
import { Announcer } from './announcements.ts';
import { guardIntegrity } from './guard-integrity.ts';
import { fragmentLifeMilliseconds } from './intake.ts';
import { type CaptureEvent, locateCapture, placeCapture, RefusedCapture, rootOf } from './locate.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type {
  AnnouncedCapture,
  CaptureListing,
  CaptureQueue,
  CaptureStore,
  Clock,
  ObjectStore,
  StateTable,
  TouchQueue,
} from './ports.ts';
import { listRecentCaptures } from './recent-captures.ts';
import { noRevision, type SettledWindow, settledWindows } from './roll-up.ts';
import { listSeries, type SeriesState, seriesOfState, windowAt } from './series.ts';
import { beginTurn, endTurn } from './sweep-turns.ts';
import { forgetUnfinished, listUnfinished } from './unfinished.ts';

export interface SweepPorts {
  readonly captures: Pick<CaptureStore, 'list'>;
  readonly state: ObjectStore;
  readonly table: StateTable;
  readonly announcements: CaptureQueue;
  readonly touches: TouchQueue;
  readonly clock: Clock;
}

export interface SweepReport {
  /** Capture objects that no event had brought, or not to their end: ingest was asked for as many. */
  readonly announced: number;
  /** Closed windows whose fragments had changed unnoticed: the prefixes that were touched. */
  readonly touched: readonly string[];
  /** Objects that were announced time and again without result, and are not any more. Each is named once. */
  readonly left: readonly AnnouncedCapture[];
  /** False: there were more objects to announce than a sweep may. The next one goes on. */
  readonly isWhole: boolean;
}

const millisecondsPerMinute = 60_000;
const millisecondsPerHour = 60 * millisecondsPerMinute;
const millisecondsPerDay = 24 * millisecondsPerHour;
/** An object younger than this may still be on its way through the queue. */
const settledMilliseconds = 15 * millisecondsPerMinute;
/** How far back a sweep looks that is not a full one. */
const recentMilliseconds = 6 * millisecondsPerHour;
/** Records may be a little older than the time in their object's key. */
const recordMarginMilliseconds = millisecondsPerHour;
/**
 * How far back a full one looks at windows: an object may be as late as fragments live and be found that much later, and
 * then its touch may be lost for a day.
 */
const fullWindowMilliseconds = 2 * fragmentLifeMilliseconds + millisecondsPerDay;
/** Objects of a model that a sweep announces: half a minute's work. */
const maximumObjects = 20_000;

/**
 * Compares what is there with what was done: objects without fragments, and those that were left half way, are announced to
 * ingest; closed windows whose verdict doesn't know all of their fragments are touched, to be judged again. Nothing is
 * ingested or judged here. Queues are an optimisation; listing is the truth.
 *
 * Every sweep looks at the last six hours, by the date in the objects' keys; every sixth of hourly ones is full and lists
 * all objects, of which those count that arrived within a week. So an object whose event was lost is found within an hour
 * and a half of its arrival, and within seven hours where it lies under an older date or its key has none. A touch that was
 * lost is repeated as soon, because the window is still one that its verdict doesn't know all of: by the next sweep, or for
 * a window of earlier than the last hours by the next full one.
 * @param limit the most objects that are announced; what is left follows in the next sweep.
 * @throws an error of a window that failed, or of the queue that took no announcements, or an AggregateError of several,
 * after everything else was done.
 */
export async function sweep(
  runtime: ModelRuntime,
  ports: SweepPorts,
  limit: number = maximumObjects,
): Promise<SweepReport> {
  const { name: model } = runtime.policy;
  const now = ports.clock.now();
  const turn = await beginTurn(ports.table, model, now);
  const from = now - (turn.isFull ? fullWindowMilliseconds : recentMilliseconds + recordMarginMilliseconds);
  const errors: unknown[] = [];

  const fragments = await listFragments(ports, model, turn.isFull ? undefined : from);
  const touched = await touchChanged(runtime, ports, errors, fragments.counts, from);
  const announcer = await Announcer.open(ports, model, now, limit);
  let isWhole = true;
  const isAsked = await attempt(errors, async () => {
    const unfinished = await announceUnfinished(runtime, ports, announcer);
    const empty = await listEmpty(ports, model, turn.isFull ? undefined : now);
    const isKnown = (id: string) => fragments.objectIds.has(id) || empty.has(id) || unfinished.has(id);
    isWhole = await announceMissing(runtime, ports, announcer, isKnown, turn.isFull);
    await announcer.flush();
    await announcer.settle((id) => isKnown(id) && !unfinished.has(id));
  });
  // One that could not ask is repeated like one that was killed.
  if (isAsked) await endTurn(ports.table, model, turn, isWhole);
  throwErrors(model, errors);
  return { announced: announcer.announced, touched, left: announcer.left, isWhole };
}

interface FragmentListing {
  readonly objectIds: ReadonlySet<string>;
  /** How many fragments each window has, by the prefix of their keys. */
  readonly counts: ReadonlyMap<string, number>;
}

/** @param from where given, windows that end before it are left out. */
async function listFragments(ports: SweepPorts, model: string, from: number | undefined): Promise<FragmentListing> {
  const objectIds = new Set<string>();
  const counts = new Map<string, number>();
  const take = async (keys: AsyncIterable<string>) => {
    for await (const key of keys) {
      const parsed = parseFragmentKey(key);
      if (!parsed) continue;
      objectIds.add(parsed.objectId);
      const prefix = key.slice(0, key.lastIndexOf('/') + 1);
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  };
  if (from === undefined) {
    await take(ports.state.list(modelFragmentPrefix(model)));
  } else {
    for (const state of await listSeries(ports.table, model)) {
      const prefix = fragmentPrefix(seriesOfState(model, state));
      await take(ports.state.list(prefix, prefix + windowKey(windowAt(state, from).start)));
    }
  }
  return { objectIds, counts };
}

/** Ids of the objects that left no fragment. @param now where given, of those that arrived lately. */
async function listEmpty({ state }: SweepPorts, model: string, now: number | undefined): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const from = now === undefined ? undefined : emptyDayPrefix(model, dayKey(now - recentMilliseconds));
  for await (const key of state.list(emptyPrefix(model), from)) ids.add(key.slice(key.lastIndexOf('/') + 1));
  return ids;
}

/**
 * Objects of which a part is there: nothing else tells that the rest is missing.
 * @returns the ids of all of them.
 */
async function announceUnfinished(
  { policy }: ModelRuntime,
  { table, clock }: SweepPorts,
  announcer: Announcer,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const { id, event, bytes, since } of await listUnfinished(table, policy.name)) {
    ids.add(id);
    const age = clock.now() - since;
    if (age < settledMilliseconds) continue;
    // Its event was accepted when it was begun. Whose account the source is in may be configured since.
    const source = sourceOf(policy, event);
    const capture = { ...event, account: source?.account, model: policy.name, bytes };
    // What can't be finished is waited for as long as its fragments would be of use; what is none of ours any more is not.
    if (age > fragmentLifeMilliseconds || !source) await forgetUnfinished(table, policy.name, id);
    else await announcer.offer({ id, capture, isCertain: true });
  }
  return ids;
}

/** @returns false where the limit was reached. */
async function announceMissing(
  { policy }: ModelRuntime,
  ports: SweepPorts,
  announcer: Announcer,
  isKnown: (id: string) => boolean,
  isFull: boolean,
): Promise<boolean> {
  const now = ports.clock.now();
  const oldest = now - (isFull ? fragmentLifeMilliseconds : recentMilliseconds);
  for (const source of policy.sources) {
    const from = isFull ? undefined : now - recentMilliseconds;
    for await (const { key, bytes, lastModified } of listCaptures(ports, source, from)) {
      // One that came earlier may have left its fragments in windows that only a full sweep lists.
      if (lastModified > now - settledMilliseconds || lastModified < oldest) continue;
      const event = { bucket: source.bucket, key, account: source.account };
      const id = objectId(event.bucket, key);
      if (isKnown(id) || isRefused(policy, event)) continue;
      const capture = { ...event, model: policy.name, bytes };
      if (!(await announcer.offer({ id, capture, isCertain: isFull }))) return false;
    }
  }
  return true;
}

function listCaptures(
  { captures }: SweepPorts,
  source: SourcePolicy,
  from: number | undefined,
): AsyncIterable<CaptureListing> {
  const root = rootOf(source);
  return from === undefined
    ? captures.list(source.bucket, root)
    : listRecentCaptures(captures, source.bucket, root, from);
}

/** Undefined: the object is none of ours any more. */
function sourceOf(policy: ModelPolicy, event: CaptureEvent): SourcePolicy | undefined {
  try {
    return placeCapture(policy, event).source;
  } catch (error) {
    if (error instanceof RefusedCapture) return undefined;
    throw error;
  }
}

/** A key that is refused is none of ours, now and at the next sweep. */
function isRefused(policy: ModelPolicy, event: CaptureEvent): boolean {
  try {
    locateCapture(policy, event);
    return false;
  } catch (error) {
    if (error instanceof RefusedCapture) return true;
    throw error;
  }
}

/**
 * Fragments are only ever added, and what a window was settled with is known by their number: a window with as many needs no
 * second look, and none of its fragments is read. One with fewer is being expired by storage, and must not be judged by the
 * rest.
 */
async function touchChanged(
  runtime: ModelRuntime,
  ports: SweepPorts,
  errors: unknown[],
  counts: FragmentListing['counts'],
  from: number,
): Promise<readonly string[]> {
  const { name } = runtime.policy;
  // Rows before sums, which are written first: a window that is being settled meanwhile is touched for nothing at most.
  const states = await listSeries(ports.table, name);
  const oldest = Math.min(from, ...states.map((state) => windowAt(state, from).start));
  const settled = await guardIntegrity(runtime, ports, () => settledWindows(ports, name, oldest));
  if (!settled) return [];
  const touched: string[] = [];
  for (const state of states) {
    const series = seriesOfState(name, state);
    const first = Math.max(state.firstWindow, windowAt(state, from).start);
    for (let start = first; start < state.judgedThrough; start += state.windowSeconds * 1000) {
      const prefix = fragmentWindowPrefix(series, start);
      const count = counts.get(prefix);
      const known = settled.get(prefix);
      if (count === undefined || (known && known.fragments >= count && isRecorded(state, series, start, known)))
        continue;
      await attempt(errors, async () => {
        await ports.touches.touch(prefix);
        touched.push(prefix);
      });
    }
  }
  return touched;
}

/** The newest window's own row is written after its sums: it may be missing. */
function isRecorded({ newest }: SeriesState, series: Series, start: number, { revision }: SettledWindow): boolean {
  if (revision === noRevision) return true;
  if (newest === undefined || newest.windowStart < start) return false;
  return newest.windowStart > start || newest.key >= verdictKey(series, start, revision);
}

/** What fails must not keep what comes after it from its turn. @returns whether it went well. */
async function attempt(errors: unknown[], step: () => Promise<void>): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    errors.push(error);
    return false;
  }
}

function throwErrors(model: string, errors: readonly unknown[]): void {
  const [first] = errors;
  if (errors.length === 0) return;
  if (errors.length === 1) throw first;
  const message = first instanceof Error ? first.message : String(first);
  throw new AggregateError(errors, `sweep of ${model}: ${errors.length} steps failed, first: ${message}`, {
    cause: first,
  });
}
