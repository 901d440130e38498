import {
  fragmentPrefix,
  fragmentWindowPrefix,
  modelFragmentPrefix,
  objectId,
  parseFragmentKey,
  verdictKey,
  windowKey,
} from '../contract/keys.ts';
import type { SourcePolicy } from '../model/policy.ts';
import type { Series } from '../model/profile.ts';
import { guardIntegrity } from './guard-integrity.ts';
import { type IngestPorts, ingestCapture } from './ingest.ts';
import { fragmentLifeMilliseconds } from './intake.ts';
import { type CaptureEvent, RefusedCapture, rootOf } from './locate.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { CaptureListing, StateTable } from './ports.ts';
import { listRecentCaptures } from './recent-captures.ts';
import { noRevision, type SettledWindow, settledWindows } from './roll-up.ts';
import { listSeries, type SeriesState } from './series.ts';
import { forgetUnfinished, listUnfinished } from './unfinished.ts';

export interface SweepReport {
  /** Capture objects that no event had brought, or not to their end. */
  readonly ingested: number;
  /**
   * Closed windows whose fragments had changed unnoticed: the prefixes that were touched. Not those of the ingested objects,
   * which ingestion touches.
   */
  readonly touched: readonly string[];
}

const millisecondsPerMinute = 60_000;
const millisecondsPerHour = 60 * millisecondsPerMinute;
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
const fullWindowMilliseconds = 2 * fragmentLifeMilliseconds + 24 * millisecondsPerHour;
/** Full sweeps are at least this far apart: every sixth of hourly ones, whose clocks may be a little off. */
const fullMilliseconds = 5.5 * millisecondsPerHour;

/**
 * Compares what is there with what was done: objects without fragments are ingested, those that were left half way are
 * finished, closed windows whose verdict doesn't know all of their fragments are touched, to be judged again. Queues are an
 * optimisation; listing is the truth.
 *
 * Every sweep looks at the last six hours, by the date in the objects' keys; every sixth of hourly ones is full and lists
 * all objects, of which those count that arrived within a week. So an object whose event was lost is found within an hour
 * and a half of its arrival, and within seven hours where it lies under an older date or its key has none. A touch that was
 * lost is repeated as soon, because the window is still one that its verdict doesn't know all of: by the next sweep, or for
 * a window of earlier than the last hours by the next full one.
 * @throws an error of an object or window that failed, or an AggregateError of several, after everything else was done.
 */
export async function sweep(runtime: ModelRuntime, ports: IngestPorts): Promise<SweepReport> {
  const { name: model, windowSeconds } = runtime.policy;
  const now = ports.clock.now();
  const isFull = await isFullDue(ports.table, model, now);
  const from = isFull ? undefined : now - recentMilliseconds;
  const width = windowSeconds * 1000;
  const back = isFull ? fullWindowMilliseconds + width : recentMilliseconds + recordMarginMilliseconds;
  const firstWindow = Math.floor((now - back) / width) * width;

  const fragments = await listFragments(ports, model, isFull ? undefined : firstWindow);
  const progress: Progress = { ingested: 0, attempted: new Set(), errors: [] };
  await finishUnfinished(runtime, ports, progress);
  await ingestMissing(runtime, ports, progress, fragments.objectIds, from);
  const touched = await touchChanged(runtime, ports, progress, fragments.counts, firstWindow);
  // Also where objects failed: one that never succeeds must not make every sweep a full one.
  if (isFull) await keepFull(ports.table, model, now);
  throwErrors(model, progress.errors);
  return { ingested: progress.ingested, touched };
}

/** What became of a sweep so far. */
interface Progress {
  ingested: number;
  /** Ids of the objects that were tried. */
  readonly attempted: Set<string>;
  readonly errors: unknown[];
}

interface FragmentListing {
  readonly objectIds: ReadonlySet<string>;
  /** How many fragments each window has, by the prefix of their keys. */
  readonly counts: ReadonlyMap<string, number>;
}

/** @param firstWindow where given, windows that start before it are left out. */
async function listFragments(
  ports: IngestPorts,
  model: string,
  firstWindow: number | undefined,
): Promise<FragmentListing> {
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
  if (firstWindow === undefined) {
    await take(ports.state.list(modelFragmentPrefix(model)));
  } else {
    for (const { variant, version, layout } of await listSeries(ports.table, model)) {
      const prefix = fragmentPrefix({ model, variant, version, layout });
      await take(ports.state.list(prefix, prefix + windowKey(firstWindow)));
    }
  }
  return { objectIds, counts };
}

/** Objects of which a part is there: nothing else tells that the rest is missing. */
async function finishUnfinished(runtime: ModelRuntime, ports: IngestPorts, progress: Progress): Promise<void> {
  const { name: model } = runtime.policy;
  for (const { id, event, since } of await listUnfinished(ports.table, model)) {
    const age = ports.clock.now() - since;
    if (age < settledMilliseconds) continue;
    progress.attempted.add(id);
    const outcome = await ingestObject(runtime, ports, progress, event);
    // What can't be finished is tried for as long as its fragments would be of use.
    if (outcome !== 'failed' || age > fragmentLifeMilliseconds) await forgetUnfinished(ports.table, model, id);
  }
}

async function ingestMissing(
  runtime: ModelRuntime,
  ports: IngestPorts,
  progress: Progress,
  known: ReadonlySet<string>,
  from: number | undefined,
): Promise<void> {
  for (const source of runtime.policy.sources) {
    for await (const listing of listCaptures(ports, source, from)) {
      const id = objectId(source.bucket, listing.key);
      if (!isDue(listing, ports.clock.now()) || known.has(id) || progress.attempted.has(id)) continue;
      progress.attempted.add(id);
      const event = { bucket: source.bucket, key: listing.key, account: source.account };
      await ingestObject(runtime, ports, progress, event);
    }
  }
}

function listCaptures(
  { captures }: IngestPorts,
  source: SourcePolicy,
  from: number | undefined,
): AsyncIterable<CaptureListing> {
  const root = rootOf(source);
  return from === undefined
    ? captures.list(source.bucket, root)
    : listRecentCaptures(captures, source.bucket, root, from);
}

function isDue({ lastModified }: CaptureListing, now: number): boolean {
  return lastModified <= now - settledMilliseconds && lastModified >= now - fragmentLifeMilliseconds;
}

/** @returns `failed` where another attempt may end otherwise. */
async function ingestObject(
  runtime: ModelRuntime,
  ports: IngestPorts,
  progress: Progress,
  event: CaptureEvent,
): Promise<'done' | 'failed'> {
  try {
    const report = await guardIntegrity(runtime, ports, () => ingestCapture(runtime, ports, event));
    if (!report) return 'failed';
    if (report.fragments.length > 0) progress.ingested++;
    return 'done';
  } catch (error) {
    // A key that is refused is none of ours, now and at the next sweep.
    if (error instanceof RefusedCapture) return 'done';
    progress.errors.push(error);
    return 'failed';
  }
}

/**
 * Fragments are only ever added, and what a window was settled with is known by their number: a window with as many needs no
 * second look, and none of its fragments is read. One with fewer is being expired by storage, and must not be judged by the
 * rest.
 */
async function touchChanged(
  runtime: ModelRuntime,
  ports: IngestPorts,
  { errors }: Progress,
  counts: FragmentListing['counts'],
  firstWindow: number,
): Promise<readonly string[]> {
  const { name, windowSeconds } = runtime.policy;
  const width = windowSeconds * 1000;
  // Rows before sums, which are written first: a window that is being settled meanwhile is touched for nothing at most.
  const states = await listSeries(ports.table, name);
  const settled = await guardIntegrity(runtime, ports, () => settledWindows(ports, name, firstWindow));
  if (!settled) return [];
  const touched: string[] = [];
  for (const state of states) {
    const series: Series = { model: name, variant: state.variant, version: state.version, layout: state.layout };
    for (let start = Math.max(state.firstWindow, firstWindow); start < state.judgedThrough; start += width) {
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

/** One object or window must not keep those after it from their turn. */
async function attempt(errors: unknown[], step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    errors.push(error);
  }
}

function throwErrors(model: string, errors: readonly unknown[]): void {
  const [first] = errors;
  if (errors.length === 0) return;
  if (errors.length === 1) throw first;
  const message = first instanceof Error ? first.message : String(first);
  throw new AggregateError(errors, `sweep of ${model}: ${errors.length} objects or windows failed, first: ${message}`, {
    cause: first,
  });
}

const partition = 'sweeps';

async function isFullDue(table: StateTable, model: string, now: number): Promise<boolean> {
  const last = (await table.get(partition, model))?.value;
  return typeof last !== 'number' || now < last || now - last >= fullMilliseconds;
}

/** Where two sweeps ran at once, either one's time will do. */
async function keepFull(table: StateTable, model: string, now: number): Promise<void> {
  const row = await table.get(partition, model);
  await table.put(partition, model, now, row?.revision ?? 0);
}
