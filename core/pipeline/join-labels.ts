import { dayKey } from '../contract/keys.ts';
import { IndexRowsBuilder, mergeIndexRows } from '../join/index-rows.ts';
import { type DatedLabels, LabelJoin } from '../join/label-join.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Cohort, CohortRevision } from '../model/labels.ts';
import { putEvidenceEntry } from './evidence.ts';
import { scoreStepsOf } from './index-records.ts';
import {
  type CohortPointer,
  type CohortReader,
  commitManifest,
  type DayPacks,
  type JoinManifest,
  keyOfCohort,
  type LabelDayPacks,
  readManifest,
} from './join-manifest.ts';
import { indexFormat, labelFormat, type NewPart, partsOf, putPack, readRows, settleDay } from './join-packs.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { Clock, ObjectStore, StateTable } from './ports.ts';
import { type TakenParts, takeParts } from './take-parts.ts';
import { putFact } from './write-once.ts';

export interface JoinPorts {
  readonly state: ObjectStore;
  readonly audit: ObjectStore;
  readonly table: StateTable;
  readonly clock: Clock;
  readonly cohorts: CohortReader;
}

/** How much one run takes on. The next one goes on. */
export interface JoinLimits {
  /** New inferences, and new labels: they are held in memory. */
  readonly records: number;
  readonly labels: number;
  /** Inferences of earlier days that new labels are looked up in. */
  readonly lookedUp: number;
}

const usualLimits: JoinLimits = { records: 1_000_000, labels: 500_000, lookedUp: 400_000_000 };
/** An object is taken in at most so long after it came: fourteen days in a queue, a week until a sweep finds it. */
const openDays = 22;
/** Hours at which all days that are open are listed, and not the last two alone: 0, 6, 12 and 18 UTC. */
const fullListingHours = 6;
/** A manifest that stayed the same for so long is written again: storage keeps it for three times as long. */
const renewalDays = 20;
/** Days that a run puts together for good. */
const settledDays = 4;
const millisecondsPerHour = 3_600_000;
const millisecondsPerDay = 24 * millisecondsPerHour;

export interface JoinReport {
  readonly records: number;
  readonly labels: number;
  /** Statements of cohorts that were written. */
  readonly cohorts: readonly string[];
  /** False: there is more to do. */
  readonly isWhole: boolean;
}

const nothing: JoinReport = { records: 0, labels: 0, cohorts: [], isWhole: true };

/**
 * Joins new labels with all inferences of the horizon, and new inferences with all labels, and states the cohorts that this
 * concerns anew. All that a run writes is named by its content, and counts only when the last write puts the manifest in force: a
 * run that was cut off, or that another one was faster than, is done again without a difference.
 * @throws {IntegrityError} where what was stored is gone or another document.
 */
export async function joinLabels(
  runtime: ModelRuntime,
  ports: JoinPorts,
  limits: JoinLimits = usualLimits,
): Promise<JoinReport> {
  const { labels: policy, name: model } = runtime.policy;
  if (!policy) return nothing;
  const held = await readManifest(ports.state, ports.table, model);
  const before = held.manifest;
  const now = ports.clock.now();
  const isFull = Math.floor(now / millisecondsPerHour) % fullListingHours === 0;
  const taken = await takeParts(ports.state, before, dayBefore(now, isFull ? openDays : 1), limits);
  const isIdle = taken.index.parts.length + taken.labels.parts.length === 0 && !before.lookup;
  if (isIdle && listDone(before.index, now).length + listDone(before.labels, now).length === 0) {
    if (Date.parse(dayKey(now)) - Date.parse(before.day) < renewalDays * millisecondsPerDay) return nothing;
  }

  const join = new LabelJoin(
    policy.task,
    mergeIndexRows([new IndexRowsBuilder().finish(), ...taken.index.byDay.values()]),
    before.lookup ? await readBatch(ports.state, before) : listAdded(taken),
    (version) => scoreStepsOf(runtime, version),
  );
  for (const { day, packs } of before.labels) {
    for (const { key } of packs) {
      if (before.lookup?.packs.includes(key)) continue;
      join.addKnownLabels({ day, rows: await readRows(ports.state, labelFormat, key) });
    }
  }
  join.countNew(before.lookup !== undefined);
  const hasLabels = before.lookup !== undefined || taken.labels.parts.length > 0;
  const left = hasLabels ? await lookUp(ports.state, before, join, limits.lookedUp) : undefined;

  const cohorts = await stateCohorts(ports, before, join);
  const { index, labels, batch } = await packUp(ports.state, before, taken, join);
  const lookup = left === undefined ? undefined : { packs: before.lookup?.packs ?? batch, day: left };
  const oldest = dayBefore(now, policy.horizonDays);
  const manifest: JoinManifest = {
    schema: 'tidewatch.join/1',
    model,
    number: before.number + 1,
    day: dayKey(now),
    index: (await settle(ports.state, indexFormat, before, index, now)).filter(({ day }) => day >= oldest),
    labels: (lookup ? labels : await settle(ports.state, labelFormat, before, labels, now)).filter(
      ({ day }) => day >= oldest,
    ),
    ...(lookup && { lookup }),
    cohorts: replacePointers(before.cohorts, cohorts).filter(({ day }) => day >= oldest),
  };
  if (cohorts.length > 0) {
    const keys = cohorts.map((pointer) => keyOfCohort(model, pointer));
    await putEvidenceEntry(ports.audit, model, now, 'quality', shortHash(canonicalJson(keys)), {
      model,
      cohorts: keys,
    });
  }
  if (!(await commitManifest(ports.state, ports.table, manifest, held))) return { ...nothing, isWhole: false };
  ports.cohorts.keep(model, manifest.cohorts);
  return {
    records: taken.index.rows,
    labels: taken.labels.rows,
    cohorts: cohorts.map((pointer) => keyOfCohort(model, pointer)),
    // Where labels were looked up, others may wait.
    isWhole: taken.index.isWhole && taken.labels.isWhole && !hasLabels,
  };
}

function dayBefore(now: number, days: number): string {
  return dayKey(now - days * millisecondsPerDay);
}

function listAdded({ labels }: TakenParts): readonly DatedLabels[] {
  return [...labels.byDay].map(([day, rows]) => ({ day, rows }));
}

/** Labels that an earlier run took, and that have not met all inferences yet. */
async function readBatch(state: ObjectStore, { labels, lookup }: JoinManifest): Promise<readonly DatedLabels[]> {
  const batch: DatedLabels[] = [];
  for (const { day, packs } of labels) {
    const keys = packs.filter(({ key }) => lookup?.packs.includes(key));
    for (const { key } of keys) batch.push({ day, rows: await readRows(state, labelFormat, key) });
  }
  return batch;
}

/** @returns the newest day that is left to look through; undefined: none is. */
async function lookUp(
  state: ObjectStore,
  { index, lookup }: JoinManifest,
  join: LabelJoin,
  limit: number,
): Promise<string | undefined> {
  let rows = 0;
  for (const { day, packs } of index.toReversed()) {
    if (lookup && day > lookup.day) continue;
    if (rows >= limit) return day;
    for (const pack of packs) {
      join.addKnownRecords(await readRows(state, indexFormat, pack.key));
      rows += pack.rows;
    }
  }
  return undefined;
}

/** Writes the next statement of every cohort that is another one now. */
async function stateCohorts(
  { state, cohorts: reader }: JoinPorts,
  { model, cohorts }: JoinManifest,
  join: LabelJoin,
): Promise<readonly CohortPointer[]> {
  const stated: CohortPointer[] = [];
  for (const { name, counter } of join.changes()) {
    const known = cohorts.find((pointer) => isSameCohort(pointer, name));
    const earlier = known && (await reader.read(model, known));
    if (earlier) counter.merge(earlier);
    const cohort = counter.finish();
    if (earlier && canonicalJson(earlier) === canonicalJson(cohort)) continue;
    const revision = known ? known.revision + 1 : 0;
    const statement: CohortRevision = { schema: 'tidewatch.cohort/1', model, revision, cohort };
    const text = canonicalJson(statement);
    const pointer: CohortPointer = { ...name, revision, hash: shortHash(text) };
    await putFact(state, keyOfCohort(model, pointer), Buffer.from(text));
    stated.push(pointer);
  }
  return stated;
}

type CohortName = Pick<Cohort, 'day' | 'variant' | 'version'>;

function isSameCohort(a: CohortName, b: CohortName): boolean {
  return a.day === b.day && a.variant === b.variant && a.version === b.version;
}

function replacePointers(before: readonly CohortPointer[], stated: readonly CohortPointer[]): readonly CohortPointer[] {
  const others = before.filter((pointer) => !stated.some((one) => isSameCohort(one, pointer)));
  const nameOf = ({ day, variant, version }: CohortName) => JSON.stringify([day, variant, version]);
  return [...others, ...stated].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** Writes what was taken as packs of its days. @returns also the keys of those of labels. */
async function packUp(
  state: ObjectStore,
  before: JoinManifest,
  { index, labels }: TakenParts,
  join: LabelJoin,
): Promise<Pick<JoinManifest, 'index' | 'labels'> & { readonly batch: readonly string[] }> {
  const run = { model: before.model, number: before.number };
  const byDay = new Map<string, DayPacks>(before.index.map((one) => [one.day, one]));
  for (const [day, rows] of index.byDay) {
    byDay.set(day, addPack(byDay.get(day), day, await putPack(state, indexFormat, run, day, rows), index.parts));
  }
  const labelDays = new Map<string, LabelDayPacks>(before.labels.map((one) => [one.day, one]));
  const batch: string[] = [];
  for (const [day, rows] of labels.byDay) {
    const known = labelDays.get(day);
    const pack = await putPack(state, labelFormat, run, day, rows);
    batch.push(pack.key);
    const counts = { ids: known?.ids ?? 0, matched: known?.matched ?? 0 };
    labelDays.set(day, { ...addPack(known, day, pack, labels.parts), ...counts });
  }
  for (const [day, { ids, matched }] of join.days()) {
    const known = labelDays.get(day);
    if (known) labelDays.set(day, { ...known, ids: known.ids + ids, matched: known.matched + matched });
  }
  return { index: byTime(byDay), labels: byTime(labelDays), batch };
}

function byTime<Day extends DayPacks>(days: ReadonlyMap<string, Day>): readonly Day[] {
  return [...days.values()].sort((a, b) => (a.day < b.day ? -1 : 1));
}

function addPack(
  known: DayPacks | undefined,
  day: string,
  pack: DayPacks['packs'][number],
  taken: readonly NewPart[],
): DayPacks {
  return { day, packs: [...(known?.packs ?? []), pack], parts: partsOf(known, day, taken) };
}

/** Days that no other part can come for, and that are not put together for good. */
function listDone(days: readonly DayPacks[], now: number): readonly DayPacks[] {
  const first = dayBefore(now, openDays);
  return days.filter(({ day, parts }) => parts !== undefined && day < first).slice(0, settledDays);
}

async function settle<Rows extends { readonly ids: Float64Array }, Day extends DayPacks>(
  state: ObjectStore,
  format: Parameters<typeof settleDay<Rows, Day>>[1],
  { model, number }: JoinManifest,
  days: readonly Day[],
  now: number,
): Promise<readonly Day[]> {
  const done = new Set(listDone(days, now).map(({ day }) => day));
  const settled: Day[] = [];
  for (const one of days) settled.push(await settleDay(state, format, { model, number }, one, done.has(one.day)));
  return settled;
}
