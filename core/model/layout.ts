import type { EmbeddingLayout } from './embedding.ts';
import type { Side } from './record-batch.ts';

/** What a feature's values are counted as. */
export type FeatureKind = 'numeric' | 'categorical' | 'opaque' | 'embedding';

/**
 * Where a numeric feature's log-linear buckets lie: a value v falls into the bucket of
 * u = |v − centre| / unit + 1, by the binary exponent of u and the top 7 bits of its mantissa, signed by v < centre.
 */
export interface NumericLayout {
  readonly kind: 'numeric';
  readonly side: Side;
  /** The baseline's median. */
  readonly centre: number;
  /** A quarter of the baseline's interquartile range; positive and finite. */
  readonly unit: number;
  /** Bucket indices at which a bin begins, ascending; B edges make B + 1 bins. */
  readonly binEdges: readonly number[];
}

/** The categories a categorical feature is counted by; everything else is *unseen*. */
export interface CategoricalLayout {
  readonly kind: 'categorical';
  readonly side: Side;
  /** By falling baseline count, then by code point. */
  readonly categories: readonly string[];
}

/** A column that is only counted as present or missing. */
export interface OpaqueLayout {
  readonly kind: 'opaque';
  readonly side: Side;
}

export type FeatureLayout = NumericLayout | CategoricalLayout | OpaqueLayout | EmbeddingLayout;

/** A feature of a layout, with its name. Arrays of pairs, because a feature may be called `__proto__`. */
export type NamedFeatureLayout = readonly [name: string, layout: FeatureLayout];

/** The bucket edges a profile counts into, fixed by the baseline. Features sorted by name. */
export interface Layout {
  readonly schema: 'tidewatch.layout/1';
  readonly features: readonly NamedFeatureLayout[];
  /** Columns seen by the baseline but left out (identifiers, free text, ignored); not reported as extra. */
  readonly leftOut: readonly string[];
}
