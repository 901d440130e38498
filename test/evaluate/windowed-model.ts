import { judgeQuality, prepareQuality, type QualityReference } from '../../core/evaluate/data-quality.ts';
import type { TrailWindow } from '../../core/evaluate/trail.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { FeatureLayout } from '../../core/model/layout.ts';
import type { FeatureSummary, RecordCounts, Summary } from '../../core/model/profile.ts';
import type { TrailingCounts } from '../../core/model/trailing-counts.ts';
import type { Finding } from '../../core/model/verdict.ts';
import { createSummary, drawNormal, noRecords } from './synthetic-model.ts';

const hour = 3_600_000;
const firstWindow = Date.UTC(2026, 0, 5);
const scales = [1, 2, 4, 8, 24, 72, 168] as const;

/** What a source may look at when it draws a window's counts. */
export interface WindowClock {
  /** Number of the window, from 0. */
  readonly window: number;
  readonly hour: number;
  readonly day: number;
  readonly weekend: boolean;
  readonly records: number;
}

/** A feature by the counts of its windows: values per bin, then missing. */
export interface FeatureSource {
  readonly name: string;
  readonly bins: number;
  readonly kind: 'numeric' | 'categorical';
  /** @returns counts of the bins of values */
  draw(clock: WindowClock): readonly number[];
}

/** A model whose features' windows are drawn one after another, in hours. */
export class WindowedModel {
  readonly baseline: Baseline;
  readonly reference: QualityReference;
  readonly #sources: readonly FeatureSource[];
  readonly #recordsAt: (clock: Omit<WindowClock, 'records'>) => number;
  readonly #windows: TrailWindow[] = [];
  #next = 0;

  constructor(
    sources: readonly FeatureSource[],
    days: number,
    recordsAt: (clock: Omit<WindowClock, 'records'>) => number,
    duplicates = 0,
  ) {
    this.#sources = sources;
    this.#recordsAt = recordsAt;
    const windows = Array.from({ length: days * 24 }, () => this.draw());
    this.baseline = createBaselineOfWindows(sources, windows, duplicates);
    this.reference = prepareQuality(this.baseline);
  }

  /** The next window's counts. */
  draw(): TrailWindow {
    const window = this.#next++;
    const start = firstWindow + window * hour;
    const day = Math.floor(window / 24);
    const clock = { window, hour: window % 24, day, weekend: day % 7 >= 5 };
    const records = this.#recordsAt(clock);
    const counts = this.#sources.map((source) => Float64Array.from([...source.draw({ ...clock, records }), 0]));
    return { start, cell: `${String(clock.hour).padStart(2, '0')}|weekday`, records, counts };
  }

  /** Looks at the quality of a window: by default the next one. */
  judge(level: number, { window = this.draw(), records, drifted }: JudgeOptions = {}): readonly Finding[] {
    this.#windows.push(window);
    if (this.#windows.length > 168) this.#windows.shift();
    const features = this.#sources.map(({ name, kind }, at): readonly [string, FeatureSummary] => [
      name,
      summaryOf(kind, window.counts[at]),
    ]);
    const summary: Summary = createSummary(features, {
      records: { ...noRecords, captured: window.records, counted: window.records, ...records },
    });
    return judgeQuality({
      baseline: this.baseline,
      reference: this.reference,
      summary,
      stretches: this.#stretches(),
      windowsOfTrail: this.#windows,
      drifted: drifted ?? new Set(),
      ignored: new Set(),
      level,
    });
  }

  #stretches(): readonly TrailingCounts[] {
    const last = this.#windows.at(-1);
    if (!last) return [];
    return scales.map((scale) => {
      const windows = this.#windows.slice(-scale);
      return {
        scale,
        start: last.start - (scale - 1) * hour,
        end: last.start + hour,
        windows: windows.length,
        records: windows.reduce((sum, { records }) => sum + records, 0),
        cells: [],
        counts: this.#sources.map((_, at) =>
          Float64Array.from({ length: last.counts[at]?.length ?? 0 }, (_, bin) =>
            windows.reduce((sum, { counts }) => sum + (counts[at]?.[bin] ?? 0), 0),
          ),
        ),
      };
    });
  }
}

export interface JudgeOptions {
  readonly window?: TrailWindow;
  readonly records?: Partial<RecordCounts>;
  readonly drifted?: ReadonlySet<string>;
}

function layoutOf({ kind, bins }: FeatureSource): FeatureLayout {
  if (kind === 'categorical') {
    return { kind, side: 'input', categories: Array.from({ length: bins - 1 }, (_, index) => `c${index}`) };
  }
  return {
    kind,
    side: 'input',
    centre: 0,
    unit: 1,
    binEdges: Array.from({ length: bins - 1 }, (_, edge) => edge * 64),
  };
}

/** All values of a bin are the same one. */
function summaryOf(kind: FeatureSource['kind'], counts: ArrayLike<number> = []): FeatureSummary {
  const values = Array.from({ length: Math.max(0, counts.length - 1) }, (_, bin) => counts[bin] ?? 0);
  const count = values.reduce((sum, here) => sum + here, 0);
  const missing = counts[counts.length - 1] ?? 0;
  if (kind === 'categorical') {
    const categories = values.slice(0, -1).flatMap((here, bin) => (here > 0 ? [[bin, here] as const] : []));
    return { kind, count, missing, categories, unseen: values.at(-1) ?? 0 };
  }
  const buckets = values.flatMap((here, bin) => (here > 0 ? [[(bin - 1) * 64, here] as const] : []));
  return { kind, count, missing, sum: '0', sumOfSquares: '0', buckets };
}

function createBaselineOfWindows(
  sources: readonly FeatureSource[],
  windows: readonly TrailWindow[],
  duplicates: number,
): Baseline {
  const records = windows.reduce((sum, window) => sum + window.records, 0);
  return {
    schema: 'tidewatch.baseline/1',
    sha256: 'b'.repeat(64),
    layout: {
      schema: 'tidewatch.layout/1',
      features: sources.map((source) => [source.name, layoutOf(source)]),
      leftOut: [],
    },
    layoutId: 'layout',
    records,
    quarantined: 0,
    ...(duplicates > 0 && { duplicates }),
    features: sources.map(({ name, kind, bins }, at) => {
      const rows = windows.map(({ counts }) => Array.from(counts[at] ?? []));
      const totals = Array.from({ length: bins + 1 }, (_, bin) => rows.reduce((sum, row) => sum + (row[bin] ?? 0), 0));
      const summary = summaryOf(kind, totals);
      const distinct = totals.slice(0, -1).filter((count) => count > 0).length;
      return [name, { kind, summary, distinct, singletons: 0, rare: 0, binCounts: { windows: rows, cells: [] } }];
    }),
    time: {
      first: new Date(firstWindow).toISOString(),
      last: new Date(firstWindow + windows.length * hour).toISOString(),
      windowSeconds: 3600,
      windows: windows.map(({ start, records }) => [new Date(start).toISOString(), records]),
      cells: [],
      longestGapSeconds: 60,
    },
    notes: [],
  };
}

/** Counts of so many records over shares. */
export function drawShares(random: () => number, records: number, shares: readonly number[]): number[] {
  const counts = shares.map(() => 0);
  for (let record = 0; record < records; record++) {
    let left = random();
    let bin = 0;
    while (bin < shares.length - 1 && left >= (shares[bin] ?? 0)) left -= shares[bin++] ?? 0;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

const deciles = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816] as const;

/** Normal values counted by deciles: the mean swings with the hour and moves from day to day. */
export function normalSource(name: string, random: () => number, swing = 0.3, wander = 0.15): FeatureSource {
  const days = new Map<number, number>();
  return {
    name,
    bins: 10,
    kind: 'numeric',
    draw({ hour, day, records }) {
      const shift = days.get(day) ?? wander * drawNormal(random);
      days.set(day, shift);
      const mean = swing * Math.sin((2 * Math.PI * hour) / 24) + shift;
      const counts = new Array<number>(10).fill(0);
      for (let record = 0; record < records; record++) {
        const value = drawNormal(random) + mean;
        const bin = deciles.findIndex((edge) => value < edge);
        const index = bin < 0 ? 9 : bin;
        counts[index] = (counts[index] ?? 0) + 1;
      }
      return counts;
    },
  };
}

/** All values of a window in one bin, which the clock decides. */
export function singleSource(name: string, bins: number, binOf: (clock: WindowClock) => number): FeatureSource {
  return {
    name,
    bins,
    kind: 'numeric',
    draw: (clock) => Array.from({ length: bins }, (_, bin) => (bin === binOf(clock) ? clock.records : 0)),
  };
}

/** Features of kinds that are constant, rare, or change seldom, though nothing is wrong. */
export function harmlessSources(random: () => number): readonly FeatureSource[] {
  const remember = (keyOf: (clock: WindowClock) => number, draw: () => number) => {
    const known = new Map<number, number>();
    return (clock: WindowClock) => {
      const key = keyOf(clock);
      const value = known.get(key) ?? draw();
      known.set(key, value);
      return value;
    };
  };
  const dailyRate = remember(
    ({ day }) => day,
    () => Math.floor(random() * 10),
  );
  const weeklyRate = remember(
    ({ day }) => Math.floor(day / 7),
    () => Math.floor(random() * 4),
  );
  const weekdayRate = remember(
    ({ day }) => Math.floor(day / 7) * 5 + Math.min(day % 7, 4),
    () => Math.floor(random() * 20),
  );
  const promoted = remember(
    ({ day }) => day,
    () => (random() < 0.3 ? 1 : 0),
  );
  const regime = remember(
    ({ window }) => Math.floor(window / 5),
    () => Math.floor(random() * 3),
  );
  const regimes = [
    [0.98, 0.01, 0.01],
    [0.01, 0.98, 0.01],
    [0.3, 0.3, 0.4],
  ];
  return [
    normalSource('normal', random),
    normalSource('steady', random, 0, 0.05),
    singleSource('hour', 24, ({ hour }) => hour),
    singleSource('weekend', 2, ({ weekend }) => (weekend ? 1 : 0)),
    singleSource('daily rate', 10, dailyRate),
    singleSource('weekday rate', 20, weekdayRate),
    singleSource('weekly rate', 4, weeklyRate),
    { name: 'rare flag', bins: 2, kind: 'numeric', draw: ({ records }) => drawShares(random, records, [0.999, 0.001]) },
    {
      name: 'promotion',
      bins: 2,
      kind: 'numeric',
      draw: (clock) => drawShares(random, clock.records, promoted(clock) === 1 ? [0.7, 0.3] : [1, 0]),
    },
    {
      name: 'nightly batch',
      bins: 6,
      kind: 'categorical',
      draw: ({ hour, records }) =>
        hour === 2 ? [0, records, 0, 0, 0, 0] : drawShares(random, records, [0.4, 0.2, 0.2, 0.1, 0.1, 0]),
    },
    {
      name: 'regime',
      bins: 3,
      kind: 'numeric',
      draw: (clock) => drawShares(random, clock.records, regimes[regime(clock)] ?? []),
    },
    {
      name: 'balanced',
      bins: 4,
      kind: 'numeric',
      draw: ({ records }) => [0, 1, 2, 3].map((part) => Math.floor((records + part) / 4)),
    },
  ];
}
