import { expect, test } from 'vitest';
import { fragmentWindowPrefix } from '../../core/contract/keys.ts';
import { metricNames } from '../../core/contract/metric-names.ts';
import type { CaptureStore, StateTable, TouchQueue } from '../../core/pipeline/ports.ts';
import { sweep } from '../../core/pipeline/sweep.ts';
import type { JudgedWindow } from '../../core/pipeline/tick.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { day, hour, linesOf, minute, payloadKey, payloadLine, requestKey, requestLine } from './capture-lines.ts';
import { createRuntime, createWorld, start, usualCalls, World } from './embedded-world.ts';
import { faultyPorts, runDisturbed, type WriteFault } from './faulty-ports.ts';
import { randomCaptures } from './random-captures.ts';

function payloads(from: number, name: string, count = 60, variant = 'AllTraffic') {
  const calls = usualCalls(from, from + hour, count, 21).map((call) => ({ ...call, id: `${name}-${call.id}` }));
  return { key: payloadKey(from, name, variant), body: linesOf(calls.map(payloadLine)), arrived: from + hour + minute };
}

test.each([0.1, 0.5, 1])('captures whose events were lost are found: %f of them', async (lost) => {
  const runtime = await createRuntime();
  const objects = randomCaptures(31, 60, 3);
  const complete = new World(runtime);
  for (const object of objects) await complete.deliver(object);
  const random = createRandom(32);
  const world = new World(runtime);
  let kept = 0;
  for (const object of objects) {
    if (random() < lost) world.captures.put(object);
    else kept++;
    if (
      !world.captures.reads.includes(object.key) &&
      (await world.captures.head('captures', object.key)) === undefined
    ) {
      await world.deliver(object);
    }
  }
  const later = start + 40 * hour;
  for (const one of [complete, world]) one.clock.set(later);
  expect((await world.sweep()).announced).toBe(objects.length - kept);
  await world.judgeTouched();
  await world.tick(later);
  await complete.tick(later);
  expect(world.state.contents('fragments/')).toEqual(complete.state.contents('fragments/'));
  expect(world.state.contents('quarantine/')).toEqual(complete.state.contents('quarantine/'));
  expect(world.audit.keys('bundles/').length).toBe(complete.audit.keys('bundles/').length);
  const records = (one: World) =>
    one.verdicts().map(({ window, version, variant, records }) => [window, version, variant, records]);
  expect(records(world)).toEqual(records(complete));
});

test('an object that is still on its way through the queue is left to it', async () => {
  const world = await createWorld();
  world.captures.put(payloads(start, 'young'));
  world.clock.set(start + hour + 10 * minute);
  expect((await world.sweep()).announced).toBe(0);
  world.clock.set(start + hour + 16 * minute);
  expect((await world.sweep()).announced).toBe(1);
});

/** A queue that takes touches and loses them. */
const forgetful: TouchQueue = { touch: async () => {} };
const broken: TouchQueue = { touch: () => Promise.reject(new Error('queue')) };

/** Revision and late records of what was judged. */
function restated(judged: readonly JudgedWindow[]) {
  return judged.map(({ verdict }) => [verdict.revision, verdict.records.late]);
}

test('a closed window whose touch was lost is touched by every sweep until it was judged', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, 'first'));
  await world.tick(start + hour + 10 * minute);
  const late = { ...payloads(start, 'late', 12), arrived: start + 2 * hour };
  await world.deliver(late, { touches: forgetful });
  expect(await world.sqlite.touches.take(1)).toEqual([]);
  const touched = [fragmentWindowPrefix(world.series(), start)];
  expect(await world.sweep({ touches: forgetful })).toMatchObject({ announced: 0, touched });
  world.clock.set(start + 3 * hour);
  await expect(world.sweep({ touches: broken })).rejects.toThrow('queue');
  world.clock.set(start + 4 * hour);
  expect(await world.sweep()).toMatchObject({ announced: 0, touched });
  expect(restated(await world.judgeTouched())).toEqual([[1, 12]]);
  world.clock.set(start + 5 * hour);
  expect(await world.sweep()).toMatchObject({ announced: 0, touched: [] });
});

test.each([
  ['an event', 0],
  ['a sweep', 6.9 * day],
])('a window as old as records are taken is found again, after the touch of %s was lost', async (_, later) => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'first'));
  await world.tick(start + 2 * hour);
  const arrived = start + 7 * day + 30 * minute;
  const late = { ...payloads(start, 'late', 12), key: payloadKey(arrived, 'late'), arrived };
  world.clock.set(arrived + later);
  if (later === 0) await world.deliver(late, { touches: forgetful });
  else world.captures.put(late);
  // Its fragments were not listed yet when they were made.
  expect(await world.sweep({ touches: forgetful })).toMatchObject({ announced: later === 0 ? 0 : 1 });
  world.clock.set(arrived + later + 6 * hour);
  await world.sweep({ touches: forgetful });
  world.clock.set(arrived + later + 18 * hour);
  expect(await world.sweep()).toMatchObject({ announced: 0, touched: [fragmentWindowPrefix(world.series(), start)] });
  expect(restated(await world.judgeTouched())).toEqual([[1, 12]]);
});

test('a window whose fragments expire is not judged by the rest', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  for (const name of ['a', 'b']) await world.deliver(payloads(start, name));
  await world.tick(start + 2 * hour);
  const [first] = world.state.keys('fragments/');
  expect(world.state.expire(first ?? '')).toBe(1);
  world.clock.set(start + 8 * day);
  expect(await world.sweep()).toMatchObject({ announced: 0, touched: [] });
});

test('a verdict that was settled, and whose row is missing, is found', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'first'));
  await world.tick(start + hour + 10 * minute);
  await world.deliver({ ...payloads(start, 'late', 12), arrived: start + 2 * hour });
  const { table } = world.sqlite;
  const broken: StateTable = {
    get: (...row) => table.get(...row),
    list: (...row) => table.list(...row),
    remove: (...row) => table.remove(...row),
    put: (partition, ...row) =>
      partition === 'series#credit' ? Promise.reject(new Error('row')) : table.put(partition, ...row),
  };
  await expect(world.judgeTouched({ table: broken })).rejects.toThrow('row');
  for (const touch of await world.sqlite.touches.take(1)) await world.sqlite.touches.acknowledge(touch);
  const captured = async () => (await world.listSeries()).map(({ newest }) => newest?.captured);
  expect(await captured()).toEqual([60]);
  expect((await world.sweep()).touched).toHaveLength(1);
  await world.judgeTouched();
  expect(await captured()).toEqual([72]);
  expect((await world.sweep()).touched).toEqual([]);
});

test('records of a window that needed no verdict, and their touch lost, are found', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'other', 60, 'blue'));
  const lines = usualCalls(start, start + hour, 30, 22).map(({ time, id }) => requestLine({ time, id }));
  await world.deliver({ key: requestKey(start, 'r'), body: linesOf(lines), arrived: start + hour + minute });
  await world.tick(start + hour + 10 * minute);
  expect(world.verdicts().map(({ variant }) => variant)).toEqual(['blue']);
  await world.deliver({ ...payloads(start, 'late', 12), arrived: start + 2 * hour }, { touches: forgetful });
  expect((await world.sweep()).touched).toEqual([fragmentWindowPrefix(world.series(), start)]);
  await world.judgeTouched();
  expect(world.verdicts().map(({ variant }) => variant)).toEqual(['AllTraffic', 'blue']);
});

test('where there is nothing to do, nothing is written', async () => {
  const world = await createWorld();
  for (const at of [0, 1, 2]) await world.deliver(payloads(start + at * hour, `w${at}`));
  await world.deliver({ key: payloadKey(start, 'empty'), body: new Uint8Array(), arrived: start + hour });
  await world.tick(start + 3 * hour + 10 * minute);
  const { ports, writes } = faultyPorts(world.ports());
  world.clock.set(start + 4 * hour);
  // What is in fragments is known, and so is an object that left none.
  expect(await sweep(world.runtime, ports)).toMatchObject({ announced: 0, touched: [] });
  expect(writes).toEqual(['table sweeps', 'table sweeps']);
  expect(world.metrics.values(metricNames.records)).toEqual([60, 60, 60]);
});

test('what has expired is not looked for', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, 'old'));
  await world.tick(start + hour + 10 * minute);
  world.captures.put({ ...payloads(start + hour, 'older'), arrived: start + hour });
  const { ports, writes } = faultyPorts(world.ports());
  world.clock.set(start + 9 * day);
  expect(await sweep(world.runtime, ports)).toMatchObject({ announced: 0, touched: [] });
  expect(writes).toEqual(['table sweeps', 'table sweeps']);
});

test('an object that was overwritten does not stop the sweep', async () => {
  const world = await createWorld();
  // One whose fragments are gone from the listing, and whose evidence says something else.
  const object = payloads(start, 'a');
  await world.deliver(object);
  const bare = new World(world.runtime);
  bare.captures.put({ ...object, body: payloads(start, 'b').body });
  bare.captures.put(payloads(start, 'c'));
  bare.clock.set(start + 2 * hour);
  expect((await bare.sweep({ audit: world.audit })).announced).toBe(2);
  expect(bare.state.keys('fragments/')).toHaveLength(1);
  expect((await bare.modelState()).integrity).toHaveLength(1);
});

/** Over two windows and with a damaged line, so that it takes several writes. */
const spanning = {
  key: payloadKey(start + 50 * minute, 'two-windows'),
  body: linesOf([...usualCalls(start + 50 * minute, start + 70 * minute, 40, 3).map(payloadLine), 'damaged']),
  arrived: start + 71 * minute,
};

function listNotes(world: World) {
  return world.sqlite.table.list('ingesting#credit');
}

function listAnnounced(world: World) {
  return world.sqlite.table.list('announced#credit');
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

test('what fails keeps nothing else from its turn, and all of it is named', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, 'a'));
  await world.deliver(payloads(start + hour, 'b'));
  await world.tick(start + 2 * hour + 10 * minute);
  for (const from of [start, start + hour]) {
    const late = { ...payloads(from, `late-${from}`, 12), arrived: start + 3 * hour };
    await world.deliver(late, { touches: forgetful });
  }
  world.captures.put(payloads(start + hour, 'poison'));
  world.captures.put(payloads(start + hour, 'sound'));
  world.clock.set(start + 4 * hour);
  const { touches } = world.ports();
  const error: unknown = await world
    .sweep({
      announcements: { announce: () => Promise.reject(new Error('no queue')) },
      touches: {
        touch: (prefix) => (prefix.includes('T000000Z') ? Promise.reject(new Error('refused')) : touches.touch(prefix)),
      },
    })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AggregateError);
  expect(error).toMatchObject({
    message: 'sweep of credit: 2 steps failed, first: refused',
    errors: [new Error('refused'), new Error('no queue')],
  });
  await world.judgeTouched();
  const counted = () => world.verdicts().map(({ revision, records }) => [revision, records.counted]);
  expect(counted()).toEqual([
    [0, 60],
    [0, 60],
    [1, 72],
  ]);
  // Nothing was noted of what was not announced.
  expect(await listAnnounced(world)).toEqual([]);
  expect((await world.sweep()).announced).toBe(2);
});

test('of a backlog each sweep announces a part, until all of it was', async () => {
  const world = await createWorld();
  const objects = Array.from({ length: 130 }, (_, at) => payloads(start, `n${String(at).padStart(3, '0')}`, 1));
  for (const object of objects) world.captures.put(object);
  const reports = [];
  for (const hours of [2, 3, 4, 5]) {
    world.clock.set(start + hours * hour);
    const { announced, isWhole } = await sweep(world.runtime, world.ports(), 60);
    reports.push([announced, isWhole]);
  }
  expect(reports).toEqual([
    [60, false],
    [60, false],
    [10, true],
    [0, true],
  ]);
  expect(new Set(world.announced.takeAll().map(({ key }) => key)).size).toBe(130);
});

test('a full sweep that is killed each time leaves every second turn to others', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  // Only a full one finds it.
  world.captures.put({ ...payloads(start, 'old'), key: payloadKey(start - 20 * day, 'old') });
  const isKilled: boolean[] = [];
  for (let hours = 2; hours < 8; hours++) {
    world.clock.set(start + hours * hour);
    const { ports, killed } = faultyPorts(world.ports(), 1, 'kill');
    isKilled.push(await runDisturbed(sweep(world.runtime, ports), killed));
  }
  expect(isKilled).toEqual([true, false, true, false, true, false]);
  world.clock.set(start + 8 * hour);
  expect((await world.sweep()).isWhole).toBe(true);
  world.clock.set(start + 9 * hour);
  const { ports, writes } = faultyPorts(world.ports());
  await sweep(world.runtime, ports);
  // One row as it begins, and the note on what was ingested: not a full one.
  expect(writes).toEqual(['table sweeps']);
  world.clock.set(start + 14 * hour);
  expect((await world.sweep()).announced).toBe(0);
  expect(await listAnnounced(world)).toEqual([]);
});

test('a sweep that is killed after any write, and the next ones, announce everything', async () => {
  const runtime = await createRuntime();
  const objects = [payloads(start, 'a'), payloads(start, 'b'), spanning];
  const undisturbed = new World(runtime);
  for (const object of objects) await undisturbed.deliver(object);
  for (let position = 0; ; position++) {
    const world = new World(runtime);
    for (const object of objects) world.captures.put(object);
    world.clock.set(start + 2 * hour);
    const { ports, killed, writes } = faultyPorts(world.ports(), position, 'kill');
    if (!(await runDisturbed(sweep(runtime, ports), killed))) {
      expect(writes).toEqual(['table sweeps', 'announce', ...Array(3).fill('table announced#credit'), 'table sweeps']);
      break;
    }
    await world.ingestAnnounced();
    for (const hours of [3, 4]) {
      world.clock.set(start + hours * hour);
      await world.sweep();
    }
    expect(world.state.contents('fragments/'), writes.at(-1)).toEqual(undisturbed.state.contents('fragments/'));
  }
});

/** Counts listing requests as S3 would answer them: pages of 1,000 keys, and none beyond what is read. */
function countingPorts(world: World) {
  const pages = { captures: 0, state: 0 };
  async function* paged<T>(name: keyof typeof pages, items: AsyncIterable<T>): AsyncGenerator<T> {
    let read = 0;
    pages[name]++;
    for await (const item of items) {
      if (++read % 1_000 === 1 && read > 1) pages[name]++;
      yield item;
    }
  }
  const ports = world.ports();
  return {
    pages,
    changes: {
      captures: {
        head: (bucket: string, key: string) => world.captures.head(bucket, key),
        read: ports.captures.read.bind(ports.captures),
        list: (bucket: string, prefix: string, after?: string) =>
          paged('captures', world.captures.list(bucket, prefix, after)),
      },
      state: {
        get: (key: string) => world.state.get(key),
        putOnce: (key: string, body: Uint8Array) => world.state.putOnce(key, body),
        list: (prefix: string, after?: string) => paged('state', world.state.list(prefix, after)),
      },
    },
  };
}

test('what a sweep lists does not grow with history, but for every sixth one', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'a'));
  const now = start + 20 * day;
  // Old objects that nobody has to ingest any more, in both sources.
  for (let at = 0; at < 9_000; at++) {
    const time = start + at * 3 * minute;
    for (const key of [payloadKey(time, `o${at}`), payloadKey(time, `o${at}`, 'blue')]) {
      world.captures.put({ key, body: new Uint8Array(), arrived: start });
    }
  }
  const counted = [];
  for (let sweeps = 0; sweeps < 13; sweeps++) {
    world.clock.set(now + sweeps * hour);
    const { pages, changes } = countingPorts(world);
    await world.sweep(changes);
    counted.push(pages.captures);
  }
  // The requests' folder is empty: one page. Each variant: one that finds it, one of the last hours.
  expect(counted).toEqual([20, 4, 4, 4, 4, 4, 20, 4, 4, 4, 4, 4, 20]);
});

test('fragments are listed once, and those of older windows by every sixth sweep only', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'a'));
  const series = world.series();
  for (let at = 0; at < 4_000; at++) {
    const window = new Date(start + (at % 150) * hour).toISOString().slice(0, 13).replaceAll('-', '');
    const id = at.toString(16).padStart(32, '0');
    await world.state.putOnce(
      `fragments/credit/AllTraffic/v1/${series.layout}/${window}0000Z/${id}`,
      Buffer.from(String(at)),
    );
  }
  const counted = [];
  for (const at of [0, 1, 2]) {
    world.clock.set(start + 150 * hour + at * hour);
    const { pages, changes } = countingPorts(world);
    await world.sweep(changes);
    counted.push(pages.state);
  }
  // One of them lists what left no fragments.
  expect(counted).toEqual([6, 2, 2]);
});

test.each([
  ['of the last hours', payloadKey(start + 5 * hour, 'x'), 1],
  ['under an older date', payloadKey(start - 20 * day, 'x'), 6],
  ['without a date', 'data/credit/AllTraffic/x.jsonl', 1],
])('an object %s whose event was lost is found', async (_, key, sweeps) => {
  const world = await createWorld();
  await world.deliver(payloads(start, 'first'));
  await world.tick(start + hour + 10 * minute);
  world.clock.set(start + 5 * hour);
  await world.sweep();
  const from = start + 5 * hour;
  world.captures.put({ ...payloads(from, 'x', 10), key, arrived: from + 20 * minute });
  let found = 0;
  for (let at = 1; at <= 6; at++) {
    world.clock.set(start + 5 * hour + at * hour);
    if ((await world.sweep()).announced > 0) found = at;
  }
  expect(found).toBe(sweeps);
});

test('windows of any age are judged again after a sweep added to them', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, 'a'));
  await world.tick(start + 2 * day);
  await world.sweep();
  // Its key is of today, its records are of the first hour.
  const late = { ...payloads(start, 'late', 12), key: payloadKey(start + 2 * day, 'late'), arrived: start + 2 * day };
  world.captures.put(late);
  world.clock.set(start + 2 * day + hour);
  expect((await world.sweep()).announced).toBe(1);
  expect(restated(await world.judgeTouched())).toEqual([[1, 12]]);
});
