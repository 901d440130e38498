import { learnedKey } from '../contract/keys.ts';
import type { LearnedWindows } from '../evaluate/calibration.ts';
import type { WindowValue } from '../evaluate/charts/window-values.ts';
import { embeddingsOfTrails } from '../evaluate/embedding/embedding-trail.ts';
import { windowsOfTrails } from '../evaluate/trail.ts';
import type { Series } from '../model/profile.ts';
import type { ObjectStore } from './ports.ts';
import type { TrailReader } from './trail-store.ts';
import { encodeJson, parseStored } from './write-once.ts';

/** The first windows of a series, from which is learned what its baseline can't tell. Written once. */
export interface StoredWindows extends LearnedWindows {
  readonly schema: 'tidewatch.learned/1';
  /** Judged windows it was learned from, those without records included. */
  readonly windows: number;
  /** [embedding, per window the sums of its vectors as one row]; absent: the layout has none. */
  readonly embeddings?: readonly (readonly [feature: string, rows: readonly (readonly number[])[]])[] | undefined;
  /** Per window: its scalars. */
  readonly values: readonly (readonly WindowValue[])[];
}

const secondsPerWeek = 604_800;
const fewestWindows = 24;
/** Numbers kept of windows × bins: a series with more of both learns nothing. */
const maximumCounts = 5_000_000;

/** Windows in a week, after which a new version is no longer learned about. */
export function windowsOfWeek(windowSeconds: number): number {
  return Math.max(fewestWindows, Math.round(secondsPerWeek / windowSeconds));
}

/** Numbers of windows after which is learned from them: 24, a week's and four weeks'. */
function milestones(windowSeconds: number): readonly number[] {
  const week = windowsOfWeek(windowSeconds);
  return [...new Set([fewestWindows, week, Math.max(week, Math.round((4 * secondsPerWeek) / windowSeconds))])];
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
 * @returns undefined where the windows are gone, or too many to be kept
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

async function collectWindows(trails: TrailReader, series: Series, count: number): Promise<StoredWindows | undefined> {
  const first = (await trails.list(series)).slice(0, count);
  const read = await trails.read(series, first);
  const windows = windowsOfTrails(read);
  const bins = read[0]?.counts.reduce((sum, row) => sum + row.length, 0) ?? 0;
  // Where the first have expired, those that are left are not what the key says.
  if (read[0]?.windows !== 1 || windows.length < fewestWindows || bins * windows.length > maximumCounts)
    return undefined;
  const embeddings = embeddingsOfTrails(read);
  const values = new Map(read.map((trail) => [trail.windowStart, trail.values]));
  return {
    schema: 'tidewatch.learned/1',
    windows: count,
    starts: windows.map(({ start }) => start),
    counts: (windows[0]?.counts ?? []).map((_, feature) =>
      windows.map((window) => Array.from(window.counts[feature] ?? [])),
    ),
    ...(embeddings.size > 0 && { embeddings: [...embeddings] }),
    values: windows.map(({ start }) => values.get(start) ?? []),
  };
}
