import { placeCoarseBins } from '../model/coarse-bins.ts';
import type { Layout } from '../model/layout.ts';
import type { SliceSummary, Summary } from '../model/profile.ts';
import type { Cell, RecordBatch } from '../model/record-batch.ts';
import type { SlicePolicy } from '../model/slice.ts';
import { type CountRuns, encodeCountPairs, encodeCountRuns, visitCountRuns } from '../stats/count-runs.ts';
import { planBins } from './bin-counter.ts';
import { compareNames } from './names.ts';

type SlicePairs = NonNullable<Summary['slices']>;

/** What counting the slices of a model takes: made once, used for every window. */
export class SlicePlan {
  /** Names, sorted. */
  readonly slices: readonly string[];
  /** Coarse bins of all features together. */
  readonly bins: number;
  readonly #columns: readonly { readonly column: string; readonly sliceOf: ReadonlyMap<string, number> }[];
  readonly #features;

  /**
   * @param layout the baseline's, with the features that the configuration ignores: positions in it must not change
   *   with the configuration
   * @param ignored features of it that are not counted
   */
  constructor(layout: Layout, slices: readonly SlicePolicy[], ignored: ReadonlySet<string> = new Set()) {
    const { offsets, bins } = placeCoarseBins(layout);
    this.slices = slices.map(({ name }) => name).sort(compareNames);
    this.bins = bins;
    const columns = new Map<string, Map<string, number>>();
    for (const { name, column, value } of slices) {
      const values = columns.get(column) ?? new Map<string, number>();
      columns.set(column, values.set(value, this.slices.indexOf(name)));
    }
    this.#columns = [...columns].map(([column, sliceOf]) => ({ column, sliceOf }));
    this.#features = layout.features.flatMap(([name, feature], position) =>
      ignored.has(name) ? [] : [{ name, offset: offsets[position] ?? 0, binOf: planBins(feature).binOf }],
    );
  }

  /** Per slice the given rows that lie in it; undefined where none does. */
  sortRows(batch: RecordBatch, rows: readonly number[]): readonly (readonly number[] | undefined)[] {
    const sorted: (number[] | undefined)[] = this.slices.map(() => undefined);
    for (const { column, sliceOf } of this.#columns) {
      const cells = batch.columns.find(({ name }) => name === column)?.cells;
      if (!cells) continue;
      for (const row of rows) {
        const slice = sliceOf.get(textOf(cells[row]));
        if (slice === undefined) continue;
        const list = sorted[slice];
        if (list) list.push(row);
        else sorted[slice] = [row];
      }
    }
    return sorted;
  }

  /** Calls back with every given row and the position of every feature's bin in it. */
  visitBins(batch: RecordBatch, rows: readonly number[], visit: (row: number, position: number) => void): void {
    const columns = new Map(batch.columns.map(({ name, cells }) => [name, cells]));
    for (const { name, offset, binOf } of this.#features) {
      const cells = columns.get(name);
      for (const row of rows) visit(row, offset + binOf(cells?.[row]));
    }
  }
}

/** Counts the slices of one window. */
export class SliceCounter {
  readonly #plan: SlicePlan;
  readonly #tallies: (SliceTally | undefined)[];

  constructor(plan: SlicePlan) {
    this.#plan = plan;
    this.#tallies = plan.slices.map(() => undefined);
  }

  /** Counts the given rows of a validated batch. */
  add(batch: RecordBatch, rows: readonly number[]): void {
    for (const [slice, inSlice] of this.#plan.sortRows(batch, rows).entries()) {
      if (!inSlice) continue;
      const tally = this.#tallies[slice] ?? new SliceTally(this.#plan.bins);
      this.#tallies[slice] = tally;
      tally.records += inSlice.length;
      this.#plan.visitBins(batch, inSlice, (_, position) => tally.add(position, 1));
    }
  }

  /** Sorted by name; without the slices that have no record. */
  finish(): SlicePairs {
    return this.#plan.slices.flatMap((name, slice) => {
      const tally = this.#tallies[slice];
      return tally ? [[name, tally.finish()] as const] : [];
    });
  }
}

/** The slices of several summaries added up; undefined where none has any. */
export function mergeSlices(parts: readonly (SlicePairs | undefined)[]): SlicePairs | undefined {
  const known = parts.filter((part) => part !== undefined && part.length > 0);
  if (known.length < 2) return known[0];
  // What stands in one part alone need not be read: of callers that is most.
  const parted = new Map<string, SliceSummary | undefined>();
  for (const part of known) {
    for (const [name, summary] of part ?? []) parted.set(name, parted.has(name) ? undefined : summary);
  }
  const tallies = new Map<string, SliceTally>();
  for (const part of known) {
    for (const [name, { records, counts }] of part ?? []) {
      if (parted.get(name)) continue;
      const tally = tallies.get(name) ?? new SliceTally(Number.POSITIVE_INFINITY);
      tallies.set(name, tally);
      tally.records += records;
      visitCountRuns(counts, (position, count) => tally.add(position, count));
    }
  }
  return [...parted]
    .map(([name, only]) => [name, only ?? tallies.get(name)?.finish() ?? { records: 0, counts: '' }] as const)
    .sort(([a], [b]) => compareNames(a, b));
}

/** Of a map an entry takes about this many times the memory that a place in an array does. */
const mapCost = 12;

/** Counts by position: a map while few are known, so that many windows of few records cost little, then an array. */
class SliceTally {
  records = 0;
  readonly #bins: number;
  #sparse: Map<number, number> | undefined = new Map();
  #dense: Float64Array | undefined;

  constructor(bins: number) {
    this.#bins = bins;
  }

  add(position: number, count: number): void {
    if (this.#dense) {
      this.#dense[position] = (this.#dense[position] ?? 0) + count;
      return;
    }
    const sparse = this.#sparse ?? new Map<number, number>();
    sparse.set(position, (sparse.get(position) ?? 0) + count);
    if (sparse.size * mapCost < this.#bins) return;
    this.#dense = new Float64Array(this.#bins);
    for (const [known, before] of sparse) this.#dense[known] = before;
    this.#sparse = undefined;
  }

  finish(): SliceSummary {
    return { records: this.records, counts: this.#encode() };
  }

  #encode(): CountRuns {
    if (this.#dense) return encodeCountRuns(this.#dense);
    return encodeCountPairs([...(this.#sparse ?? [])].sort(([a], [b]) => a - b));
  }
}

/** A cell as a slice names it. Missing values are in no slice: a slice's value is never empty. */
function textOf(cell: Cell): string {
  return cell === null || cell === undefined || typeof cell === 'object' ? '' : String(cell);
}
