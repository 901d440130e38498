import { encodeSegment } from '../contract/keys.ts';
import type { Series, Window } from '../model/profile.ts';
import type { Tier } from '../model/verdict.ts';
import type { StateTable } from './ports.ts';

/** What the state table knows of a series: where judging stands. */
export interface SeriesState {
  readonly variant: string;
  readonly version: string;
  readonly layout: string;
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

export function seriesRowKey(series: Pick<Series, 'variant' | 'version' | 'layout'>): string {
  return [series.variant, series.version, series.layout].map(encodeSegment).join('/');
}

/** Makes a series known before its first fragment is written, so that no fragment is ever overlooked. Idempotent. */
export async function registerSeries(table: StateTable, series: Series, window: Window): Promise<void> {
  await updateSeries(table, series, (state) => {
    if (!state) {
      const { variant, version, layout } = series;
      return {
        variant,
        version,
        layout,
        firstWindow: window.start,
        newestWindow: window.start,
        judgedThrough: window.start,
      };
    }
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
  const key = seriesRowKey(series);
  for (;;) {
    const row = await table.get(partition, key);
    const before = row?.value as SeriesState | undefined;
    const after = change(before);
    if (after === before || (await table.put(partition, key, after, row?.revision ?? 0))) return after;
  }
}
