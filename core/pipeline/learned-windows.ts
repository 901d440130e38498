import { learnedKey } from '../contract/keys.ts';
import type { LearnedWindows } from '../evaluate/calibration.ts';
import type { SeenWindows } from '../evaluate/charts/phase-one.ts';
import type { WindowValue } from '../evaluate/charts/window-values.ts';
import { embeddingsOfTrails } from '../evaluate/embedding/embedding-trail.ts';
import { trailsOfSlice } from '../evaluate/slice-trail.ts';
import { windowsOfTrails } from '../evaluate/trail.ts';
import type { Series } from '../model/profile.ts';
import type { ObjectStore } from './ports.ts';
import type { SeriesTrail, TrailReader } from './trail-store.ts';
import { encodeJson, parseStored } from './write-once.ts';

/** The first windows of a series, from which is learned what its baseline can't tell. Written once. */
export interface StoredWindows extends LearnedWindows {
  readonly schema: 'tidewatch.learned/1';
  /** Judged windows it was learned from, those without records included. */
  readonly windows: number;
  /** [embedding, per window the sums of its vectors as one row]; absent: the layout has none. */
  readonly embeddings?: readonly (readonly [feature: string, rows: readonly (readonly number[])[]])[] | undefined;
  /** Of each slice the windows in which it has records, 24 at least; absent: there is none, or it was learned without. */
  readonly slices?: readonly (readonly [slice: string, windows: LearnedWindows])[] | undefined;
  /** Per window: its scalars. */
  readonly values: readonly (readonly WindowValue[])[];
  /** Those before them, of which no counts are kept because there are too many; absent: none. */
  readonly earlier?: SeenWindows | undefined;
}

const secondsPerDay = 86_400;
const secondsPerWeek = 7 * secondsPerDay;
const fewestWindows = 24;
/**
 * Numbers kept of windows × bins, beside those of a baseline in the same memory. Of more windows those of the newest are
 * kept: four weeks of 1,200 numeric features by the hour, or of 300 by the quarter of an hour. Where
 * there are slices they share one half.
 */
const maximumCounts = 10_000_000;
/** Trails in memory at a time. */
const readTogether = 64;

/** Windows in a week, after which a new version is no longer learned about. */
export function windowsOfWeek(windowSeconds: number): number {
  return Math.max(fewestWindows, Math.round(secondsPerWeek / windowSeconds));
}

/**
 * Numbers of windows after which is learned from them: a day's and no fewer than 24, for a few hours know nothing of the
 * swing of a day, three days', which know how days differ, a week's and four weeks'.
 */
function milestones(windowSeconds: number): readonly number[] {
  const day = Math.max(fewestWindows, Math.round(secondsPerDay / windowSeconds));
  const week = windowsOfWeek(windowSeconds);
  const threeDays = Math.max(fewestWindows, Math.round((3 * secondsPerDay) / windowSeconds));
  return [...new Set([day, threeDays, week, Math.max(week, Math.round((4 * secondsPerWeek) / windowSeconds))])];
}

/** The windows up to the largest milestone before the last of them; undefined: there is none. */
export function windowsBefore(
  windowSeconds: number,
  { starts, counts, replaces }: LearnedWindows,
): LearnedWindows | undefined {
  const count = milestones(windowSeconds).findLast((milestone) => milestone < starts.length);
  if (count === undefined) return undefined;
  return { starts: starts.slice(0, count), counts: counts.map((windows) => windows.slice(0, count)), replaces };
}

/** Where what was learned of a series is kept, and from how many of its first windows. */
export interface Milestone {
  readonly key: string;
  readonly windows: number;
}

/** The largest milestone that so many judged windows have passed; undefined before the first. */
export function milestoneOf(series: Series, windowSeconds: number, windows: number): Milestone | undefined {
  const passed = milestones(windowSeconds).findLast((count) => count <= windows);
  return passed === undefined ? undefined : { key: learnedKey(series, passed), windows: passed };
}

/**
 * What was learned up to a milestone. The first judgement after it reads the trails of all those windows, once.
 * @returns undefined where the windows are gone, or no 24 of them can be kept
 */
export async function readLearned(
  store: ObjectStore,
  trails: TrailReader,
  series: Series,
  { key, windows }: Milestone,
): Promise<StoredWindows | undefined> {
  const bytes = await store.get(key);
  if (bytes) return parseStored<StoredWindows>(key, bytes, 'tidewatch.learned/1');
  const learned = await collectWindows(trails, series, windows);
  // Two judgements at once learn the same: trails never change.
  if (learned) await store.putOnce(key, encodeJson(learned));
  return learned;
}

/** All windows that were learned from, with what is charted of them. */
export function seenWindows({ earlier, starts, values }: StoredWindows): SeenWindows {
  return earlier
    ? { starts: [...earlier.starts, ...starts], values: [...earlier.values, ...values] }
    : { starts, values };
}

async function collectWindows(trails: TrailReader, series: Series, count: number): Promise<StoredWindows | undefined> {
  const starts = (await trails.list(series)).slice(0, count);
  const windows: CollectedWindow[] = [];
  let kept = 0;
  let slices = 0;
  let previous: SeriesTrail | undefined;
  for (let from = 0; from < starts.length; from += readTogether) {
    const read = await trails.read(series, starts.slice(from, from + readTogether));
    // Where the first have expired, those that are left are not what the key says.
    if (!previous && read[0]?.windows !== 1) return undefined;
    windows.push(...windowsBetween(previous, read));
    previous = read.at(-1) ?? previous;
    const bins = previous?.counts.reduce((sum, row) => sum + row.length, 0) ?? 0;
    slices = Math.max(slices, previous?.slices?.length ?? 0);
    const most = slices > 0 ? maximumCounts / 2 : maximumCounts;
    const fitting = (numbers: number) => Math.min(windows.length, Math.floor(most / Math.max(1, numbers)));
    kept = fitting(bins);
    for (const window of windows.slice(0, windows.length - kept)) window.counts = [];
    for (const window of windows.slice(0, windows.length - fitting(bins * slices))) window.slices = new Map();
  }
  if (kept < fewestWindows) return undefined;
  const [earlier, newest] = [windows.slice(0, -kept), windows.slice(-kept)];
  const rowsOf = (name: string) => newest.map(({ embeddings }) => embeddings.get(name) ?? []);
  const ofSlices = learnedSlices(windows);
  const embeddings = [...(newest[0]?.embeddings.keys() ?? [])].map((name) => [name, rowsOf(name)] as const);
  return {
    schema: 'tidewatch.learned/1',
    windows: count,
    ...byFeature(newest),
    ...(ofSlices.length > 0 && { slices: ofSlices }),
    ...(embeddings.length > 0 && { embeddings }),
    values: newest.map(({ values }) => values),
    ...(earlier.length > 0 && {
      earlier: { starts: earlier.map(({ start }) => start), values: earlier.map(({ values }) => values) },
    }),
  };
}

function learnedSlices(windows: readonly CollectedWindow[]): readonly (readonly [string, LearnedWindows])[] {
  const names = new Set(windows.flatMap(({ slices }) => [...slices.keys()]));
  return [...names].sort().flatMap((name) => {
    const own = windows.flatMap(({ start, slices }) => {
      const counts = slices.get(name);
      return counts ? [{ start, counts }] : [];
    });
    return own.length < fewestWindows ? [] : [[name, byFeature(own)] as const];
  });
}

function byFeature(windows: readonly Pick<CollectedWindow, 'start' | 'counts'>[]): LearnedWindows {
  return {
    starts: windows.map(({ start }) => start),
    counts: (windows[0]?.counts ?? []).map((_, feature) => windows.map(({ counts }) => counts[feature] ?? [])),
  };
}

type FeatureCounts = readonly (readonly number[])[];

interface CollectedWindow {
  readonly start: number;
  /** Per feature; empty where they are not kept. */
  counts: FeatureCounts;
  /** The same of the slices that have records in it. */
  slices: ReadonlyMap<string, FeatureCounts>;
  readonly embeddings: ReadonlyMap<string, readonly number[]>;
  readonly values: readonly WindowValue[];
}

/** The windows of some trails in a row, of which `previous` is the one before them. */
function windowsBetween(previous: SeriesTrail | undefined, trails: readonly SeriesTrail[]): readonly CollectedWindow[] {
  const all = previous ? [previous, ...trails] : trails;
  const embeddings = embeddingsOfTrails(all);
  const values = new Map(trails.map((trail) => [trail.windowStart, trail.values]));
  const slices = slicesOfWindows(all);
  return windowsOfTrails(all).flatMap(({ start, counts }, index) => {
    const ofWindow = values.get(start);
    if (!ofWindow) return [];
    return {
      start,
      counts: counts.map((row) => Array.from(row)),
      slices: slices.get(start) ?? new Map(),
      embeddings: new Map([...embeddings].map(([name, rows]) => [name, rows[index] ?? []])),
      values: ofWindow,
    };
  });
}

/** By the start of a window the counts of the slices that have records in it. */
function slicesOfWindows(trails: readonly SeriesTrail[]): ReadonlyMap<number, ReadonlyMap<string, FeatureCounts>> {
  const found = new Map<number, Map<string, FeatureCounts>>();
  for (const name of new Set(trails.flatMap(({ slices = [] }) => slices.map(([slice]) => slice)))) {
    for (const { start, records, counts } of windowsOfTrails(trailsOfSlice(trails, name))) {
      if (!(records > 0)) continue;
      const rows = counts.map((row) => Array.from(row));
      found.set(start, (found.get(start) ?? new Map<string, FeatureCounts>()).set(name, rows));
    }
  }
  return found;
}
