import type { StateRow, StateTable } from '../../core/pipeline/ports.ts';
import { expectText, readInteger, readText } from './sqlite-columns.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Small rows changed by compare-and-swap. Values are JSON; partitions and keys sort by their UTF-8 bytes. */
export class SqliteStateTable implements StateTable {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async get(partition: string, key: string): Promise<StateRow | undefined> {
    const row = this.#database.first(
      'SELECT value, revision FROM state_rows WHERE partition = ? AND key = ?',
      expectText('partition', partition),
      expectText('key', key),
    );
    return row && { value: JSON.parse(readText(row, 'value')), revision: readInteger(row, 'revision') };
  }

  async put(partition: string, key: string, value: unknown, expectedRevision: number): Promise<boolean> {
    if (!Number.isSafeInteger(expectedRevision) || expectedRevision < 0) {
      throw new RangeError(`state row: expected a revision of 0 or more, saw ${expectedRevision}`);
    }
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`state row ${key}: expected a JSON value, saw ${typeof value}`);
    expectText('partition', partition);
    expectText('key', key);
    const changed =
      expectedRevision === 0
        ? this.#database.run(
            'INSERT OR IGNORE INTO state_rows (partition, key, value, revision) VALUES (?, ?, ?, 1)',
            partition,
            key,
            text,
          )
        : this.#database.run(
            'UPDATE state_rows SET value = ?, revision = revision + 1 WHERE partition = ? AND key = ? AND revision = ?',
            text,
            partition,
            key,
            expectedRevision,
          );
    return changed === 1;
  }

  async list(partition: string): Promise<readonly { readonly key: string; readonly row: StateRow }[]> {
    return this.#database
      .all(
        'SELECT key, value, revision FROM state_rows WHERE partition = ? ORDER BY key',
        expectText('partition', partition),
      )
      .map((row) => ({
        key: readText(row, 'key'),
        row: { value: JSON.parse(readText(row, 'value')), revision: readInteger(row, 'revision') },
      }));
  }

  async remove(partition: string, key: string): Promise<void> {
    this.#database.run('DELETE FROM state_rows WHERE partition = ? AND key = ?', partition, key);
  }
}
