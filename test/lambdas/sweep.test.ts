import { expect, test } from 'vitest';
import { fragmentWindowPrefix } from '../../core/contract/keys.ts';
import { createEvaluateHandler } from '../../lambdas/evaluate.ts';
import { createIngestHandler } from '../../lambdas/ingest.ts';
import { createSweepHandler } from '../../lambdas/sweep.ts';
import { createRuntime, type WorldPorts } from '../pipeline/embedded-world.ts';
import { announcement, context, failedIds, queueBatch, RecordedLog } from './events.ts';
import { crashAtEveryWrite, hour, LambdaWorld, malformed, minute, payloads, requests, start } from './lambda-world.ts';

const sweepEvent = { schedule: 'sweep' };

/** In a new process of its own. */
function evaluatorOf(world: LambdaWorld) {
  return createEvaluateHandler(async () => ({
    runtimes: [world.runtime],
    ports: world.process(),
    retries: { delay: async () => {} },
    log: new RecordedLog(),
  }));
}

/** What was announced, as the queue brings it to `ingest`. @returns the keys of what failed. */
async function ingestAnnounced(world: LambdaWorld, ports: WorldPorts = world.process()): Promise<readonly string[]> {
  const announced = world.announced.takeAll();
  const log = new RecordedLog();
  const ingest = createIngestHandler(async () => ({
    runtimes: [world.runtime],
    ports,
    retries: { delay: async () => {} },
    log,
  }));
  const failed = failedIds(await ingest(queueBatch(announced.map(announcement)), context));
  return announced.flatMap(({ key }, index) => (failed.includes(`m${index}`) ? [key] : []));
}

/** The touches that wait, as the queue brings them to `evaluate`. */
async function judgeTouches(world: LambdaWorld): Promise<void> {
  const touches = await world.sqlite.touches.take(100);
  const bodies = touches.map(({ windowPrefix }) => JSON.stringify({ windowPrefix }));
  expect(await evaluatorOf(world)(queueBatch(bodies), context)).toEqual({ batchItemFailures: [] });
  for (const touch of touches) await world.sqlite.touches.acknowledge(touch);
}

function handlerOf(world: LambdaWorld, ports: WorldPorts = world.process(), log = new RecordedLog()) {
  return createSweepHandler(async () => ({ runtimes: [world.runtime], ports, log }));
}

/** One window was judged; then came objects that no event announced. */
async function arrangeSweep(world: LambdaWorld, lost = [payloads(start, 'lost'), malformed(start, 'lost-too')]) {
  await world.deliver(payloads(start, 'a'));
  await world.deliver(requests(start, 'r'));
  world.clock.set(start + hour + 11 * minute);
  await evaluatorOf(world)({ schedule: 'tick' }, context);
  for (const touch of await world.sqlite.touches.take(100)) await world.sqlite.touches.acknowledge(touch);
  for (const object of lost) world.captures.put(object);
  world.clock.set(start + 3 * hour);
}

test('announces what no event brought, and lists the evidence before anything else', async () => {
  const world = new LambdaWorld(await createRuntime());
  await arrangeSweep(world);
  const log = new RecordedLog();
  const listed = world.audit.keys().length;
  await handlerOf(world, world.process(), log)(sweepEvent, context);
  expect(log.lines.map(({ message, fields }) => [message, fields.announced ?? fields.appended])).toEqual([
    ['evidence listed', listed],
    ['model swept', 2],
  ]);
  expect(await ingestAnnounced(world)).toEqual([]);
  await judgeTouches(world);
  expect(world.verdicts().map(({ revision, records }) => [revision, records.counted])).toEqual([
    [0, 120],
    [1, 250],
  ]);
  // Two objects and a verdict are left to the next one.
  expect(await world.verifyLog()).toEqual({ problems: [], entries: listed, pending: 3 });
  await handlerOf(world)(sweepEvent, context);
  expect(await world.verifyLog()).toEqual({ problems: [], entries: listed + 3, pending: 0 });
});

test('a window whose touch was lost is asked for by every sweep until it was judged', async () => {
  const world = new LambdaWorld(await createRuntime());
  await arrangeSweep(world);
  const forgetful = world.process({ touches: { touch: async () => {} } });
  await handlerOf(world)(sweepEvent, context);
  expect(await ingestAnnounced(world, forgetful)).toEqual([]);
  expect(await world.sqlite.touches.take(1)).toEqual([]);
  const touched = [fragmentWindowPrefix(world.series(), start)];
  for (const after of [1, 2, 3]) {
    world.clock.set(start + (3 + after) * hour);
    const log = new RecordedLog();
    await handlerOf(world, world.process(), log)(sweepEvent, context);
    expect(log.lines[1]?.fields).toMatchObject({ announced: 0, touched: after === 3 ? [] : touched });
    // The first one's is lost as well, in five attempts to judge the window.
    if (after === 1)
      for (const touch of await world.sqlite.touches.take(9)) await world.sqlite.touches.acknowledge(touch);
    await judgeTouches(world);
  }
  expect(world.verdicts().map(({ revision, records }) => [revision, records.counted])).toEqual([
    [0, 120],
    [1, 250],
  ]);
});

test('one model’s failure keeps neither the others from their sweep nor the evidence from its list', async () => {
  const world = new LambdaWorld(await createRuntime());
  await arrangeSweep(world);
  const broken = await createRuntime({ name: 'broken' });
  const ports = world.process();
  const failing: WorldPorts = {
    ...ports,
    announcements: {
      announce: (captures) =>
        captures.some(({ model }) => model === 'broken')
          ? Promise.reject(new Error('secret'))
          : ports.announcements.announce(captures),
    },
  };
  const log = new RecordedLog();
  const handler = createSweepHandler(async () => ({ runtimes: [broken, world.runtime], ports: failing, log }));
  await expect(handler(sweepEvent, context)).rejects.toThrow('sweep failed for broken;');
  expect(log.messages('info')).toEqual(['evidence listed', 'model swept']);
  expect(log.messages('error')).toEqual(['sweep failed']);
  expect((await world.verifyLog()).pending).toBe(0);
  expect(JSON.stringify(log.lines)).not.toContain('secret');
  // The one whose turn was longest ago comes first.
  world.clock.set(start + 4 * hour);
  const late = await createRuntime({ name: 'late' });
  const again = createSweepHandler(async () => ({ runtimes: [world.runtime, broken, late], ports, log }));
  await again(sweepEvent, context);
  const swept = log.lines.filter(({ message }) => message === 'model swept').map(({ fields }) => fields.model);
  expect(swept).toEqual(['credit', 'late', 'credit', 'broken']);
});

test('an object that can not be ingested keeps no other from it, and is named once', async () => {
  const world = new LambdaWorld(await createRuntime());
  const poison = { ...payloads(start, 'a-poison'), key: 'data/credit/AllTraffic/a-poison' };
  const refused = { ...payloads(start, 'b'), key: 'data/credit/AllTraffic//b' };
  await arrangeSweep(world, [poison, refused, payloads(start, 'lost')]);
  const ports = world.process();
  const { captures } = ports;
  const poisoned: WorldPorts = {
    ...ports,
    captures: {
      head: (bucket, key) => captures.head(bucket, key),
      list: (bucket, prefix) => captures.list(bucket, prefix),
      read: (object) => {
        if (object.key === poison.key) throw new TypeError('poison');
        return captures.read(object);
      },
    },
  };
  await handlerOf(world)(sweepEvent, context);
  expect(await ingestAnnounced(world, poisoned)).toEqual([poison.key]);
  await judgeTouches(world);
  expect(world.verdicts().map(({ records }) => records.counted)).toEqual([120, 240]);

  const log = new RecordedLog();
  const failures: string[] = [];
  let attempts = 1;
  for (let hours = 4; hours < 8 * 24; hours++) {
    world.clock.set(start + hours * hour);
    await handlerOf(world, world.process(), log)(sweepEvent, context).catch((error) => failures.push(String(error)));
    attempts += (await ingestAnnounced(world, poisoned)).length;
  }
  expect(attempts).toBe(5);
  expect(failures).toEqual(['InvocationError: sweep failed for credit; the log says why']);
  const left = log.lines.filter(({ message }) => message === 'capture is left to the dead-letter queue');
  expect(left.map(({ fields }) => fields.key)).toEqual([poison.key]);
});

test('old evidence is left to a call that asks for more days', async () => {
  const world = new LambdaWorld(await createRuntime());
  await arrangeSweep(world);
  world.clock.set(start + 20 * 24 * hour);
  const handler = handlerOf(world);
  await handler(sweepEvent, context);
  expect((await world.verifyLog()).pending).toBeGreaterThan(0);
  await handler({ ...sweepEvent, evidenceDays: 30 }, context);
  expect(await world.verifyLog()).toEqual({ problems: [], entries: world.audit.keys().length, pending: 0 });
  await handler({ ...sweepEvent, evidenceDays: 30 }, context);
  expect((await world.verifyLog()).problems).toEqual([]);
});

test.each([{}, { schedule: 'tick' }, { ...sweepEvent, evidenceDays: '9' }, { ...sweepEvent, evidenceDays: 0.5 }])(
  'another event is refused: %j',
  async (event) => {
    await expect(handlerOf(new LambdaWorld(await createRuntime()))(event, context)).rejects.toThrow(/^event.*expected/);
  },
);

/** What the newest revision counts, and by which fragments. */
function newestOf(world: LambdaWorld) {
  const verdict = world.verdicts().at(-1);
  const { revision: _, evidence, ...said } = verdict ?? { revision: 0, evidence: undefined };
  return { said, profiles: evidence?.profiles, fragments: world.state.contents('fragments/') };
}

test('killed after any write and called again, nothing differs and the list is whole', async () => {
  const writes = await crashAtEveryWrite(
    {
      runtime: await createRuntime(),
      arrange: (world) => arrangeSweep(world, [payloads(start, 'lost'), requests(start, 'lost-too')]),
      invoke: async (world, ports) => {
        await handlerOf(world, ports)(sweepEvent, context);
        await ingestAnnounced(world);
        await judgeTouches(world);
        // The evidence of what was announced, and of the verdict.
        await handlerOf(world)(sweepEvent, context);
        return true;
      },
    },
    async (undisturbed, disturbed, at) => {
      expect(newestOf(disturbed), at).toEqual(newestOf(undisturbed));
      expect(await disturbed.contents(), at).toEqual(await undisturbed.contents());
      expect(await disturbed.verifyLog(), at).toEqual(await undisturbed.verifyLog());
    },
  );
  expect(writes).toContain('announce');
  expect(writes).toContain('table announced#credit');
  expect(writes).toContain('state log');
  expect(writes).toContain('table log');
});

test('two sweeps at once end as one does', async () => {
  const runtime = await createRuntime();
  const alone = new LambdaWorld(runtime);
  const world = new LambdaWorld(runtime);
  for (const one of [alone, world]) await arrangeSweep(one);
  await handlerOf(alone, alone.process())(sweepEvent, context);
  await Promise.all([1, 2].map(() => handlerOf(world, world.process())(sweepEvent, context)));
  for (const one of [alone, world]) {
    await ingestAnnounced(one);
    await judgeTouches(one);
  }
  expect(await world.contents()).toEqual(await alone.contents());
  expect(await world.verifyLog()).toEqual(await alone.verifyLog());
});
