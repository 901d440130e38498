import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SqliteState } from '../../../adapters/local/sqlite-state.ts';
import type { MetricDatum } from '../../../core/model/metric.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

function datum(time: number, value: number, model = 'm'): MetricDatum {
  return { name: 'Tier', dimensions: [['Model', model]], time, value, unit: 'None' };
}

describe('state table', () => {
  test('changes by compare-and-swap', async () => {
    const { table } = new SqliteState(':memory:');
    expect(await table.get('p', 'k')).toBeUndefined();
    expect(await table.put('p', 'k', { a: [1, null] }, 1)).toBe(false);
    expect(await table.put('p', 'k', { a: [1, null] }, 0)).toBe(true);
    expect(await table.put('p', 'k', 'other', 0)).toBe(false);
    expect(await table.get('p', 'k')).toEqual({ value: { a: [1, null] }, revision: 1 });
    expect(await table.put('p', 'k', 'next', 1)).toBe(true);
    expect(await table.put('p', 'k', 'late', 1)).toBe(false);
    expect(await table.get('p', 'k')).toEqual({ value: 'next', revision: 2 });
    await table.remove('p', 'k');
    expect(await table.get('p', 'k')).toBeUndefined();
    expect(await table.put('p', 'k', 'anew', 0)).toBe(true);
  });

  test('lists a partition by key, whatever the names', async () => {
    const { table } = new SqliteState(':memory:');
    const keys = ['b', 'a/b', 'a-b', '__proto__', '', 'a\0b', '\u{1f600}', '\uffee'];
    for (const key of keys) await table.put('__proto__', key, key, 0);
    await table.put('other', 'x', 1, 0);
    expect((await table.list('__proto__')).map(({ key, row }) => [key, row.value])).toEqual(
      keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map((key) => [key, key]),
    );
  });

  test('refuses what it could not give back', async () => {
    const { table } = new SqliteState(':memory:');
    await expect(table.put('p', 'k', undefined, 0)).rejects.toThrow('expected a JSON value, saw undefined');
    await expect(table.put('p', '\ud800', 1, 0)).rejects.toThrow('lone surrogate');
    await expect(table.put('p', 'k', 1, -1)).rejects.toThrow('expected a revision of 0 or more, saw -1');
    await expect(table.put('p', 'k', 1, Number.NaN)).rejects.toThrow('saw NaN');
  });

  test('of two connections one wins each revision', async () => {
    const path = join(temporaryDirectory(), 'state.sqlite');
    const states = [new SqliteState(path), new SqliteState(path)];
    for (let revision = 0; revision < 20; revision += 1) {
      const won = await Promise.all(states.map(({ table }, index) => table.put('p', 'k', index, revision)));
      expect(won.filter(Boolean)).toHaveLength(1);
    }
    for (const state of states) state.close();
  });
});

describe('metrics', () => {
  test('reads raw data of a series in [from, to), ascending, repeats once', async () => {
    const { metrics } = new SqliteState(':memory:');
    await metrics.put('Tidewatch', [datum(60, 1), datum(0, 2), datum(60, 0.1), datum(120, 5), datum(60, 7, 'n')]);
    await metrics.put('Tidewatch', [datum(60, 1)]);
    await metrics.put('Other', [datum(60, 9)]);
    expect(metrics.read('Tidewatch', 'Tier', [['Model', 'm']], 0, 120)).toEqual([
      { time: 0, value: 2 },
      { time: 60, value: 0.1 },
      { time: 60, value: 1 },
    ]);
    expect(metrics.read('Tidewatch', 'Tier', [], 0, 120)).toEqual([]);
    expect(metrics.read('Tidewatch', 'Heartbeat', [['Model', 'm']], 0, 120)).toEqual([]);
  });

  test('dimensions are a set of pairs that names can not forge', async () => {
    const { metrics } = new SqliteState(':memory:');
    const two = {
      ...datum(0, 1),
      dimensions: [
        ['Model', 'm'],
        ['Feature', 'f'],
      ] as const,
    };
    const forged = { ...datum(0, 2), dimensions: [['Model', 'm"],["Feature","f']] as const };
    await metrics.put('N', [two, forged]);
    expect(
      metrics.read(
        'N',
        'Tier',
        [
          ['Feature', 'f'],
          ['Model', 'm'],
        ],
        0,
        1,
      ),
    ).toEqual([{ time: 0, value: 1 }]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %s and keeps nothing of that call', async (value) => {
    const { metrics } = new SqliteState(':memory:');
    await expect(metrics.put('N', [datum(0, 1), datum(0, value)])).rejects.toThrow('expected a finite value');
    await expect(metrics.put('N', [datum(0, 1), datum(0.5, 1)])).rejects.toThrow(
      'expected whole milliseconds, saw 0.5',
    );
    expect(metrics.read('N', 'Tier', [['Model', 'm']], -1, 1)).toEqual([]);
  });

  test('a series made in a step that failed is made again', async () => {
    const state = new SqliteState(':memory:');
    const step = state.transaction(async () => {
      await state.metrics.put('N', [datum(0, 1)]);
      throw new Error('no');
    });
    await expect(step).rejects.toThrow('no');
    await state.metrics.put('N', [datum(0, 2, 'other')]);
    await state.metrics.put('N', [datum(0, 3)]);
    expect(state.metrics.read('N', 'Tier', [['Model', 'm']], 0, 1)).toEqual([{ time: 0, value: 3 }]);
    expect(state.metrics.read('N', 'Tier', [['Model', 'other']], 0, 1)).toEqual([{ time: 0, value: 2 }]);
  });

  test('any data in any order, any retries: each (time, value) once', async () => {
    const point = fc.record({
      time: fc.integer({ min: -5, max: 5 }),
      value: fc.constantFrom(0, 1, 1e300, 5e-324, -2.5),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(point, { maxLength: 8 }), { maxLength: 5 }), async (calls) => {
        const { metrics } = new SqliteState(':memory:');
        for (const call of [...calls, ...calls])
          await metrics.put(
            'N',
            call.map(({ time, value }) => datum(time, value)),
          );
        const distinct = new Map(calls.flat().map((found) => [`${found.time} ${found.value}`, found]));
        expect(metrics.read('N', 'Tier', [['Model', 'm']], -5, 6)).toEqual(
          [...distinct.values()].sort((a, b) => a.time - b.time || a.value - b.value),
        );
      }),
      { numRuns: 40 },
    );
  });
});

describe('invocations', () => {
  test('counts an interval that was recorded wholly, and can not tell otherwise', async () => {
    const { invocations } = new SqliteState(':memory:');
    await invocations.recordInvocations('m', 0, 60, 5);
    await invocations.recordInvocations('m', 60, 120, 0);
    await invocations.recordInvocations('n', 0, 600, 9);
    expect(await invocations.count('m', 0, 120)).toBe(5);
    expect(await invocations.count('m', 60, 120)).toBe(0);
    expect(await invocations.count('m', 0, 121)).toBeUndefined();
    expect(await invocations.count('m', 30, 120)).toBeUndefined();
    expect(await invocations.count('n', 0, 60)).toBeUndefined();
    expect(await invocations.count('o', 0, 60)).toBeUndefined();
    await invocations.recordInvocations('m', 0, 60, 6);
    expect(await invocations.count('m', 0, 120)).toBe(6);
  });

  test('refuses overlaps and nonsense', async () => {
    const { invocations } = new SqliteState(':memory:');
    await invocations.recordInvocations('m', 0, 60, 5);
    await expect(invocations.recordInvocations('m', 30, 90, 1)).rejects.toThrow('[30, 90) overlaps [0, 60)');
    await expect(invocations.recordInvocations('m', 0, 30, 1)).rejects.toThrow('overlaps');
    await expect(invocations.recordInvocations('m', 60, 60, 1)).rejects.toThrow('expected from < to');
    await expect(invocations.recordInvocations('m', 60, 90, -1)).rejects.toThrow('expected a count');
    expect(await invocations.count('m', 0, 60)).toBe(5);
  });
});

describe('touch queue', () => {
  test('gives a window until it is acknowledged, once however often it was touched', async () => {
    const { touches } = new SqliteState(':memory:');
    for (const window of ['w2', 'w1', 'w2']) await touches.touch(window);
    const taken = await touches.take(10);
    expect(taken.map(({ windowPrefix }) => windowPrefix)).toEqual(['w2', 'w1']);
    expect(await touches.take(10)).toEqual(taken);
    expect(await touches.take(1)).toEqual(taken.slice(0, 1));
    for (const touch of taken) await touches.acknowledge(touch);
    expect(await touches.take(10)).toEqual([]);
  });

  test('a touch that comes while the window is judged is not lost', async () => {
    const { touches } = new SqliteState(':memory:');
    await touches.touch('w');
    const [touch] = await touches.take(1);
    await touches.touch('w');
    if (touch !== undefined) await touches.acknowledge(touch);
    expect(await touches.take(1)).toHaveLength(1);
  });
});
