import type { Baseline, BaselineFeature } from '../model/baseline.ts';
import type { ScoreCalibration } from '../model/calibration-map.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { sha256, shortHash } from '../model/content-hash.ts';
import type { FeatureLayout, Layout } from '../model/layout.ts';
import type { FeatureSummary } from '../model/profile.ts';
import type { RecordBatch } from '../model/record-batch.ts';
import type { SlicePolicy } from '../model/slice.ts';
import { ExactSum } from '../stats/exact-sum.ts';
import { histogramQuantile, histogramRange, momentsFromSums } from '../stats/log-linear-histogram.ts';
import { BaselineCallers } from './baseline-callers.ts';
import { BaselineSlices } from './baseline-slices.ts';
import { BinCounter } from './bin-counter.ts';
import { EmbeddingWindows } from './embedding-windows.ts';
import { createFeatureCounter } from './feature-counter.ts';
import { fewestWindows } from './newest-windows.ts';
import type { LayoutPlan } from './plan-layout.ts';
import { countSilence } from './silence-cells.ts';
import { invocationOf } from './summarise.ts';
import { type ColumnSurvey, valuesOf } from './survey.ts';

const probabilities = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
const millisecondsPerMinute = 60_000;
/**
 * Numbers kept of windows × bins of all features: 50 MB of JSON, and some 650 MB of memory where windows are judged. Of
 * more windows the newest are kept: four weeks of 2,500 numeric features by the hour, or of 600 by the quarter of an hour.
 */
const maximumWindowCounts = 20_000_000;

export interface BuilderOptions {
  /** The width of the windows to count by; undefined where the records have no times. */
  readonly windowSeconds: number | undefined;
  /** Parts of the records to be counted beside the whole. */
  readonly slices?: readonly SlicePolicy[] | undefined;
  /** Per embedding the numbers of the rows that its frame was fitted to. */
  readonly fitted?: LayoutPlan['fitted'] | undefined;
  /** Column, or field of the capture, that names the caller; absent: callers are not told apart. */
  readonly caller?: string | undefined;
  /** Numbers kept of windows × bins. */
  readonly maximumCounts?: number | undefined;
}

/** A layout's short hash: part of every key that holds counts made with it. */
export function layoutId(layout: Layout): string {
  return shortHash(canonicalJson(layout));
}

/** Second pass over a baseline's records: counts them into the planned layout. */
export class BaselineBuilder {
  readonly #layout: Layout;
  readonly #surveys: ReadonlyMap<string, ColumnSurvey>;
  readonly #windowSeconds: number | undefined;
  readonly #counters;
  readonly #windows: BinCounter;
  readonly #cells: BinCounter;
  readonly #slices: BaselineSlices;
  readonly #callers: BaselineCallers | undefined;
  readonly #embeddings: ReadonlyMap<string, EmbeddingWindows>;
  readonly #minutes = new Set<number>();
  #records = 0;
  #quarantined = 0;
  #duplicates = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(layout: Layout, surveys: readonly ColumnSurvey[], options: BuilderOptions) {
    const { windowSeconds, slices = [], fitted = new Map(), caller, maximumCounts = maximumWindowCounts } = options;
    this.#layout = layout;
    this.#surveys = new Map(surveys.map((survey) => [survey.name, survey]));
    this.#windowSeconds = windowSeconds;
    this.#embeddings = new Map(
      layout.features.flatMap(([name, feature]) =>
        feature.kind === 'embedding'
          ? [[name, new EmbeddingWindows(feature, fitted.get(name) ?? new Set(), maximumCounts)] as const]
          : [],
      ),
    );
    this.#counters = layout.features.map(
      ([name, feature]) => [name, feature, this.#embeddings.get(name) ?? createFeatureCounter(feature)] as const,
    );
    this.#windows = new BinCounter(layout, maximumCounts);
    this.#cells = new BinCounter(layout, maximumCounts);
    this.#slices = new BaselineSlices(layout, slices);
    this.#callers = caller === undefined ? undefined : new BaselineCallers(caller);
  }

  /**
   * @param batch validated against the layout
   * @param numbers of its rows among all that were surveyed: what a frame was fitted to is known by them
   */
  add(batch: RecordBatch, numbers: readonly number[] = []): void {
    const cells = new Map(batch.columns.map((column) => [column.name, column.cells]));
    const windowOf = this.#windowReader(batch);
    for (const [name, , counter] of this.#counters) {
      const column = cells.get(name);
      if (counter instanceof EmbeddingWindows) {
        for (let row = 0; row < batch.rows.length; row++) counter.add(column?.[row], numbers[row], windowOf(row));
        continue;
      }
      for (let row = 0; row < batch.rows.length; row++) counter.add(column?.[row]);
    }
    this.#records += batch.rows.length;
    this.#callers?.add(batch, this.#windowSeconds === undefined ? undefined : windowOf);
    if (this.#windowSeconds === undefined) this.#slices.add(batch, undefined);
    else this.#addTimes(batch);
  }

  addQuarantined(rows: number): void {
    this.#quarantined += rows;
  }

  /** @param rows that repeat earlier ones: they are not among the records added. */
  addDuplicates(rows: number): void {
    this.#duplicates += rows;
  }

  /** @param calibration what the scores meant, where there were labels */
  finish(notes: readonly string[], calibration?: ScoreCalibration): Baseline {
    const all = this.#windows.groups();
    const counted = this.#windows.countedGroups();
    const timed = this.#windowSeconds !== undefined;
    const keepsCells = this.#cells.countedGroups().length === this.#cells.groups().length;
    const keepsCounts = keepsCells && counted.length >= Math.min(fewestWindows, all.length);
    const windows = keepsCounts ? counted : all;
    const [windowCounts, cellCounts] = [this.#windows.counts(), this.#cells.counts()];
    const features = this.#counters.map(([name, layout, counter]) => {
      const binCounts = timed && keepsCounts ? { windows: windowCounts(name), cells: cellCounts(name) } : undefined;
      return [name, this.#describe(name, layout, counter.finish(), binCounts, windows)] as const;
    });
    const sliced = this.#slices.finish(timed ? windows.map(([start]) => start) : undefined);
    const body: Omit<Baseline, 'sha256'> = {
      schema: 'tidewatch.baseline/1',
      layout: this.#layout,
      layoutId: layoutId(this.#layout),
      records: this.#records,
      quarantined: this.#quarantined,
      duplicates: this.#duplicates > 0 ? this.#duplicates : undefined,
      features,
      slices: sliced.slices,
      calibration,
      callers: this.#callers?.finish(timed ? windows : undefined, layoutId(this.#layout)),
      time: this.#describeTime(windows),
      notes: [...notes, ...noteWindows(all.length, windows, keepsCounts, this.#windows.bins), ...sliced.notes],
    };
    return { ...body, sha256: baselineHash(body) };
  }

  /** The window of each row, by its start; all in one where there are no times. */
  #windowReader(batch: RecordBatch): (row: number) => string {
    if (this.#windowSeconds === undefined) return () => '';
    const width = this.#windowSeconds * 1000;
    return (row) => iso(Math.floor(invocationOf(batch, row).time / width) * width);
  }

  #addTimes(batch: RecordBatch): void {
    const times = batch.rows.map((_, row) => invocationOf(batch, row).time);
    for (const time of times) {
      this.#minutes.add(Math.floor(time / millisecondsPerMinute));
      if (time < this.#first) this.#first = time;
      if (time > this.#last) this.#last = time;
    }
    const windowOf = this.#windowReader(batch);
    this.#windows.add(batch, windowOf);
    this.#slices.add(batch, windowOf);
    this.#cells.add(batch, (row) => cellOf(times[row] ?? 0));
  }

  #describe(
    name: string,
    layout: FeatureLayout,
    summary: FeatureSummary,
    binCounts: BaselineFeature['binCounts'],
    windows: readonly (readonly [start: string, records: number])[],
  ): BaselineFeature {
    const survey = this.#surveys.get(name);
    const values = survey ? valuesOf(survey, layout.kind) : new Map<string, number>();
    let singletons = 0;
    for (const count of values.values()) if (count === 1) singletons++;
    return {
      kind: layout.kind,
      summary,
      embeddingWindows:
        this.#windowSeconds === undefined
          ? undefined
          : this.#embeddings.get(name)?.windows(windows.map(([start]) => start)),
      ...describeNumbers(layout, summary),
      distinct: values.size,
      singletons,
      rare: summary.kind === 'categorical' ? summary.unseen : 0,
      binCounts,
    };
  }

  #describeTime(windows: readonly (readonly [string, number])[]): Baseline['time'] {
    if (this.#windowSeconds === undefined || windows.length === 0) return undefined;
    return {
      first: iso(this.#first),
      last: iso(this.#last),
      windowSeconds: this.#windowSeconds,
      windows,
      cells: this.#cells.groups().map(([cell, records]) => ({ cell, records })),
      longestGapSeconds: longestGapSeconds(this.#minutes),
      silences: countSilence(this.#minutes, cellOf),
    };
  }
}

function noteWindows(
  all: number,
  windows: readonly (readonly [start: string, records: number])[],
  keepsCounts: boolean,
  bins: number,
): readonly string[] {
  if (!keepsCounts) return ['counts per window are left out: too many windows and bins'];
  if (windows.length === all) return [];
  return [
    `ups and downs are learned from the newest ${windows.length} of ${all} windows, from ${windows[0]?.[0]} on: counts of ${bins} bins in each are too many to keep all`,
  ];
}

/** The SHA-256 that a baseline must carry: over its canonical JSON without `sha256` itself. */
export function baselineHash(baseline: Omit<Baseline, 'sha256'>): string {
  return sha256(canonicalJson({ ...baseline, sha256: undefined }));
}

function describeNumbers(layout: FeatureLayout, summary: FeatureSummary): Partial<BaselineFeature> {
  if (layout.kind !== 'numeric' || summary.kind !== 'numeric' || summary.count === 0) return {};
  const { centre, unit } = layout;
  const sums = [ExactSum.parse(summary.sum), ExactSum.parse(summary.sumOfSquares)] as const;
  return {
    ...momentsFromSums(summary.count, centre, ...sums),
    ...histogramRange(summary.buckets, centre, unit),
    quantiles: probabilities.map((p) => [p, histogramQuantile(summary.buckets, centre, unit, p)] as const),
  };
}

/** Hour of day × weekday or weekend, UTC: `13|weekday`. */
export function cellOf(time: number): string {
  const date = new Date(time);
  const day = date.getUTCDay();
  const hour = String(date.getUTCHours()).padStart(2, '0');
  return `${hour}|${day === 0 || day === 6 ? 'weekend' : 'weekday'}`;
}

/** To the minute; 0 where all records fall into one minute. */
function longestGapSeconds(minutes: ReadonlySet<number>): number {
  const sorted = [...minutes].sort((a, b) => a - b);
  let longest = 0;
  for (let i = 1; i < sorted.length; i++) longest = Math.max(longest, (sorted[i] ?? 0) - (sorted[i - 1] ?? 0));
  return longest * 60;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
