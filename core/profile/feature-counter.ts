import type { EmbeddingLayout } from '../model/embedding.ts';
import type { CategoricalLayout, FeatureLayout, NumericLayout } from '../model/layout.ts';
import type { FeatureSummary, SparseCounts } from '../model/profile.ts';
import type { Cell } from '../model/record-batch.ts';
import { EmbeddingCounter } from '../stats/embedding/embedding-sums.ts';
import { ExactSum } from '../stats/exact-sum.ts';
import { clampToFinite } from '../stats/log-linear-bucket.ts';
import { bucketIndex } from '../stats/log-linear-histogram.ts';
import { frameOf, vectorOf } from './embedding-frame.ts';

/** Counts the cells of one feature. Cells must have passed validation against the feature's layout. */
export interface FeatureCounter {
  add(cell: Cell): void;
  finish(): FeatureSummary;
}

export function createFeatureCounter(layout: FeatureLayout): FeatureCounter {
  switch (layout.kind) {
    case 'numeric':
      return new NumericCounter(layout);
    case 'categorical':
      return new CategoricalCounter(layout);
    case 'opaque':
      return new OpaqueCounter();
    case 'embedding':
      return new VectorCounter(layout);
  }
}

class NumericCounter implements FeatureCounter {
  readonly #layout: NumericLayout;
  readonly #buckets = new Map<number, number>();
  readonly #sum = new ExactSum();
  readonly #sumOfSquares = new ExactSum();
  #count = 0;
  #missing = 0;

  constructor(layout: NumericLayout) {
    this.#layout = layout;
  }

  add(cell: Cell): void {
    if (typeof cell !== 'number') {
      this.#missing++;
      return;
    }
    const { centre, unit } = this.#layout;
    const bucket = bucketIndex(cell, centre, unit);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    const deviation = clampToFinite(cell - centre);
    this.#sum.add(deviation);
    this.#sumOfSquares.add(clampToFinite(deviation * deviation));
    this.#count++;
  }

  finish(): FeatureSummary {
    return {
      kind: 'numeric',
      count: this.#count,
      missing: this.#missing,
      sum: this.#sum.toString(),
      sumOfSquares: this.#sumOfSquares.toString(),
      buckets: sortCounts(this.#buckets),
    };
  }
}

class CategoricalCounter implements FeatureCounter {
  readonly #index: ReadonlyMap<string, number>;
  readonly #categories = new Map<number, number>();
  #count = 0;
  #missing = 0;
  #unseen = 0;

  constructor(layout: CategoricalLayout) {
    this.#index = new Map(layout.categories.map((category, index) => [category, index]));
  }

  add(cell: Cell): void {
    if (typeof cell !== 'string') {
      this.#missing++;
      return;
    }
    this.#count++;
    const index = this.#index.get(cell);
    if (index === undefined) this.#unseen++;
    else this.#categories.set(index, (this.#categories.get(index) ?? 0) + 1);
  }

  finish(): FeatureSummary {
    return {
      kind: 'categorical',
      count: this.#count,
      missing: this.#missing,
      categories: sortCounts(this.#categories),
      unseen: this.#unseen,
    };
  }
}

class OpaqueCounter implements FeatureCounter {
  #count = 0;
  #missing = 0;

  add(cell: Cell): void {
    if (cell === null || cell === undefined) this.#missing++;
    else this.#count++;
  }

  finish(): FeatureSummary {
    return { kind: 'opaque', count: this.#count, missing: this.#missing };
  }
}

class VectorCounter implements FeatureCounter {
  readonly #counter: EmbeddingCounter;

  constructor(layout: EmbeddingLayout) {
    this.#counter = new EmbeddingCounter(frameOf(layout));
  }

  add(cell: Cell): void {
    this.#counter.addVector(vectorOf(cell));
  }

  finish(): FeatureSummary {
    return { kind: 'embedding', ...this.#counter.finish() };
  }
}

function sortCounts(counts: ReadonlyMap<number, number>): SparseCounts {
  return [...counts].sort(([a], [b]) => a - b);
}
