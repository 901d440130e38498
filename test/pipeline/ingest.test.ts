import { expect, test } from 'vitest';
import { metricNames } from '../../core/contract/metric-names.ts';
import type { Fragment } from '../../core/model/profile.ts';
import { guardIntegrity } from '../../core/pipeline/guard-integrity.ts';
import { ingestCapture } from '../../core/pipeline/ingest.ts';
import { RefusedCapture } from '../../core/pipeline/locate.ts';
import type { CaptureStore, ObjectStore } from '../../core/pipeline/ports.ts';
import { IntegrityError } from '../../core/pipeline/write-once.ts';
import { createRandom } from '../evaluate/synthetic-model.ts';
import {
  captureBucket,
  day,
  hour,
  linesOf,
  minute,
  payloadKey,
  payloadLine,
  requestKey,
  requestLine,
} from './capture-lines.ts';
import { createRuntime, createWorld, start, usualCalls, World } from './embedded-world.ts';
import { faultyPorts, runDisturbed, type WriteFault } from './faulty-ports.ts';
import { randomCaptures, shuffle } from './random-captures.ts';

/** An object over two hours with a damaged line, which arrives when its first window is closed. */
const object = {
  key: payloadKey(start + 50 * minute, 'two-windows'),
  body: linesOf([...usualCalls(start + 50 * minute, start + 70 * minute, 20, 3).map(payloadLine), 'damaged']),
  arrived: start + 71 * minute,
};

test('what it is counted by, evidence, then fragments, then the quarantine report, then touches', async () => {
  const world = await createWorld();
  world.captures.put(object);
  world.clock.set(object.arrived);
  const { ports, writes } = faultyPorts(world.ports());
  await world.ingest(object.key, ports);
  expect(writes).toEqual([
    'state runtimes',
    'table runtimes#credit',
    'audit bundles',
    'table series#credit',
    'table series#credit',
    'table ingesting#credit',
    'state fragments',
    'state fragments',
    'state quarantine',
    'touch',
    'table ingesting#credit',
  ]);
  expect(await world.sqlite.touches.take(10)).toMatchObject([{ windowPrefix: expect.stringContaining('T000000Z') }]);
});

/** What ingest leaves behind, and what follows when the windows are judged. */
async function remainder(world: World) {
  await world.tick(start + 40 * hour);
  return {
    state: world.state.contents(),
    audit: world.audit.contents(),
    series: await world.listSeries(),
    records: world.metrics.values(metricNames.records),
  };
}

test('whatever write fails or is the last one, further deliveries leave what an undisturbed one leaves', async () => {
  const runtime = await createRuntime();
  const undisturbed = new World(runtime);
  await undisturbed.deliver(object);
  const expected = await remainder(undisturbed);
  let faults = 0;
  for (const fault of ['before', 'after', 'kill'] satisfies WriteFault[]) {
    for (const deliveries of [1, 2]) {
      for (let position = 0; ; position++) {
        const world = new World(runtime);
        world.captures.put(object);
        world.clock.set(object.arrived);
        const { ports, killed } = faultyPorts(world.ports(), position, fault);
        if (!(await runDisturbed(world.ingest(object.key, ports), killed))) break;
        faults++;
        for (let delivery = 0; delivery < deliveries; delivery++) await world.ingest(object.key);
        expect(await remainder(world)).toEqual(expected);
      }
    }
  }
  expect(faults).toBe(11 * 6);
});

test.each([1, 2, 3])(
  'many objects, shuffled, repeated and failing at random, leave the same (seed %i)',
  async (seed) => {
    const runtime = await createRuntime();
    const objects = randomCaptures(seed, 30, 2);
    const undisturbed = new World(runtime);
    for (const capture of objects) await undisturbed.deliver(capture);
    const { state, audit, records } = await remainder(undisturbed);
    const random = createRandom(100 + seed);
    const world = new World(runtime);
    for (const capture of objects) world.captures.put(capture);
    world.clock.set(Math.max(...objects.map(({ arrived }) => arrived)));
    const queue = shuffle([...objects, ...objects], random).map(({ key }) => key);
    let faults = 0;
    for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
      const fault = (['before', 'after', 'kill'] as const)[Math.floor(3 * random())] ?? 'kill';
      // Now and then beyond the last write of the largest object, or it would be disturbed for ever.
      const { ports, killed } = faultyPorts(world.ports(), Math.floor(24 * random()), fault);
      if (!(await runDisturbed(world.ingest(key, ports), killed))) continue;
      faults++;
      queue.splice(Math.floor(queue.length * random()), 0, key);
    }
    expect(faults).toBeGreaterThan(20);
    const left = await remainder(world);
    expect({ state: left.state, audit: left.audit, records: left.records.toSorted() }).toEqual({
      state,
      audit,
      records: records.toSorted(),
    });
  },
);

test.each([
  ['another bucket', { bucket: 'others', key: payloadKey(start, 'x') }],
  ['a key outside every prefix', { bucket: captureBucket, key: 'elsewhere/x.jsonl' }],
  ['another endpoint', { bucket: captureBucket, key: 'data/credit-canary/AllTraffic/x.jsonl' }],
  ['a prefix without its slash', { bucket: captureBucket, key: 'requests.jsonl' }],
  ['a key that climbs', { bucket: captureBucket, key: 'data/credit/../../etc/passwd' }],
  ['a key with a dot segment', { bucket: captureBucket, key: 'data/credit/./x' }],
  ['an empty segment', { bucket: captureBucket, key: 'data/credit//x' }],
  ['a control character', { bucket: captureBucket, key: 'data/credit/AllTraffic/a\u0000b' }],
  ['a folder', { bucket: captureBucket, key: 'data/credit/AllTraffic/' }],
  ['no key', { bucket: captureBucket, key: '' }],
  ['a variant that no key can hold', { bucket: captureBucket, key: payloadKey(start, 'x', 'v'.repeat(300)) }],
  ['a variant that is no text', { bucket: captureBucket, key: payloadKey(start, 'x', '\ud800') }],
])('refused, with nothing read and nothing written: %s', async (_, event) => {
  const world = await createWorld();
  const untouchable: CaptureStore = {
    head: () => Promise.reject(new Error('head')),
    read: () => {
      throw new Error('read');
    },
    list: () => {
      throw new Error('list');
    },
  };
  const { ports, writes } = faultyPorts(world.ports({ captures: untouchable }));
  await expect(ingestCapture(world.runtime, ports, event)).rejects.toThrow(RefusedCapture);
  expect(writes).toEqual([]);
  expect([...world.state.keys(), ...world.audit.keys()]).toEqual([]);
});

test('refused: an event of another account, or of none, where the source names one', async () => {
  const own = '111122223333';
  const plain = await createRuntime();
  const [source] = plain.policy.sources;
  if (!source) throw new Error('expected a source');
  const runtime = { ...plain, policy: { ...plain.policy, sources: [{ ...source, account: own }] } };
  const world = new World(runtime);
  world.captures.put(object);
  for (const account of ['444455556666', undefined]) {
    const event = { bucket: captureBucket, key: object.key, account };
    await expect(ingestCapture(runtime, world.ports(), event)).rejects.toThrow(RefusedCapture);
  }
  expect(world.captures.reads).toEqual([]);
  const event = { bucket: captureBucket, key: object.key, account: own };
  expect((await ingestCapture(runtime, world.ports(), event)).counted).toBe(20);
});

test('an object that is gone is acknowledged and leaves nothing', async () => {
  const world = await createWorld();
  expect(await world.ingest(object.key)).toMatchObject({ outcome: 'gone', fragments: [] });
  expect([...world.state.keys(), ...world.audit.keys()]).toEqual([]);
});

test.each([
  ['the same day', object.arrived + minute],
  ['a day later', object.arrived + day],
])('other content under a known key, %s: nothing is overwritten, a person is paged', async (_, arrived) => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(object);
  const before = [world.state.contents(), world.audit.keys().length];
  const other = {
    ...object,
    body: linesOf(usualCalls(start + 50 * minute, start + 70 * minute, 9, 4).map(payloadLine)),
  };
  const delivered = world.deliver({ ...other, arrived });
  await expect(delivered).rejects.toThrow(IntegrityError);
  expect(world.state.contents()).toEqual(before[0]);
  expect(await guardIntegrity(world.runtime, world.ports(), () => world.ingest(object.key))).toBeUndefined();
  expect(await guardIntegrity(world.runtime, world.ports(), () => world.ingest(object.key))).toBeUndefined();
  await world.tick(arrived + minute);
  expect(world.metrics.values(metricNames.tier).at(-1)).toBe(2);
  expect(world.liveVerdicts().flatMap(({ findings }) => findings.map(({ kind, tier }) => [kind, tier]))).toEqual([
    ['integrity', 'red'],
  ]);
  const counted = world.state.documents<Fragment>('fragments/').map(({ summary }) => summary.records.counted);
  expect(counted).toEqual([10, 10]);
});

test('other content a day later, of other windows: it is not counted beside the old, and a person is paged', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(object);
  const before = [world.state.contents(), world.audit.contents()];
  const calls = usualCalls(start + day, start + day + 20 * minute, 9, 4);
  const delivered = world.deliver({
    ...object,
    body: linesOf(calls.map(payloadLine)),
    arrived: start + day + 21 * minute,
  });
  await expect(delivered).rejects.toThrow(/^bundles\/credit\/2026-03-02\/.* captures are written once$/);
  expect([world.state.contents(), world.audit.contents()]).toEqual(before);
  expect(await guardIntegrity(world.runtime, world.ports(), () => world.ingest(object.key))).toBeUndefined();
  const [told] = (await world.modelState()).integrity;
  // Told of for a day; what comes later is news, and pages again.
  for (const [after, renewed] of [
    [20 * hour, false],
    [30 * hour, true],
  ] as const) {
    world.clock.set((told?.[1] ?? 0) + after);
    await guardIntegrity(world.runtime, world.ports(), () => world.ingest(object.key));
    expect((await world.modelState()).integrity).toEqual([[told?.[0], renewed ? world.clock.now() : told?.[1]]]);
  }
});

test('the same content written again on a later day is the same object', async () => {
  const world = await createWorld();
  await world.deliver(object);
  const before = world.state.contents();
  expect(await world.deliver({ ...object, arrived: object.arrived + 2 * day })).toMatchObject({ counted: 20 });
  expect(world.state.contents()).toEqual(before);
});

test('an object that arrives on the day in its key costs no look at other days', async () => {
  const world = await createWorld();
  world.captures.put(object);
  world.clock.set(object.arrived);
  const gets: string[] = [];
  const audit: ObjectStore = {
    putOnce: (key, body) => world.audit.putOnce(key, body),
    list: (prefix) => world.audit.list(prefix),
    get: (key) => {
      gets.push(key);
      return world.audit.get(key);
    },
  };
  await world.ingest(object.key, { audit });
  expect(gets).toEqual([]);
});

test.each([
  ['a stricter rule', { drift: { minimumRecords: 50 } }],
  [
    'another schema, by which every line is damaged',
    { versions: [{ match: 'v1', schema: { columns: ['a', 'b', 'c'], prediction: 'score' }, baseline: 'v1.json' }] },
  ],
])('%s and another build see the same object again: what is written stands', async (_, changes) => {
  const world = await createWorld();
  const contents = () => [
    world.state.contents().filter(([key]) => !key.startsWith('runtimes/')),
    world.audit.contents(),
  ];
  await world.deliver(object);
  const before = contents();
  const runtime = await createRuntime({ features: {}, slos: [], ...changes }, 'another build');
  expect(runtime.configHash).not.toBe(world.runtime.configHash);
  const report = await ingestCapture(runtime, world.ports(), { bucket: captureBucket, key: object.key });
  expect(report).toMatchObject({ outcome: 'ingested', counted: 20, quarantined: 1 });
  expect(contents()).toEqual(before);
});

test('an object that arrives a week late is evidence only', async () => {
  const world = await createWorld();
  const late = { ...object, arrived: start + 8 * day };
  expect(await world.deliver(late)).toMatchObject({ counted: 0, expired: 20, quarantined: 1, fragments: [] });
  expect(world.state.keys().map((key) => key.split('/')[0])).toEqual(['empty', 'quarantine', 'runtimes']);
  expect(world.audit.keys()).toHaveLength(1);
});

test('requests count as requests, and touch no record count', async () => {
  const world = await createWorld();
  const lines = usualCalls(start, start + 10 * minute, 12, 5).map(({ time, id }) => requestLine({ time, id }));
  const report = await world.deliver({
    key: requestKey(start, 'r'),
    body: linesOf(lines),
    arrived: start + 11 * minute,
  });
  expect(report).toMatchObject({ counted: 0, requests: 12, quarantined: 0, duplicate: 0 });
  const [fragment] = world.state.documents<Fragment>('fragments/');
  expect(fragment?.summary.requests.counted).toBe(12);
  expect(fragment?.summary.records.captured).toBe(0);
});
