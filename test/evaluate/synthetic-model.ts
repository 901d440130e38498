import type { WindowInput } from '../../core/evaluate/window-verdict.ts';
import type { Baseline, BaselineFeature } from '../../core/model/baseline.ts';
import type { CategoricalLayout, FeatureLayout, NumericLayout } from '../../core/model/layout.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { FeatureSummary, RecordCounts, SparseCounts, Summary } from '../../core/model/profile.ts';
import type { Cell } from '../../core/model/record-batch.ts';
import { createFeatureCounter } from '../../core/profile/feature-counter.ts';
import { ExactSum } from '../../core/stats/exact-sum.ts';
import {
  bucketIndex,
  chooseBinEdges,
  histogramQuantile,
  histogramRange,
  momentsFromSums,
} from '../../core/stats/log-linear-histogram.ts';

/** Seeded uniform numbers in [0, 1) (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let hash = Math.imul(state ^ (state >>> 15), state | 1);
    hash ^= hash + Math.imul(hash ^ (hash >>> 7), hash | 61);
    return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A standard normal number (Box–Muller). */
export function drawNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Index drawn with Zipf weights 1/(i + 1)^exponent over `size` categories. */
export function createZipf(size: number, exponent: number): (random: () => number) => number {
  const cumulative: number[] = [];
  let total = 0;
  for (let index = 0; index < size; index++) {
    total += (index + 1) ** -exponent;
    cumulative.push(total);
  }
  return (random) => {
    const wanted = random() * total;
    let low = 0;
    let high = size - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? total) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

export function summariseCells(layout: FeatureLayout, cells: readonly Cell[]): FeatureSummary {
  const counter = createFeatureCounter(layout);
  for (const cell of cells) counter.add(cell);
  return counter.finish();
}

/** A numeric layout and baseline learnt from values; null is missing. */
export function learnNumeric(cells: readonly (number | null)[]): readonly [NumericLayout, BaselineFeature] {
  const sorted = cells.filter((cell) => cell !== null).toSorted((a, b) => a - b);
  const at = (probability: number) => sorted[Math.floor(probability * (sorted.length - 1))] ?? 0;
  const centre = at(0.5);
  const unit = (at(0.75) - at(0.25)) / 4 || Math.abs(centre) / 4 || 0.25;
  const counts = new Map<number, number>();
  for (const value of sorted) {
    const bucket = bucketIndex(value, centre, unit);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  const buckets: SparseCounts = [...counts].sort(([a], [b]) => a - b);
  const layout: NumericLayout = { kind: 'numeric', side: 'input', centre, unit, binEdges: chooseBinEdges(buckets, 10) };
  return [layout, describeNumeric(layout, summariseCells(layout, cells))];
}

export function describeNumeric(layout: NumericLayout, summary: FeatureSummary): BaselineFeature {
  if (summary.kind !== 'numeric') throw new TypeError('expected a numeric summary');
  const { centre, unit } = layout;
  return {
    kind: 'numeric',
    summary,
    ...momentsFromSums(summary.count, centre, ExactSum.parse(summary.sum), ExactSum.parse(summary.sumOfSquares)),
    ...histogramRange(summary.buckets, centre, unit),
    quantiles: [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99].map(
      (probability) => [probability, histogramQuantile(summary.buckets, centre, unit, probability)] as const,
    ),
    distinct: summary.buckets.length,
    singletons: 0,
    rare: 0,
  };
}

/** A categorical layout and baseline learnt from values: categories seen at least `minimumCount` times are kept. */
export function learnCategorical(
  cells: readonly (string | null)[],
  minimumCount = 10,
): readonly [CategoricalLayout, BaselineFeature] {
  const counts = new Map<string, number>();
  for (const cell of cells) if (cell !== null) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  const kept = [...counts]
    .filter(([, count]) => count >= minimumCount)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const layout: CategoricalLayout = { kind: 'categorical', side: 'input', categories: kept.map(([name]) => name) };
  const summary = summariseCells(layout, cells);
  return [
    layout,
    {
      kind: 'categorical',
      summary,
      distinct: counts.size,
      singletons: [...counts.values()].filter((count) => count === 1).length,
      rare: summary.kind === 'categorical' ? summary.unseen : 0,
    },
  ];
}

export type LearntFeature = readonly [name: string, learnt: readonly [FeatureLayout, BaselineFeature]];

export function createBaseline(features: readonly LearntFeature[]): Baseline {
  return {
    schema: 'tidewatch.baseline/1',
    sha256: 'b'.repeat(64),
    layout: {
      schema: 'tidewatch.layout/1',
      features: features.map(([name, [layout]]) => [name, layout]),
      leftOut: [],
    },
    layoutId: 'layout',
    records: Math.max(0, ...features.map(([, [, { summary }]]) => summary.count + summary.missing)),
    quarantined: 0,
    features: features.map(([name, [, baseline]]) => [name, baseline]),
    notes: [],
  };
}

export const noRecords: RecordCounts = {
  captured: 0,
  counted: 0,
  quarantined: 0,
  duplicate: 0,
  pending: 0,
  expired: 0,
  late: 0,
};

export function createSummary(features: Summary['features'], rest: Partial<Omit<Summary, 'features'>> = {}): Summary {
  const rows = Math.max(0, ...features.map(([, { count, missing }]) => count + missing));
  return {
    records: { ...noRecords, captured: rows, counted: rows },
    requests: noRecords,
    quarantine: [],
    features,
    extraColumns: [],
    minutes: [],
    ...rest,
  };
}

export const plainPolicy: ModelPolicy = {
  schema: 'tidewatch.config/1',
  name: 'credit-scoring',
  sources: [],
  versions: [{ match: 'v*', predictions: ['score'] }],
  windowSeconds: 3600,
  graceSeconds: 600,
  captureDelaySeconds: 300,
  features: [],
  slos: [],
  drift: {
    level: 1e-4,
    minimumEffect: 0.02,
    effectLevel: 0.001,
    minimumMissingRise: 0.01,
    minimumUnseenRise: 0.01,
    minimumRecords: 100,
    maximumQuarantineShare: 0.01,
  },
  publishedFeatures: 5,
  alerts: { yellow: [], red: [] },
};

const windowStart = Date.UTC(2026, 2, 1, 13);

export function createInput(
  baseline: Baseline | undefined,
  summary: Summary,
  overrides: Partial<WindowInput> = {},
): WindowInput {
  return {
    policy: plainPolicy,
    baseline,
    summary,
    window: { start: windowStart, end: windowStart + 3_600_000 },
    series: { variant: 'AllTraffic', version: 'v7' },
    revision: 0,
    lateCounted: 0,
    evidence: { baseline: baseline?.sha256 ?? null, config: 'c', code: 'd', profiles: [] },
    invocations: undefined,
    mode: 'closed',
    ...overrides,
  };
}

/** Counts that fall where a test wants them: `count` values of each bin of a layout with edges every 64 buckets. */
export function numericFromBins(bins: readonly number[], missing = 0): readonly [NumericLayout, FeatureSummary] {
  const binEdges = bins.slice(1).map((_, index) => (index + 1) * 64);
  const layout: NumericLayout = { kind: 'numeric', side: 'input', centre: 10, unit: 2, binEdges };
  const buckets = bins.map((count, index) => [index * 64 + 5, count] as const).filter(([, count]) => count > 0);
  const count = bins.reduce((sum, here) => sum + here, 0);
  const zero = new ExactSum().toString();
  return [layout, { kind: 'numeric', count, missing, sum: zero, sumOfSquares: zero, buckets }];
}
