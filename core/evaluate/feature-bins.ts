import type { CategoricalLayout, NumericLayout } from '../model/layout.ts';
import type { CategoricalSummary, NumericSummary } from '../model/profile.ts';
import type { Bins } from '../model/verdict.ts';
import { bucketBounds, histogramBins } from '../stats/log-linear-histogram.ts';
import { poolNeighbours, poolRare } from '../stats/pooling.ts';
import { minimumExpectedCount } from './bin-comparison.ts';

/**
 * The bins a numeric feature is compared in. Neighbouring bins are pooled until each expects ten records. Missing
 * values get a last bin of their own where it expects ten; where it expects fewer they are left out, because they
 * have no neighbour to be pooled with, and the exact test of missing values judges them.
 */
export function poolNumericBins(layout: NumericLayout, baseline: NumericSummary, current: NumericSummary): Bins {
  const baselineBins = histogramBins(baseline.buckets, layout.binEdges);
  const currentBins = histogramBins(current.buckets, layout.binEdges);
  const groups = poolNeighbours(baselineBins, currentBins, minimumExpectedCount);
  const edges = groups.slice(1).map((group) => {
    const edge = layout.binEdges[(group[0] ?? 0) - 1] ?? 0;
    return clipToFinite(bucketBounds(edge, layout.centre, layout.unit).lower);
  });
  const missing = expectsEnough(baseline, current, baseline.missing, current.missing);
  return {
    edges,
    missing,
    baseline: [...groups.map((group) => sumAt(baselineBins, group)), ...(missing ? [baseline.missing] : [])],
    current: [...groups.map((group) => sumAt(currentBins, group)), ...(missing ? [current.missing] : [])],
  };
}

/**
 * The bins a categorical feature is compared in: one per category that expects ten records; the rarer ones and the
 * unseen together under "(other)"; missing values last. "(other)" and "(missing)" are left out where they expect
 * fewer than ten records: the exact tests of unseen and missing values judge those.
 *
 * Rare and unseen belong together: by Good and Turing, what a new sample shows in categories never seen before is
 * about what it lacks in those seen once, so their joint share stays put where nothing has changed.
 */
export function poolCategoricalBins(
  layout: CategoricalLayout,
  baseline: CategoricalSummary,
  current: CategoricalSummary,
  baselineUnseen: number,
): Bins {
  const baselineBins = spread(baseline, layout.categories.length);
  const currentBins = spread(current, layout.categories.length);
  const { kept, pooled } = poolRare(baselineBins, currentBins, minimumExpectedCount);
  const categories = kept.map((index) => layout.categories[index] ?? '');
  const baselineCounts = kept.map((index) => baselineBins[index] ?? 0);
  const currentCounts = kept.map((index) => currentBins[index] ?? 0);
  const baselineOther = sumAt(baselineBins, pooled) + baselineUnseen;
  const currentOther = sumAt(currentBins, pooled) + current.unseen;
  if (expectsEnough(baseline, current, baselineOther, currentOther)) {
    categories.push(unusedLabel('(other)', layout.categories));
    baselineCounts.push(baselineOther);
    currentCounts.push(currentOther);
  }
  const missing = expectsEnough(baseline, current, baseline.missing, current.missing);
  if (missing) {
    categories.push(unusedLabel('(missing)', layout.categories));
    baselineCounts.push(baseline.missing);
    currentCounts.push(current.missing);
  }
  return { categories, missing, baseline: baselineCounts, current: currentCounts };
}

interface Sized {
  readonly count: number;
  readonly missing: number;
}

/** True where both sides expect ten records in a bin that holds `a` of the baseline's and `b` of the current ones. */
function expectsEnough(baseline: Sized, current: Sized, a: number, b: number): boolean {
  const baselineRows = baseline.count + baseline.missing;
  const currentRows = current.count + current.missing;
  const rows = baselineRows + currentRows;
  return rows > 0 && ((a + b) * Math.min(baselineRows, currentRows)) / rows >= minimumExpectedCount;
}

function spread(summary: CategoricalSummary, length: number): number[] {
  const counts = new Array<number>(length).fill(0);
  for (const [index, count] of summary.categories) if (index >= 0 && index < length) counts[index] = count;
  return counts;
}

function sumAt(counts: readonly number[], indices: readonly number[]): number {
  return indices.reduce((sum, index) => sum + (counts[index] ?? 0), 0);
}

/** A category may really be called "(other)": the joint bin then gets more brackets. */
export function unusedLabel(label: string, categories: readonly string[]): string {
  return categories.includes(label) ? unusedLabel(`(${label})`, categories) : label;
}

/** The nearest number that a verdict can hold. */
export function clipToFinite(value: number): number {
  return Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);
}
