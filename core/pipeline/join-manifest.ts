import { cohortKey, cohortPrefix, joinManifestKey } from '../contract/keys.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Cohort, CohortRevision } from '../model/labels.ts';
import type { ObjectStore, StateTable } from './ports.ts';
import { IntegrityError, parseStored, putFact } from './write-once.ts';

/** Parts of one day, put together. */
export interface DayPacks {
  /** On which the objects came, yyyy-mm-dd. */
  readonly day: string;
  readonly packs: readonly { readonly key: string; readonly rows: number }[];
  /** Beginnings of the ids of the objects in them, sorted; absent: no other will come. */
  readonly parts?: readonly string[] | undefined;
}

export interface LabelDayPacks extends DayPacks {
  /** Ids that had their first label on that day, and of them those whose inference is known. */
  readonly ids: number;
  readonly matched: number;
}

/** A cohort's newest statement. */
export interface CohortPointer extends Pick<Cohort, 'day' | 'variant' | 'version'> {
  readonly revision: number;
  readonly hash: string;
}

/** Where the join of a model's labels stands. Written once; the state table names the one in force. */
export interface JoinManifest {
  readonly schema: 'tidewatch.join/1';
  readonly model: string;
  /** How many were written before it. */
  readonly number: number;
  /** On which it was written, yyyy-mm-dd. */
  readonly day: string;
  /** Ascending by day. */
  readonly index: readonly DayPacks[];
  readonly labels: readonly LabelDayPacks[];
  /** Labels that have not met all inferences yet: the keys of their packs, and the newest day of inferences still to meet. */
  readonly lookup?: { readonly packs: readonly string[]; readonly day: string } | undefined;
  /** Ascending by day, variant and version. */
  readonly cohorts: readonly CohortPointer[];
}

const partition = 'quality';

interface Pointer {
  readonly manifest?: string | undefined;
  /** The newest judgement, and when it was made. */
  readonly judgement?: { readonly key: string; readonly time: number } | undefined;
}

export interface HeldManifest {
  readonly manifest: JoinManifest;
  /** Of the row in the state table. */
  readonly revision: number;
}

/** The manifest in force; an empty one where there is none. @throws {IntegrityError} where it is gone or another document. */
export async function readManifest(state: ObjectStore, table: StateTable, model: string): Promise<HeldManifest> {
  const row = await table.get(partition, model);
  const { manifest: key } = (row?.value ?? {}) as Pointer;
  const revision = row?.revision ?? 0;
  if (key === undefined) {
    const empty = { index: [], labels: [], cohorts: [] };
    return { manifest: { schema: 'tidewatch.join/1', model, number: 0, day: '1970-01-01', ...empty }, revision };
  }
  const bytes = await state.get(key);
  if (!bytes) throw new IntegrityError(key, 'is gone, though the state table names it');
  return { manifest: parseStored<JoinManifest>(key, bytes, 'tidewatch.join/1'), revision };
}

/** @returns false where another run was first: then nothing of this one counts. */
export async function commitManifest(
  state: ObjectStore,
  table: StateTable,
  manifest: JoinManifest,
  { revision }: HeldManifest,
): Promise<boolean> {
  const text = canonicalJson(manifest);
  const key = joinManifestKey(manifest.model, shortHash(text));
  await putFact(state, key, Buffer.from(text));
  const row = await table.get(partition, manifest.model);
  if ((row?.revision ?? 0) !== revision) return false;
  const pointer: Pointer = { ...(row?.value as Pointer | undefined), manifest: key };
  return table.put(partition, manifest.model, pointer, revision);
}

export async function readJudgementPointer(table: StateTable, model: string): Promise<Pointer['judgement']> {
  return ((await table.get(partition, model))?.value as Pointer | undefined)?.judgement;
}

/** A judgement that was made earlier does not replace a later one. */
export async function commitJudgement(table: StateTable, model: string, key: string, time: number): Promise<void> {
  for (;;) {
    const row = await table.get(partition, model);
    const pointer = (row?.value ?? {}) as Pointer;
    if (pointer.judgement && (pointer.judgement.time > time || pointer.judgement.key === key)) return;
    if (await table.put(partition, model, { ...pointer, judgement: { key, time } }, row?.revision ?? 0)) return;
  }
}

export function keyOfCohort(model: string, pointer: CohortPointer): string {
  return cohortKey(model, pointer, pointer.revision, pointer.hash);
}

/** Reads statements of cohorts, each once: they never change. */
export class CohortReader {
  readonly #store: ObjectStore;
  readonly #cohorts = new Map<string, Cohort>();

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** @throws {IntegrityError} where it is gone or another document. */
  async read(model: string, pointer: CohortPointer): Promise<Cohort> {
    const key = keyOfCohort(model, pointer);
    const known = this.#cohorts.get(key);
    if (known) return known;
    const bytes = await this.#store.get(key);
    if (!bytes) throw new IntegrityError(key, 'is gone, though it is in force');
    const { cohort } = parseStored<CohortRevision>(key, bytes, 'tidewatch.cohort/1');
    this.#cohorts.set(key, cohort);
    return cohort;
  }

  /** Forgets all but these. */
  keep(model: string, pointers: readonly CohortPointer[]): void {
    const kept = new Set(pointers.map((pointer) => keyOfCohort(model, pointer)));
    const prefix = cohortPrefix(model);
    for (const key of this.#cohorts.keys()) if (key.startsWith(prefix) && !kept.has(key)) this.#cohorts.delete(key);
  }
}
