import { coarseBinsOf } from '../model/coarse-bins.ts';
import type { FeatureLayout, Layout } from '../model/layout.ts';
import type { Cell, RecordBatch } from '../model/record-batch.ts';
import { isUsableVector } from '../stats/embedding/projection.ts';
import { bucketIndex } from '../stats/log-linear-histogram.ts';
import { frameOf, vectorOf } from './embedding-frame.ts';
import { compareNames } from './names.ts';
import { NewestWindows } from './newest-windows.ts';

/** Counts the bins of every feature for each of several groups of rows (windows, or cells of the week). */
export class BinCounter {
  /** Of all features together. */
  readonly bins: number;
  readonly #features: readonly { readonly name: string; readonly offset: number; readonly plan: BinPlan }[];
  readonly #places: ReadonlyMap<string, { readonly offset: number; readonly bins: number }>;
  readonly #records = new Map<string, number>();
  /** All features' bins in one array. */
  readonly #counts: NewestWindows<Uint32Array>;

  /**
   * @param maximumCounts numbers kept for groups × bins: of more groups the last in order have counts, of windows the
   *   newest, and of the others only the records are counted.
   */
  constructor(layout: Layout, maximumCounts: number) {
    let offset = 0;
    this.#features = layout.features.map(([name, feature]) => {
      const plan = planBins(feature);
      const place = { name, offset, plan };
      offset += plan.bins;
      return place;
    });
    this.#places = new Map(this.#features.map(({ name, offset, plan: { bins } }) => [name, { offset, bins }]));
    this.bins = offset;
    this.#counts = new NewestWindows(Math.floor(maximumCounts / Math.max(1, offset)), () => new Uint32Array(this.bins));
  }

  add(batch: RecordBatch, groupOf: (row: number) => string): void {
    const rows = batch.rows.map((_, row) => {
      const group = groupOf(row);
      this.#records.set(group, (this.#records.get(group) ?? 0) + 1);
      return this.#counts.of(group);
    });
    const cells = new Map(batch.columns.map((column) => [column.name, column.cells]));
    for (const { name, offset, plan } of this.#features) {
      const column = cells.get(name);
      for (const [row, counts] of rows.entries()) {
        if (!counts) continue;
        const index = offset + plan.binOf(column?.[row]);
        counts[index] = (counts[index] ?? 0) + 1;
      }
    }
  }

  /** [group, records], ascending by group. */
  groups(): readonly (readonly [group: string, records: number])[] {
    return [...this.#records].sort(([a], [b]) => compareNames(a, b));
  }

  /** The same of the groups that have counts. */
  countedGroups(): readonly (readonly [group: string, records: number])[] {
    return this.#counts.entries().map(([group]) => [group, this.#records.get(group) ?? 0] as const);
  }

  /** Per feature, and per group that has counts, ascending: the counts of the feature's bins, missing last. */
  counts(): (feature: string) => readonly (readonly number[])[] {
    const groups = this.#counts.entries();
    return (feature) => {
      const { offset, bins } = this.#places.get(feature) ?? { offset: 0, bins: 0 };
      return groups.map(([, counts]) => [...counts.subarray(offset, offset + bins)]);
    };
  }
}

/** How a feature's cells fall into its coarse bins. Cells must have passed validation against the layout. */
export interface BinPlan {
  readonly bins: number;
  readonly binOf: (cell: Cell) => number;
}

export function planBins(layout: FeatureLayout): BinPlan {
  const bins = coarseBinsOf(layout);
  switch (layout.kind) {
    case 'numeric': {
      const { centre, unit, binEdges } = layout;
      const missing = bins - 1;
      return {
        bins,
        binOf: (cell) => (typeof cell === 'number' ? countAtMost(binEdges, bucketIndex(cell, centre, unit)) : missing),
      };
    }
    case 'categorical': {
      const unseen = layout.categories.length;
      const index = new Map(layout.categories.map((category, position) => [category, position]));
      return {
        bins,
        binOf: (cell) => (typeof cell === 'string' ? (index.get(cell) ?? unseen) : unseen + 1),
      };
    }
    case 'opaque':
      return { bins, binOf: (cell) => (cell === null || cell === undefined ? 1 : 0) };
    case 'embedding': {
      const { mean } = frameOf(layout);
      return { bins, binOf: (cell) => (isUsableVector(mean, vectorOf(cell)) ? 0 : 1) };
    }
  }
}

/** How many of the ascending edges are at most `value`: the bin that `value` falls into. */
function countAtMost(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] ?? Number.POSITIVE_INFINITY) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
