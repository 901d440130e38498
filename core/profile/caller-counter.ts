import { sha256 } from '../model/content-hash.ts';
import type { Layout } from '../model/layout.ts';
import type { Summary } from '../model/profile.ts';
import type { RecordBatch } from '../model/record-batch.ts';
import { encodeCountRuns } from '../stats/count-runs.ts';
import { compareNames } from './names.ts';
import { SlicePlan } from './slice-counter.ts';

/**
 * Callers with at least this share of a fragment's records have counts of their own. Far below what a caller may have:
 * it is measured against what is left when larger ones are held down.
 */
export const keptCallerShare = 0.03;
/** Share of a fragment's records that a caller may at most have had before it was noticed: they are not in its counts. */
export const missedCallerShare = 0.003;
/** Callers counted at once before the light ones are looked for. */
const manyCallers = 600;
/** Longer texts are replaced by their hash, so that callers can't fill the memory with their names. */
const longestText = 256;

type CallerPairs = NonNullable<Summary['callers']>;

/** The text that names a row's caller: the capture's own field, else the column's cell; empty: nobody is named. */
export function callerOf(batch: RecordBatch, column: string): (row: number) => string {
  const cells = batch.columns.find(({ name }) => name === column)?.cells;
  return (row) => {
    const own = batch.invocations[batch.rows[row]?.invocation ?? -1]?.caller;
    if (own !== undefined) return shorten(own);
    const cell = cells?.[row];
    return cell === null || cell === undefined || typeof cell === 'object' ? '' : shorten(String(cell));
  };
}

function shorten(text: string): string {
  return text.length > longestText ? sha256(text) : text;
}

/** What counting the callers of a model takes: made once, used for every window. */
export class CallerPlan {
  readonly column: string;
  readonly nameOf: (caller: string) => string;
  readonly #bins: SlicePlan;

  /**
   * @param layout the baseline's, with the features that the configuration ignores, as for slices
   * @param nameOf what a caller is called from here on: `createCallerNames`
   */
  constructor(layout: Layout, ignored: ReadonlySet<string>, column: string, nameOf: (caller: string) => string) {
    this.column = column;
    this.nameOf = nameOf;
    this.#bins = new SlicePlan(layout, [], ignored);
  }

  /** Coarse bins of all features together. */
  get bins(): number {
    return this.#bins.bins;
  }

  visitBins(batch: RecordBatch, rows: readonly number[], visit: (row: number, position: number) => void): void {
    this.#bins.visitBins(batch, rows, visit);
  }
}

/**
 * Counts the callers of one window from one capture object, and keeps those with 3 % of its records: exactly, while
 * there are fewer than 600 callers; of more the light ones are forgotten on the way (lossy counting, Manku and
 * Motwani 2002), so that a caller's counts lack less than .3 % of the records. The result depends on the rows and
 * their order, not on how they are batched.
 */
export class CallerCounter {
  readonly #plan: CallerPlan;
  readonly #tallies = new Map<string, CallerTally>();
  #rows = 0;
  /** Rows that a caller may have had and is forgotten with. */
  #forgotten = 0;

  constructor(plan: CallerPlan) {
    this.#plan = plan;
  }

  /** Counts the given rows of a validated batch. */
  add(batch: RecordBatch, rows: readonly number[]): void {
    const nameOf = callerOf(batch, this.#plan.column);
    const tallies: (CallerTally | undefined)[] = [];
    const named = rows.filter((row) => {
      this.#rows++;
      const caller = nameOf(row);
      if (caller === '') return false;
      const tally = this.#tallies.get(caller) ?? this.#open(caller);
      tally.rows++;
      tallies[row] = tally;
      return true;
    });
    this.#plan.visitBins(batch, named, (row, position) => tallies[row]?.add(position));
  }

  /** Sorted by name. */
  finish(): CallerPairs {
    return [...this.#tallies]
      .filter(([, { rows }]) => rows >= keptCallerShare * this.#rows)
      .map(([caller, tally]) => [this.#plan.nameOf(caller), tally.finish()] as const)
      .sort(([a], [b]) => compareNames(a, b));
  }

  #open(caller: string): CallerTally {
    if (this.#tallies.size >= manyCallers) this.#forgetLight();
    const tally = new CallerTally(this.#plan.bins, this.#forgotten);
    this.#tallies.set(caller, tally);
    return tally;
  }

  #forgetLight(): void {
    const most = Math.floor(missedCallerShare * this.#rows);
    if (most <= this.#forgotten) return;
    for (const [caller, { rows, missed }] of this.#tallies) if (rows + missed <= most) this.#tallies.delete(caller);
    this.#forgotten = most;
  }
}

/** Counts by position: a list while there are few, so that many callers of few records cost little, then an array. */
class CallerTally {
  rows = 0;
  /** Rows it may have had before. */
  readonly missed: number;
  readonly #bins: number;
  #list: number[] = [];
  #counts: Float64Array | undefined;

  constructor(bins: number, missed: number) {
    this.#bins = bins;
    this.missed = missed;
  }

  add(position: number): void {
    if (this.#counts) {
      this.#counts[position] = (this.#counts[position] ?? 0) + 1;
      return;
    }
    this.#list.push(position);
    if (this.#list.length >= this.#bins) this.#fill();
  }

  finish(): CallerPairs[number][1] {
    return { records: this.rows, counts: encodeCountRuns(this.#counts ?? this.#fill()) };
  }

  #fill(): Float64Array {
    const counts = new Float64Array(this.#bins);
    for (const position of this.#list) counts[position] = (counts[position] ?? 0) + 1;
    this.#list = [];
    this.#counts = counts;
    return counts;
  }
}
