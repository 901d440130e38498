import type { InvocationCounter } from '../../core/pipeline/ports.ts';
import { expectText, expectTime, readInteger } from './sqlite-columns.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Counts of calls as somebody recorded them, interval by interval; a count of 0 confirms that nothing was called. */
export class SqliteInvocations implements InvocationCounter {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /**
   * Records that a model was called `count` times in [from, to). The same interval again replaces its count.
   * @throws {RangeError} for an empty interval, a count below 0, or one that overlaps another interval.
   */
  async recordInvocations(model: string, from: number, to: number, count: number): Promise<void> {
    expectInterval(model, from, to);
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`invocations of ${model}: expected a count of 0 or more, saw ${count}`);
    }
    await this.#database.transaction(() => {
      const other = this.#database.first(
        'SELECT start, until FROM invocations WHERE model = ? AND start < ? AND until > ? AND NOT (start = ? AND until = ?)',
        model,
        to,
        from,
        from,
        to,
      );
      if (other !== undefined) {
        throw new RangeError(
          `invocations of ${model}: [${from}, ${to}) overlaps [${other.start}, ${other.until}) recorded before`,
        );
      }
      this.#database.run(
        'INSERT OR REPLACE INTO invocations (model, start, until, count) VALUES (?, ?, ?, ?)',
        expectText('model', model),
        from,
        to,
        count,
      );
    });
  }

  /** Undefined unless the recorded intervals make up all of [from, to). */
  async count(model: string, from: number, to: number): Promise<number | undefined> {
    expectInterval(model, from, to);
    const row = this.#database.first(
      `SELECT coalesce(sum(until - start), 0) AS covered, coalesce(sum(count), 0) AS count
       FROM invocations WHERE model = ? AND start >= ? AND start < ? AND until <= ?`,
      model,
      from,
      to,
      to,
    );
    // Intervals never overlap, so their lengths add up to the whole only when nothing is missing.
    return row !== undefined && readInteger(row, 'covered') === to - from ? readInteger(row, 'count') : undefined;
  }
}

function expectInterval(model: string, from: number, to: number): void {
  expectTime(`invocations of ${model}`, from);
  expectTime(`invocations of ${model}`, to);
  if (from >= to) throw new RangeError(`invocations of ${model}: expected from < to, saw [${from}, ${to})`);
}
