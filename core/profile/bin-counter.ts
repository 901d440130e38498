import { coarseBinsOf } from '../model/coarse-bins.ts';
import type { FeatureLayout, Layout } from '../model/layout.ts';
import type { Cell, RecordBatch } from '../model/record-batch.ts';
import { isUsableVector } from '../stats/embedding/projection.ts';
import { bucketIndex } from '../stats/log-linear-histogram.ts';
import { frameOf, vectorOf } from './embedding-frame.ts';
import { compareNames } from './names.ts';

interface Group {
  records: number;
  /** All features' bins in one array; absent once there are too many. */
  counts: Float64Array | undefined;
}

/** Counts the bins of every feature for each of several groups of rows (windows, or cells of the week). */
export class BinCounter {
  readonly #features: readonly { readonly name: string; readonly offset: number; readonly plan: BinPlan }[];
  readonly #places: ReadonlyMap<string, { readonly offset: number; readonly bins: number }>;
  readonly #bins: number;
  readonly #maximumCounts: number;
  readonly #groups = new Map<string, Group>();
  #keepsCounts = true;

  /** @param maximumCounts numbers kept for groups × bins; beyond it only the groups' records are counted. */
  constructor(layout: Layout, maximumCounts: number) {
    let offset = 0;
    this.#features = layout.features.map(([name, feature]) => {
      const plan = planBins(feature);
      const place = { name, offset, plan };
      offset += plan.bins;
      return place;
    });
    this.#places = new Map(this.#features.map(({ name, offset, plan: { bins } }) => [name, { offset, bins }]));
    this.#bins = offset;
    this.#maximumCounts = maximumCounts;
  }

  /** False where there were too many groups and bins: `counts` are gone. */
  get keepsCounts(): boolean {
    return this.#keepsCounts;
  }

  add(batch: RecordBatch, groupOf: (row: number) => string): void {
    const groups = batch.rows.map((_, row) => this.#group(groupOf(row)));
    for (const group of groups) group.records++;
    if (!this.#keepsCounts) return;
    const cells = new Map(batch.columns.map((column) => [column.name, column.cells]));
    for (const { name, offset, plan } of this.#features) {
      const column = cells.get(name);
      for (const [row, { counts }] of groups.entries()) {
        const index = offset + plan.binOf(column?.[row]);
        if (counts) counts[index] = (counts[index] ?? 0) + 1;
      }
    }
  }

  /** [group, records], ascending by group. */
  groups(): readonly (readonly [group: string, records: number])[] {
    return this.#sorted().map(([group, { records }]) => [group, records] as const);
  }

  /** Per feature, and per group, ascending: the counts of the feature's bins, missing last. */
  counts(): (feature: string) => readonly (readonly number[])[] {
    const groups = this.#sorted();
    return (feature) => {
      const { offset, bins } = this.#places.get(feature) ?? { offset: 0, bins: 0 };
      return groups.map(([, { counts }]) => [...(counts?.subarray(offset, offset + bins) ?? [])]);
    };
  }

  #group(key: string): Group {
    const known = this.#groups.get(key);
    if (known) return known;
    if (this.#keepsCounts && (this.#groups.size + 1) * this.#bins > this.#maximumCounts) this.#dropCounts();
    const group = { records: 0, counts: this.#keepsCounts ? new Float64Array(this.#bins) : undefined };
    this.#groups.set(key, group);
    return group;
  }

  #dropCounts(): void {
    this.#keepsCounts = false;
    for (const group of this.#groups.values()) group.counts = undefined;
  }

  #sorted(): [string, Group][] {
    return [...this.#groups].sort(([a], [b]) => compareNames(a, b));
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
