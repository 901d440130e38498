import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SqliteDatabase, StateFileError } from '../../../adapters/local/sqlite-database.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const insert = "INSERT INTO state_rows (partition, key, value, revision) VALUES ('p', ?, 'null', 1)";

function keysIn(database: SqliteDatabase): unknown[] {
  return database.all('SELECT key FROM state_rows ORDER BY key').map(({ key }) => key);
}

describe('transaction', () => {
  test('keeps all of a step or nothing', async () => {
    const database = new SqliteDatabase(':memory:');
    const result = await database.transaction(async () => {
      database.run(insert, 'a');
      await sleep(1);
      database.run(insert, 'b');
      return 7;
    });
    expect(result).toBe(7);
    const failing = database.transaction(async () => {
      database.run(insert, 'c');
      await sleep(1);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await expect(
      database.transaction(() => {
        database.run(insert, 'd');
        throw new Error('sync');
      }),
    ).rejects.toThrow('sync');
    expect(keysIn(database)).toEqual(['a', 'b']);
  });

  test('a step inside a step can fail alone, and fails with the outer one', async () => {
    const database = new SqliteDatabase(':memory:');
    await database.transaction(async () => {
      database.run(insert, 'outer');
      await database.transaction(() => database.run(insert, 'kept'));
      const inner = database.transaction(async () => {
        database.run(insert, 'lost');
        await database.transaction(() => database.run(insert, 'deep'));
        throw new Error('inner');
      });
      await expect(inner).rejects.toThrow('inner');
    });
    expect(keysIn(database)).toEqual(['kept', 'outer']);
    const outer = database.transaction(async () => {
      await database.transaction(() => database.run(insert, 'inner'));
      throw new Error('outer');
    });
    await expect(outer).rejects.toThrow('outer');
    expect(keysIn(database)).toEqual(['kept', 'outer']);
  });

  test('steps begun side by side run one after another, inside and outside', async () => {
    const database = new SqliteDatabase(':memory:');
    const trace: string[] = [];
    const step = (name: string) =>
      database.transaction(async () => {
        trace.push(`${name} begins`);
        await sleep(1);
        database.run(insert, name);
        trace.push(`${name} ends`);
        if (name === 'b') throw new Error('b');
      });
    await Promise.allSettled([step('a'), step('b'), step('c')]);
    await database.transaction(() => Promise.allSettled([step('d'), step('b'), step('e')]));
    expect(trace).toEqual(['a', 'b', 'c', 'd', 'b', 'e'].flatMap((name) => [`${name} begins`, `${name} ends`]));
    expect(keysIn(database)).toEqual(['a', 'c', 'd', 'e']);
  });

  test('a step begun inside and not awaited belongs to it; one begun after its end is its own', async () => {
    const database = new SqliteDatabase(':memory:');
    let later: Promise<unknown> = Promise.resolve();
    const outer = database.transaction(() => {
      void database.transaction(async () => {
        await sleep(2);
        database.run(insert, 'unawaited');
      });
      later = sleep(10).then(() => database.transaction(() => database.run(insert, 'later')));
      throw new Error('outer');
    });
    await expect(outer).rejects.toThrow('outer');
    await later;
    expect(keysIn(database)).toEqual(['later']);
  });

  test('a step waits for those begun inside before it is kept', async () => {
    const database = new SqliteDatabase(':memory:');
    let inner: Promise<unknown> = Promise.resolve();
    await database.transaction(() => {
      inner = database
        .transaction(async () => {
          database.run(insert, 'half');
          await sleep(2);
          throw new Error('inner');
        })
        .catch((error: unknown) => String(error));
    });
    expect(await inner).toBe('Error: inner');
    expect(keysIn(database)).toEqual([]);
  });

  test('what was committed survives a kill, what was not is gone', () => {
    const path = join(temporaryDirectory(), 'state.sqlite');
    const script = `
      import { SqliteDatabase } from ${JSON.stringify(join(import.meta.dirname, '../../../adapters/local/sqlite-database.ts'))};
      const database = new SqliteDatabase(${JSON.stringify(path)});
      await database.transaction(() => database.run(${JSON.stringify(insert)}, 'committed'));
      await database.transaction(() => { database.run(${JSON.stringify(insert)}, 'open'); process.kill(process.pid, 'SIGKILL'); });`;
    const killed = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(killed.signal).toBe('SIGKILL');
    const database = new SqliteDatabase(path);
    expect(keysIn(database)).toEqual(['committed']);
    database.close();
  });
});

describe('state file', () => {
  test('opens again, twice at once', () => {
    const path = join(temporaryDirectory(), 'new/state.sqlite');
    const one = new SqliteDatabase(path);
    const two = new SqliteDatabase(path);
    one.run(insert, 'a');
    expect(keysIn(two)).toEqual(['a']);
    one.close();
    two.close();
    expect(keysIn(new SqliteDatabase(path))).toEqual(['a']);
  });

  test('of a newer schema is refused', () => {
    const path = join(temporaryDirectory(), 'state.sqlite');
    new SqliteDatabase(path).close();
    const raw = new DatabaseSync(path);
    raw.exec('UPDATE tidewatch_schema SET version = 99');
    raw.close();
    expect(() => new SqliteDatabase(path)).toThrow(
      `state file ${path}: expected schema 1, saw 99: written by a newer Tidewatch, upgrade to read it`,
    );
  });

  test('that is another database, or none, is refused and left alone', () => {
    const directory = temporaryDirectory();
    const other = new DatabaseSync(join(directory, 'other.sqlite'));
    other.exec('CREATE TABLE things (id)');
    expect(() => new SqliteDatabase(join(directory, 'other.sqlite'))).toThrow('expected a state of Tidewatch');
    expect(other.prepare('SELECT count(*) AS tables FROM sqlite_master').get()).toEqual({ tables: 1 });
    writeFileSync(join(directory, 'text'), 'not a database, but long enough to look at'.repeat(10));
    expect(() => new SqliteDatabase(join(directory, 'text'))).toThrow(StateFileError);
  });

  // The command line shows Node's warnings; this one would be on every run if node:sqlite still gave it.
  test('opening it gives no warning', () => {
    const script = `import { DatabaseSync } from 'node:sqlite'; new DatabaseSync(':memory:').close();`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(
      Number(execFileSync(process.execPath, ['-p', 'process.versions.node.split(".")[0]'])),
    ).toBeGreaterThanOrEqual(24);
  });
});
