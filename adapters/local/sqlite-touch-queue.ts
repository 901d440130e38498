import type { TouchQueue } from '../../core/pipeline/ports.ts';
import { expectText, readInteger, readText } from './sqlite-columns.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** A window to be judged again. */
export interface Touch {
  readonly windowPrefix: string;
  /** Grows with every touch of the window. */
  readonly generation: number;
}

/**
 * Windows waiting to be judged again, oldest first, each once however often it was touched. At least once: what was
 * taken stays until it is acknowledged. For one consumer; a second one would be given the same touches.
 */
export class SqliteTouchQueue implements TouchQueue {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async touch(windowPrefix: string): Promise<void> {
    this.#database.run(
      `INSERT INTO touches (window_prefix, generation) VALUES (?, 1)
       ON CONFLICT (window_prefix) DO UPDATE SET generation = generation + 1`,
      expectText('window', windowPrefix),
    );
  }

  async take(limit: number): Promise<readonly Touch[]> {
    return this.#database
      .all('SELECT window_prefix, generation FROM touches ORDER BY id LIMIT ?', limit)
      .map((row) => ({ windowPrefix: readText(row, 'window_prefix'), generation: readInteger(row, 'generation') }));
  }

  /** Removes a touch that was dealt with, unless its window was touched again since it was taken. */
  async acknowledge(touch: Touch): Promise<void> {
    const { windowPrefix, generation } = touch;
    this.#database.run('DELETE FROM touches WHERE window_prefix = ? AND generation = ?', windowPrefix, generation);
  }
}
