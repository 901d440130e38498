import { evidenceDay } from '../audit/bundle-format.ts';
import { BundleError, openBundle } from '../audit/bundle-reader.ts';
import { BundleWriter } from '../audit/bundle-writer.ts';
import { bundleKey, dayKey, fragmentKey, fragmentWindowPrefix, objectId, quarantineKey } from '../contract/keys.ts';
import { decodeCapture } from '../decode/decode-capture.ts';
import { type DecodeLimits, type DecodePlan, defaultBatchRows, defaultLimits } from '../decode/decode-plan.ts';
import { validateBatch } from '../decode/validate.ts';
import type { Fragment, SourceObject } from '../model/profile.ts';
import { compareNames } from '../profile/summarise.ts';
import { clockSkewMilliseconds, fragmentLifeMilliseconds, Intake } from './intake.ts';
import { type CaptureEvent, type Location, locateCapture } from './locate.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { CaptureStore, Clock, KeySource, ObjectStore, StateTable, TouchQueue } from './ports.ts';
import { listSeries, registerSeries } from './series.ts';
import { forgetUnfinished, noteUnfinished } from './unfinished.ts';
import { parseFragment } from './window-reader.ts';
import { encodeJson, IntegrityError, putFact } from './write-once.ts';

export interface IngestPorts {
  readonly captures: CaptureStore;
  readonly state: ObjectStore;
  readonly audit: ObjectStore;
  readonly table: StateTable;
  readonly touches: TouchQueue;
  readonly keys: KeySource;
  readonly clock: Clock;
}

const millisecondsPerDay = 86_400_000;

/** What became of a capture object. */
export interface IngestReport {
  readonly outcome: 'ingested' | 'gone';
  readonly counted: number;
  readonly requests: number;
  readonly quarantined: number;
  readonly duplicate: number;
  /** Arrived after their window's fragments expired: evidence only. */
  readonly expired: number;
  readonly fragments: readonly string[];
}

/**
 * Takes one capture object in: evidence, then fragments, then touches, in this order, each written once, so that a
 * crash at any point followed by another delivery of the same event leaves the same state. An object that takes several
 * writes after its evidence is noted until the last of them: the sweep finishes what was left half way.
 * @throws {RefusedCapture} for an object that is none of the model's; nothing is read.
 * @throws {IntegrityError} where the object's key was ingested before with other content.
 */
export async function ingestCapture(
  runtime: ModelRuntime,
  ports: IngestPorts,
  event: CaptureEvent,
  limits: DecodeLimits = defaultLimits,
): Promise<IngestReport> {
  const location = locateCapture(runtime.policy, event);
  const object = await ports.captures.head(event.bucket, event.key);
  if (!object)
    return { outcome: 'gone', counted: 0, requests: 0, quarantined: 0, duplicate: 0, expired: 0, fragments: [] };
  const { name: model } = runtime.policy;
  const id = objectId(object.bucket, object.key);
  await refuseOverwritten(ports, model, location, object, id);
  const known = await listSeries(ports.table, model);
  const intake = new Intake(
    runtime,
    location,
    object,
    known.map(({ version }) => version),
  );
  const bundle = await decodeInto(intake, runtime, ports, location, object, limits);

  await putEvidence(ports, runtime, object, id, bundle);
  // All series first: which versions have one of their own must not depend on how far a delivery came.
  for (const { series, window } of intake.windows()) await registerSeries(ports.table, series, window);
  const isOneWrite = intake.windows().length + (hasQuarantine(intake) ? 1 : 0) <= 1;
  if (!isOneWrite) await noteUnfinished(ports.table, model, { id, event, since: ports.clock.now() });
  const fragments = await putFragments(ports, intake, object, id);
  await putQuarantine(ports, runtime, object, id, intake);
  await touchClosedWindows(ports, intake);
  if (!isOneWrite) await forgetUnfinished(ports.table, model, id);
  return { outcome: 'ingested', ...intake.totals, fragments };
}

/**
 * An object that was overwritten on a later day has evidence under the earlier one, and fragments that the new content may
 * have no window in common with: it would be counted beside the old. Where a key tells its time, every day from then on is
 * looked at, at most a week; that is none for an object that arrives on the day in its key. Other keys are not looked at.
 * @throws {IntegrityError} where the evidence of an earlier day is of other content.
 */
async function refuseOverwritten(
  ports: IngestPorts,
  model: string,
  { keyTime }: Location,
  object: SourceObject,
  id: string,
): Promise<void> {
  if (keyTime === undefined) return;
  const arrived = evidenceDay(object);
  const first = Math.max(keyTime, object.lastModified - fragmentLifeMilliseconds);
  for (let day = Date.parse(dayKey(first)); dayKey(day) < arrived; day += millisecondsPerDay) {
    const key = bundleKey(model, dayKey(day), id);
    const bundle = await ports.audit.get(key);
    if (!bundle || sameSource(bundle, await ports.keys.modelDayKey(model, dayKey(day)), object)) continue;
    throw new IntegrityError(key, `is of other content than ${object.key} has now, and captures are written once`);
  }
}

async function decodeInto(
  intake: Intake,
  runtime: ModelRuntime,
  ports: IngestPorts,
  location: Location,
  object: SourceObject,
  limits: DecodeLimits,
): Promise<Uint8Array> {
  const day = evidenceDay(object);
  const writer = new BundleWriter(
    {
      type: location.source.role,
      model: runtime.policy.name,
      config: runtime.configHash,
      baselines: runtime.baselineHashes,
      code: runtime.code,
      source: object,
    },
    await ports.keys.modelDayKey(runtime.policy.name, day),
  );
  const parts: Uint8Array[] = [];
  for await (const decoded of decodeCapture(
    ports.captures.read(object),
    planDecoding(runtime, location, object, limits),
  )) {
    const valid = validateBatch(decoded.batch, (version) => runtime.layoutOf(version));
    const quarantined = [...decoded.quarantined, ...valid.quarantined];
    parts.push(...writer.add(valid.batch, quarantined));
    intake.addBatch(valid.batch);
    for (const entry of quarantined) intake.addQuarantined(entry);
    for (const duplicate of decoded.duplicates) intake.addDuplicate(duplicate);
  }
  parts.push(...writer.finish(intake.totals.duplicate));
  return Buffer.concat(parts);
}

function planDecoding(
  runtime: ModelRuntime,
  location: Location,
  object: SourceObject,
  limits: DecodeLimits,
): DecodePlan {
  const { source, variant } = location;
  return {
    format: source.kind,
    gzip: 'auto',
    variant,
    versionFrom: source.versionFrom,
    defaultVersion: source.versionFrom === undefined || source.role === 'requests' ? runtime.defaultVersion : undefined,
    versions: runtime.policy.versions,
    role: source.role,
    latestTime: object.lastModified + clockSkewMilliseconds,
    limits,
    batchRows: defaultBatchRows,
  };
}

async function putEvidence(
  ports: IngestPorts,
  runtime: ModelRuntime,
  object: SourceObject,
  id: string,
  bundle: Uint8Array,
) {
  const model = runtime.policy.name;
  const day = evidenceDay(object);
  const dayKey = await ports.keys.modelDayKey(model, day);
  // Another configuration or build may have written the bundle: then the evidence of this very object is safe already.
  await putFact(ports.audit, bundleKey(model, day, id), bundle, (existing) => sameSource(existing, dayKey, object));
}

async function putFragments(
  ports: IngestPorts,
  intake: Intake,
  object: SourceObject,
  id: string,
): Promise<readonly string[]> {
  const keys: string[] = [];
  for (const { series, window, builder } of intake.windows()) {
    const fragment: Fragment = { schema: 'tidewatch.fragment/1', series, window, object, summary: builder.finish() };
    const key = fragmentKey(series, window.start, id);
    await putFact(
      ports.state,
      key,
      encodeJson(fragment),
      (existing) => parseFragment(key, existing).object.etag === object.etag,
    );
    keys.push(key);
  }
  return keys;
}

function hasQuarantine({ totals: { quarantined, expired } }: Intake): boolean {
  return quarantined > 0 || expired > 0;
}

async function putQuarantine(
  ports: IngestPorts,
  runtime: ModelRuntime,
  object: SourceObject,
  id: string,
  intake: Intake,
) {
  if (!hasQuarantine(intake)) return;
  const { quarantined, expired } = intake.totals;
  const report = {
    schema: 'tidewatch.quarantine/1',
    model: runtime.policy.name,
    object,
    quarantined,
    expired,
    reasons: [...intake.reasons].sort(([a], [b]) => compareNames(a, b)),
    entries: intake.quarantine,
  };
  // A report by another configuration says the same of the same object; the first stays.
  await putFact(ports.state, quarantineKey(runtime.policy.name, id), encodeJson(report), () => true);
}

/** Asks for windows to be judged again whose first judgement is near or past; open ones are judged in their turn. */
async function touchClosedWindows(ports: IngestPorts, intake: Intake) {
  const now = ports.clock.now();
  for (const { series, window } of intake.windows()) {
    if (window.end <= now) await ports.touches.touch(fragmentWindowPrefix(series, window.start));
  }
}

/** Whether a stored bundle is the evidence of this very object, ETag included. */
function sameSource(bundle: Uint8Array, modelDayKey: Uint8Array, object: SourceObject): boolean {
  try {
    return openBundle(bundle, modelDayKey).source.etag === object.etag;
  } catch (error) {
    if (error instanceof BundleError) return false;
    throw error;
  }
}
