import type { NumericLayout } from '../model/layout.ts';
import type { NumericSummary } from '../model/profile.ts';
import type { Finding } from '../model/verdict.ts';
import { bucketIndex, histogramRange } from '../stats/log-linear-histogram.ts';
import { formatName, formatNumber, formatProbabilityOf, formatShare } from './number-text.ts';

/** Share of a window's values that must lie far outside the baseline's range. */
const minimumOutsideShare = 0.01;

/**
 * Says that values lie far outside the baseline's range: beyond its end by more than the range's own width, by at
 * least one value in a hundred, and by more than chance explains.
 *
 * Ordinary heavy tails stay silent whatever their shape: where nothing has changed, all n + m values are exchangeable,
 * so the k largest all lie in the window with probability under (m/(n + m))^k, and only those can exceed the
 * baseline's largest. That bound, for both ends, must be at or below `level`; being a whole range beyond the end asks
 * for more still.
 * @param level chance of a false finding of this feature
 */
export function findOutOfRange(
  feature: string,
  layout: NumericLayout,
  baseline: NumericSummary,
  current: NumericSummary,
  level: number,
): Finding | undefined {
  if (baseline.buckets.length === 0 || current.buckets.length === 0) return undefined;
  const range = histogramRange(baseline.buckets, layout.centre, layout.unit);
  const seen = histogramRange(current.buckets, layout.centre, layout.unit);
  const width = range.max - range.min;
  const lowest = bucketAt(range.min - width, layout);
  const highest = bucketAt(range.max + width, layout);
  let below = 0;
  let above = 0;
  for (const [index, count] of current.buckets) {
    if (index < lowest) below += count;
    if (index > highest) above += count;
  }
  const [outside, side, farthest] = above >= below ? [above, 'above', seen.max] : [below, 'below', seen.min];
  const share = outside / current.count;
  const chance = 2 * (current.count / (baseline.count + current.count)) ** outside;
  if (!(share >= minimumOutsideShare && chance <= level)) return undefined;
  if (![range.min, range.max, farthest].every(Number.isFinite)) return undefined;
  const known = `${formatNumber(range.min)} to ${formatNumber(range.max)}`;
  const many = `${formatShare(share)} of values (${formatNumber(outside)})`;
  const odds = formatProbabilityOf('p', Math.min(chance, 1));
  return {
    id: `range:${feature}`,
    tier: 'yellow',
    kind: 'range',
    feature,
    message: `${formatName(feature)}: ${many} lie far ${side} the baseline's range of ${known}, as far as ${formatNumber(farthest)}; ${odds}`,
    evidence: { outside, share, chance, farthest, baselineMin: range.min, baselineMax: range.max },
  };
}

/** Infinite values have no bucket: nothing lies beyond them. */
function bucketAt(value: number, layout: NumericLayout): number {
  return Number.isFinite(value) ? bucketIndex(value, layout.centre, layout.unit) : value;
}
