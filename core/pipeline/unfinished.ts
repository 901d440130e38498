import type { CaptureEvent } from './locate.ts';
import type { StateTable } from './ports.ts';

/** An object whose ingestion began and is not known to have ended. */
export interface UnfinishedObject {
  readonly id: string;
  readonly event: CaptureEvent;
  readonly bytes: number;
  /** When it began, milliseconds since the epoch. */
  readonly since: number;
}

function unfinishedPartition(model: string): string {
  return `ingesting#${model}`;
}

/** Notes an object before the first of its writes, where it takes several: one fragment is no proof that all are there. */
export async function noteUnfinished(
  table: StateTable,
  model: string,
  { id, event: { bucket, key, account }, bytes, since }: UnfinishedObject,
): Promise<void> {
  // A note that is there already stays: it says since when.
  await table.put(unfinishedPartition(model), id, { bucket, key, account: account ?? null, bytes, since }, 0);
}

export async function forgetUnfinished(table: StateTable, model: string, id: string): Promise<void> {
  await table.remove(unfinishedPartition(model), id);
}

export async function listUnfinished(table: StateTable, model: string): Promise<readonly UnfinishedObject[]> {
  return (await table.list(unfinishedPartition(model))).map(({ key: id, row }) => {
    // Notes of earlier versions don't say how large the object is.
    const { bucket, key, account, bytes = 0, since } = row.value as Note;
    return { id, event: { bucket, key, account: account ?? undefined }, bytes, since };
  });
}

interface Note {
  readonly bucket: string;
  readonly key: string;
  readonly account: string | null;
  readonly bytes?: number;
  readonly since: number;
}
