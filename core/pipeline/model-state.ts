import type { Tier } from '../model/verdict.ts';
import type { StateRow, StateTable } from './ports.ts';

/** What the tick keeps of a model between minutes. */
export interface ModelState {
  /** Milliseconds since the epoch at which Tidewatch began to watch the model. */
  readonly since: number;
  /** Newest record of any closed window: the silence rule's memory once fragments have expired. */
  readonly lastRecordTime?: number | undefined;
  /** The live judgement in force. */
  readonly live: {
    readonly tier: Tier;
    /** Hash of what was found; absent before the first finding. */
    readonly found?: string | undefined;
    /** Key of the live verdict that says so. */
    readonly key?: string | undefined;
    readonly since: number;
  };
  /** Newest roll-up of SLI sums per UTC day: [day, key]. */
  readonly rollUps: readonly (readonly [day: string, key: string])[];
  /** Keys that hold other bytes than they should: [key, first seen]. */
  readonly integrity: readonly (readonly [key: string, since: number])[];
}

const partition = 'models';

export async function readModelState(table: StateTable, model: string, now: number): Promise<ModelState> {
  return toState(await table.get(partition, model), now);
}

/** Compare-and-swap until it holds. `change` returns the same object to leave the row as it is. */
export async function updateModelState(
  table: StateTable,
  model: string,
  now: number,
  change: (state: ModelState) => ModelState,
): Promise<ModelState> {
  for (;;) {
    const row = await table.get(partition, model);
    const before = toState(row, now);
    const after = change(before);
    if ((row && after === before) || (await table.put(partition, model, after, row?.revision ?? 0))) return after;
  }
}

function toState(row: StateRow | undefined, now: number): ModelState {
  if (row) return row.value as ModelState;
  return { since: now, live: { tier: 'green', since: now }, rollUps: [], integrity: [] };
}
