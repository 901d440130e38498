import { type JoinSide, joinPackKey, joinPartPrefix, parseJoinPartKey } from '../contract/keys.ts';
import { ColumnsError } from '../join/columns.ts';
import { decodeIndexRows, encodeIndexRows, mergeIndexRows } from '../join/index-rows.ts';
import { decodeLabelRows, encodeLabelRows, mergeLabelRows } from '../join/label-rows.ts';
import { shortHash } from '../model/content-hash.ts';
import type { IndexRows, LabelRows } from '../model/labels.ts';
import type { DayPacks } from './join-manifest.ts';
import type { ObjectStore } from './ports.ts';
import { IntegrityError, putFact } from './write-once.ts';

/** Whose packs are written, and by which run: no two packs are the same. */
export interface JoinRun {
  readonly model: string;
  readonly number: number;
}

/** How the rows of a side are read, written and put together. */
export interface RowFormat<Rows extends { readonly ids: Float64Array }> {
  readonly side: JoinSide;
  readonly decode: (bytes: Uint8Array) => Rows;
  readonly encode: (run: JoinRun, rows: Rows) => Uint8Array;
  readonly merge: (parts: readonly Rows[]) => Rows;
}

export const indexFormat: RowFormat<IndexRows> = {
  side: 'index',
  decode: (bytes) => decodeIndexRows(bytes).rows,
  encode: ({ model, number }, rows) => encodeIndexRows({ schema: 'tidewatch.index/1', model, run: number }, rows),
  merge: mergeIndexRows,
};

export const labelFormat: RowFormat<LabelRows> = {
  side: 'labels',
  decode: (bytes) => decodeLabelRows(bytes).rows,
  encode: ({ model, number }, rows) => encodeLabelRows({ schema: 'tidewatch.labels/1', model, run: number }, rows),
  merge: mergeLabelRows,
};

/** Rows of a pack: what a run holds in memory of one. */
const maximumPackRows = 4_000_000;
/** Packs of a day that are put together before the day is done. */
const maximumDayPacks = 8;
/** Of an object's id: enough to tell the objects of a day apart. */
const idLength = 12;

/** A part that no pack holds yet. */
export interface NewPart {
  readonly day: string;
  readonly key: string;
  readonly id: string;
}

/** Parts from a day on that are in no pack, oldest first. */
export async function listNewParts(
  state: ObjectStore,
  side: JoinSide,
  model: string,
  fromDay: string,
  days: readonly DayPacks[],
): Promise<readonly NewPart[]> {
  const known = new Map(days.map(({ day, parts }) => [day, parts && new Set(parts)]));
  const prefix = joinPartPrefix(side, model);
  const found: NewPart[] = [];
  for await (const key of state.list(prefix, `${prefix}${fromDay}`)) {
    const parsed = parseJoinPartKey(key);
    if (!parsed || parsed.day < fromDay) continue;
    const id = parsed.objectId.slice(0, idLength);
    const parts = known.get(parsed.day);
    // A day without its parts is done.
    if (known.has(parsed.day) && (parts === undefined || parts.has(id))) continue;
    found.push({ day: parsed.day, key, id });
  }
  return found;
}

/** Beginnings of the ids of a day's objects, with those that were taken. */
export function partsOf(known: DayPacks | undefined, day: string, taken: readonly NewPart[]): readonly string[] {
  const added = taken.flatMap((part) => (part.day === day ? [part.id] : []));
  return [...(known?.parts ?? []), ...added].sort();
}

/** @throws {IntegrityError} where it is gone, or no file of rows. */
export async function readRows<Rows extends { readonly ids: Float64Array }>(
  state: ObjectStore,
  format: RowFormat<Rows>,
  key: string,
): Promise<Rows> {
  const bytes = await state.get(key);
  if (!bytes) throw new IntegrityError(key, 'is gone, though it is in force');
  try {
    return format.decode(bytes);
  } catch (error) {
    if (!(error instanceof ColumnsError)) throw error;
    throw new IntegrityError(key, 'is no file of rows, though only the pipeline writes there');
  }
}

/** Writes rows as one pack. */
export async function putPack<Rows extends { readonly ids: Float64Array }>(
  state: ObjectStore,
  format: RowFormat<Rows>,
  run: JoinRun,
  day: string,
  rows: Rows,
  kept: 'recent' | 'packs' = 'recent',
): Promise<DayPacks['packs'][number]> {
  const bytes = format.encode(run, rows);
  const key = joinPackKey(format.side, kept, run.model, day, shortHash(bytes));
  await putFact(state, key, bytes);
  return { key, rows: rows.ids.length };
}

/**
 * Puts the packs of a day together: where they have become many, and once more, for as long as they are needed, when no other
 * part can come.
 */
export async function settleDay<Rows extends { readonly ids: Float64Array }, Day extends DayPacks>(
  state: ObjectStore,
  format: RowFormat<Rows>,
  run: JoinRun,
  day: Day,
  isDone: boolean,
): Promise<Day> {
  if (!isDone && day.packs.length < maximumDayPacks) return day;
  const packs: DayPacks['packs'][number][] = [];
  for (const group of groupPacks(day.packs)) {
    const [only] = group;
    if (!isDone && only && group.length === 1) {
      packs.push(only);
      continue;
    }
    const tables: Rows[] = [];
    for (const { key } of group) tables.push(await readRows(state, format, key));
    packs.push(await putPack(state, format, run, day.day, format.merge(tables), isDone ? 'packs' : 'recent'));
  }
  return { ...day, packs, ...(isDone && { parts: undefined }) };
}

function groupPacks(packs: DayPacks['packs']): readonly DayPacks['packs'][] {
  const groups: DayPacks['packs'][number][][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const pack of packs.toSorted((a, b) => a.rows - b.rows)) {
    if (rows + pack.rows > maximumPackRows) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)?.push(pack);
    rows += pack.rows;
  }
  return groups;
}
