import type { Baseline, BaselineFeature, BaselineSlice } from '../model/baseline.ts';
import { placeCoarseBins } from '../model/coarse-bins.ts';
import type { FeatureLayout } from '../model/layout.ts';
import type { FeatureSummary, SparseCounts } from '../model/profile.ts';
import { addCountRuns } from '../stats/count-runs.ts';
import { binCountsOf } from './trail.ts';

/**
 * A slice's part of a baseline as a baseline of its own, so that its windows can be calibrated and judged as those of
 * a model. It knows coarse counts alone: no moments, no quantiles.
 * @returns undefined where the baseline does not know the slice
 * @throws {RangeError} where the slice's counts are none, or do not fit the layout.
 */
export function sliceBaseline(baseline: Baseline, slice: string): Baseline | undefined {
  const known = baseline.slices?.find(([name]) => name === slice)?.[1];
  if (!known) return undefined;
  const { bins } = placeCoarseBins(baseline.layout);
  const windows = known.windows?.map(([records, counts]) => ({ records, counts: readRuns(counts, bins) }));
  return describePart(baseline, { records: known.records, counts: readRuns(known.counts, bins), windows });
}

/**
 * The baseline of a few features without the records of some slices: what the rest looks like. Its layout holds only
 * those features.
 * @param slices that have no record in common, as those of one column
 * @returns undefined where the baseline does not know one of them
 */
export function baselineWithout(
  baseline: Baseline,
  slices: readonly string[],
  features: ReadonlySet<string>,
): Baseline | undefined {
  const known = new Map(baseline.slices);
  const parts = slices.flatMap((slice) => known.get(slice) ?? []);
  if (parts.length < slices.length) return undefined;
  const { offsets, bins } = placeCoarseBins(baseline.layout);
  const total = new Float64Array(bins);
  const summaries = new Map(baseline.features);
  baseline.layout.features.forEach(([name, layout], position) => {
    const feature = summaries.get(name);
    if (feature && features.has(name)) total.set(countsOfFeature(feature, layout), offsets[position]);
  });
  const rest = { records: baseline.records, counts: total, windows: windowsOf(baseline, features, offsets, bins) };
  for (const part of parts) {
    rest.records -= part.records;
    addCountRuns(part.counts, total, -1);
  }
  const windows = subtractWindows(rest.windows, parts);
  return describePart(baseline, { records: rest.records, counts: total, windows }, features);
}

interface CountedWindow {
  readonly records: number;
  readonly counts: Float64Array;
}

interface CountedPart extends CountedWindow {
  readonly windows?: readonly CountedWindow[] | undefined;
}

function readRuns(text: string, bins: number): Float64Array {
  const counts = new Float64Array(bins);
  addCountRuns(text, counts);
  return counts;
}

function countsOfFeature(feature: BaselineFeature, layout: FeatureLayout): number[] {
  return binCountsOf(feature.summary, layout);
}

function windowsOf(
  { layout, time, features }: Baseline,
  wanted: ReadonlySet<string>,
  offsets: readonly number[],
  bins: number,
): readonly CountedWindow[] | undefined {
  const known = new Map(features);
  return time?.windows.map(([, records], window) => {
    const counts = new Float64Array(bins);
    layout.features.forEach(([name], position) => {
      const row = wanted.has(name) ? known.get(name)?.binCounts?.windows[window] : undefined;
      if (row) counts.set(row, offsets[position]);
    });
    return { records, counts };
  });
}

function subtractWindows(
  windows: readonly CountedWindow[] | undefined,
  parts: readonly BaselineSlice[],
): readonly CountedWindow[] | undefined {
  // Of a slice fewer windows may be known: the newest.
  const known = Math.min(windows?.length ?? 0, ...parts.map((part) => part.windows?.length ?? 0));
  if (!windows || known === 0) return undefined;
  return windows.slice(-known).map(({ records, counts }, window) => {
    let rest = records;
    for (const part of parts) {
      const [taken = 0, text = ''] = part.windows?.at(window - known) ?? [];
      rest -= taken;
      addCountRuns(text, counts, -1);
    }
    return { records: rest, counts };
  });
}

function describePart(baseline: Baseline, part: CountedPart, wanted?: ReadonlySet<string>): Baseline {
  const { offsets } = placeCoarseBins(baseline.layout);
  const known = new Map(baseline.features);
  const time = newestWindows(baseline.time, part.windows?.length);
  const windows = time && part.windows;
  const features = baseline.layout.features.flatMap(([name, layout], position): [string, BaselineFeature][] => {
    const whole = known.get(name);
    if (!whole || (wanted && !wanted.has(name))) return [];
    const offset = offsets[position] ?? 0;
    const end = offsets[position + 1] ?? part.counts.length;
    const rowOf = (counts: Float64Array) => Array.from(counts.subarray(offset, end), (count) => Math.max(0, count));
    const summary = summaryOfBins(rowOf(part.counts), layout);
    const share = whole.summary.count > 0 ? summary.count / whole.summary.count : 0;
    const feature: BaselineFeature = {
      kind: layout.kind,
      summary,
      distinct: whole.distinct,
      // Not known of a part: as many as its share of the records.
      singletons: Math.ceil(whole.singletons * Math.min(1, share)),
      rare: summary.kind === 'categorical' ? summary.unseen : 0,
      ...(windows && { binCounts: { windows: windows.map(({ counts }) => rowOf(counts)), cells: [] } }),
    };
    return [[name, feature]];
  });
  const { layout } = baseline;
  return {
    schema: baseline.schema,
    sha256: baseline.sha256,
    layout: wanted ? { ...layout, features: layout.features.filter(([name]) => wanted.has(name)) } : layout,
    layoutId: baseline.layoutId,
    records: part.records,
    quarantined: 0,
    features,
    ...(time &&
      windows && {
        time: {
          ...time,
          windows: time.windows.map(([start], window) => [start, windows[window]?.records ?? 0] as const),
          cells: [],
        },
      }),
    notes: [],
  };
}

/** The baseline's times with the newest so many of its windows; undefined where it has not so many. */
function newestWindows(time: Baseline['time'], count = 0): Baseline['time'] {
  return time && count > 0 && count <= time.windows.length
    ? { ...time, windows: time.windows.slice(-count) }
    : undefined;
}

/** A summary with the given coarse counts: each bin's values lie in one bucket of it. */
function summaryOfBins(counts: readonly number[], layout: FeatureLayout): FeatureSummary {
  const missing = counts.at(-1) ?? 0;
  const values = counts.slice(0, -1);
  const count = values.reduce((sum, here) => sum + here, 0);
  if (layout.kind === 'opaque' || layout.kind === 'embedding') return { kind: 'opaque', count, missing };
  if (layout.kind === 'categorical') {
    const unseen = values.at(-1) ?? 0;
    return { kind: 'categorical', count, missing, unseen, categories: keepPositive(values.slice(0, -1), (bin) => bin) };
  }
  const first = (layout.binEdges[0] ?? 1) - 1;
  const buckets = keepPositive(values, (bin) => (bin === 0 ? first : (layout.binEdges[bin - 1] ?? 0)));
  return { kind: 'numeric', count, missing, sum: '0', sumOfSquares: '0', buckets };
}

function keepPositive(counts: readonly number[], indexOf: (bin: number) => number): SparseCounts {
  return counts.flatMap((count, bin) => (count > 0 ? [[indexOf(bin), count] as const] : []));
}
