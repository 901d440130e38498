import { expect, test } from 'vitest';
import { httpCapture, sagemakerCapture } from '../../core/contract/config.ts';
import type { Fragment, MinuteSlot } from '../../core/model/profile.ts';
import { guardIntegrity } from '../../core/pipeline/guard-integrity.ts';
import { ingestCapture } from '../../core/pipeline/ingest.ts';
import type { ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { RollUpReader } from '../../core/pipeline/roll-up.ts';
import { sweep } from '../../core/pipeline/sweep.ts';
import { tick } from '../../core/pipeline/tick.ts';
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
import { baselineOf, createRuntime, start, usualCalls, World, type WorldPorts } from './embedded-world.ts';
import { faultyPorts, runDisturbed } from './faulty-ports.ts';
import type { CaptureObject } from './memory-capture-store.ts';

function object(from: number, to: number, name: string) {
  const calls = usualCalls(from, to, 60, 5);
  return { key: payloadKey(from, name), body: linesOf(calls.map(payloadLine)), arrived: to + minute };
}

/** A baseline of other records: its layout is another one. */
function otherBaseline() {
  return baselineOf(
    usualCalls(start - 4 * day, start, 1920, 8).map((call, index) =>
      index % 20 === 0 ? { ...call, rows: [[250, 'ES'] as const] } : call,
    ),
  );
}

test.each(['another layout', 'a baseline where there was none'])(
  '%s, deployed in the middle of a window, loses no record and raises nothing',
  async (change) => {
    const none = [{ match: '*', schema: { columns: ['amount', 'country'], prediction: 'score' } }];
    const before = await createRuntime(change === 'another layout' ? {} : { versions: none });
    const after = await createRuntime({}, 'test', await otherBaseline());
    const world = new World(before);
    await world.deliver(object(start, start + hour, 'a'));
    await world.tick(start + hour + 10 * minute);
    await world.deliver(object(start + hour, start + 1.5 * hour, 'b'));
    // Deployed here.
    for (const [from, to, name] of [
      [start + 1.5 * hour, start + 2 * hour, 'c'],
      [start + 2 * hour, start + 3 * hour, 'd'],
    ] as const) {
      const late = object(from, to, name);
      world.captures.put(late);
      world.clock.set(late.arrived);
      await ingestCapture(after, world.ports(), { bucket: captureBucket, key: late.key });
      world.clock.set(to + 10 * minute);
      await tick([after], world.ports());
    }
    const verdicts = world.verdicts();
    expect(verdicts.map(({ tier }) => tier)).toEqual(verdicts.map(() => 'green'));
    const middle = verdicts.filter(({ window }) => window.start === new Date(start + hour).toISOString());
    expect(middle.map(({ revision }) => revision).sort()).toEqual([0, 1]);
    expect(middle.map(({ records }) => records.counted)).toEqual([60, 60]);
    expect(verdicts.at(-1)?.features.amount?.scales?.length).toBe(7);
  },
);

const schema = { columns: ['amount', 'country'], prediction: 'score' };
const requests = httpCapture({ bucket: captureBucket, prefix: 'requests', role: 'requests' });
const named = (baseline: string | undefined, ...matches: readonly string[]) =>
  matches.map((match) => ({ match, schema, ...(baseline !== undefined && { baseline }) }));

/** What may be deployed between two deliveries of an object. */
const deployments = {
  'another layout': async () => createRuntime({}, 'test', await otherBaseline()),
  'no baseline': () => createRuntime({ versions: named(undefined, '*') }),
  'another default version': () => createRuntime({ versions: named('v1.json', 'v3', 'v1', 'v2*') }),
  'versions from nowhere': () =>
    createRuntime({
      source: [sagemakerCapture({ bucket: captureBucket, prefix: 'data', endpoint: 'credit' }), requests],
      versions: named('v1.json', 'v3'),
    }),
  'other patterns and another layout': async () =>
    createRuntime({ versions: named('v1.json', 'w*', '*') }, 'test', await otherBaseline()),
  'another variant': () =>
    createRuntime({
      source: [
        sagemakerCapture({ bucket: captureBucket, prefix: '', endpoint: 'data', versionFrom: 'version' }),
        requests,
      ],
    }),
  'another window and another layout': async () => createRuntime({ window: '45m' }, 'test', await otherBaseline()),
  'another account': () =>
    createRuntime({
      source: [
        sagemakerCapture({
          bucket: captureBucket,
          prefix: 'data',
          endpoint: 'credit',
          versionFrom: 'version',
          account: '111122223333',
        }),
        requests,
      ],
      versions: named(undefined, '*'),
    }),
};

const records = 60;
const calls = usualCalls(start + 20 * minute, start + 80 * minute, records, 61).map((call, index) => ({
  ...call,
  ...(index % 3 === 0 && { version: 'v2b' }),
}));
/** Two windows and two versions each; the requests have the default version. */
const spanning: CaptureObject = {
  key: payloadKey(start + 20 * minute, 'spanning'),
  body: linesOf([...calls.map(payloadLine), 'damaged']),
  arrived: start + 81 * minute,
};
const spanningRequests: CaptureObject = {
  key: requestKey(start + 20 * minute, 'spanning'),
  body: linesOf(calls.map(({ time, id }, index) => requestLine({ time, id, status: index % 9 === 4 ? 503 : 200 }))),
  arrived: start + 81 * minute,
};

function worldOf(runtime: ModelRuntime, object: CaptureObject): World {
  const world = new World(runtime);
  world.captures.put(object);
  world.clock.set(object.arrived);
  return world;
}

function take(world: World, runtime: ModelRuntime, { key }: CaptureObject, ports: Partial<WorldPorts> = {}) {
  const { account } = runtime.policy.sources[0] ?? {};
  return ingestCapture(runtime, world.ports(ports), { bucket: captureBucket, key, account });
}

function fragmentsOf(world: World) {
  return world.state.contents('fragments/');
}

/** What all series together hold: every record, request and event of an objective once. */
function sumsOf(world: World) {
  const sums = { records: 0, requests: 0, quarantined: 0, minutes: new Map<string, number>() };
  const add = (what: string, count: number) => sums.minutes.set(what, (sums.minutes.get(what) ?? 0) + count);
  const addSlot = ({ minute, rows, requests: answered, slis }: MinuteSlot) => {
    add(`${minute} rows`, rows);
    add(`${minute} requests`, answered);
    for (const [slo, good, valid] of slis) {
      add(`${minute} ${slo} good`, good);
      add(`${minute} ${slo} valid`, valid);
    }
  };
  for (const { summary } of world.state.documents<Fragment>('fragments/')) {
    sums.records += summary.records.counted;
    sums.requests += summary.requests.counted;
    sums.quarantined += summary.records.quarantined;
    summary.minutes.forEach(addSlot);
  }
  return { ...sums, minutes: [...sums.minutes].sort() };
}

/** What one delivery leaves that nothing disturbs, and the names of its writes. */
async function undisturbed(runtime: ModelRuntime, object: CaptureObject) {
  const world = worldOf(runtime, object);
  const { ports, writes } = faultyPorts(world.ports());
  await take(world, runtime, object, ports);
  return { world, writes };
}

type Whole = Awaited<ReturnType<typeof undisturbed>>;

/** Of two builds, the one whose evidence came first. */
function expectDecided(world: World, wholes: readonly Whole[]) {
  const bundle = String(world.audit.contents());
  const whole = wholes.find((one) => String(one.world.audit.contents()) === bundle)?.world;
  if (!whole) throw new Error('expected the evidence of one of the builds');
  expect(fragmentsOf(world)).toEqual(fragmentsOf(whole));
  expect(sumsOf(world)).toEqual(sumsOf(whole));
}

const cases = Object.keys(deployments).flatMap((change) => [
  [change, 'records', spanning] as const,
  ...(change.includes('default') || change.includes('window') ? [[change, 'requests', spanningRequests] as const] : []),
]);

test.each(cases)('%s, deployed between any two writes of an object of %s: counted once', async (change, _, object) => {
  const before = await createRuntime();
  const after = await deployments[change as keyof typeof deployments]();
  const whole = await undisturbed(before, object);
  const wholes = [whole, await undisturbed(after, object)];
  expect(whole.writes.filter((write) => write === 'state fragments').length).toBeGreaterThan(1);
  const fragments = fragmentsOf(whole.world);
  // Delivered whole, and again after the deployment.
  await take(whole.world, after, object);
  expect(fragmentsOf(whole.world)).toEqual(fragments);
  for (let position = 0; position < whole.writes.length; position++) {
    for (const how of ['redelivered', 'announced'] as const) {
      const world = worldOf(before, object);
      const { ports, killed } = faultyPorts(world.ports(), position, 'kill');
      expect(await runDisturbed(take(world, before, object, ports), killed)).toBe(true);
      if (how === 'redelivered') await take(world, after, object);
      else await sweepAndTake(world, after, object.arrived + hour);
      expectDecided(world, wholes);
      if (position < whole.writes.indexOf('audit bundles')) continue;
      expect(fragmentsOf(world)).toEqual(fragments);
      // Nothing is left to do.
      await sweepAndTake(world, after, object.arrived + 2 * hour);
      world.clock.set(object.arrived + 3 * hour);
      expect((await sweep(after, world.ports())).announced).toBe(0);
      expect(await world.sqlite.table.list('ingesting#credit')).toEqual([]);
      expect(fragmentsOf(world)).toEqual(fragments);
    }
  }
});

async function sweepAndTake(world: World, runtime: ModelRuntime, now: number) {
  world.clock.set(now);
  await sweep(runtime, world.ports());
  for (const capture of world.announced.takeAll()) {
    await ingestCapture(runtime, world.ports(), { ...capture, isRepeated: true });
  }
}

test.each(cases)('%s, two builds at once with an object of %s: counted once', async (change, _, object) => {
  const builds = [await createRuntime(), await deployments[change as keyof typeof deployments]()] as const;
  const wholes = [await undisturbed(builds[0], object), await undisturbed(builds[1], object)];
  for (const [slow, fast] of [builds, [builds[1], builds[0]]] as const) {
    const { writes } = await undisturbed(slow, object);
    for (let position = 0; position < writes.length; position++) {
      const world = worldOf(slow, object);
      const { ports } = faultyPorts(world.ports(), position, () => take(world, fast, object));
      await take(world, slow, object, ports);
      expectDecided(world, wholes);
    }
  }
});

test.each(cases)('%s, with an object of %s cut in two: daily sums are as without it', async (change, _, object) => {
  const before = await createRuntime();
  const after = await deployments[change as keyof typeof deployments]();
  const sums = async (world: World) => {
    for (const runtime of [before, after]) {
      world.clock.set(start + 4 * hour);
      await tick([runtime], world.ports());
    }
    const hours = await new RollUpReader(world.state).hours((await world.modelState()).rollUps.map(([, key]) => key));
    return hours.map(({ hour: at, rows, requests: answered, slis }) => ({ at, rows, answered, slis }));
  };
  const whole = await undisturbed(before, object);
  const world = worldOf(before, object);
  const { ports, killed } = faultyPorts(world.ports(), whole.writes.indexOf('state fragments'), 'kill');
  expect(await runDisturbed(take(world, before, object, ports), killed)).toBe(true);
  await take(world, after, object);
  const expected = await sums(whole.world);
  expect(expected.length).toBeGreaterThan(1);
  expect(await sums(world)).toEqual(expected);
});

test('an object whose beginning names what is gone is a finding, and counted by nobody', async () => {
  const before = await createRuntime();
  const world = worldOf(before, spanning);
  const { ports, killed } = faultyPorts(world.ports(), 2, 'kill');
  expect(await runDisturbed(take(world, before, spanning, ports), killed)).toBe(true);
  expect(world.audit.keys()).toHaveLength(1);
  expect(world.state.expire('runtimes/')).toBe(1);
  const after = await createRuntime({}, 'test', await otherBaseline());
  const report = await guardIntegrity(after, world.ports(), () => take(world, after, spanning));
  expect(report).toBeUndefined();
  expect((await world.modelState()).integrity).toEqual([
    [expect.stringMatching(/^runtimes\/credit\//), spanning.arrived],
  ]);
  expect(world.state.keys('fragments/')).toEqual([]);
});

test('what objects are counted by is kept once for each configuration', async () => {
  const before = await createRuntime();
  const world = worldOf(before, spanning);
  await take(world, before, spanning);
  world.captures.put(spanningRequests);
  const { ports, writes } = faultyPorts(world.ports());
  await take(world, before, spanningRequests, ports);
  expect(writes[0]).toBe('audit bundles');
  expect(world.state.keys('runtimes/')).toHaveLength(1);
});
