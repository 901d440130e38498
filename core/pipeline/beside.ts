import { profileKey, trailKey } from '../contract/keys.ts';
import type { Cell } from '../evaluate/cells.ts';
import { type BesideContext, besideWindows } from '../evaluate/compare-beside.ts';
import { countsOfSummary, windowsOfTrails } from '../evaluate/trail.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Layout } from '../model/layout.ts';
import type { Series, Window } from '../model/profile.ts';
import { isSameSeries, type SeriesState, seriesOfState } from './series.ts';
import type { TrailReader } from './trail-store.ts';
import type { WindowContent, WindowReader } from './window-reader.ts';
import { IntegrityError } from './write-once.ts';

export interface BesidePorts {
  readonly trails: TrailReader;
  readonly windows: WindowReader;
}

/** A larger series of the same model in the same window. */
export interface Beside extends Pick<BesideContext, 'variant' | 'version' | 'other'> {
  /** What was read of it. Its profile is written when it is judged itself, by the same fragments or more. */
  readonly keys: readonly string[];
}

/**
 * The largest series that was called in a window beside the one judged, with its windows of up to a day; undefined where
 * none is larger. It must have been counted into the same layout. Its window is read from the fragments, as either of the
 * two may be judged first.
 * @param known all series of the model
 */
export async function readBeside(
  { trails, windows }: BesidePorts,
  known: readonly SeriesState[],
  series: Series,
  window: Window,
  counted: number,
  layout: Layout,
  cell: Cell,
): Promise<Beside | undefined> {
  const others = known
    .filter(({ firstWindow, newestWindow }) => firstWindow <= window.start && newestWindow >= window.start)
    .map((state) => seriesOfState(series.model, state))
    .filter(
      (other) =>
        other.layout === series.layout && other.windowSeconds === series.windowSeconds && !isSameSeries(other, series),
    );
  let largest: { readonly series: Series; readonly content: WindowContent; readonly records: number } | undefined;
  for (const other of others) {
    const content = await readIntact(() => windows.read(other, window.start));
    const records = content?.summary.records.counted ?? 0;
    // Of two that are alike neither is the smaller one.
    if (content && records > Math.max(counted, largest?.records ?? 0)) largest = { series: other, content, records };
  }
  if (!largest) return undefined;
  const { series: other, content, records } = largest;
  const width = window.end - window.start;
  const starts = (await trails.list(other, window.start - (besideWindows + 1) * width)).filter(
    (start) => start < window.start,
  );
  const now = { start: window.start, cell, records, counts: countsOfSummary(content.summary, layout) };
  return {
    variant: other.variant,
    version: other.version,
    other: [...windowsOfTrails(await trails.read(other, starts)), now],
    keys: [
      ...starts.map((start) => trailKey(other, start)),
      profileKey(other, window.start, shortHash(canonicalJson(content.fragments))),
    ],
  };
}

/** A series that can't be trusted pages when it is judged itself; until then it is no company. */
async function readIntact<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof IntegrityError) return undefined;
    throw error;
  }
}
