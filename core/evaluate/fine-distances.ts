import type { BaselineFeature } from '../model/baseline.ts';
import type { FeatureLayout, NumericLayout } from '../model/layout.ts';
import type { FeatureSummary } from '../model/profile.ts';
import type { FeatureVerdict } from '../model/verdict.ts';
import { histogramKolmogorovSmirnov, histogramWasserstein } from '../stats/log-linear-histogram.ts';
import { keepFinite } from './feature-statistics.ts';

/** Kolmogorov–Smirnov and Wasserstein of a numeric feature, from the fine buckets; nothing of any other, or without values. */
export function measureFineBuckets(
  layout: FeatureLayout,
  baseline: BaselineFeature,
  current: FeatureSummary,
): Pick<FeatureVerdict['scores'], 'kolmogorovSmirnov' | 'wasserstein'> {
  const { summary } = baseline;
  if (layout.kind !== 'numeric' || summary.kind !== 'numeric' || current.kind !== 'numeric') return {};
  if (summary.buckets.length === 0 || current.buckets.length === 0) return {};
  const distance = histogramWasserstein(summary.buckets, current.buckets, layout.centre, layout.unit);
  return {
    kolmogorovSmirnov: keepFinite(histogramKolmogorovSmirnov(summary.buckets, current.buckets)),
    wasserstein: keepFinite(distance / spreadOf(layout, baseline)),
  };
}

/** A normal distribution's interquartile range in standard deviations. */
const interquartileRangePerDeviation = 1.349;

/** The baseline's standard deviation; where that is 0, the one a normal distribution as wide as the layout would have. */
function spreadOf(layout: NumericLayout, baseline: BaselineFeature): number {
  const deviation = baseline.standardDeviation;
  if (deviation !== undefined && Number.isFinite(deviation) && deviation > 0) return deviation;
  return (4 * layout.unit) / interquartileRangePerDeviation;
}
