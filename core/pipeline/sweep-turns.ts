import type { StateTable } from './ports.ts';

const partition = 'sweeps';
/** Full sweeps are at least this far apart: every sixth of hourly ones, whose clocks may be a little off. */
const fullMilliseconds = 5.5 * 3_600_000;

/** What is kept of a model's sweeps. */
interface Turns {
  /** When the newest one began, milliseconds since the epoch. */
  readonly begun: number;
  /** When the newest full one began that ended; null: none did. */
  readonly full: number | null;
  /** The newest one is a full one, and is not known to have ended. */
  readonly isOpen: boolean;
}

/** A sweep that has begun. */
export interface Turn {
  /** Whether it looks at everything. */
  readonly isFull: boolean;
  readonly begun: number;
}

/**
 * Begins a sweep, and says of which kind. A full one is due a while after the newest one that ended. One that was killed
 * stays due, but not for the very next sweep: what a full one can't come to the end of, others must still do.
 */
export async function beginTurn(table: StateTable, model: string, now: number): Promise<Turn> {
  const row = await table.get(partition, model);
  const { full, isOpen } = row ? (row.value as Turns) : { full: null, isOpen: false };
  const isDue = full === null || now < full || now - full >= fullMilliseconds;
  const turns: Turns = { begun: now, full, isOpen: isDue && !isOpen };
  // Where two sweeps begin at once, either one's word will do.
  await table.put(partition, model, turns, row?.revision ?? 0);
  return { isFull: turns.isOpen, begun: now };
}

/** @param isWhole false: it ended before it had done everything, and the next one goes on. */
export async function endTurn(table: StateTable, model: string, turn: Turn, isWhole: boolean): Promise<void> {
  if (!turn.isFull) return;
  const row = await table.get(partition, model);
  if (!row) return;
  const turns = row.value as Turns;
  const full = isWhole ? Math.max(turn.begun, turns.full ?? turn.begun) : turns.full;
  await table.put(partition, model, { ...turns, full, isOpen: false }, row.revision);
}

/** Those first whose turn was longest ago: where a call ends early, the next one begins with those it left. */
export async function orderByTurn<T>(
  table: StateTable,
  items: readonly T[],
  nameOf: (item: T) => string,
): Promise<readonly T[]> {
  const begun = new Map((await table.list(partition)).map(({ key, row }) => [key, (row.value as Turns).begun]));
  const turnOf = (item: T) => begun.get(nameOf(item)) ?? Number.NEGATIVE_INFINITY;
  return items.toSorted((a, b) => turnOf(a) - turnOf(b) || 0);
}
