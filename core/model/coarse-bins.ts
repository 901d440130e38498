import type { FeatureLayout, Layout } from './layout.ts';

/**
 * Number of coarse bins of a feature, as `Baseline.binCounts` has them: the bins of a numeric feature, then missing; the
 * categories of a categorical one, then unseen, then missing; present, then missing of a column that is only counted;
 * usable vectors, then all other records of an embedding.
 */
export function coarseBinsOf(layout: FeatureLayout): number {
  switch (layout.kind) {
    case 'numeric':
      return layout.binEdges.length + 2;
    case 'categorical':
      return layout.categories.length + 2;
    case 'opaque':
    case 'embedding':
      return 2;
  }
}

/** Where each feature's coarse bins lie when those of all features stand one after another. */
export interface CoarsePlaces {
  /** Per feature of the layout, in its order: the position of its first bin. */
  readonly offsets: readonly number[];
  /** Bins of all features together. */
  readonly bins: number;
}

export function placeCoarseBins(layout: Layout): CoarsePlaces {
  const offsets: number[] = [];
  let bins = 0;
  for (const [, feature] of layout.features) {
    offsets.push(bins);
    bins += coarseBinsOf(feature);
  }
  return { offsets, bins };
}
