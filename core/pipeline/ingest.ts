import { type BundleHeader, evidenceDay } from '../audit/bundle-format.ts';
import { BundleError, openBundle } from '../audit/bundle-reader.ts';
import { BundleWriter } from '../audit/bundle-writer.ts';
import {
  bundleKey,
  dayKey,
  emptyKey,
  fragmentKey,
  fragmentWindowPrefix,
  joinPartKey,
  objectId,
  quarantineKey,
} from '../contract/keys.ts';
import { decodeCapture } from '../decode/decode-capture.ts';
import { type DecodeLimits, type DecodePlan, defaultBatchRows, defaultLimits } from '../decode/decode-plan.ts';
import { validateBatch } from '../decode/validate.ts';
import { decodeIndexRows, encodeIndexRows } from '../join/index-rows.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import type { IndexRows } from '../model/labels.ts';
import type { CaptureSource } from '../model/policy.ts';
import type { Fragment, SourceObject } from '../model/profile.ts';
import { callerKeyDay, deriveCallerKey } from '../profile/caller-id.ts';
import { compareNames } from '../profile/summarise.ts';
import { RecordIndexer, readJoinIds } from './index-records.ts';
import { ingestLabels } from './ingest-labels.ts';
import { clockSkewMilliseconds, fragmentLifeMilliseconds, Intake } from './intake.ts';
import { isMadeBy, keepRuntime, restoreRuntime } from './kept-runtime.ts';
import { type CaptureEvent, type Location, locateCapture, placeCapture, RefusedCapture } from './locate.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { CaptureStore, Clock, KeySource, ObjectStore, StateTable, TouchQueue } from './ports.ts';
import { RecordVersions, readRecordVersions } from './record-versions.ts';
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
  /** Of an object of labels. */
  readonly labels: number;
  readonly fragments: readonly string[];
}

/**
 * Takes one capture object in: evidence, then fragments, then touches, in this order, each written once, so that a
 * crash at any point followed by another delivery of the same event leaves the same state. An object that takes several
 * writes after its evidence is noted until the last of them: the sweep has finished what was left half way.
 *
 * The configuration and the baselines may change between two deliveries: then records may belong to another version,
 * variant, window or layout, and have other keys. Fragments of the same object under both would count it twice. So the
 * first evidence decides: its header names policy and baselines by their hashes, both are kept before it is written, and
 * every delivery counts by them. To look which fragments are there would not do: a delivery of before the change may be
 * about to write its next one. Evidence is written once, so two builds at work at once can't disagree. The same holds for
 * what an endpoint served, where versions are named by it: what was known of it at first stands in the header.
 * @throws {RefusedCapture} for an object that is none of the model's; nothing is read.
 * @throws {IntegrityError} where the object's key was ingested before with other content.
 * @throws {CaptureTooEarly} where it is not known yet what its endpoint served; nothing is written.
 */
export async function ingestCapture(
  runtime: ModelRuntime,
  ports: IngestPorts,
  event: CaptureEvent,
  limits: DecodeLimits = defaultLimits,
): Promise<IngestReport> {
  const location = locateCapture(runtime.policy, event);
  const { source } = location;
  const { name: model } = runtime.policy;
  const id = objectId(event.bucket, event.key);
  const object = await ports.captures.head(event.bucket, event.key);
  if (!object) {
    if (event.isRepeated) await forgetUnfinished(ports.table, model, id);
    return { ...nothing, outcome: 'gone' };
  }
  if (source.role === 'labels') {
    const report = await ingestLabels(runtime, ports, source, object, id, limits);
    return { ...nothing, ...report };
  }
  return ingestRecords(runtime, ports, event, { ...location, source }, object, id, limits);
}

const nothing: IngestReport = {
  outcome: 'ingested',
  counted: 0,
  requests: 0,
  quarantined: 0,
  duplicate: 0,
  expired: 0,
  labels: 0,
  fragments: [],
};

async function ingestRecords(
  runtime: ModelRuntime,
  ports: IngestPorts,
  event: CaptureEvent,
  location: Location<CaptureSource>,
  object: SourceObject,
  id: string,
  limits: DecodeLimits,
): Promise<IngestReport> {
  const { name: model } = runtime.policy;
  await refuseOverwritten(ports, model, location, object, id);
  const series = await listSeries(ports.table, model);
  const versions = series.map(({ version }) => version);
  const named = await readRecordVersions(ports.table, location);
  let counted = await countRecords(runtime, ports, location, object, versions, limits, named);
  named?.expectLooked(object.key, ports.clock.now() - object.lastModified);

  await keepRuntime(ports, runtime);
  const begun = await putEvidence(ports, runtime, object, id, counted.bundle, named);
  if (begun) {
    const first = await restoreRuntime(ports, runtime, begun);
    const names = begun.served && new RecordVersions(begun.served);
    counted = await countRecords(first, ports, placeRecords(first, event), object, versions, limits, names);
  }
  const { intake, indexer } = counted;
  // All series first: which versions have one of their own must not depend on how far a delivery came.
  for (const { series, window } of intake.windows()) await registerSeries(ports.table, series, window);
  const isOneWrite = intake.windows().length + (hasQuarantine(intake) ? 1 : 0) <= 1;
  if (!isOneWrite)
    await noteUnfinished(ports.table, model, { id, event, bytes: object.bytes, since: ports.clock.now() });
  // Before the fragments: they are what tells that an object was taken in.
  if (indexer) await putIndex(ports, model, object, id, indexer.finish());
  const fragments = await putFragments(ports, intake, object, id);
  await putQuarantine(ports, runtime, object, id, intake);
  if (fragments.length === 0) await noteEmpty(ports, model, object, id);
  await touchClosedWindows(ports, intake);
  // An earlier attempt, by another build, may have taken more writes than this one.
  if (!isOneWrite || event.isRepeated) await forgetUnfinished(ports.table, model, id);
  return { ...nothing, ...intake.totals, fragments };
}

interface CountedRecords {
  readonly intake: Intake;
  readonly indexer: RecordIndexer | undefined;
  /** The evidence of the same records. */
  readonly bundle: Uint8Array;
}

/** @param named absent: records tell their versions */
async function countRecords(
  current: ModelRuntime,
  ports: IngestPorts,
  location: Location<CaptureSource>,
  object: SourceObject,
  versions: readonly string[],
  limits: DecodeLimits,
  named?: RecordVersions,
): Promise<CountedRecords> {
  // Of lines that can't be read, too.
  const usual = named?.at(Math.min(location.keyTime ?? object.lastModified, object.lastModified));
  const runtime = usual === undefined ? current : { ...current, defaultVersion: usual };
  const callerKey = await readCallerKey(runtime, ports.keys);
  const joinIds = location.source.role === 'inferences' ? await readJoinIds(runtime, ports.keys) : undefined;
  const { labels } = runtime.policy;
  const indexer = joinIds && labels && new RecordIndexer(runtime, labels, joinIds);
  const intake = new Intake(runtime, location, object, versions, callerKey, indexer);
  const bundle = await decodeInto(intake, runtime, ports, location, object, limits, named);
  return { intake, indexer, bundle };
}

/** Where an object belonged when it was begun: evidence of records tells that its source was one of captures. */
function placeRecords({ policy }: ModelRuntime, event: CaptureEvent): Location<CaptureSource> {
  const { source, ...place } = placeCapture(policy, event);
  if (source.role === 'labels') throw new RefusedCapture(`${policy.name}: expected a source of records, saw labels`);
  return { ...place, source };
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
    if (!bundle || openSameSource(bundle, await ports.keys.modelDayKey(model, dayKey(day)), object)) continue;
    throw new IntegrityError(key, `is of other content than ${object.key} has now, and captures are written once`);
  }
}

async function decodeInto(
  intake: Intake,
  runtime: ModelRuntime,
  ports: IngestPorts,
  location: Location<CaptureSource>,
  object: SourceObject,
  limits: DecodeLimits,
  named?: RecordVersions,
): Promise<Uint8Array> {
  const day = evidenceDay(object);
  const writer = new BundleWriter(
    {
      type: location.source.role,
      model: runtime.policy.name,
      config: runtime.configHash,
      baselines: runtime.baselineHashes,
      windowSeconds: runtime.policy.windowSeconds,
      code: runtime.code,
      served: named?.served,
      source: object,
    },
    await ports.keys.modelDayKey(runtime.policy.name, day),
  );
  const parts: Uint8Array[] = [];
  for await (const decoded of decodeCapture(
    ports.captures.read(object),
    planDecoding(runtime, location, object, limits, named),
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

/** What callers are named with; undefined where no version tells them apart. */
async function readCallerKey({ policy }: ModelRuntime, keys: KeySource): Promise<Uint8Array | undefined> {
  if (policy.versions.every(({ caller }) => caller === undefined)) return undefined;
  return deriveCallerKey(await keys.modelDayKey(policy.name, callerKeyDay));
}

function planDecoding(
  runtime: ModelRuntime,
  location: Location<CaptureSource>,
  object: SourceObject,
  limits: DecodeLimits,
  named?: RecordVersions,
): DecodePlan {
  const { source, variant } = location;
  return {
    format: source.kind,
    gzip: 'auto',
    variant,
    versionFrom: source.versionFrom,
    // Nothing was served after the object arrived, whatever a record says.
    ...(named && { versionAt: (time) => named.at(Math.min(time, object.lastModified)) }),
    defaultVersion: source.versionFrom === undefined || source.role === 'requests' ? runtime.defaultVersion : undefined,
    versions: runtime.policy.versions,
    role: source.role,
    latestTime: object.lastModified + clockSkewMilliseconds,
    limits,
    batchRows: defaultBatchRows,
  };
}

/** @returns whose evidence is in force, where it is that of another configuration, other baselines or other versions. */
async function putEvidence(
  ports: IngestPorts,
  runtime: ModelRuntime,
  object: SourceObject,
  id: string,
  bundle: Uint8Array,
  named?: RecordVersions,
): Promise<BundleHeader | undefined> {
  const model = runtime.policy.name;
  const day = evidenceDay(object);
  const dayKey = await ports.keys.modelDayKey(model, day);
  // Another configuration or build may have written the bundle: then the evidence of this very object is safe already.
  const others: BundleHeader[] = [];
  const isMadeAlike = (known: BundleHeader) =>
    isMadeBy(runtime, known) && canonicalJson(known.served ?? null) === canonicalJson(named?.served ?? null);
  await putFact(ports.audit, bundleKey(model, day, id), bundle, (existing) => {
    const known = openSameSource(existing, dayKey, object);
    if (known && !isMadeAlike(known)) others.push(known);
    return known !== undefined;
  });
  return others[0];
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

/** What labels will be joined with; nothing where the object has no row with a prediction. */
async function putIndex(ports: IngestPorts, model: string, object: SourceObject, id: string, rows: IndexRows) {
  if (rows.ids.length === 0) return;
  const key = joinPartKey('index', model, evidenceDay(object), id);
  const bytes = encodeIndexRows({ schema: 'tidewatch.index/1', model, etag: object.etag }, rows);
  await putFact(ports.state, key, bytes, (existing) => decodeIndexRows(existing).header.etag === object.etag);
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

/** The last write for an object that left no fragment: without it, each sweep would take the object for a missing one. */
async function noteEmpty({ state }: IngestPorts, model: string, object: SourceObject, id: string): Promise<void> {
  const note = { schema: 'tidewatch.empty/1', model, object };
  await putFact(state, emptyKey(model, evidenceDay(object), id), encodeJson(note), () => true);
}

/** Asks for windows to be judged again whose first judgement is near or past; open ones are judged in their turn. */
async function touchClosedWindows(ports: IngestPorts, intake: Intake) {
  const now = ports.clock.now();
  for (const { series, window } of intake.windows()) {
    if (window.end <= now) await ports.touches.touch(fragmentWindowPrefix(series, window.start));
  }
}

/** The header of a stored bundle that is the evidence of this very object, ETag included. */
function openSameSource(bundle: Uint8Array, modelDayKey: Uint8Array, object: SourceObject): BundleHeader | undefined {
  try {
    const { header, source } = openBundle(bundle, modelDayKey);
    return source.etag === object.etag ? header : undefined;
  } catch (error) {
    if (error instanceof BundleError) return undefined;
    throw error;
  }
}
