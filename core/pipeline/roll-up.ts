import { dayKey, fragmentWindowPrefix, slisKey } from '../contract/keys.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Series, Summary, Window } from '../model/profile.ts';
import { type HourSum, sumHours } from '../slo/minute-slots.ts';
import { readModelState, updateModelState } from './model-state.ts';
import type { Clock, ObjectStore, StateTable } from './ports.ts';
import { putFact } from './write-once.ts';

/** Hourly SLI sums of the windows of one UTC day. Written once; a later one of the same day replaces it in the state. */
interface DayRollUp {
  readonly schema: 'tidewatch.slis/1';
  readonly model: string;
  readonly day: string;
  /** [window, its hours], sorted by window: a restated window replaces its own hours only. */
  readonly windows: readonly (readonly [windowPrefix: string, hours: readonly HourSum[]])[];
}

/** Error budgets look back 30 days; a day more for the period's cut. */
const keptDays = 32;
const millisecondsPerDay = 86_400_000;

export interface RollUpPorts {
  readonly state: ObjectStore;
  readonly table: StateTable;
  readonly clock: Clock;
}

/** Keeps the hourly SLI sums of a judged window, so that the tick reads one small object a day instead of history. */
export async function rollUpWindow(
  ports: RollUpPorts,
  series: Series,
  window: Window,
  summary: Summary,
): Promise<void> {
  const hours = sumHours(summary.minutes);
  const day = dayKey(window.start);
  const prefix = fragmentWindowPrefix(series, window.start);
  for (;;) {
    const now = ports.clock.now();
    const known = pointerOf((await readModelState(ports.table, series.model, now)).rollUps, day);
    const before = known === undefined ? [] : (await readRollUp(ports.state, known)).windows;
    const windows = [...before.filter(([other]) => other !== prefix), [prefix, hours] as const].sort(([a], [b]) =>
      a < b ? -1 : 1,
    );
    const rollUp: DayRollUp = { schema: 'tidewatch.slis/1', model: series.model, day, windows };
    const text = canonicalJson(rollUp);
    const key = slisKey(series.model, day, shortHash(text));
    if (key === known) return;
    await putFact(ports.state, key, Buffer.from(text));
    const oldest = dayKey(Math.max(window.start, now) - keptDays * millisecondsPerDay);
    const after = await updateModelState(ports.table, series.model, now, (state) => {
      if (pointerOf(state.rollUps, day) !== known) return state;
      const others = state.rollUps.filter(([other]) => other !== day && other >= oldest);
      return { ...state, rollUps: [...others, [day, key] as const].sort(([a], [b]) => (a < b ? -1 : 1)) };
    });
    // Someone else rolled up another window of the day meanwhile: start again from theirs.
    if (pointerOf(after.rollUps, day) === key) return;
  }
}

/** Reads roll-ups, each once: they never change. */
export class RollUpReader {
  readonly #store: ObjectStore;
  readonly #days = new Map<string, readonly HourSum[]>();
  #last: { readonly keys: string; readonly hours: readonly HourSum[] } = { keys: '', hours: [] };

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** The hours of several days, ascending, one entry an hour. */
  async hours(keys: readonly string[]): Promise<readonly HourSum[]> {
    const joined = keys.join('\n');
    if (joined === this.#last.keys) return this.#last.hours;
    const hours: HourSum[] = [];
    for (const key of keys) {
      const day = this.#days.get(key) ?? mergeHours((await readRollUp(this.#store, key)).windows);
      this.#days.set(key, day);
      hours.push(...day);
    }
    for (const key of this.#days.keys()) if (!keys.includes(key)) this.#days.delete(key);
    this.#last = { keys: joined, hours };
    return hours;
  }
}

async function readRollUp(store: ObjectStore, key: string): Promise<DayRollUp> {
  const bytes = await store.get(key);
  if (!bytes) throw new Error(`${key}: a day's SLI sums are gone, expected them to be kept`);
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
}

function pointerOf(rollUps: readonly (readonly [string, string])[], day: string): string | undefined {
  return rollUps.find(([other]) => other === day)?.[1];
}

function mergeHours(windows: DayRollUp['windows']): readonly HourSum[] {
  const hours = new Map<number, HourSum>();
  for (const [, sums] of windows) {
    for (const sum of sums) {
      const known = hours.get(sum.hour);
      hours.set(sum.hour, known ? addHours(known, sum) : sum);
    }
  }
  return [...hours.values()].sort((a, b) => a.hour - b.hour);
}

function addHours(a: HourSum, b: HourSum): HourSum {
  const slis = new Map<string, readonly [slo: string, good: number, valid: number]>(a.slis.map((sli) => [sli[0], sli]));
  for (const [slo, good, valid] of b.slis) {
    const known = slis.get(slo);
    slis.set(slo, [slo, (known?.[1] ?? 0) + good, (known?.[2] ?? 0) + valid]);
  }
  return {
    hour: a.hour,
    rows: a.rows + b.rows,
    requests: a.requests + b.requests,
    slis: [...slis.values()].sort(([x], [y]) => (x < y ? -1 : 1)),
  };
}
