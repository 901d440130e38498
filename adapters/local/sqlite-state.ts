import { SqliteDatabase } from './sqlite-database.ts';
import { SqliteInvocations } from './sqlite-invocations.ts';
import { SqliteMetrics } from './sqlite-metrics.ts';
import { SqliteStateTable } from './sqlite-state-table.ts';
import { SqliteTouchQueue } from './sqlite-touch-queue.ts';

/** What the embedded backend keeps in one SQLite file: each member is the adapter of a port. */
export class SqliteState {
  readonly database: SqliteDatabase;
  readonly table: SqliteStateTable;
  readonly metrics: SqliteMetrics;
  readonly invocations: SqliteInvocations;
  readonly touches: SqliteTouchQueue;

  /** @param path the file, made where it is missing; `:memory:` for none. @param exclusive keeps every other process out. @throws {StateFileError} */
  constructor(path: string, exclusive = false) {
    this.database = new SqliteDatabase(path, exclusive);
    this.table = new SqliteStateTable(this.database);
    this.metrics = new SqliteMetrics(this.database);
    this.invocations = new SqliteInvocations(this.database);
    this.touches = new SqliteTouchQueue(this.database);
  }

  /** Runs a step whole or not at all: see `SqliteDatabase.transaction`. Files written meanwhile stay. */
  transaction<T>(step: () => T | Promise<T>): Promise<T> {
    return this.database.transaction(step);
  }

  close(): void {
    this.database.close();
  }
}
