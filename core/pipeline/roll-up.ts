import { dayKey, fragmentWindowPrefix, slisKey } from '../contract/keys.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Series, Window } from '../model/profile.ts';
import { fewestClusters } from '../slo/burn-guard.ts';
import { type HourSli, type HourSum, sumHours } from '../slo/minute-slots.ts';
import { oldestRollUpDay, readModelState, updateModelState } from './model-state.ts';
import type { Clock, ObjectStore, StateTable } from './ports.ts';
import type { WindowContent } from './window-reader.ts';
import { IntegrityError, parseStored, putFact } from './write-once.ts';

/** Hourly SLI sums of the windows of one UTC day. Written once; a later one of the same day replaces it in the state. */
interface DayRollUp {
  readonly schema: 'tidewatch.slis/1';
  readonly model: string;
  readonly day: string;
  /** Sorted by prefix: a restated window replaces its own entry only. */
  readonly windows: readonly WindowSums[];
}

interface WindowSums {
  /** The prefix of the window's fragments. */
  readonly prefix: string;
  /** How many of them are summed. Fragments are only ever added, so the entry with more of them is the newer one. */
  readonly fragments: number;
  /** Newest revision of the window's verdict that was published and evidenced; -1: none, and none was needed. */
  readonly revision: number;
  readonly hours: readonly HourSum[];
}

export interface RollUpPorts {
  readonly state: ObjectStore;
  readonly table: StateTable;
  readonly clock: Clock;
}

/** The revision of a window without a verdict. */
export const noRevision = -1;

/** The revision of a window's verdict up to which everything that follows from it was done: `noRevision` where none was. */
export async function settledRevision(ports: RollUpPorts, series: Series, window: Window): Promise<number> {
  const { rollUps } = await readModelState(ports.table, series.model, ports.clock.now());
  const key = pointerOf(rollUps, dayKey(window.start));
  if (key === undefined) return noRevision;
  const prefix = fragmentWindowPrefix(series, window.start);
  return (await readRollUp(ports.state, key)).windows.find((sums) => sums.prefix === prefix)?.revision ?? noRevision;
}

/** What is known of a window when everything was done that its fragments ask for. */
export type SettledWindow = Pick<WindowSums, 'fragments' | 'revision'>;

/**
 * How many fragments each window was settled with, by the prefix of their keys. Windows that are not are left out.
 * @param firstWindow start of the first window that is asked for: earlier days are not read.
 */
export async function settledWindows(
  ports: RollUpPorts,
  model: string,
  firstWindow: number,
): Promise<ReadonlyMap<string, SettledWindow>> {
  const { rollUps } = await readModelState(ports.table, model, ports.clock.now());
  const settled = new Map<string, SettledWindow>();
  for (const [day, key] of rollUps) {
    if (day < dayKey(firstWindow)) continue;
    for (const { prefix, fragments, revision } of (await readRollUp(ports.state, key)).windows) {
      settled.set(prefix, { fragments, revision });
    }
  }
  return settled;
}

/**
 * Keeps the hourly SLI sums of a closed window, so that the tick reads one small object a day instead of history.
 * @param revision of the verdict whose metrics and evidence were written before.
 */
export async function rollUpWindow(
  ports: RollUpPorts,
  series: Series,
  window: Window,
  content: WindowContent,
  revision: number,
): Promise<void> {
  const day = dayKey(window.start);
  // Judged after a standstill of weeks: nothing looks back so far.
  if (day < oldestRollUpDay(ports.clock.now())) return;
  const sums: WindowSums = {
    prefix: fragmentWindowPrefix(series, window.start),
    fragments: content.fragments.length,
    revision,
    hours: sumHours(content.summary.minutes),
  };
  await changeDay(ports, series.model, day, window.start, (before) => replaceSums(before, sums));
}

/** What stands in the place of a window's prefix for hours that no window has. */
const measuredPrefix = 'measured/hours/';

/**
 * Keeps the sums of hours of objectives that are in no window, each once.
 * @param hours ascending
 * @param through the hour before which all are summed up now, also those without an event
 */
export async function rollUpHours(
  ports: RollUpPorts,
  model: string,
  hours: readonly HourSum[],
  through: number,
): Promise<void> {
  const days = Map.groupBy(hours, ({ hour }) => dayKey(hour * millisecondsPerHour));
  for (const [day, ofDay] of days) {
    const start = (ofDay[0]?.hour ?? 0) * millisecondsPerHour;
    await changeDay(ports, model, day, start, (before) => {
      const known = before.find(({ prefix }) => prefix === measuredPrefix)?.hours ?? [];
      // Two ticks side by side saw the same; the first one stands.
      const added = ofDay.filter(({ hour }) => known.every((one) => one.hour !== hour));
      const merged = [...known, ...added].sort((a, b) => a.hour - b.hour);
      return replaceSums(before, {
        prefix: measuredPrefix,
        fragments: merged.length,
        revision: noRevision,
        hours: merged,
      });
    });
  }
  await updateModelState(ports.table, model, ports.clock.now(), (state) =>
    (state.measuredThrough ?? 0) >= through ? state : { ...state, measuredThrough: through },
  );
}

const millisecondsPerHour = 3_600_000;

/** Writes a day's roll-up anew until it holds the change. */
async function changeDay(
  ports: RollUpPorts,
  model: string,
  day: string,
  start: number,
  change: (windows: readonly WindowSums[]) => readonly WindowSums[],
): Promise<void> {
  for (;;) {
    const now = ports.clock.now();
    const known = pointerOf((await readModelState(ports.table, model, now)).rollUps, day);
    const before = known === undefined ? [] : (await readRollUp(ports.state, known)).windows;
    const rollUp: DayRollUp = { schema: 'tidewatch.slis/1', model, day, windows: change(before) };
    const text = canonicalJson(rollUp);
    const key = slisKey(model, day, shortHash(text));
    if (key === known) return;
    await putFact(ports.state, key, Buffer.from(text));
    const oldest = oldestRollUpDay(Math.max(start, now));
    const after = await updateModelState(ports.table, model, now, (state) => {
      if (pointerOf(state.rollUps, day) !== known) return state;
      const others = state.rollUps.filter(([other]) => other !== day && other >= oldest);
      return { ...state, rollUps: [...others, [day, key] as const].sort(([a], [b]) => (a < b ? -1 : 1)) };
    });
    // Someone else rolled up another window of the day meanwhile: start again from theirs.
    if (pointerOf(after.rollUps, day) === key) return;
  }
}

/** Of two judgements of a window that ran side by side, the one that knew less must not have the last word. */
function replaceSums(before: readonly WindowSums[], sums: WindowSums): readonly WindowSums[] {
  const known = before.find(({ prefix }) => prefix === sums.prefix);
  const revision = Math.max(sums.revision, known?.revision ?? noRevision);
  const newer = known && known.fragments > sums.fragments ? known : sums;
  const others = before.filter(({ prefix }) => prefix !== sums.prefix);
  return [...others, { ...newer, revision }].sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
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
    // Wide windows reach into days that have windows of their own, where the width was changed.
    hours.sort((a, b) => a.hour - b.hour);
    this.#last = { keys: joined, hours };
    return hours;
  }
}

/** @throws {IntegrityError} where it is gone: pointers to days that storage may have removed are not followed. */
async function readRollUp(store: ObjectStore, key: string): Promise<DayRollUp> {
  const bytes = await store.get(key);
  if (!bytes) throw new IntegrityError(key, "is gone, though a day's SLI sums are kept for 32 days");
  return parseStored<DayRollUp>(key, bytes, 'tidewatch.slis/1');
}

function pointerOf(rollUps: readonly (readonly [string, string])[], day: string): string | undefined {
  return rollUps.find(([other]) => other === day)?.[1];
}

/** Adds up the windows of each series, and then the series. */
function mergeHours(windows: DayRollUp['windows']): readonly HourSum[] {
  const bySeries = Map.groupBy(windows, ({ prefix }) => prefix.replace(/[^/]*\/?$/, ''));
  const perSeries = [...bySeries.values()].map((ofSeries) => addUp(ofSeries, (a, b) => a + b));
  // What two series count as two clusters may be one, of a caller that both answered. It is at least as many as either.
  return addUp(
    perSeries.map((hours) => ({ hours })),
    Math.max,
  );
}

type AddClusters = (a: number, b: number) => number;

function addUp(parts: readonly Pick<WindowSums, 'hours'>[], addClusters: AddClusters): readonly HourSum[] {
  const hours = new Map<number, HourSum>();
  for (const { hours: sums } of parts) {
    for (const sum of sums) {
      const known = hours.get(sum.hour);
      hours.set(sum.hour, known ? addHours(known, sum, addClusters) : sum);
    }
  }
  return [...hours.values()].sort((a, b) => a.hour - b.hour);
}

function addHours(a: HourSum, b: HourSum, addClusters: AddClusters): HourSum {
  const slis = new Map<string, HourSli>(a.slis.map((sli) => [sli[0], sli]));
  for (const sli of b.slis) {
    const known = slis.get(sli[0]);
    slis.set(sli[0], known ? addSlis(known, sli, addClusters) : sli);
  }
  return {
    hour: a.hour,
    rows: a.rows + b.rows,
    requests: a.requests + b.requests,
    slis: [...slis.values()].sort(([x], [y]) => (x < y ? -1 : 1)),
  };
}

function addSlis(a: HourSli, b: HourSli, addClusters: AddClusters): HourSli {
  const clusters = addClusters(clustersOf(a), clustersOf(b));
  const sum = [a[0], a[1] + b[1], a[2] + b[2]] as const;
  return clusters > 0 ? [...sum, clusters] : sum;
}

function clustersOf([, good, valid, counted]: HourSli): number {
  return counted ?? fewestClusters(valid - good);
}
