import type { BaselineFeature } from '../model/baseline.ts';
import type { FeatureLayout } from '../model/layout.ts';
import type { FeatureSummary } from '../model/profile.ts';
import type { FeatureStatistics } from '../model/verdict.ts';
import { ExactSum } from '../stats/exact-sum.ts';
import { histogramQuantile, histogramRange, momentsFromSums } from '../stats/log-linear-histogram.ts';
import { presenceOf } from './embedding/presence.ts';

/** The probabilities whose quantiles a verdict prints. */
const reportedProbabilities = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const;

/** Describes one side of a comparison. Whatever a double can't hold is left out. */
export function describeFeature(layout: FeatureLayout, summary: FeatureSummary): FeatureStatistics {
  const { count, missing } = presenceOf(summary);
  const counts = { count, missing };
  if (layout.kind !== 'numeric' || summary.kind !== 'numeric' || summary.buckets.length === 0) return counts;
  const { centre, unit } = layout;
  const { mean, standardDeviation } = momentsFromSums(
    summary.count,
    centre,
    ExactSum.parse(summary.sum),
    ExactSum.parse(summary.sumOfSquares),
  );
  const { min, max } = histogramRange(summary.buckets, centre, unit);
  const quantiles = reportedProbabilities.map(
    (probability) => [probability, histogramQuantile(summary.buckets, centre, unit, probability)] as const,
  );
  return {
    ...counts,
    mean: keepFinite(mean),
    standardDeviation: keepFinite(standardDeviation),
    min: keepFinite(min),
    max: keepFinite(max),
    quantiles: keepFiniteQuantiles(quantiles),
  };
}

/** Describes the baseline's side by what the baseline recorded; what it did not record comes from its counts. */
export function describeBaseline(layout: FeatureLayout, baseline: BaselineFeature): FeatureStatistics {
  const counted = describeFeature(layout, baseline.summary);
  return {
    ...counted,
    mean: keepFinite(baseline.mean) ?? counted.mean,
    standardDeviation: keepFinite(baseline.standardDeviation) ?? counted.standardDeviation,
    min: keepFinite(baseline.min) ?? counted.min,
    max: keepFinite(baseline.max) ?? counted.max,
    quantiles: (baseline.quantiles && keepFiniteQuantiles(baseline.quantiles)) ?? counted.quantiles,
  };
}

/** The number, or nothing where it is not finite: a verdict holds no NaN and no infinity. */
export function keepFinite(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

function keepFiniteQuantiles(quantiles: NonNullable<FeatureStatistics['quantiles']>): FeatureStatistics['quantiles'] {
  const finite = quantiles.filter(([, value]) => Number.isFinite(value));
  return finite.length > 0 ? finite : undefined;
}
