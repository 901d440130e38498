import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryMetrics } from '../../../adapters/local/memory-metrics.ts';
import { MemoryStateTable } from '../../../adapters/local/memory-state-table.ts';
import { ScratchObjectStore } from '../../../adapters/local/scratch-object-store.ts';
import { SqliteState } from '../../../adapters/local/sqlite-state.ts';

const bytes = (text: string) => Buffer.from(text);

async function keysOf(store: ScratchObjectStore, prefix: string, after?: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const key of store.list(prefix, after)) keys.push(key);
  return keys;
}

describe('a scratch store', () => {
  test('writes above and shows of what lies below only what it may', async () => {
    const below = new ScratchObjectStore();
    for (const key of ['a/1', 'a/3', 'b/1']) await below.putOnce(key, bytes(key));
    const scratch = new ScratchObjectStore(below, 'a/');
    expect(await scratch.putOnce('a/2', bytes('new'))).toBe('written');
    expect(await scratch.putOnce('a/1', bytes('other'))).toBe('different');
    expect(await scratch.putOnce('a/1', bytes('a/1'))).toBe('same');
    expect(await scratch.putOnce('b/1', bytes('free'))).toBe('written');
    expect(await keysOf(scratch, '')).toEqual(['a/1', 'a/2', 'a/3', 'b/1']);
    expect(await keysOf(scratch, 'a/', 'a/1')).toEqual(['a/2', 'a/3']);
    expect(Buffer.from((await scratch.get('b/1')) ?? []).toString()).toBe('free');
    expect(await keysOf(below, '')).toEqual(['a/1', 'a/3', 'b/1']);
    expect(Buffer.from((await below.get('b/1')) ?? []).toString()).toBe('b/1');
  });
});

test('metrics in memory are read as those in SQLite', async () => {
  const datum = fc.record({ time: fc.integer({ min: 0, max: 9 }), value: fc.integer({ min: 0, max: 3 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(datum, { maxLength: 30 }), fc.integer({ max: 10 }), async (data, at) => {
      const sqlite = new SqliteState(':memory:');
      const memory = new MemoryMetrics();
      const from = Math.max(0, at);
      for (const sink of [sqlite.metrics, memory]) {
        await sink.put(
          'N',
          data.map((one) => ({ name: 'm', dimensions: [['a', '1']], unit: 'None', ...one })),
        );
      }
      const read = (source: Pick<MemoryMetrics, 'read'>) => source.read('N', 'm', [['a', '1']], from, from + 5);
      expect(read(memory)).toEqual(read(sqlite.metrics));
      sqlite.close();
    }),
    { numRuns: 30 },
  );
});

test('metrics that CloudWatch would refuse are refused', () => {
  const memory = new MemoryMetrics();
  expect(() => memory.add('N', 'm', [], { time: 0, value: Number.NaN })).toThrow(RangeError);
  expect(() => memory.add('N', 'm', [], { time: 0.5, value: 1 })).toThrow(RangeError);
  expect(memory.has('N', 'm', [])).toBe(false);
});

test('a state table in memory swaps as it compares', async () => {
  const table = new MemoryStateTable();
  expect(await table.put('__proto__', 'constructor', 1, 1)).toBe(false);
  expect(await table.put('__proto__', 'constructor', 1, 0)).toBe(true);
  expect(await table.put('__proto__', 'constructor', 2, 0)).toBe(false);
  expect(await table.put('__proto__', 'constructor', 2, 1)).toBe(true);
  expect(await table.get('__proto__', 'constructor')).toEqual({ value: 2, revision: 2 });
  expect(await table.list('__proto__')).toEqual([{ key: 'constructor', row: { value: 2, revision: 2 } }]);
  await table.remove('__proto__', 'constructor');
  expect(await table.list('__proto__')).toEqual([]);
});
