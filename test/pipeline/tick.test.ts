import { expect, test } from 'vitest';
import { bundleKey, fragmentKey, verdictKey } from '../../core/contract/keys.ts';
import { metricNames } from '../../core/contract/metric-names.ts';
import { shortHash } from '../../core/model/content-hash.ts';
import { FailedModels } from '../../core/pipeline/failed-models.ts';
import type { MetricSink, ObjectStore } from '../../core/pipeline/ports.ts';
import { tick } from '../../core/pipeline/tick.ts';
import { IntegrityError } from '../../core/pipeline/write-once.ts';
import { type Call, hour, linesOf, minute, payloadKey, payloadLine, requestKey, requestLine } from './capture-lines.ts';
import { createRuntime, createWorld, start, usualCalls, type World } from './embedded-world.ts';

function payloads(from: number, to: number, count: number, options: { version?: string; variant?: string } = {}) {
  const calls = usualCalls(from, to, count, 11).map((call): Call => ({ ...call, version: options.version }));
  const key = payloadKey(from, `p-${to}-${options.version ?? 'v1'}`, options.variant);
  return { key, body: linesOf(calls.map(payloadLine)), arrived: to + 2 * minute };
}

function requests(from: number, to: number, count: number) {
  return requestsOf(from, to, count, 200);
}

function requestsOf(from: number, to: number, count: number, status: number) {
  const lines = usualCalls(from, to, count, 12).map(({ time, id }) => requestLine({ time, id, status }));
  return { key: requestKey(from, `r-${to}`), body: linesOf(lines), arrived: to + 2 * minute };
}

function tiers(world: World) {
  return world.metrics.values(metricNames.tier);
}

/** Ticks every five minutes. */
async function tickUntil(world: World, until: number) {
  const judged = [];
  const first = Math.floor(world.clock.now() / (5 * minute)) + 1;
  for (let now = first * 5 * minute; now <= until; now += 5 * minute) judged.push(...(await world.tick(now)));
  return judged;
}

test('a window is judged once, at its end plus grace', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + hour, 120));
  expect(await world.tick(start + hour + 10 * minute - 1)).toEqual([]);
  const judged = await world.tick(start + hour + 10 * minute);
  expect(judged.map(({ verdict }) => [verdict.window.start, verdict.tier])).toEqual([
    [new Date(start).toISOString(), 'green'],
  ]);
  expect(await world.tick(start + hour + 11 * minute)).toEqual([]);
  expect(world.verdicts()).toHaveLength(1);
});

test('objects that arrive out of order before the first judgement are judged in their turn', async () => {
  const world = await createWorld();
  await world.deliver({ ...payloads(start + hour, start + 2 * hour, 120), arrived: start + hour + 5 * minute });
  await world.deliver({ ...payloads(start, start + hour, 120), arrived: start + hour + 6 * minute });
  expect(await world.tick(start + hour + 7 * minute)).toEqual([]);
  const judged = await world.tick(start + hour + 10 * minute);
  expect(judged.map(({ verdict }) => [verdict.window.start, verdict.revision])).toEqual([
    [new Date(start).toISOString(), 0],
  ]);
});

test('late data for a judged window is judged at the next tick, by its touch', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + hour, 120));
  await world.tick(start + hour + 10 * minute);
  const late = { ...payloads(start, start + 30 * minute, 20), arrived: start + hour + 20 * minute };
  await world.deliver(late);
  const judged = await world.tick(start + hour + 21 * minute);
  expect(judged.map(({ verdict }) => [verdict.revision, verdict.records.late])).toEqual([[1, 20]]);
});

test('an empty window is green where the source confirms that nobody called, else red', async () => {
  for (const confirmed of [true, false]) {
    const world = await createWorld();
    await world.deliver(payloads(start, start + hour, 120));
    for (let at = start + hour; confirmed && at < start + 4 * hour; at += minute) {
      await world.sqlite.invocations.recordInvocations('credit', at, at + minute, 0);
    }
    const judged = await tickUntil(world, start + 3 * hour + 10 * minute);
    expect(judged.map(({ verdict }) => verdict.tier)).toEqual(
      confirmed ? ['green', 'green', 'green'] : ['green', 'red', 'red'],
    );
    // The live judgement says the same, long before the window is closed.
    expect(Math.max(...tiers(world))).toBe(confirmed ? 0 : 2);
    expect(world.liveVerdicts().flatMap(({ findings }) => findings.map(({ kind, tier }) => [kind, tier]))[0]).toEqual(
      confirmed ? ['silence', 'green'] : ['silence', 'red'],
    );
  }
});

test('requests without records are calls whose captures are missing', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + hour, 120));
  await world.deliver(requests(start, start + hour, 120));
  const judged = await tickUntil(world, start + hour + 10 * minute);
  await world.deliver(requests(start + hour, start + 2 * hour, 120));
  judged.push(...(await tickUntil(world, start + 2 * hour + 10 * minute)));
  expect(judged.map(({ verdict }) => verdict.tier)).toEqual(['green', 'red']);
  expect(judged[1]?.verdict.findings[0]?.message).toContain('captures are missing');
});

test('a retired version is not silent', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + hour, 120, { version: 'v1' }));
  for (const at of [1, 2, 3]) {
    await world.deliver(payloads(start + at * hour, start + (at + 1) * hour, 120, { version: 'v2' }));
    await tickUntil(world, start + (at + 1) * hour + 10 * minute);
  }
  expect(world.verdicts().map(({ version, tier }) => [version, tier])).toEqual([
    ['v1', 'green'],
    ['v2', 'green'],
    ['v2', 'green'],
    ['v2', 'green'],
  ]);
  expect(Math.max(...tiers(world))).toBe(0);
});

test('requests of a variant that has no records of its own are neither judged nor lost', async () => {
  const world = await createWorld({ silenceAfter: '2h' });
  for (const at of [0, 1, 2]) {
    const from = start + at * hour;
    await world.deliver(payloads(from, from + hour, 120, { variant: 'blue' }));
    await world.deliver(requests(from, from + hour - minute, 120));
    await tickUntil(world, from + hour + 5 * minute);
  }
  // Late requests touch a window that was judged for the other variant.
  await world.deliver({ ...requests(start, start + 10 * minute, 10), arrived: start + 3 * hour + 6 * minute });
  await tickUntil(world, start + 3 * hour + 20 * minute);
  // They need no verdict, so the sweep does not ask for any.
  expect(await world.sweep()).toMatchObject({ announced: 0, touched: [] });
  await world.tick(start + 3 * hour + 25 * minute);
  expect(world.verdicts().map(({ variant, tier }) => [variant, tier])).toEqual([
    ['blue', 'green'],
    ['blue', 'green'],
    ['blue', 'green'],
  ]);
  expect(Math.max(...tiers(world))).toBe(0);
  const { rollUps } = await world.modelState();
  const hours = await world.ports().rollUps.hours(rollUps.map(([, key]) => key));
  expect(hours.map(({ requests: count }) => count)).toEqual([130, 120, 120]);
});

test('the heartbeat comes last, and not at all where a model could not be measured', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + hour, 120));
  await world.tick(start + hour + 10 * minute);
  expect(world.metrics.data.at(-1)).toMatchObject({ name: metricNames.heartbeat, value: 1, dimensions: [] });
  const before = world.metrics.data.length;
  const broken: MetricSink = { put: () => Promise.reject(new Error('throttled')) };
  await world.deliver(payloads(start + hour, start + 2 * hour, 120));
  await expect(world.tick(start + 2 * hour + 10 * minute, { metrics: broken })).rejects.toThrow('throttled');
  expect(world.metrics.data).toHaveLength(before);
  await world.tick(start + 2 * hour + 11 * minute);
  expect(world.metrics.values(metricNames.records)).toEqual([120, 120]);
  expect(world.metrics.values(metricNames.heartbeat)).toHaveLength(2);
});

test('the tier is withheld where judging lags behind, unless something is red now', async () => {
  const world = await createWorld({ silenceAfter: '30d' });
  await world.deliver(payloads(start, start + hour, 120));
  await world.tick(start + hour + 10 * minute);
  await world.deliver(payloads(start + hour, start + 2 * hour, 120));
  // Someone wrote where the evidence of the next verdict belongs: the window can't be judged.
  const next = verdictKey(world.series(), start + hour, 0);
  const place = bundleKey('credit', '2026-03-02', shortHash(`verdict\n${next}`));
  await world.audit.putOnce(place, Buffer.from('{}'));
  await world.tick(start + 2 * hour + 10 * minute);
  expect(tiers(world)).toEqual([0, 2]);
  expect(world.liveVerdicts().map(({ findings }) => findings.map(({ kind }) => kind))).toEqual([['integrity']]);
  await world.tick(start + 5 * hour);
  expect(tiers(world)).toEqual([0, 2, 2]);
  // A day later it is still there, is met again, and is still told of.
  await world.tick(start + 30 * hour);
  expect(tiers(world)).toEqual([0, 2, 2, 2]);
  expect(world.metrics.values(metricNames.evaluationLagSeconds).at(-1)).toBe(29 * 3600);
  expect(world.metrics.values(metricNames.quarantineShare)).toHaveLength(2);
  expect(world.metrics.values(metricNames.heartbeat)).toHaveLength(4);
  expect(await world.audit.get(place)).toEqual(Uint8Array.from(Buffer.from('{}')));
  // Nothing is red here, but what is known is old.
  const late = await createWorld({ silenceAfter: '30d' });
  await late.deliver(payloads(start, start + hour, 120));
  await late.tick(start + hour + 10 * minute);
  await late.deliver(payloads(start + hour, start + 2 * hour, 120));
  late.clock.set(start + 30 * hour);
  await tick([late.runtime], late.ports(), { catchUpWindows: 0, concurrentModels: 1 });
  expect(tiers(late)).toEqual([0]);
  expect(late.metrics.values(metricNames.evaluationLagSeconds).at(-1)).toBe(29 * 3600);
});

test('a change of the live tier is written and evidenced before it is published', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + 10 * minute, 20));
  await world.tick(start + 15 * minute);
  const order: string[] = [];
  const noting = (name: string, store: World['state']): ObjectStore => ({
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    putOnce: (key, body) => {
      order.push(`${name}: ${key.split('/')[0]}`);
      return store.putOnce(key, body);
    },
  });
  // Silent since the tenth minute: 2 × the baseline's longest gap, at least 10 minutes, and 5 for the capture delay.
  await world.tick(start + 40 * minute, {
    state: noting('state', world.state),
    audit: noting('audit', world.audit),
    metrics: { put: async (_, data) => void order.push(`metrics: ${data.find(({ name }) => name === 'Tier')?.value}`) },
  });
  expect(order).toEqual(['state: verdicts', 'audit: bundles', 'metrics: 2']);
  const { live } = await world.modelState();
  expect(live.tier).toBe('red');
  expect(world.state.keys()).toContain(live.key);
  // The same finding is not written again, and its end is.
  await world.tick(start + 45 * minute);
  expect(world.liveVerdicts()).toHaveLength(1);
  await world.deliver({ ...payloads(start + 40 * minute, start + 46 * minute, 30), arrived: start + 47 * minute });
  await world.tick(start + 48 * minute);
  expect(world.liveVerdicts().map(({ tier }) => tier)).toEqual(['red', 'green']);
});

test('two live judgements of one minute: the one that was written stands until the next minute', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + 10 * minute, 20));
  await world.tick(start + 15 * minute);
  // The first one crashes when it is written and evidenced; data comes in before it is repeated.
  const { table } = world.sqlite;
  const crashing: typeof table = Object.assign(Object.create(table), {
    get: (...names: Parameters<typeof table.get>) => table.get(...names),
    list: (name: string) => table.list(name),
    put: () => Promise.reject(new Error('crash')),
  });
  await expect(world.tick(start + 40 * minute, { table: crashing })).rejects.toThrow('crash');
  const broken = requestsOf(start + 10 * minute, start + 40 * minute, 300, 503);
  await world.deliver({ ...broken, arrived: start + 40 * minute });
  await world.tick(start + 40 * minute);
  expect(world.liveVerdicts().map(({ findings }) => findings.map(({ kind }) => kind))).toEqual([['silence']]);
  await world.tick(start + 41 * minute);
  expect(world.liveVerdicts().map(({ findings }) => findings.map(({ kind }) => kind))).toEqual([
    ['silence'],
    ['slo', 'silence'],
  ]);
});

test('foreign bytes where only ingest writes page for their model, and the rest goes on', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + hour, 120));
  await world.deliver(payloads(start, start + hour, 120, { variant: 'Canary' }));
  const canary = { ...world.series(), variant: 'Canary' };
  await world.state.putOnce(fragmentKey(canary, start, 'f'.repeat(32)), Buffer.from('{}'));
  const judged = await world.tick(start + hour + 10 * minute);
  expect(judged.map(({ verdict }) => verdict.variant)).toEqual(['AllTraffic']);
  expect(tiers(world)).toEqual([2]);
  expect(world.metrics.values(metricNames.heartbeat)).toEqual([1]);
  expect((await world.modelState()).integrity).toHaveLength(1);
});

test('the lag is that of the series that is behind', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + hour, 120));
  await world.deliver(payloads(start, start + hour, 120, { variant: 'Canary' }));
  const stuck: ObjectStore = {
    putOnce: (key, body) => {
      if (key.startsWith('verdicts/') && key.includes('Canary')) throw new IntegrityError(key, 'is stuck');
      return world.state.putOnce(key, body);
    },
    get: (key) => world.state.get(key),
    list: (prefix) => world.state.list(prefix),
  };
  await world.tick(start + hour + 10 * minute, { state: stuck });
  expect(world.metrics.values(metricNames.evaluationLagSeconds)).toEqual([70 * 60]);
  await world.tick(start + hour + 11 * minute);
  expect(world.metrics.values(metricNames.evaluationLagSeconds).at(-1)).toBe(11 * 60);
});

test('silence counts from the last record, also when it is older than what is looked back on', async () => {
  const world = await createWorld({ silenceAfter: '4h' });
  await world.deliver(payloads(start, start + 50 * minute, 100));
  await tickUntil(world, start + 55 * minute);
  await world.deliver(payloads(start + 50 * minute, start + hour, 20));
  const isSilent = async () => (await world.modelState()).live.tier === 'red';
  // Four hours and the capture delay of five minutes after the last record at 00:59.
  await tickUntil(world, start + 5 * hour);
  expect(await isSilent()).toBe(false);
  await tickUntil(world, start + 5 * hour + 10 * minute);
  expect(await isSilent()).toBe(true);
});

test('models that fail are named; the others are published, and there is no heartbeat', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + hour, 120));
  const [first, last] = [await createRuntime({ name: 'first' }), await createRuntime({ name: 'last' })];
  const { table } = world.sqlite;
  const ports = world.ports({
    table: {
      get: (...row) => table.get(...row),
      put: (...row) => table.put(...row),
      remove: (...row) => table.remove(...row),
      list: (partition) =>
        partition === 'series#credit' ? table.list(partition) : Promise.reject(new Error(`no ${partition}`)),
    },
  });
  world.clock.set(start + hour + 10 * minute);
  const error: unknown = await tick([first, world.runtime, last], ports).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FailedModels);
  expect(error).toMatchObject({
    message: 'tick failed for first (no series#first), last (no series#last)',
    failures: [{ model: 'first' }, { model: 'last' }],
  });
  expect(tiers(world)).toEqual([0]);
  expect(world.metrics.values(metricNames.records)).toEqual([120]);
  expect(world.metrics.values(metricNames.heartbeat)).toEqual([]);
});

test('metrics that CloudWatch would not take are reported', async () => {
  const world = await createWorld();
  await world.deliver(payloads(start, start + hour, 120));
  world.clock.set(start + hour + 10 * minute);
  expect((await tick([world.runtime], world.ports())).refused).toEqual([]);
  // Judged after a standstill: scores carry their window's end.
  const late = await createWorld();
  await late.deliver(payloads(start, start + hour, 120));
  late.clock.set(start + 15 * 24 * hour);
  const { refused } = await tick([late.runtime], late.ports());
  expect(refused).toContainEqual({ name: metricNames.records, reason: 'too-old', count: expect.any(Number) });
  expect(late.metrics.values(metricNames.heartbeat)).toEqual([1]);
});

test('a tick lists the fragments of all hours that it looks at by one request a series', async () => {
  const world = await createWorld();
  for (const at of [0, 1, 2, 3]) {
    await world.deliver(payloads(start + at * hour, start + (at + 1) * hour, 120));
    await world.tick(start + (at + 1) * hour + 10 * minute);
  }
  const lists: string[] = [];
  const state: ObjectStore = {
    get: (key) => world.state.get(key),
    putOnce: (key, body) => world.state.putOnce(key, body),
    list: (prefix, after) => {
      lists.push(prefix);
      return world.state.list(prefix, after);
    },
  };
  await world.tick(start + 4 * hour + 11 * minute, { state });
  expect(lists).toEqual([expect.stringMatching(/^fragments\/credit\/AllTraffic\/v1\/[0-9a-f]+-3600\/$/)]);
});
