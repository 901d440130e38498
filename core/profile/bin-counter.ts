import type { FeatureLayout, Layout } from '../model/layout.ts';
import type { Cell, RecordBatch } from '../model/record-batch.ts';
import { bucketIndex } from '../stats/log-linear-histogram.ts';

/** Counts the bins of every feature for each of several groups of rows (windows, or cells of the week). */
export class BinCounter {
  readonly #features: readonly { name: string; bins: number; binOf: (cell: Cell) => number }[];
  readonly #groups = new Map<string, { records: number; counts: Float64Array[] }>();

  constructor(layout: Layout) {
    this.#features = layout.features.map(([name, feature]) => ({ name, ...planBins(feature) }));
  }

  add(batch: RecordBatch, groupOf: (row: number) => string): void {
    const cells = new Map(batch.columns.map((column) => [column.name, column.cells]));
    const columns = this.#features.map(({ name }) => cells.get(name));
    for (let row = 0; row < batch.rows.length; row++) {
      const group = this.#group(groupOf(row));
      group.records++;
      this.#features.forEach(({ binOf }, feature) => {
        const counts = group.counts[feature];
        const bin = binOf(columns[feature]?.[row]);
        if (counts) counts[bin] = (counts[bin] ?? 0) + 1;
      });
    }
  }

  /** [group, records], ascending by group. */
  groups(): readonly (readonly [group: string, records: number])[] {
    return [...this.#sorted()].map(([group, { records }]) => [group, records] as const);
  }

  /** Per group, ascending: the counts of the feature's bins, missing last. */
  counts(feature: string): readonly (readonly number[])[] {
    const index = this.#features.findIndex(({ name }) => name === feature);
    return this.#sorted().map(([, { counts }]) => [...(counts[index] ?? [])]);
  }

  #group(key: string): { records: number; counts: Float64Array[] } {
    const known = this.#groups.get(key);
    if (known) return known;
    const group = { records: 0, counts: this.#features.map(({ bins }) => new Float64Array(bins)) };
    this.#groups.set(key, group);
    return group;
  }

  #sorted(): [string, { records: number; counts: Float64Array[] }][] {
    return [...this.#groups].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }
}

function planBins(layout: FeatureLayout): { bins: number; binOf: (cell: Cell) => number } {
  switch (layout.kind) {
    case 'numeric': {
      const { centre, unit, binEdges } = layout;
      const missing = binEdges.length + 1;
      return {
        bins: missing + 1,
        binOf: (cell) => (typeof cell === 'number' ? countAtMost(binEdges, bucketIndex(cell, centre, unit)) : missing),
      };
    }
    case 'categorical': {
      const unseen = layout.categories.length;
      const index = new Map(layout.categories.map((category, position) => [category, position]));
      return {
        bins: unseen + 2,
        binOf: (cell) => (typeof cell === 'string' ? (index.get(cell) ?? unseen) : unseen + 1),
      };
    }
    case 'opaque':
      return { bins: 2, binOf: (cell) => (cell === null || cell === undefined ? 1 : 0) };
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
