import { expect, test } from 'vitest';
import { sweep } from '../../core/pipeline/sweep.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { day, hour, minute, payloadKey } from './capture-lines.ts';
import { createRuntime, createWorld, start, World } from './embedded-world.ts';
import { faultyPorts, runDisturbed } from './faulty-ports.ts';
import { randomCaptures } from './random-captures.ts';
import { forgetful, listAnnounced, payloads, spanning } from './swept-captures.ts';

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
