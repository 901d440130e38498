import { expect, test } from 'vitest';
import { metricNames } from '../../core/contract/metric-names.ts';
import { createEvaluateHandler } from '../../lambdas/evaluate.ts';
import type { RetryDelay } from '../../lambdas/retry-delay.ts';
import { createRuntime, type WorldPorts } from '../pipeline/embedded-world.ts';
import { context, failedIds, queueBatch, RecordedLog } from './events.ts';
import { crashAtEveryWrite, hour, LambdaWorld, minute, payloads, requests, start } from './lambda-world.ts';

const tickEvent = { schedule: 'tick' };

function handlerOf(
  world: LambdaWorld,
  ports: WorldPorts = world.process(),
  log = new RecordedLog(),
  retries: RetryDelay = { delay: async () => {} },
) {
  return createEvaluateHandler(async () => ({ runtimes: [world.runtime], ports, retries, log }));
}

/** Two closed windows, the second one drifted, both due. */
async function arrangeTick(world: LambdaWorld) {
  for (const object of [payloads(start, 'a'), payloads(start + hour, 'b', { factor: 20 }), requests(start, 'r')]) {
    await world.deliver(object);
  }
  for (const touch of await world.sqlite.touches.take(100)) await world.sqlite.touches.acknowledge(touch);
  world.clock.set(start + 2 * hour + 11 * minute);
}

async function createTickWorld() {
  const world = new LambdaWorld(await createRuntime());
  await arrangeTick(world);
  return world;
}

test.each([tickEvent, { 'detail-type': 'Scheduled Event', source: 'aws.scheduler', time: '2026-03-02T02:11:00Z' }])(
  'a schedule judges what is due and publishes the gauges: %j',
  async (event) => {
    const world = await createTickWorld();
    const log = new RecordedLog();
    await handlerOf(world, world.process(), log)(event, context);
    expect(world.verdicts().map(({ tier }) => tier)).toEqual(['green', 'yellow']);
    expect(world.metrics.values(metricNames.heartbeat)).toEqual([1]);
    expect(log.lines).toEqual([
      {
        level: 'info',
        message: 'tick completed',
        fields: {
          requestId: 'request-1',
          models: 1,
          judged: world.state.keys('verdicts/').filter((key) => !key.includes('/live/')),
        },
      },
    ]);
  },
);

test.each([{}, { schedule: 'sweep' }, [], 'tick', null])('another event is refused: %j', async (event) => {
  const world = await createTickWorld();
  await expect(handlerOf(world)(event, context)).rejects.toThrow(/^event: expected/);
});

test('equal touches are judged once and acknowledged together; a bad one fails alone', async () => {
  const world = await createTickWorld();
  await handlerOf(world)(tickEvent, context);
  world.clock.set(start + 3 * hour);
  await world.deliver(payloads(start, 'late', { arrived: start + 3 * hour }));
  const [touch] = await world.sqlite.touches.take(10);
  const body = JSON.stringify({ windowPrefix: touch?.windowPrefix });
  const log = new RecordedLog();
  const ports = world.process();
  const reads: number[] = [];
  const read = ports.windows.read.bind(ports.windows);
  ports.windows.read = (series, windowStart) => {
    if (windowStart === start) reads.push(windowStart);
    return read(series, windowStart);
  };
  const unknown = JSON.stringify({ windowPrefix: 'fragments/nobody/AllTraffic/v1/none-3600/20260302T000000Z/' });
  const answer = await handlerOf(world, ports, log)(queueBatch([body, '{}', body, body, unknown]), context);
  expect(failedIds(answer)).toEqual(['m1']);
  expect(log.messages('info')).toEqual(['window judged again']);
  expect(world.verdicts().map(({ revision }) => revision)).toEqual([0, 1, 0]);
  const once = reads.length;
  reads.length = 0;
  await handlerOf(world, ports)(queueBatch([body]), context);
  expect(once).toBeLessThanOrEqual(reads.length);
});

test('a window that can not be judged fails with its own messages only', async () => {
  const world = await createTickWorld();
  await handlerOf(world)(tickEvent, context);
  for (const [from, name] of [
    [start, 'x'],
    [start + hour, 'y'],
  ] as const) {
    await world.deliver(payloads(from, name, { arrived: start + 3 * hour }));
  }
  const touched = (await world.sqlite.touches.take(10)).map(({ windowPrefix }) => windowPrefix);
  const poison = touched[0] ?? '';
  const ports = world.process();
  const poisoned: WorldPorts = {
    ...ports,
    state: {
      ...ports.state,
      get: ports.state.get.bind(ports.state),
      list: ports.state.list.bind(ports.state),
      putOnce: (key, body) =>
        key.startsWith(poison.replace('fragments', 'profiles'))
          ? Promise.reject(new Error('secret'))
          : ports.state.putOnce(key, body),
    },
  };
  const log = new RecordedLog();
  const bodies = touched.map((windowPrefix) => JSON.stringify({ windowPrefix }));
  expect(failedIds(await handlerOf(world, poisoned, log)(queueBatch(bodies), context))).toEqual(['m0']);
  expect(world.verdicts().map(({ revision }) => revision)).toEqual([0, 0, 1]);
  expect(JSON.stringify(log.lines)).not.toContain('secret');
});

test('windows that there is no time for are put off, not tried, and have the first turn when they come again', async () => {
  const world = await createTickWorld();
  await handlerOf(world)(tickEvent, context);
  const windows = [start, start + hour];
  for (const from of windows) await world.deliver(payloads(from, `late-${from}`, { arrived: start + 3 * hour }));
  const bodies = (await world.sqlite.touches.take(10)).map(({ windowPrefix }) => JSON.stringify({ windowPrefix }));
  expect(bodies).toHaveLength(2);
  // The first one once more: one judgement for both of its messages.
  const batch = [...bodies, bodies[0]].map((body, at) => ({
    messageId: `m${at}`,
    body,
    receiptHandle: `handle-${at}`,
    attributes: { ApproximateReceiveCount: at === 1 ? '2' : '1' },
  }));
  const log = new RecordedLog();
  const delays: (readonly [string, number])[] = [];
  const retries: RetryDelay = { delay: async (handle, seconds) => void delays.push([handle, seconds]) };
  const remaining = [300_000, 89_000];
  const short = { ...context, getRemainingTimeInMillis: () => remaining.shift() };
  const answer = await handlerOf(world, world.process(), log, retries)({ Records: batch }, short);
  expect(failedIds(answer)).toEqual(['m0', 'm2']);
  expect(delays).toEqual([
    ['handle-0', 30],
    ['handle-2', 30],
  ]);
  expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
    ['info', 'window judged again'],
    ['warn', 'windows put off: the time is up'],
  ]);
  const judged = () => world.verdicts().map(({ window, revision }) => [Date.parse(window.start), revision]);
  expect(judged()).toEqual([
    [start, 0],
    [start + hour, 0],
    [start + hour, 1],
  ]);
  const later = { ...context, getRemainingTimeInMillis: () => 300_000 };
  const again = { Records: batch.filter((_, at) => at !== 1) };
  expect(failedIds(await handlerOf(world)(again, later))).toEqual([]);
  expect(judged()).toContainEqual([start, 1]);
});

test('a touch that failed is brought back soon', async () => {
  const world = await createTickWorld();
  const delays: (readonly [string, number])[] = [];
  const retries: RetryDelay = { delay: async (handle, seconds) => void delays.push([handle, seconds]) };
  const record = { messageId: 'm0', body: '{}', receiptHandle: 'handle', attributes: { ApproximateReceiveCount: '3' } };
  const handler = handlerOf(world, world.process(), new RecordedLog(), retries);
  expect(failedIds(await handler({ Records: [record] }, context))).toEqual(['m0']);
  expect(delays).toEqual([['handle', 120]]);
});

test('metrics that were throttled are published by the next tick: no score and no page is lost', async () => {
  const calm = await createTickWorld();
  const throttled = await createTickWorld();
  const ports = throttled.process();
  let refusals = 2;
  const sometimes: WorldPorts = {
    ...ports,
    metrics: {
      put: (namespace, data) =>
        refusals-- > 0 ? Promise.reject(new Error('ThrottlingException')) : ports.metrics.put(namespace, data),
    },
  };
  await handlerOf(calm)(tickEvent, context);
  const handler = handlerOf(throttled, sometimes);
  for (let failures = 0; failures < 2; failures++) {
    await expect(handler(tickEvent, context)).rejects.toThrow('tick failed');
  }
  await handler(tickEvent, context);
  expect((await throttled.contents()).metrics).toEqual((await calm.contents()).metrics);
});

test('what leaves the handler and what it logs hold nothing of an error’s text', async () => {
  const world = await createTickWorld();
  const ports = world.process();
  const log = new RecordedLog();
  const metrics = {
    put: () => Promise.reject(new SyntaxError('Unexpected token in {"ssn":"078-05-1120"}\n    at 078-05-1120')),
  };
  const thrown = await handlerOf(
    world,
    { ...ports, metrics },
    log,
  )(tickEvent, context).catch((error: unknown) => error);
  expect(String(thrown)).toBe('InvocationError: tick failed; the log says why');
  expect(thrown).not.toHaveProperty('cause');
  expect(JSON.stringify(log.lines)).not.toContain('078');
  expect(log.lines.at(-1)?.fields).toMatchObject({ model: 'credit', fault: { name: 'SyntaxError' } });
});

test('killed after any write of a tick and called again, nothing differs', async () => {
  const runtime = await createRuntime();
  const writes = await crashAtEveryWrite(
    {
      runtime,
      arrange: arrangeTick,
      invoke: async (world, ports) => {
        await handlerOf(world, ports)(tickEvent, context);
        return true;
      },
    },
    async (undisturbed, disturbed, at) => {
      expect(await disturbed.contents(), at).toEqual(await undisturbed.contents());
    },
  );
  expect(new Set(writes)).toEqual(
    new Set([
      'state profiles',
      'state trails',
      'state verdicts',
      'state slis',
      'audit bundles',
      'metrics',
      'table series#credit',
      'table models',
    ]),
  );
});

test('killed after any write of a restatement and delivered again, nothing differs', async () => {
  const runtime = await createRuntime();
  let body = '';
  const writes = await crashAtEveryWrite(
    {
      runtime,
      arrange: async (world) => {
        await arrangeTick(world);
        await handlerOf(world)(tickEvent, context);
        world.clock.set(start + 3 * hour);
        await world.deliver(payloads(start, 'late', { arrived: start + 3 * hour }));
        const [touch] = await world.sqlite.touches.take(10);
        body = JSON.stringify({ windowPrefix: touch?.windowPrefix });
      },
      invoke: async (world, ports) =>
        failedIds(await handlerOf(world, ports)(queueBatch([body]), context)).length === 0,
    },
    async (undisturbed, disturbed, at) => {
      expect(await disturbed.contents(), at).toEqual(await undisturbed.contents());
    },
  );
  expect(writes).toContain('state verdicts');
});

/** Lets other processes go first now and then, in an order that the seed decides. */
function jittered(ports: WorldPorts, seed: number): WorldPorts {
  let state = seed;
  const pause = async () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    for (let turns = state % 5; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  };
  const store = (of: WorldPorts['state']): WorldPorts['state'] => ({
    list: (prefix) => of.list(prefix),
    get: (key) => pause().then(() => of.get(key)),
    putOnce: (key, body) => pause().then(() => of.putOnce(key, body)),
  });
  const { table } = ports;
  return {
    ...ports,
    state: store(ports.state),
    audit: store(ports.audit),
    table: {
      list: (partition) => pause().then(() => table.list(partition)),
      get: (...row) => pause().then(() => table.get(...row)),
      put: (...row) => pause().then(() => table.put(...row)),
      remove: (...row) => table.remove(...row),
    },
  };
}

test('two ticks at once end as one does', async () => {
  const alone = await createTickWorld();
  await handlerOf(alone)(tickEvent, context);
  const expected = await alone.contents();
  for (let seed = 1; seed <= 20; seed++) {
    const world = await createTickWorld();
    await Promise.all(
      [seed, seed + 100].map((one) =>
        handlerOf(world, world.process(jittered(world.ports(), one)))(tickEvent, context),
      ),
    );
    expect(await world.contents(), `seed ${seed}`).toEqual(expected);
  }
});
