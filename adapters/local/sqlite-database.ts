import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { schemaVersion, tables } from './sqlite-schema.ts';

const busyMilliseconds = 5_000;
/** The log is folded into the file every 32 MiB, eight times less often than by default: each time waits for the disk. */
const settings = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000';

/** A transaction that is open, or the whole connection: what runs directly in it runs one after another. */
interface Scope {
  readonly depth: number;
  open: boolean;
  tail: Promise<void>;
}

export type SqliteRow = Readonly<Record<string, SQLOutputValue>>;

/**
 * One SQLite file in write-ahead mode with cached statements. Without a transaction each statement is one. A crash
 * of the process loses no committed transaction; a power cut may lose the latest ones, but corrupts nothing
 * (`synchronous = NORMAL`). Needs Node 24, where `node:sqlite` comes without a flag and without a warning.
 */
export class SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #scopes = new AsyncLocalStorage<Scope>();
  readonly #connection: Scope = { depth: 0, open: true, tail: Promise.resolve() };
  readonly #rollbackListeners: (() => void)[] = [];

  /**
   * Creates the file where it is missing.
   * @param exclusive keeps every other process out until `close`
   * @throws where it is no Tidewatch state, of a newer schema, or in use by a process that keeps others out.
   */
  constructor(path: string, exclusive = false) {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
    this.#database = new DatabaseSync(path, { timeout: busyMilliseconds });
    try {
      if (exclusive) this.#database.exec('PRAGMA locking_mode = EXCLUSIVE');
      this.#database.exec(settings);
      this.#prepareSchema(path);
      // The lock is taken with the first write.
      if (exclusive) this.#database.exec('BEGIN IMMEDIATE; COMMIT');
    } catch (cause) {
      this.#database.close();
      if (isBusy(cause)) throw new StateFileError(`state file ${path}: in use by another process`, { cause });
      if (cause instanceof StateFileError) throw cause;
      throw new StateFileError(`state file ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }

  /** Runs a statement. @returns rows changed. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  first(sql: string, ...values: readonly SQLInputValue[]): SqliteRow | undefined {
    return this.#prepare(sql).get(...values);
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly SqliteRow[] {
    return this.#prepare(sql).all(...values);
  }

  /**
   * Runs a step whole or not at all. Transactions begun elsewhere meanwhile wait for this one; one begun inside it
   * becomes a part of it (a savepoint) that can fail alone. There is one connection: a statement that runs outside
   * any transaction while the step awaits something joins the step's transaction and shares its fate.
   */
  transaction<T>(step: () => T | Promise<T>): Promise<T> {
    const current = this.#scopes.getStore();
    const parent = current?.open ? current : this.#connection;
    const result = parent.tail.then(() => this.#runStep(parent.depth + 1, step));
    parent.tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** True where the caller runs in a step of `transaction`. */
  inTransaction(): boolean {
    return this.#scopes.getStore()?.open === true;
  }

  /** Called after each rollback, for caches of what may have been rolled back. */
  onRollback(listener: () => void): void {
    this.#rollbackListeners.push(listener);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  async #runStep<T>(depth: number, step: () => T | Promise<T>): Promise<T> {
    const nested = depth > 1;
    const scope: Scope = { depth, open: true, tail: Promise.resolve() };
    this.run(nested ? `SAVEPOINT step${depth}` : 'BEGIN IMMEDIATE');
    try {
      const result = await this.#scopes.run(scope, async () => step());
      // Steps begun inside and not awaited are still a part of this one.
      await settle(scope);
      this.run(nested ? `RELEASE step${depth}` : 'COMMIT');
      return result;
    } catch (error) {
      await settle(scope);
      this.#rollBack(nested, depth);
      throw error;
    } finally {
      scope.open = false;
    }
  }

  #rollBack(nested: boolean, depth: number): void {
    try {
      if (nested) {
        this.run(`ROLLBACK TO step${depth}`);
        this.run(`RELEASE step${depth}`);
      } else if (this.#database.isTransaction) {
        this.run('ROLLBACK');
      }
    } finally {
      for (const listener of this.#rollbackListeners) listener();
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #prepareSchema(path: string): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const names = this.#database.prepare('SELECT name FROM sqlite_master').all();
      if (names.length === 0) {
        this.#database.exec(tables);
        this.#database.prepare('INSERT INTO tidewatch_schema (version) VALUES (?)').run(schemaVersion);
      } else if (!names.some(({ name }) => name === 'tidewatch_schema')) {
        throw new StateFileError(`state file ${path}: expected a state of Tidewatch, saw another database`);
      }
      const version = this.#database.prepare('SELECT version FROM tidewatch_schema').get()?.version;
      if (version !== schemaVersion) {
        throw new StateFileError(
          `state file ${path}: expected schema ${schemaVersion}, saw ${version}: ${
            Number(version) > schemaVersion ? 'written by a newer Tidewatch, upgrade to read it' : 'damaged'
          }`,
        );
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

/** Waits for the steps begun in a scope, and for those begun meanwhile. */
async function settle(scope: Scope): Promise<void> {
  for (let awaited: Promise<void> | undefined; awaited !== scope.tail; ) {
    awaited = scope.tail;
    await awaited;
  }
}

/** A state file that can't be used. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';
}

function isBusy(cause: unknown): boolean {
  return cause instanceof Error && /database is locked/.test(cause.message);
}
