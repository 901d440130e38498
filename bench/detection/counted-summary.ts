import type { FeatureLayout, Layout } from '../../core/model/layout.ts';
import type { FeatureSummary, Series, Summary } from '../../core/model/profile.ts';
import { emptySummary } from '../../core/profile/merge.ts';
import { ExactSum } from '../../core/stats/exact-sum.ts';
import { bucketBounds } from '../../core/stats/log-linear-histogram.ts';
import type { StreamWindow } from './model-stream.ts';
import type { SeriesWindow } from './shipped-rule.ts';

/**
 * What ingest would have counted of a drawn window. The values of a bin all stand at its lower edge, those of the first
 * just below its upper one.
 */
export function summariseCounts(layout: Layout, { start, records, counts }: StreamWindow): Summary {
  const seen = { ...emptySummary.records, captured: records, counted: records };
  return {
    ...emptySummary,
    records: seen,
    features: layout.features.map(([name, feature], index) => [name, summarise(feature, counts[index] ?? [])] as const),
    ...(records > 0 && { firstTime: start, lastTime: start }),
  };
}

/** A drawn window as one of a series. */
export function countedWindow(series: Series, layout: Layout, window: StreamWindow): SeriesWindow {
  return { series, start: window.start, summary: summariseCounts(layout, window) };
}

function summarise(layout: FeatureLayout, counts: readonly number[]): FeatureSummary {
  const missing = counts.at(-1) ?? 0;
  const count = counts.reduce((sum, each) => sum + each, 0) - missing;
  if (layout.kind === 'categorical') {
    const categories = counts.slice(0, -2).flatMap((each, category) => (each > 0 ? [[category, each] as const] : []));
    return { kind: 'categorical', count, missing, categories, unseen: counts.at(-2) ?? 0 };
  }
  if (layout.kind !== 'numeric') return { kind: 'opaque', count, missing };
  const buckets = counts
    .slice(0, -1)
    .flatMap((each, bin) => (each > 0 ? [[bucketOfBin(layout.binEdges, bin), each] as const] : []));
  const zero = { sum: '0', sumOfSquares: '0' };
  // Only what a model puts out is charted by its mean.
  const sums = layout.side === 'output' ? sumBuckets(buckets, layout) : zero;
  return { kind: 'numeric', count, missing, ...sums, buckets };
}

/** The bucket that stands for a bin's values. */
export function bucketOfBin(binEdges: readonly number[], bin: number): number {
  return bin === 0 ? (binEdges[0] ?? 0) - 1 : (binEdges[bin - 1] ?? 0);
}

function sumBuckets(
  buckets: readonly (readonly [bucket: number, count: number])[],
  { centre, unit }: { readonly centre: number; readonly unit: number },
) {
  const [sum, squares] = [new ExactSum(), new ExactSum()];
  for (const [bucket, count] of buckets) {
    const distance = bucketBounds(bucket, centre, unit).lower - centre;
    sum.add(count * distance);
    squares.add(count * distance * distance);
  }
  return { sum: sum.toString(), sumOfSquares: squares.toString() };
}
