import type { Baseline, BaselineFeature } from '../../core/model/baseline.ts';
import type { FeatureLayout, Layout } from '../../core/model/layout.ts';
import type { Side } from '../../core/model/record-batch.ts';
import { cellOf } from '../../core/profile/build-baseline.ts';
import { bucketIndex } from '../../core/stats/log-linear-histogram.ts';
import { bucketOfBin } from './counted-summary.ts';
import { decileGrid } from './feature-family.ts';
import type { StreamFeature, StreamWindow } from './model-stream.ts';
import { plan } from './scenario.ts';

/** Names sort like their numbers, so that features keep the stream's order. */
export function featureName(index: number): string {
  return `feature-${String(index).padStart(3, '0')}`;
}

/** Places of the features that are taken for the model's outputs: the last numeric ones. */
function outputsOf(features: readonly StreamFeature[]): ReadonlySet<number> {
  const numeric = features.flatMap(({ kind }, index) => (kind === 'numeric' ? [index] : []));
  return new Set(numeric.slice(-plan.predictions));
}

function layoutOf(feature: StreamFeature, side: Side = 'input'): FeatureLayout {
  if (feature.kind === 'identifiers') {
    const categories = feature.baseline.kept.map((_, place) => `id-${place}`);
    return { kind: 'categorical', side: 'input', categories };
  }
  const unit = 0.25;
  const edges = decileGrid(feature.counter.family).edges;
  return { kind: 'numeric', side, centre: 0, unit, binEdges: edges.map((edge) => bucketIndex(edge, 0, unit)) };
}

/**
 * The baseline that drawn windows make: the same type, and the same numbers per window and cell, as one that is built
 * from records.
 */
export function makeBaseline(
  streamFeatures: readonly StreamFeature[],
  windows: readonly StreamWindow[],
  timed = true,
): Baseline {
  const cells = [...new Set(windows.map(({ start }) => cellOf(start)))].sort();
  const cellIndices = windows.map(({ start }) => cells.indexOf(cellOf(start)));
  const cellRecords = sumByCell(
    windows.map(({ records }) => [records]),
    cellIndices,
    cells.length,
  );
  const outputs = outputsOf(streamFeatures);
  const layout: Layout = {
    schema: 'tidewatch.layout/1',
    features: streamFeatures.map(
      (feature, index) => [featureName(index), layoutOf(feature, outputs.has(index) ? 'output' : 'input')] as const,
    ),
    leftOut: [],
  };
  const [first, last] = [windows[0]?.start ?? 0, windows.at(-1)?.start ?? 0];
  const iso = (time: number) => new Date(time).toISOString();
  return {
    schema: 'tidewatch.baseline/1',
    sha256: '',
    layout,
    layoutId: 'bench',
    records: windows.reduce((sum, { records }) => sum + records, 0),
    quarantined: 0,
    features: streamFeatures.map((feature, index) => {
      const counts = windows.map((window) => window.counts[index] ?? []);
      const byCell = timed ? { windows: counts, cells: sumByCell(counts, cellIndices, cells.length) } : undefined;
      return [featureName(index), describeFeature(feature, counts, byCell)] as const;
    }),
    ...(timed && {
      time: {
        first: iso(first),
        last: iso(last),
        windowSeconds: 3600,
        windows: windows.map(({ start, records }) => [iso(start), records] as const),
        cells: cells.map((cell, index) => ({ cell, records: cellRecords[index]?.[0] ?? 0 })),
        longestGapSeconds: 60,
      },
    }),
    notes: [],
  };
}

function sumByCell(rows: readonly (readonly number[])[], cellOfRow: readonly number[], cells: number): number[][] {
  const sums = Array.from({ length: cells }, () => new Array<number>(rows[0]?.length ?? 0).fill(0));
  for (const [row, counts] of rows.entries()) addTo(sums[cellOfRow[row] ?? 0] ?? [], counts);
  return sums;
}

function addTo(sums: number[], counts: readonly number[]): void {
  for (let bin = 0; bin < counts.length; bin++) sums[bin] = (sums[bin] ?? 0) + (counts[bin] ?? 0);
}

function describeFeature(
  feature: StreamFeature,
  counts: readonly (readonly number[])[],
  binCounts: BaselineFeature['binCounts'],
): BaselineFeature {
  const totals = new Array<number>(counts[0]?.length ?? 0).fill(0);
  for (const row of counts) addTo(totals, row);
  const missing = totals.at(-1) ?? 0;
  const count = totals.reduce((sum, total) => sum + total, 0) - missing;
  if (feature.kind === 'identifiers') {
    const { kept, rare, singletons, distinct } = feature.baseline;
    const categories = kept.map((total, place) => [place, total] as const);
    const summary = { kind: 'categorical', count, missing, categories, unseen: rare } as const;
    return { kind: 'categorical', summary, distinct, singletons, rare, binCounts };
  }
  const layout = layoutOf(feature);
  const edges = layout.kind === 'numeric' ? layout.binEdges : [];
  const buckets = totals.slice(0, -1).map((total, bin) => [bucketOfBin(edges, bin), total] as const);
  const summary = {
    kind: 'numeric',
    count,
    missing,
    sum: '0',
    sumOfSquares: '0',
    buckets: buckets.filter(([, total]) => total > 0),
  } as const;
  const { standardDeviation } = feature.counter.family;
  return { kind: 'numeric', summary, mean: 0, standardDeviation, distinct: count, singletons: 0, rare: 0, binCounts };
}
