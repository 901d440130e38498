import { expect, test } from 'vitest';
import { IntegrityError } from '../../core/pipeline/write-once.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import { day, hour, linesOf, minute } from './capture-lines.ts';
import { start, World } from './embedded-world.ts';
import { faultyPorts, runDisturbed, type WriteFault } from './faulty-ports.ts';
import {
  captureObject,
  createLabelledRuntime,
  joinAll,
  joinOnce,
  labelObject,
  outcomeOf,
  randomStream,
} from './labelled-world.ts';
import { shuffle } from './random-captures.ts';

const calls = [
  { time: start + 10 * minute, id: 'a', rows: [[1, 'DE'] as const], score: 0.9 },
  { time: start + 20 * minute, id: 'b', rows: [[1, 'DE'] as const], score: 0.8 },
  { time: start + 30 * minute, id: 'c', rows: [[1, 'DE'] as const], score: 0.1 },
  { time: start + day, id: 'd', rows: [[1, 'DE'] as const], score: 0.2 },
];

test('labels meet their inferences, whichever comes first', async () => {
  const world = new World(await createLabelledRuntime());
  await world.deliver(labelObject('early', [{ id: 'a', label: 1, time: start }], start + minute));
  await joinAll(world);
  expect(await outcomeOf(world)).toMatchObject({ cohorts: [], ids: 1, matched: 0 });
  await world.deliver(captureObject('c', calls));
  await joinAll(world);
  const late = [
    { id: 'b', label: 0 },
    { id: 'c', label: 1 },
    { id: 'nobody', label: 1 },
  ];
  await world.deliver(labelObject('late', late, start + 3 * day));
  expect((await joinAll(world))[0]).toMatchObject({ labels: 3, records: 0 });
  const { cohorts, ids, matched } = await outcomeOf(world);
  expect([ids, matched]).toEqual([4, 3]);
  expect(cohorts).toMatchObject([
    {
      day: '2026-03-02',
      hours: [
        { hour: 0, predicted: 2, others: 1, truePositives: 1, falsePositives: 1, falseNegatives: 1, trueNegatives: 0 },
      ],
      bins: [
        [10, 1, expect.any(Number), 1],
        [80, 1, expect.any(Number), 0],
        [89, 1, expect.any(Number), 1],
      ],
      // The first label was given before its inference was made.
      lags: [
        [0, 1],
        [7, 2],
      ],
      corrected: 0,
    },
    { day: '2026-03-03', hours: [{ hour: 0, predicted: 0, others: 1, trueNegatives: 0 }] },
  ]);
});

test('a correction restates its cohort and no other; an older label that comes later does not', async () => {
  const world = new World(await createLabelledRuntime());
  await world.deliver(captureObject('c', calls));
  const first = calls.map(({ id }) => ({ id, label: 1, time: start + day }));
  await world.deliver(labelObject('first', first, start + 2 * day));
  await joinAll(world);
  const older = labelObject('older', [{ id: 'a', label: 0, time: start }], start + 3 * day);
  await world.deliver(older);
  const [{ cohorts: afterOlder } = { cohorts: [] }] = await joinAll(world);
  expect(afterOlder).toMatchObject([expect.stringContaining('2026-03-02')]);
  const isRight = { truePositives: 2, falsePositives: 0, falseNegatives: 1, trueNegatives: 0 };
  expect((await outcomeOf(world)).cohorts[0]).toMatchObject({ hours: [isRight], corrected: 1 });

  await world.deliver(labelObject('newer', [{ id: 'a', label: 0, time: start + 2 * day }], start + 4 * day));
  await joinAll(world);
  const { cohorts, ids, matched } = await outcomeOf(world);
  expect(cohorts[0]).toMatchObject({ hours: [{ ...isRight, truePositives: 1, falsePositives: 1 }], corrected: 1 });
  expect([ids, matched]).toEqual([4, 4]);
  const revisions = world.state.keys('quality/cohorts/').map((key) => key.slice(-28, -22));
  expect(revisions).toEqual(['000000', '000001', '000002', '000000']);
});

test.each([1, 2, 3])(
  'objects in any order, joined now and then, leave what one run over all leaves (seed %i)',
  async (seed) => {
    const runtime = await createLabelledRuntime();
    const { captures, labels } = randomStream(seed, 3);
    const end = start + 6 * day;
    const together = new World(runtime);
    together.clock.set(end);
    for (const object of [...captures, ...labels]) await together.deliver(object);
    await joinAll(together);
    const expected = await outcomeOf(together);
    expect(expected.matched).toBeGreaterThan(100);
    expect(expected.ids).toBeGreaterThan(expected.matched);

    const random = createRandom(seed);
    for (const lookedUp of [1, Number.POSITIVE_INFINITY]) {
      const world = new World(runtime);
      world.clock.set(end);
      const limits = { records: 20, labels: 10, lookedUp };
      for (const object of shuffle([...captures, ...labels, ...labels.slice(0, 5)], random)) {
        await world.deliver(object);
        if (random() < 0.3) await joinOnce(world, {}, limits);
      }
      await joinAll(world, {}, limits);
      expect(await outcomeOf(world)).toEqual(expected);
    }
  },
);

test('whatever write of a run fails or is the last one, the next run leaves what an undisturbed one leaves', async () => {
  const runtime = await createLabelledRuntime();
  const { captures, labels } = randomStream(4, 2);
  const prepare = async () => {
    const world = new World(runtime);
    world.clock.set(start + 5 * day);
    const half = labels.length / 2;
    for (const object of [...captures.slice(0, 12), ...labels.slice(0, half)]) await world.deliver(object);
    await joinAll(world);
    for (const object of [...captures.slice(12), ...labels.slice(half)]) await world.deliver(object);
    return world;
  };
  const undisturbed = await prepare();
  await joinAll(undisturbed);
  const expected = {
    outcome: await outcomeOf(undisturbed),
    state: undisturbed.state.contents(),
    audit: undisturbed.audit.contents(),
  };
  let faults = 0;
  for (const fault of ['before', 'after', 'kill'] satisfies WriteFault[]) {
    for (let position = 0; ; position++) {
      const world = await prepare();
      const { ports, killed } = faultyPorts(world.ports(), position, fault);
      if (!(await runDisturbed(joinOnce(world, ports), killed))) break;
      faults++;
      await joinAll(world);
      expect({ outcome: await outcomeOf(world), state: world.state.contents(), audit: world.audit.contents() }).toEqual(
        expected,
      );
    }
  }
  expect(faults).toBeGreaterThan(3 * 6);
});

test('whatever write of ingesting labels fails, another delivery leaves what an undisturbed one leaves', async () => {
  const runtime = await createLabelledRuntime();
  const object = { ...labelObject('x', [{ id: 'a', label: 1 }], start), body: linesOf(['{', '{"eventMetadata":{}}']) };
  const undisturbed = new World(runtime);
  await undisturbed.deliver(object);
  const contents = (world: World) => [world.state.contents(), world.audit.contents()];
  let faults = 0;
  for (const fault of ['before', 'after', 'kill'] satisfies WriteFault[]) {
    for (let position = 0; ; position++) {
      const world = new World(runtime);
      world.captures.put(object);
      world.clock.set(object.arrived);
      const { ports, killed } = faultyPorts(world.ports(), position, fault);
      if (!(await runDisturbed(world.ingest(object.key, ports), killed))) break;
      faults++;
      expect(await world.ingest(object.key)).toMatchObject({ outcome: 'ingested', labels: 0, quarantined: 2 });
      expect(contents(world)).toEqual(contents(undisturbed));
    }
  }
  expect(faults).toBe(3 * 4);
});

test('an object of labels that was overwritten is refused, and the sweep asks for none twice', async () => {
  const world = new World(await createLabelledRuntime());
  const object = labelObject('x', [{ id: 'a', label: 1 }], start);
  await world.deliver(object);
  await expect(world.deliver({ ...object, body: linesOf(['{}']) })).rejects.toThrow(IntegrityError);
  world.captures.put(object);
  world.clock.set(start + 2 * hour);
  expect((await world.sweep()).announced).toBe(0);
  world.captures.put(labelObject('lost', [{ id: 'a', label: 0 }], start));
  expect((await world.sweep()).announced).toBe(1);
  expect((await world.sweep()).announced).toBe(0);
});

test('labels find inferences of months ago, when what was kept of them for weeks has expired', async () => {
  const world = new World(await createLabelledRuntime({ horizon: '365d' }));
  await world.deliver(captureObject('c', calls));
  await world.deliver(labelObject('first', [{ id: 'a', label: 1, time: start }], start + day));
  await joinAll(world);
  for (let days = 5; days <= 40; days += 5) {
    world.clock.set(start + days * day);
    await joinAll(world);
  }
  for (const side of ['index', 'labels'])
    for (const kept of ['parts', 'recent']) world.state.expire(`${side}/${kept}/`);
  const late = [
    { id: 'a', label: 0 },
    { id: 'b', label: 1 },
  ];
  await world.deliver(labelObject('late', late, start + 300 * day));
  await joinAll(world);
  const { cohorts } = await outcomeOf(world);
  expect(cohorts[0]).toMatchObject({ hours: [{ truePositives: 1, falsePositives: 1 }], corrected: 1 });
  world.clock.set(start + 366 * day + 22 * day);
  await world.deliver(labelObject('too-late', [{ id: 'c', label: 1 }], start + 388 * day));
  await joinAll(world);
  expect((await outcomeOf(world)).cohorts).toEqual([]);
});

test('payloads and ids are nowhere in what is kept', async () => {
  const world = new World(await createLabelledRuntime());
  await world.deliver(captureObject('c', [{ time: start, id: 'canary-4711', rows: [[123.456, 'DE']], score: 0.9 }]));
  await world.deliver(labelObject('l', [{ id: 'canary-4711', label: 1 }], start + hour));
  await joinAll(world);
  const kept = ['index/', 'labels/', 'quality/'].flatMap((prefix) => world.state.contents(prefix));
  expect(kept.length).toBeGreaterThan(5);
  for (const [, body] of kept) expect(Buffer.from(body, 'base64').toString('latin1')).not.toContain('canary');
});
