import type { BaselineCaller, BaselineCallers as Known } from '../model/baseline.ts';
import type { RecordBatch } from '../model/record-batch.ts';
import { encodeCountPairs } from '../stats/count-runs.ts';
import { callerOf, keptCallerShare } from './caller-counter.ts';
import { baselineCallerId } from './caller-id.ts';
import { compareNames } from './names.ts';

/** Callers that a baseline names at most, the largest. */
const mostNamed = 50;
/** Fewer records than this do not make a caller that is worth naming; a window with fewer of its own says nothing. */
const fewestRecords = 30;
const fewestOfWindow = 10;
/** Callers counted at once before light ones are forgotten, and the share of all records each may have been forgotten with. */
const manyCallers = 20_000;
const forgottenShare = 1 / 10_000;

interface Tally {
  records: number;
  readonly missed: number;
  readonly windows: Map<string, number>;
}

/** Counts who sent the records of a baseline, in total and per window. */
export class BaselineCallers {
  readonly #column: string;
  readonly #tallies = new Map<string, Tally>();
  #records = 0;
  #named = 0;
  #forgotten = 0;

  constructor(column: string) {
    this.#column = column;
  }

  /** @param windowOf the key of a row's window; undefined where the records have no times */
  add(batch: RecordBatch, windowOf: ((row: number) => string) | undefined): void {
    const nameOf = callerOf(batch, this.#column);
    for (let row = 0; row < batch.rows.length; row++) {
      this.#records++;
      const caller = nameOf(row);
      if (caller === '') continue;
      this.#named++;
      const tally = this.#tallies.get(caller) ?? this.#open(caller);
      tally.records++;
      if (!windowOf) continue;
      const window = windowOf(row);
      tally.windows.set(window, (tally.windows.get(window) ?? 0) + 1);
    }
  }

  /**
   * The callers worth naming: those with 3 % of all records, or of some windows in which they have 30
   * together and ten each.
   * @param windows [key, records] of the windows that the baseline keeps, ascending; undefined: the records have no times
   */
  finish(windows: readonly (readonly [key: string, records: number])[] | undefined, layoutId: string): Known {
    const sizes = new Map(windows);
    const positions = new Map(windows?.map(([key], position) => [key, position]));
    const named = [...this.#tallies]
      .filter(([, tally]) => tally.records >= fewestRecords && this.#isLarge(tally, sizes))
      .sort(([a, { records: m }], [b, { records: n }]) => n - m || compareNames(a, b))
      .slice(0, mostNamed)
      .map(([caller, { records, windows: counts }]): readonly [string, BaselineCaller] => {
        const pairs = [...counts]
          .flatMap(([key, count]) => {
            const position = positions.get(key);
            return position === undefined ? [] : [[position, count] as const];
          })
          .sort(([a], [b]) => a - b);
        return [baselineCallerId(layoutId, caller), { records, ...(windows && { windows: encodeCountPairs(pairs) }) }];
      })
      .sort(([a], [b]) => compareNames(a, b));
    return { column: this.#column, named: this.#named, known: named };
  }

  #isLarge({ records, windows }: Tally, sizes: ReadonlyMap<string, number>): boolean {
    if (records >= keptCallerShare * this.#records) return true;
    let inLarge = 0;
    for (const [key, count] of windows) {
      const size = sizes.get(key) ?? Number.POSITIVE_INFINITY;
      if (count >= fewestOfWindow && count >= keptCallerShare * size) inLarge += count;
    }
    return inLarge >= fewestRecords;
  }

  #open(caller: string): Tally {
    if (this.#tallies.size >= manyCallers) this.#forgetLight();
    const tally: Tally = { records: 0, missed: this.#forgotten, windows: new Map() };
    this.#tallies.set(caller, tally);
    return tally;
  }

  #forgetLight(): void {
    const most = Math.floor(forgottenShare * this.#records);
    if (most <= this.#forgotten) return;
    for (const [caller, { records, missed }] of this.#tallies) {
      if (records + missed <= most) this.#tallies.delete(caller);
    }
    this.#forgotten = most;
  }
}
