import { describe, expect, test } from 'vitest';
import { milestoneOf, readLearned, type StoredWindows, seenWindows } from '../../core/pipeline/learned-windows.ts';
import { keepTrail, type SeriesTrail, TrailReader } from '../../core/pipeline/trail-store.ts';
import { MemoryObjectStore } from './memory-object-store.ts';

const quarter = 900;
const series = { model: 'm', variant: 'AllTraffic', version: 'v1', layout: '0123456789abcdef', windowSeconds: quarter };

/** Trails of windows with a record each, in a bin that goes round; made when they are read. */
class MadeTrails extends TrailReader {
  readonly #windows: number;
  readonly #features: number;
  readonly #bins: number;

  constructor(windows: number, features: number, bins: number) {
    super(new MemoryObjectStore());
    this.#windows = windows;
    this.#features = features;
    this.#bins = bins;
  }

  override async list(): Promise<readonly number[]> {
    return Array.from({ length: this.#windows }, (_, at) => at * quarter * 1000);
  }

  override async read(_: typeof series, starts: readonly number[]): Promise<readonly SeriesTrail[]> {
    return starts.map((windowStart) => {
      const at = windowStart / quarter / 1000;
      const rounds = Math.floor(at / this.#bins);
      const row = Array.from({ length: this.#bins }, (_, bin) => rounds + (bin <= at % this.#bins ? 1 : 0));
      return {
        schema: 'tidewatch.trail/1',
        windowStart,
        windows: at + 1,
        cells: [['00|weekday', at + 1]],
        counts: new Array<number[]>(this.#features).fill(row),
        embeddings: [['text', [at + 1, -at]]],
        values: [{ name: 'records', kind: 'count', value: at, weight: 1 }],
      };
    });
  }
}

async function learn(windows: number, features: number, bins: number): Promise<StoredWindows | undefined> {
  const milestone = milestoneOf(series, quarter, windows);
  if (!milestone) return undefined;
  expect(milestone.windows).toBe(windows);
  return readLearned(new MemoryObjectStore(), new MadeTrails(windows + 40, features, bins), series, milestone);
}

describe('what is learned of a series', () => {
  test('is there after four weeks of 200 features by the quarter of an hour, as it was after one', async () => {
    const learned = await learn(2_688, 200, 12);
    expect(learned?.starts).toHaveLength(2_688);
    expect(learned?.counts).toHaveLength(200);
    expect(learned?.earlier).toBeUndefined();
  });

  test('is of the newest windows where there are too many, but for what is charted', async () => {
    const [windows, kept] = [672, 200];
    const learned = await learn(windows, 40, 1_250);
    if (!learned) throw new Error('expected windows');
    const all = Array.from({ length: windows }, (_, at) => at * quarter * 1000);
    expect(learned.starts).toEqual(all.slice(-kept));
    learned.starts.forEach((_, index) => {
      const at = windows - kept + index;
      const row = learned.counts[39]?.[index];
      expect([row?.length, row?.indexOf(1), row?.lastIndexOf(1)]).toEqual([1_250, at, at]);
    });
    expect(new Map(learned.embeddings).get('text')).toEqual(new Array(kept).fill([1, -1]));
    expect(learned.values.map(([value]) => value?.value)).toEqual(all.slice(-kept).map((start) => start / 900_000));
    const seen = seenWindows(learned);
    expect(seen.starts).toEqual(all);
    expect(seen.values.map(([value]) => value?.value)).toEqual(all.map((start) => start / 900_000));
  });

  test('begins with the larger of 24 windows and a day', () => {
    const first = (windowSeconds: number) =>
      Array.from({ length: 400 }, (_, windows) => milestoneOf(series, windowSeconds, windows)?.windows).find(
        (windows) => windows !== undefined,
      );
    expect([300, 900, 3600, 86_400].map(first)).toEqual([288, 96, 24, 24]);
  });

  test('is nothing where 24 windows do not fit, or the first are gone', async () => {
    expect((await learn(96, 1, 416_666))?.starts).toHaveLength(24);
    expect(await learn(96, 1, 416_667)).toBeUndefined();
    const store = new MemoryObjectStore();
    const trails = await new MadeTrails(100, 1, 3).read(series, [900_000, 1_800_000]);
    for (const trail of trails) await keepTrail(store, series, trail);
    const milestone = milestoneOf(series, quarter, 96);
    expect(milestone && (await readLearned(store, new TrailReader(store), series, milestone))).toBeUndefined();
  });
});
