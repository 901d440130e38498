import { seriesKey } from '../../core/contract/keys.ts';
import type { Series, Summary, Window } from '../../core/model/profile.ts';
import { Calibrations } from '../../core/pipeline/calibrations.ts';
import type { ContextPorts } from '../../core/pipeline/judge-context.ts';
import type { ObjectStore, StateTable } from '../../core/pipeline/ports.ts';
import { beginSeries, type SeriesState, seriesPartition } from '../../core/pipeline/series.ts';
import { type SeriesTrail, TrailReader } from '../../core/pipeline/trail-store.ts';
import { type WindowContent, WindowReader } from '../../core/pipeline/window-reader.ts';

/** What the pipeline keeps of a model between windows, in memory and without being written out. */
export class PipelineMemory implements ContextPorts {
  readonly calibrations = new Calibrations();
  readonly state = createObjects();
  readonly trails: KeptTrails;
  readonly windows = new KeptWindows();
  readonly table: StateTable;
  readonly #states = new Map<string, SeriesState>();

  /** @param learns false: the first window's trail is gone, so that nothing is learned of the live windows. */
  constructor(learns: boolean) {
    this.trails = new KeptTrails(learns);
    this.table = createTable(this.#states);
  }

  /** A window's records have come. */
  arrive(series: Series, window: Window, summary: Summary): void {
    const key = seriesKey(series);
    const known = this.#states.get(key) ?? beginSeries(series, window);
    this.#states.set(key, { ...known, newestWindow: window.start });
    this.windows.keep(series, window.start, summary);
  }
}

/** The trails of all series, none of which expires. */
class KeptTrails extends TrailReader {
  readonly #learns: boolean;
  readonly #kept = new Map<string, { readonly starts: number[]; readonly trails: Map<number, SeriesTrail> }>();

  constructor(learns: boolean) {
    super(createObjects());
    this.#learns = learns;
  }

  keep(series: Series, trail: SeriesTrail): void {
    const kept = this.#of(series);
    kept.trails.set(trail.windowStart, trail);
    if (this.#learns || trail.windows > 1) kept.starts.push(trail.windowStart);
  }

  newest(series: Series): SeriesTrail | undefined {
    const { trails } = this.#of(series);
    return [...trails.values()].at(-1);
  }

  override async list(series: Series, after = Number.NEGATIVE_INFINITY): Promise<readonly number[]> {
    const { starts } = this.#of(series);
    return starts.slice(starts.findLastIndex((start) => start <= after) + 1);
  }

  override async read(series: Series, starts: readonly number[]): Promise<readonly SeriesTrail[]> {
    const { trails } = this.#of(series);
    return starts.flatMap((start) => trails.get(start) ?? []);
  }

  #of(series: Series) {
    const key = seriesKey(series);
    const kept = this.#kept.get(key) ?? { starts: [], trails: new Map<number, SeriesTrail>() };
    this.#kept.set(key, kept);
    return kept;
  }
}

/** The newest window of each series. */
class KeptWindows extends WindowReader {
  readonly #kept = new Map<string, readonly [start: number, summary: Summary]>();

  constructor() {
    super(createObjects());
  }

  keep(series: Series, start: number, summary: Summary): void {
    this.#kept.set(seriesKey(series), [start, summary]);
  }

  override async read(series: Series, windowStart: number): Promise<WindowContent> {
    const [start, summary] = this.#kept.get(seriesKey(series)) ?? [];
    if (!summary || start !== windowStart) return super.read(series, windowStart);
    return { fragments: [], counted: [], summary };
  }
}

function createObjects(): ObjectStore {
  const objects = new Map<string, Uint8Array>();
  return {
    async putOnce(key, body) {
      if (objects.has(key)) return 'same';
      objects.set(key, body);
      return 'written';
    },
    get: async (key) => objects.get(key),
    async *list(prefix) {
      yield* [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    },
  };
}

function createTable(states: ReadonlyMap<string, SeriesState>): StateTable {
  return {
    get: async () => undefined,
    put: async () => false,
    remove: async () => undefined,
    list: async (partition) =>
      [...states].flatMap(([key, value]) => {
        const isOfModel = partition.startsWith(seriesPartition(''));
        return isOfModel ? [{ key, row: { value, revision: 1 } }] : [];
      }),
  };
}
