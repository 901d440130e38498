import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SqliteState } from '../../adapters/local/sqlite-state.ts';
import { verifyLog } from '../../core/audit/verify-log.ts';
import { bundleKey, dayKey, logSegmentKey, logSegmentPrefix } from '../../core/contract/keys.ts';
import { sha256 } from '../../core/model/content-hash.ts';
import { evidencePrefix, Sequencer } from '../../core/pipeline/evidence.ts';
import type { ObjectStore } from '../../core/pipeline/ports.ts';
import { ReplayClock } from '../../core/pipeline/replay.ts';
import { MemoryObjectStore } from './memory-object-store.ts';

const day = 86_400_000;
const today = Date.UTC(2026, 2, 20, 12);
const days = 9;

/** A log with its evidence, and sequencers that follow its newest days. */
class LogWorld {
  readonly state = new MemoryObjectStore();
  readonly audit = new MemoryObjectStore();
  readonly table = new SqliteState(':memory:').table;
  readonly clock = new ReplayClock(today);
  #entries = 0;

  async write(model: string, time = this.clock.now()): Promise<string> {
    const key = bundleKey(model, dayKey(time), sha256(`${this.#entries++}`).slice(0, 32));
    await this.audit.putOnce(key, Buffer.from(key));
    return key;
  }

  sequencer(models: readonly string[] = ['a', 'b'], state: ObjectStore = this.state, span = days): Sequencer {
    return new Sequencer(state, this.audit, { models, days: span, clock: this.clock, table: this.table });
  }

  async verify() {
    const { state, audit } = this;
    const report = await verifyLog({
      segments: (async function* () {
        for (const key of state.keys(logSegmentPrefix))
          yield [key, (await state.get(key)) ?? new Uint8Array()] as const;
      })(),
      readObject: (key) => audit.get(key),
      listObjects: () => audit.list(evidencePrefix),
      segmentKey: logSegmentKey,
    });
    return { problems: report.problems, entries: report.entries, pending: report.pending.keys };
  }
}

/** Notes what is read of a store. */
function watch(store: ObjectStore) {
  const reads: string[] = [];
  const watched: ObjectStore = {
    putOnce: (key, body) => store.putOnce(key, body),
    list: (prefix) => store.list(prefix),
    get: (key) => {
      reads.push(key);
      return store.get(key);
    },
  };
  return { watched, reads };
}

describe('a sequencer of the newest days', () => {
  test('lists every object of its models and days once', async () => {
    const world = new LogWorld();
    for (const age of [0, 1, 8]) await world.write('a', today - age * day);
    await world.write('b', today + 60_000);
    const foreign = await world.write('c');
    const old = await world.write('a', today - 9 * day);
    expect(await world.sequencer().appendNew()).toBe(4);
    expect(await world.sequencer().appendNew()).toBe(0);
    expect(await world.verify()).toEqual({ problems: [], entries: 4, pending: [old, foreign] });
  });

  test('a wider one adds what was left, and nothing twice', async () => {
    const world = new LogWorld();
    await world.write('a');
    await world.sequencer().appendNew();
    await world.write('a', today - 30 * day);
    await world.write('c', today - 30 * day);
    expect(await world.sequencer().appendNew()).toBe(0);
    expect(await world.sequencer(['a', 'b', 'c'], world.state, 40).appendNew()).toBe(2);
    expect(await world.sequencer(['a', 'b', 'c'], world.state, 40).appendNew()).toBe(0);
    expect(await world.verify()).toEqual({ problems: [], entries: 3, pending: [] });
  });

  test('goes on from a log that was written without noting its days', async () => {
    const world = new LogWorld();
    await world.write('a', today - day);
    await new Sequencer(world.state, world.audit).appendNew();
    await world.write('a');
    expect(await world.sequencer().appendNew()).toBe(1);
    // A cold start trusts the days noted: those of the log before must be among them.
    await world.write('a');
    expect(await world.sequencer().appendNew()).toBe(1);
    expect(await world.verify()).toEqual({ problems: [], entries: 3, pending: [] });
  });

  test('reads a bounded part of the log, however long it is', async () => {
    const world = new LogWorld();
    for (let age = 60; age >= 0; age--) {
      world.clock.set(today - age * day);
      await world.write('a');
      await world.sequencer().appendNew();
    }
    expect(world.state.keys(logSegmentPrefix)).toHaveLength(61);
    const { watched, reads } = watch(world.state);
    const sequencer = world.sequencer(['a', 'b'], watched);
    expect(await sequencer.appendNew()).toBe(0);
    expect(reads).toHaveLength(days);
    await sequencer.appendNew();
    expect(reads).toHaveLength(days);
  });

  test('a process that lives on for weeks lists nothing twice', async () => {
    const world = new LogWorld();
    const sequencer = world.sequencer();
    for (let age = 30; age >= 0; age--) {
      world.clock.set(today - age * day);
      await world.write('a');
      await world.write('b', world.clock.now() - 3 * day);
      expect(await sequencer.appendNew()).toBe(2);
    }
    expect(await world.verify()).toMatchObject({ problems: [], pending: [] });
  });
});

test('sequencers at once, with other scopes and days: the log neither forks nor repeats nor forgets', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          writes: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 8 })), { maxLength: 4 }),
          advance: fc.integer({ min: 0, max: 2 }),
          restart: fc.boolean(),
        }),
        { maxLength: 8 },
      ),
      async (rounds) => {
        const world = new LogWorld();
        const scopes = [['a', 'b'], ['b', 'c'], ['c']];
        let sequencers = scopes.map((models) => world.sequencer(models));
        for (const { writes, advance, restart } of rounds) {
          world.clock.set(world.clock.now() + advance * day);
          for (const [model, age] of writes) await world.write(model, world.clock.now() - age * day);
          if (restart) sequencers = scopes.map((models) => world.sequencer(models));
          await Promise.all(sequencers.map((sequencer) => sequencer.appendNew()));
          expect(await world.verify()).toMatchObject({ problems: [], pending: [] });
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('killed at any write and started anew: the log is whole', async () => {
  for (let killedAt = 0; killedAt < 6; killedAt++) {
    for (const persisted of [false, true]) {
      const world = new LogWorld();
      await world.write('a', today - day);
      await world.sequencer().appendNew();
      for (const model of ['a', 'b', 'a']) await world.write(model);
      let writes = 0;
      const dying = async <T>(write: () => Promise<T>): Promise<T> => {
        const isLast = writes++ === killedAt;
        if (isLast && !persisted) throw new Error('killed');
        const result = await write();
        if (isLast) throw new Error('killed');
        return result;
      };
      const { state, table, audit, clock } = world;
      const first = new Sequencer(
        {
          get: (key) => state.get(key),
          list: (prefix) => state.list(prefix),
          putOnce: (key, body) => dying(() => state.putOnce(key, body)),
        },
        audit,
        {
          models: ['a', 'b'],
          days,
          clock,
          table: {
            get: (...row) => table.get(...row),
            list: (partition) => table.list(partition),
            remove: (...row) => table.remove(...row),
            put: (...row) => dying(() => table.put(...row)),
          },
        },
      );
      await first.appendNew().catch(() => undefined);
      await world.sequencer().appendNew();
      expect(await world.verify()).toEqual({ problems: [], entries: 4, pending: [] });
    }
  }
});

test('without a scope everything is listed, in the order of keys', async () => {
  const world = new LogWorld();
  for (const model of ['b', 'a', 'c']) await world.write(model, today - 400 * day);
  await world.write('a');
  expect(await new Sequencer(world.state, world.audit).appendNew()).toBe(4);
  expect(await world.verify()).toEqual({ problems: [], entries: 4, pending: [] });
});
