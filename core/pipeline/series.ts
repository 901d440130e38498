import { seriesKey } from '../contract/keys.ts';
import type { Series, Window } from '../model/profile.ts';
import type { Tier } from '../model/verdict.ts';
import type { StateTable } from './ports.ts';

/** What the state table knows of a series: where judging stands. */
export interface SeriesState {
  readonly variant: string;
  readonly version: string;
  readonly layout: string;
  /** Width of its windows; all its places are starts of them. */
  readonly windowSeconds: number;
  /** Start of the first window it has records of, milliseconds since the epoch. */
  readonly firstWindow: number;
  /** Start of the newest window it has records of. */
  readonly newestWindow: number;
  /** Windows that start before this have been judged at least once. */
  readonly judgedThrough: number;
  /** The newest verdict of a closed window. */
  readonly newest?:
    | {
        readonly key: string;
        readonly windowStart: number;
        readonly tier: Tier;
        readonly captured: number;
        readonly quarantined: number;
      }
    | undefined;
}

export function seriesPartition(model: string): string {
  return `series#${model}`;
}

/** Makes a series known before its first fragment is written, so that no fragment is ever overlooked. Idempotent. */
export async function registerSeries(table: StateTable, series: Series, window: Window): Promise<void> {
  await updateSeries(table, series, (state) => {
    if (!state) return beginSeries(series, window);
    if (window.start >= state.firstWindow && window.start <= state.newestWindow) return state;
    return {
      ...state,
      firstWindow: Math.min(state.firstWindow, window.start),
      // As long as nothing was judged, an earlier window moves the beginning.
      judgedThrough:
        state.judgedThrough === state.firstWindow ? Math.min(state.firstWindow, window.start) : state.judgedThrough,
      newestWindow: Math.max(state.newestWindow, window.start),
    };
  });
}

/** What is known of a series when its first record is. */
export function beginSeries(series: Series, { start }: Window): SeriesState {
  const { variant, version, layout, windowSeconds } = series;
  return { variant, version, layout, windowSeconds, firstWindow: start, newestWindow: start, judgedThrough: start };
}

export function seriesOfState(model: string, state: SeriesState): Series {
  const { variant, version, layout, windowSeconds } = state;
  return { model, variant, version, layout, windowSeconds };
}

export function isSameSeries(a: Omit<Series, 'model'>, b: Omit<Series, 'model'>): boolean {
  return (
    a.variant === b.variant && a.version === b.version && a.layout === b.layout && a.windowSeconds === b.windowSeconds
  );
}

/** The window of a series that a time lies in. */
export function windowAt({ windowSeconds }: Pick<Series, 'windowSeconds'>, time: number): Window {
  const width = windowSeconds * 1000;
  const start = Math.floor(time / width) * width;
  return { start, end: start + width };
}

export type NewestVerdict = NonNullable<SeriesState['newest']>;

/** The verdicts of the windows that ended last, of those judged: one per series that took part in them. */
export function newestVerdicts(states: readonly SeriesState[]): readonly NewestVerdict[] {
  const verdicts = states.flatMap(({ newest, windowSeconds }) =>
    newest ? { newest, end: newest.windowStart + windowSeconds * 1000 } : [],
  );
  const last = Math.max(...verdicts.map(({ end }) => end));
  return verdicts.flatMap(({ newest, end }) => (end === last ? newest : []));
}

const millisecondsPerDay = 86_400_000;

/**
 * How many series of a model are in service in a window of one of them, that one included: those that had begun by then
 * and had records in the day before it, or have since.
 */
export function countInService(states: readonly SeriesState[], series: Series, window: Window): number {
  const others = states.filter(
    (state) =>
      !isSameSeries(state, series) &&
      state.firstWindow < window.end &&
      windowAt(state, state.newestWindow).end > window.start - millisecondsPerDay,
  );
  return others.length + 1;
}

export async function listSeries(table: StateTable, model: string): Promise<readonly SeriesState[]> {
  const rows = await table.list(seriesPartition(model));
  return rows.map(({ row }) => row.value as SeriesState);
}

/** Compare-and-swap until it holds. `change` returns the same object to leave the row as it is. */
export async function updateSeries(
  table: StateTable,
  series: Series,
  change: (state: SeriesState | undefined) => SeriesState,
): Promise<SeriesState> {
  const partition = seriesPartition(series.model);
  const key = seriesKey(series);
  for (;;) {
    const row = await table.get(partition, key);
    const before = row?.value as SeriesState | undefined;
    const after = change(before);
    if (after === before || (await table.put(partition, key, after, row?.revision ?? 0))) return after;
  }
}
