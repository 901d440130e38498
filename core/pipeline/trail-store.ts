import { parseTrailKey, trailKey, trailPrefix, windowKey } from '../contract/keys.ts';
import type { CallerTrail } from '../evaluate/caller-trail.ts';
import type { ChartsState } from '../evaluate/charts/judge-charts.ts';
import type { WindowValue } from '../evaluate/charts/window-values.ts';
import type { EmbeddingRows } from '../evaluate/embedding/embedding-trail.ts';
import type { ScoreTrail } from '../evaluate/performance/judge-performance.ts';
import type { SliceTrails } from '../evaluate/slice-trail.ts';
import type { Series } from '../model/profile.ts';
import type { Trail } from '../model/trailing-counts.ts';
import type { ObjectStore } from './ports.ts';
import { RecentlyUsed } from './recently-used.ts';
import { encodeJson, parseStored } from './write-once.ts';

/** What is kept of a series from window to window. Written once per window, at its first judgement. */
export interface SeriesTrail extends Trail {
  readonly slices?: SliceTrails | undefined;
  /** Sums of the columns of vectors, cumulated like the counts; absent: the layout has none. */
  readonly embeddings?: EmbeddingRows | undefined;
  /** Callers above their caps; absent: the baseline knows none. */
  readonly callers?: CallerTrail | undefined;
  /** Scores by the steps of the baseline's calibration, cumulated; absent: it has none. */
  readonly scores?: ScoreTrail | undefined;
  /** Scalars of the newest window. */
  readonly values: readonly WindowValue[];
  /** Where the charts stand after it; absent: nothing is charted yet. */
  readonly charts?: ChartsState | undefined;
}

/** Reads trails and, in a process that lives on, remembers those it read last: they never change. */
export class TrailReader {
  readonly #store: ObjectStore;
  readonly #known: RecentlyUsed<SeriesTrail>;

  constructor(store: ObjectStore, capacity = 64) {
    this.#store = store;
    this.#known = new RecentlyUsed(capacity);
  }

  /** Starts of the windows that have trails, ascending: those after `after`, or all. */
  async list(series: Series, after?: number): Promise<readonly number[]> {
    const prefix = trailPrefix(series);
    const starts: number[] = [];
    for await (const key of this.#store.list(prefix, after === undefined ? undefined : prefix + windowKey(after))) {
      const parsed = parseTrailKey(key);
      if (parsed) starts.push(parsed.windowStart);
    }
    return starts;
  }

  /** The trails of windows that `list` named; one that has expired meanwhile is left out. */
  async read(series: Series, starts: readonly number[]): Promise<readonly SeriesTrail[]> {
    const trails: SeriesTrail[] = [];
    for (let first = 0; first < starts.length; first += parallelReads) {
      const group = starts.slice(first, first + parallelReads);
      for (const trail of await Promise.all(group.map((start) => this.#readOne(trailKey(series, start))))) {
        if (trail) trails.push(trail);
      }
    }
    return trails;
  }

  async #readOne(key: string): Promise<SeriesTrail | undefined> {
    const known = this.#known.get(key);
    if (known) return known;
    const bytes = await this.#store.get(key);
    if (!bytes) return undefined;
    const trail = parseStored<SeriesTrail>(key, bytes, 'tidewatch.trail/1');
    this.#known.keep(key, trail);
    return trail;
  }
}

const parallelReads = 16;

/**
 * Keeps a window's trail. Where one is there already it stays: the judgement that wrote it crashed before its verdict,
 * and data that came in between are late to the trail.
 */
export async function keepTrail(store: ObjectStore, series: Series, trail: SeriesTrail): Promise<void> {
  await store.putOnce(trailKey(series, trail.windowStart), encodeJson(trail));
}
