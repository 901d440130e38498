import { describe, expect, test } from 'vitest';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { extendSliceTrails } from '../../core/evaluate/slice-trail.ts';
import { extendTrail } from '../../core/evaluate/trail.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { Trail } from '../../core/model/trailing-counts.ts';
import { milestoneOf, readLearned, type StoredWindows, seenWindows } from '../../core/pipeline/learned-windows.ts';
import { keepTrail, type SeriesTrail, TrailReader } from '../../core/pipeline/trail-store.ts';
import { createSummary } from '../evaluate/synthetic-model.ts';
import { MemoryObjectStore } from './memory-object-store.ts';

const quarter = 900;
const series = { model: 'm', variant: 'AllTraffic', version: 'v1', layout: '0123456789abcdef', windowSeconds: quarter };

/** Trails of windows with a record each, in a bin that goes round; made when they are read. */
class MadeTrails extends TrailReader {
  readonly #windows: number;
  readonly #features: number;
  readonly #bins: number;
  readonly #slicesAt: (at: number) => number;

  constructor(windows: number, features: number, bins: number, slicesAt: (at: number) => number = () => 0) {
    super(new MemoryObjectStore());
    this.#windows = windows;
    this.#features = features;
    this.#bins = bins;
    this.#slicesAt = slicesAt;
  }

  override async list(): Promise<readonly number[]> {
    return Array.from({ length: this.#windows }, (_, at) => at * quarter * 1000);
  }

  override async read(_: typeof series, starts: readonly number[]): Promise<readonly SeriesTrail[]> {
    return starts.map((windowStart) => {
      const at = windowStart / quarter / 1000;
      const slices = this.#slicesAt(at);
      const rounds = Math.floor(at / this.#bins);
      const row = Array.from({ length: this.#bins }, (_, bin) => rounds + (bin <= at % this.#bins ? 1 : 0));
      const trail: Trail = {
        schema: 'tidewatch.trail/1',
        windowStart,
        windows: at + 1,
        cells: [['00|weekday', at + 1]],
        counts: new Array<number[]>(this.#features).fill(row),
      };
      return {
        ...trail,
        ...(slices > 0 && { slices: Array.from({ length: slices }, (_, slice) => [`s=${slice}`, trail]) }),
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

  test('is of fewer windows where there are slices, which share one half of what is kept', async () => {
    const learnSliced = (windows: number, bins: number, slices: number, until = windows) => {
      const trails = new MadeTrails(windows, 1, bins, (at) => (at < until ? slices : 0));
      return readLearned(new MemoryObjectStore(), trails, series, { key: 'learned', windows });
    };
    const learned = await learnSliced(48, 1_250, 100);
    expect(learned?.starts).toHaveLength(48);
    expect(learned?.slices?.map(([, { starts }]) => starts.length)).toEqual(new Array(100).fill(40));
    const [name, last] = learned?.slices?.at(-1) ?? [];
    expect(name).toBe('s=99');
    expect(last?.starts).toEqual(learned?.starts.slice(-40));
    expect(last?.counts).toEqual(learned?.counts.map((windows) => windows.slice(-40)));
    expect((await learnSliced(48, 125_000, 1))?.starts).toHaveLength(40);
    // Slices that the configuration has no more by then had their half.
    const without = await learnSliced(70, 80_000, 1, 64);
    expect([without?.starts.length, without?.counts[0]?.[0]?.length]).toEqual([62, 80_000]);
    // 24 windows of the whole fit, and not of all its slices.
    const crowded = await learnSliced(24, 1_250, 170);
    expect([crowded?.starts.length, crowded?.slices]).toEqual([24, undefined]);
  });

  test('is, of a slice, its windows with records, where there are 24 of them', async () => {
    const store = new MemoryObjectStore();
    const layout = {
      schema: 'tidewatch.layout/1',
      features: [['age', { kind: 'numeric', side: 'input', centre: 0, unit: 1, binEdges: [0] }]],
      leftOut: [],
    } as const;
    // One is of every other window, one is new to the configuration, one has too few windows and one none.
    const counted: Readonly<Record<string, (at: number) => boolean>> = {
      'a=even': (at) => at % 2 === 0,
      'a=new': () => true,
      'a=rare': (at) => at % 5 === 0,
      'a=none': () => false,
    };
    let previous: SeriesTrail | undefined;
    for (let at = 0; at < 100; at++) {
      const window = { start: at * quarter * 1000 };
      const cell = cellOfWindow(window.start, utcCalendar);
      const slices = Object.entries(counted).flatMap(([name, has]) =>
        has(at) ? [[name, { records: at + 2, counts: `0:${at + 1},1` }] as const] : [],
      );
      const names = Object.keys(counted).filter((name) => name !== 'a=new' || at >= 64);
      previous = {
        ...extendTrail(previous, window, [[9 * at + 9, 9, 0]], layout, cell),
        slices: extendSliceTrails(previous?.slices, window, createSummary([], { slices }), layout, names, cell),
        values: [],
      };
      await keepTrail(store, series, previous);
    }
    const milestone = milestoneOf(series, quarter, 100);
    const learned = milestone && (await readLearned(store, new TrailReader(store), series, milestone));
    expect(learned?.starts).toHaveLength(96);
    const windowsOf = (ats: readonly number[]) => ({
      starts: ats.map((at) => at * quarter * 1000),
      counts: [ats.map((at) => [at + 1, 1, 0])],
    });
    const even = Array.from({ length: 48 }, (_, index) => 2 * index);
    const late = Array.from({ length: 32 }, (_, index) => 64 + index);
    expect(learned?.slices).toEqual([
      ['a=even', windowsOf(even)],
      ['a=new', windowsOf(late)],
    ]);
    expect(milestone && (await readLearned(store, new TrailReader(store), series, milestone))).toEqual(learned);
  });

  test('begins with the larger of 24 windows and a day', () => {
    const first = (windowSeconds: number) =>
      Array.from({ length: 400 }, (_, windows) => milestoneOf(series, windowSeconds, windows)?.windows).find(
        (windows) => windows !== undefined,
      );
    expect([300, 900, 3600, 86_400].map(first)).toEqual([288, 96, 24, 24]);
  });

  test('goes on with three days, a week and four weeks', () => {
    const all = (windowSeconds: number) => {
      const passed = Array.from({ length: 700 }, (_, windows) => milestoneOf(series, windowSeconds, windows)?.windows);
      return [...new Set(passed.filter((windows) => windows !== undefined))];
    };
    expect(all(3600)).toEqual([24, 72, 168, 672]);
    expect(all(86_400)).toEqual([24, 28]);
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
