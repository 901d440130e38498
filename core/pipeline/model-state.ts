import { dayKey } from '../contract/keys.ts';
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
    /** Objectives whose budget burns too fast, and their tiers: they go on until that is over. Absent: none. */
    readonly burning?: readonly (readonly [slo: string, tier: 'yellow' | 'red'])[] | undefined;
  };
  /** Newest roll-up of SLI sums per UTC day of those kept: [day, key]. */
  readonly rollUps: readonly (readonly [day: string, key: string])[];
  /** The hour (since the epoch) before which measured objectives are in the roll-ups; absent: none is yet. */
  readonly measuredThrough?: number | undefined;
  /** Objectives of metrics that can't be read, and the newest time of which they are known; absent: all can be. */
  readonly unread?: readonly (readonly [slo: string, since: number])[] | undefined;
  /** Keys that hold other bytes than they should: [key, first seen]. */
  readonly integrity: readonly (readonly [key: string, since: number])[];
}

const partition = 'models';
/** Error budgets look back 30 days; a day more for the period's cut. Shorter than what storage keeps of roll-ups. */
const keptDays = 32;
const millisecondsPerDay = 86_400_000;

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
  if (row) {
    const state = row.value as ModelState;
    // A model that rests prunes nothing, while storage goes on removing what is older: such days are taken for absent.
    const oldest = oldestRollUpDay(now);
    return { ...state, rollUps: state.rollUps.filter(([day]) => day >= oldest) };
  }
  return { since: now, live: { tier: 'green', since: now }, rollUps: [], integrity: [] };
}

/** The first UTC day whose roll-up is kept. */
export function oldestRollUpDay(now: number): string {
  return dayKey(now - keptDays * millisecondsPerDay);
}
