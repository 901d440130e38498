import { fragmentWindowPrefix, modelFragmentPrefix, objectId, parseFragmentKey } from '../contract/keys.ts';
import type { Series } from '../model/profile.ts';
import { type IngestPorts, ingestCapture } from './ingest.ts';
import { fragmentLifeMilliseconds } from './intake.ts';
import { RefusedCapture, rootOf } from './locate.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { CaptureListing } from './ports.ts';
import { settledFragments } from './roll-up.ts';
import { listSeries } from './series.ts';
import { guardIntegrity, type JudgedWindow, judgeOwnWindow, type TickPorts } from './tick.ts';

export type SweepPorts = IngestPorts & TickPorts;

export interface SweepReport {
  /** Capture objects that no event had brought. */
  readonly ingested: number;
  /** Closed windows whose fragments had changed unnoticed. */
  readonly judged: readonly JudgedWindow[];
}

/** An object younger than this may still be on its way through the queue. */
const settledMilliseconds = 15 * 60_000;

/**
 * Compares what is there with what was done: captures without fragments are ingested, closed windows whose verdict
 * doesn't know all of their fragments are judged again. Queues are an optimisation; listing is the truth.
 * @throws the first error of an object that could not be ingested, after everything else was done: one object must not
 * keep those after it from being found.
 */
export async function sweep(runtime: ModelRuntime, ports: SweepPorts): Promise<SweepReport> {
  const known = await listFragments(ports, runtime.policy.name);
  const errors: unknown[] = [];
  let ingested = 0;
  for (const source of runtime.policy.sources) {
    for await (const listing of ports.captures.list(source.bucket, rootOf(source))) {
      if (!isDue(listing, ports.clock.now()) || known.has(objectId(source.bucket, listing.key))) continue;
      try {
        const report = await guardIntegrity(runtime, ports, () =>
          ingestCapture(runtime, ports, { bucket: source.bucket, key: listing.key, account: source.account }),
        );
        if (report && report.fragments.length > 0) ingested++;
      } catch (error) {
        // A key that is refused is none of ours, now and at the next sweep.
        if (!(error instanceof RefusedCapture)) errors.push(error);
      }
    }
  }
  const judged = await judgeChanged(runtime, ports);
  if (errors.length > 0) throw errors[0];
  return { ingested, judged };
}

function isDue({ lastModified }: CaptureListing, now: number): boolean {
  return lastModified <= now - settledMilliseconds && lastModified >= now - fragmentLifeMilliseconds;
}

async function listFragments(ports: SweepPorts, model: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const key of ports.state.list(modelFragmentPrefix(model))) {
    const parsed = parseFragmentKey(key);
    if (parsed) ids.add(parsed.objectId);
  }
  return ids;
}

/** How many fragments each window has, by the prefix of their keys. Listed anew: ingesting may have added some. */
async function countFragments(ports: SweepPorts, model: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for await (const key of ports.state.list(modelFragmentPrefix(model))) {
    const prefix = key.slice(0, key.lastIndexOf('/') + 1);
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  return counts;
}

/**
 * Fragments are only ever added, and a settled verdict says how many it knew: a window with as many needs no second
 * look, and none of its fragments is read.
 */
async function judgeChanged(runtime: ModelRuntime, ports: SweepPorts): Promise<readonly JudgedWindow[]> {
  const { name, windowSeconds } = runtime.policy;
  const width = windowSeconds * 1000;
  const counts = await countFragments(ports, name);
  const settled = await settledFragments(ports, name);
  const judged: JudgedWindow[] = [];
  for (const state of await listSeries(ports.table, name)) {
    const series: Series = { model: name, variant: state.variant, version: state.version, layout: state.layout };
    const oldest = ports.clock.now() - fragmentLifeMilliseconds;
    const first = Math.max(state.firstWindow, Math.floor(oldest / width) * width);
    for (let start = first; start < state.judgedThrough; start += width) {
      const prefix = fragmentWindowPrefix(series, start);
      const count = counts.get(prefix);
      // The newest window's own row is written after its roll-up: it may be missing, so that window is looked at again.
      const isOlder = state.newest !== undefined && start < state.newest.windowStart;
      if (count === undefined || (isOlder && settled.get(prefix) === count)) continue;
      const outcome = await guardIntegrity(runtime, ports, () =>
        judgeOwnWindow(runtime, ports, series, { start, end: start + width }),
      );
      if (outcome?.written) judged.push({ verdict: outcome.verdict, key: outcome.key });
    }
  }
  return judged;
}
