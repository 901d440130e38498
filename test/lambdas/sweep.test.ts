import { expect, test } from 'vitest';
import { fragmentWindowPrefix } from '../../core/contract/keys.ts';
import { createEvaluateHandler } from '../../lambdas/evaluate.ts';
import { createSweepHandler } from '../../lambdas/sweep.ts';
import { createRuntime, type WorldPorts } from '../pipeline/embedded-world.ts';
import { context, queueBatch, RecordedLog } from './events.ts';
import { crashAtEveryWrite, hour, LambdaWorld, malformed, minute, payloads, requests, start } from './lambda-world.ts';

const sweepEvent = { schedule: 'sweep' };

/** In a new process of its own. */
function evaluatorOf(world: LambdaWorld) {
  return createEvaluateHandler(async () => ({
    runtimes: [world.runtime],
    ports: world.process(),
    log: new RecordedLog(),
  }));
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

test('takes in what no event brought, touches what it changed, and lists the evidence', async () => {
  const world = new LambdaWorld(await createRuntime());
  await arrangeSweep(world);
  const log = new RecordedLog();
  await handlerOf(world, world.process(), log)(sweepEvent, context);
  expect(world.verdicts()).toHaveLength(1);
  await judgeTouches(world);
  expect(world.verdicts().map(({ revision, records }) => [revision, records.counted])).toEqual([
    [0, 120],
    [1, 250],
  ]);
  // The verdict that came after it is left to the next one.
  const listed = world.audit.keys().length - 1;
  expect(await world.verifyLog()).toEqual({ problems: [], entries: listed, pending: 1 });
  expect(log.lines.map(({ message, fields }) => [message, fields.ingested ?? fields.appended])).toEqual([
    ['model swept', 2],
    ['evidence listed', listed],
  ]);
});

test('a window whose touch was lost is asked for by every sweep until it was judged', async () => {
  const world = new LambdaWorld(await createRuntime());
  await arrangeSweep(world);
  const forgetful = world.process({ touches: { touch: async () => {} } });
  await handlerOf(world, forgetful)(sweepEvent, context);
  expect(await world.sqlite.touches.take(1)).toEqual([]);
  const touched = [fragmentWindowPrefix(world.series(), start)];
  for (const after of [1, 2, 3]) {
    world.clock.set(start + (3 + after) * hour);
    const log = new RecordedLog();
    await handlerOf(world, world.process(), log)(sweepEvent, context);
    expect(log.lines[0]?.fields).toMatchObject({ ingested: 0, touched: after === 3 ? [] : touched });
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
    keys: {
      modelDayKey: (model, day) =>
        model === 'broken' ? Promise.reject(new Error('secret')) : ports.keys.modelDayKey(model, day),
    },
  };
  const log = new RecordedLog();
  const handler = createSweepHandler(async () => ({ runtimes: [broken, world.runtime], ports: failing, log }));
  await expect(handler(sweepEvent, context)).rejects.toThrow('sweep failed for broken;');
  expect(log.messages('info')).toEqual(['model swept', 'evidence listed']);
  // One line for each object that failed.
  expect(log.messages('error')).toEqual(Array(4).fill('sweep failed'));
  expect((await world.verifyLog()).pending).toBe(0);
  expect(JSON.stringify(log.lines)).not.toContain('secret');
});

test('an object that is refused, or fails, keeps none after it from being found', async () => {
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
  const log = new RecordedLog();
  await expect(handlerOf(world, poisoned, log)(sweepEvent, context)).rejects.toThrow('sweep failed for credit');
  expect((await world.verifyLog()).pending).toBe(0);
  await judgeTouches(world);
  expect(world.verdicts().map(({ records }) => records.counted)).toEqual([120, 240]);
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
        await judgeTouches(world);
        return true;
      },
    },
    async (undisturbed, disturbed, at) => {
      expect(newestOf(disturbed), at).toEqual(newestOf(undisturbed));
      expect(await disturbed.contents(), at).toEqual(await undisturbed.contents());
      expect(await disturbed.verifyLog(), at).toEqual(await undisturbed.verifyLog());
    },
  );
  expect(writes).toContain('touch');
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
  for (const one of [alone, world]) await judgeTouches(one);
  expect(await world.contents()).toEqual(await alone.contents());
  expect(await world.verifyLog()).toEqual(await alone.verifyLog());
});
