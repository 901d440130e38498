import type { IndexRows, LabelRows } from '../model/labels.ts';
import type { JoinManifest } from './join-manifest.ts';
import { indexFormat, labelFormat, listNewParts, type NewPart, type RowFormat, readRows } from './join-packs.ts';
import type { ObjectStore } from './ports.ts';
import { runBounded } from './run-bounded.ts';

const concurrentReads = 8;

/** What one side of the join has new. */
export interface TakenSide<Rows> {
  readonly parts: readonly NewPart[];
  readonly byDay: ReadonlyMap<string, Rows>;
  readonly rows: number;
  /** False: there were more than a run takes. */
  readonly isWhole: boolean;
}

export interface TakenParts {
  readonly index: TakenSide<IndexRows>;
  readonly labels: TakenSide<LabelRows>;
}

/**
 * As long as labels still look through earlier days, no others are taken, and none of those days may grow: an inference that was
 * added there would meet them twice.
 * @param fromDay yyyy-mm-dd: objects that came earlier are not looked for.
 */
export async function takeParts(
  state: ObjectStore,
  { model, index, labels, lookup }: JoinManifest,
  fromDay: string,
  limits: { readonly records: number; readonly labels: number; readonly lookedUp: number },
): Promise<TakenParts> {
  const waiting = lookup ? [] : await listNewParts(state, 'labels', model, fromDay, labels);
  const takenLabels = await readParts(state, labelFormat, waiting, limits.labels);
  const rows = index.reduce((sum, { packs }) => packs.reduce((total, pack) => total + pack.rows, sum), 0);
  const mayStayOpen = takenLabels.parts.length > 0 && rows > limits.lookedUp;
  const newest = index.at(-1)?.day ?? '';
  const found = (await listNewParts(state, 'index', model, fromDay, index)).filter(({ day }) =>
    // The newest day is always looked through at once.
    lookup ? day > lookup.day : !mayStayOpen || day >= newest,
  );
  return { index: await readParts(state, indexFormat, found, limits.records), labels: takenLabels };
}

async function readParts<Rows extends { readonly ids: Float64Array }>(
  state: ObjectStore,
  format: RowFormat<Rows>,
  found: readonly NewPart[],
  limit: number,
): Promise<TakenSide<Rows>> {
  const taken: { readonly part: NewPart; readonly rows: Rows }[] = [];
  let rows = 0;
  for (let at = 0; at < found.length && rows < limit; at += concurrentReads) {
    const group = found.slice(at, at + concurrentReads);
    const read = new Map<NewPart, Rows>();
    await runBounded(group, concurrentReads, async (part) => {
      read.set(part, await readRows(state, format, part.key));
    });
    for (const part of group) {
      const table = read.get(part);
      if (!table) continue;
      taken.push({ part, rows: table });
      rows += table.ids.length;
    }
  }
  const byDay = new Map<string, Rows>();
  for (const [day, list] of Map.groupBy(taken, ({ part }) => part.day)) {
    byDay.set(day, format.merge(list.map((one) => one.rows)));
  }
  return { parts: taken.map(({ part }) => part), byDay, rows, isWhole: taken.length === found.length };
}
