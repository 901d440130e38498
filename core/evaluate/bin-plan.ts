import type { FeatureLayout } from '../model/layout.ts';

/** Categories compared one by one; the rarer ones are compared together with the unseen. */
const maximumComparedCategories = 48;

/**
 * How a feature's coarse counts (`binCountsOf`) are laid out for comparison: values first, then (of categories) all
 * others, then missing.
 */
export interface BinPlan {
  readonly kind: FeatureLayout['kind'];
  /** Coarse bins as `Baseline.binCounts` has them. */
  readonly coarseBins: number;
  /** Bins compared, missing among them as the last. */
  readonly bins: number;
  /** Bins of values: those before "other" and missing. */
  readonly values: number;
  /** Where the unseen stand among the coarse bins; −1: nowhere. */
  readonly unseen: number;
}

export function planBins(layout: FeatureLayout): BinPlan {
  const { kind } = layout;
  if (kind === 'numeric') {
    const values = layout.binEdges.length + 1;
    return { kind, coarseBins: values + 1, bins: values + 1, values, unseen: -1 };
  }
  if (kind === 'categorical') {
    const categories = layout.categories.length;
    const values = Math.min(categories, maximumComparedCategories);
    return { kind, coarseBins: categories + 2, bins: values + 2, values, unseen: categories };
  }
  // Of an embedding only how many are missing is compared here: `judgeEmbeddings` does the rest.
  return { kind: 'opaque', coarseBins: 2, bins: 2, values: 1, unseen: -1 };
}

/** Writes a feature's coarse counts into the bins compared. */
export function foldCounts(counts: ArrayLike<number>, plan: BinPlan, into: Float64Array, offset = 0): void {
  const { values, bins, coarseBins } = plan;
  for (let bin = 0; bin < values; bin++) into[offset + bin] = counts[bin] ?? 0;
  if (plan.kind === 'categorical') {
    let other = 0;
    for (let bin = values; bin < coarseBins - 1; bin++) other += counts[bin] ?? 0;
    into[offset + values] = other;
  }
  into[offset + bins - 1] = counts[coarseBins - 1] ?? 0;
}
