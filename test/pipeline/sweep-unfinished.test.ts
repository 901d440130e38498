import { expect, test } from 'vitest';
import type { CaptureStore } from '../../core/pipeline/ports.ts';
import { day, hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { createRuntime, createWorld, start, usualCalls, World } from './embedded-world.ts';
import { faultyPorts, runDisturbed, type WriteFault } from './faulty-ports.ts';
import { listAnnounced, spanning } from './swept-captures.ts';

function listNotes(world: World) {
  return world.sqlite.table.list('ingesting#credit');
}

/** Of one window, with a damaged line: a fragment and a quarantine report. */
const damaged = {
  key: payloadKey(start + 20 * minute, 'damaged'),
  body: linesOf([...usualCalls(start + 20 * minute, start + 30 * minute, 40, 3).map(payloadLine), 'damaged']),
  arrived: start + 71 * minute,
};

test.each(
  (['before', 'after', 'kill'] satisfies WriteFault[]).flatMap((fault) => [
    [fault, 'two windows', spanning, 11] as const,
    [fault, 'one window', damaged, 9] as const,
  ]),
)(
  'an object whose ingestion ended at any of its writes (%s, %s), never delivered again, is finished by the sweep',
  async (fault, _, object, count) => {
    const runtime = await createRuntime();
    const undisturbed = new World(runtime);
    await undisturbed.deliver(object);
    await undisturbed.tick(start + 5 * hour);
    for (let position = 0; ; position++) {
      const world = new World(runtime);
      world.captures.put(object);
      world.clock.set(object.arrived);
      const { ports, killed, writes } = faultyPorts(world.ports(), position, fault);
      if (!(await runDisturbed(world.ingest(object.key, ports), killed))) {
        expect(position).toBe(count);
        break;
      }
      world.clock.set(start + 3 * hour);
      await world.sweep();
      await world.tick(start + 5 * hour);
      const at = `${position}: ${writes.at(-1)}`;
      for (const prefix of ['fragments/', 'quarantine/', 'profiles/']) {
        expect(world.state.contents(prefix), at).toEqual(undisturbed.state.contents(prefix));
      }
      expect(await listNotes(world), at).toEqual([]);
      expect((await world.sweep()).announced, at).toBe(0);
    }
  },
);

/** Captures whose contents nobody gets. */
function unreadable(world: World): CaptureStore {
  return {
    head: (bucket, key) => world.captures.head(bucket, key),
    list: (bucket, prefix, after) => world.captures.list(bucket, prefix, after),
    read: () => {
      throw new Error('unreadable');
    },
  };
}

test('one that is being ingested is left to it', async () => {
  const world = await createWorld();
  world.captures.put(spanning);
  world.clock.set(spanning.arrived);
  const { ports, killed } = faultyPorts(world.ports(), 6, 'kill');
  expect(await runDisturbed(world.ingest(spanning.key, ports), killed)).toBe(true);
  expect(await listNotes(world)).toHaveLength(1);
  world.clock.set(spanning.arrived + 14 * minute);
  expect((await world.sweep()).announced).toBe(0);
  expect(await listNotes(world)).toHaveLength(1);
});

test.each(['missing', 'half way'])(
  'one that can not be ingested (%s) is announced five times, and named once',
  async (how) => {
    const world = await createWorld({ silenceAfter: '30d' });
    world.captures.put(spanning);
    world.clock.set(spanning.arrived);
    if (how === 'half way') {
      const { ports, killed } = faultyPorts(world.ports(), 6, 'kill');
      expect(await runDisturbed(world.ingest(spanning.key, ports), killed)).toBe(true);
    }
    const announced: number[] = [];
    const left: (readonly [hours: number, key: string])[] = [];
    for (let hours = 1; hours < 9 * 24; hours++) {
      world.clock.set(spanning.arrived + hours * hour);
      const report = await world.sweep({ captures: unreadable(world) });
      if (report.announced > 0) announced.push(hours);
      left.push(...report.left.map(({ key }) => [hours, key] as const));
    }
    expect(announced).toHaveLength(5);
    expect(announced[0]).toBe(1);
    expect(announced.at(-1)).toBeLessThan(4 * 24);
    // Five hours at first, then twice as long each time; at a full sweep, where only that knows.
    announced.slice(1).forEach((at, index) => {
      expect(at - (announced[index] ?? 0)).toBeGreaterThanOrEqual(5 * 2 ** index);
      expect(at - (announced[index] ?? 0)).toBeLessThan(5 * 2 ** index + 6);
    });
    expect(left.map(([, key]) => key)).toEqual([spanning.key]);
    expect(left[0]?.[0]).toBeLessThan(7 * 24);
    // Nothing is kept of it for ever.
    expect(await listNotes(world)).toEqual([]);
    expect(await listAnnounced(world)).toEqual([]);
  },
);

test('one that can be ingested again is, and is forgotten', async () => {
  const world = await createWorld();
  world.captures.put(spanning);
  world.clock.set(spanning.arrived + hour);
  await world.sweep({ captures: unreadable(world) });
  expect(await listAnnounced(world)).toHaveLength(1);
  world.clock.set(spanning.arrived + 8 * hour);
  expect((await world.sweep()).announced).toBe(1);
  expect(world.state.keys('fragments/')).toHaveLength(2);
  world.clock.set(spanning.arrived + 14 * hour);
  expect((await world.sweep()).announced).toBe(0);
  expect(await listAnnounced(world)).toEqual([]);
});

test('an object that left no fragment is not announced again', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  const late = start + 20 * day;
  const old = usualCalls(start, start + hour, 10, 4).map(payloadLine);
  const objects = [
    { key: payloadKey(late, 'no-lines'), body: new Uint8Array(), arrived: late },
    { key: payloadKey(late, 'expired'), body: linesOf(old), arrived: late },
    { key: 'data/credit/AllTraffic//refused', body: linesOf(old), arrived: late },
  ];
  for (const object of objects) world.captures.put(object);
  const announced = [];
  for (let hours = 1; hours < 20; hours++) {
    world.clock.set(late + hours * hour);
    announced.push((await world.sweep()).announced);
  }
  expect(announced).toEqual([2, ...Array(18).fill(0)]);
  expect(world.state.keys('fragments/')).toEqual([]);
  expect(world.state.keys('empty/')).toHaveLength(2);
  expect(world.state.keys('quarantine/')).toHaveLength(1);
});

test('an object that was left half way and is gone, or none of ours any more, is forgotten', async () => {
  const world = await createWorld();
  await world.sqlite.table.put('ingesting#credit', 'gone', { bucket: 'captures', key: 'data/credit/v/x', since: 0 }, 0);
  await world.sqlite.table.put('ingesting#credit', 'other', { bucket: 'others', key: 'x', since: 0 }, 0);
  world.clock.set(start);
  expect(await world.sweep()).toMatchObject({ announced: 0, touched: [] });
  expect(await listNotes(world)).toEqual([]);
});
