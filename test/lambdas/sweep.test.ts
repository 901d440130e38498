import { expect, test } from 'vitest';
import type { SweepPorts } from '../../core/pipeline/sweep.ts';
import { createEvaluateHandler } from '../../lambdas/evaluate.ts';
import { createSweepHandler } from '../../lambdas/sweep.ts';
import { createRuntime } from '../pipeline/embedded-world.ts';
import { context, RecordedLog } from './events.ts';
import { crashAtEveryWrite, hour, LambdaWorld, malformed, minute, payloads, requests, start } from './lambda-world.ts';

const sweepEvent = { schedule: 'sweep' };

function handlerOf(world: LambdaWorld, ports: SweepPorts = world.process(), log = new RecordedLog()) {
  return createSweepHandler(async () => ({ runtimes: [world.runtime], ports, log }));
}

/** One window was judged; then came objects that no event announced. */
async function arrangeSweep(world: LambdaWorld, lost = [payloads(start, 'lost'), malformed(start, 'lost-too')]) {
  await world.deliver(payloads(start, 'a'));
  await world.deliver(requests(start, 'r'));
  world.clock.set(start + hour + 11 * minute);
  const tick = createEvaluateHandler(async () => ({
    runtimes: [world.runtime],
    ports: world.process(),
    log: new RecordedLog(),
  }));
  await tick({ schedule: 'tick' }, context);
  for (const touch of await world.sqlite.touches.take(100)) await world.sqlite.touches.acknowledge(touch);
  for (const object of lost) world.captures.put(object);
  world.clock.set(start + 3 * hour);
}

/** As deployed: a sweep judges what it takes in, so nobody needs its touches. */
const untouched = { touches: { touch: async () => {} } };

test('takes in what no event brought, judges again what it changed, and lists the evidence', async () => {
  const world = new LambdaWorld(await createRuntime());
  await arrangeSweep(world);
  const log = new RecordedLog();
  await handlerOf(world, world.process(untouched), log)(sweepEvent, context);
  expect(world.verdicts().map(({ revision, records }) => [revision, records.counted])).toEqual([
    [0, 120],
    [1, 250],
  ]);
  expect(await world.verifyLog()).toEqual({ problems: [], entries: world.audit.keys().length, pending: 0 });
  expect(log.lines.map(({ message, fields }) => [message, fields.ingested ?? fields.appended])).toEqual([
    ['model swept', 2],
    ['evidence listed', world.audit.keys().length],
  ]);
});

test('one model’s failure keeps neither the others from their sweep nor the evidence from its list', async () => {
  const world = new LambdaWorld(await createRuntime());
  await arrangeSweep(world);
  const broken = await createRuntime({ name: 'broken' });
  const ports = world.process(untouched);
  const failing: SweepPorts = {
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
  expect((await world.verifyLog()).pending).toBe(0);
  expect(JSON.stringify(log.lines)).not.toContain('secret');
});

test('an object that is refused, or fails, keeps none after it from being found', async () => {
  const world = new LambdaWorld(await createRuntime());
  const poison = { ...payloads(start, 'a-poison'), key: 'data/credit/AllTraffic/a-poison' };
  const refused = { ...payloads(start, 'b'), key: 'data/credit/AllTraffic//b' };
  await arrangeSweep(world, [poison, refused, payloads(start, 'lost')]);
  const ports = world.process(untouched);
  const { captures } = ports;
  const poisoned: SweepPorts = {
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
  expect(world.verdicts().map(({ records }) => records.counted)).toEqual([120, 240]);
  expect((await world.verifyLog()).pending).toBe(0);
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
        await handlerOf(world, { ...ports, ...untouched })(sweepEvent, context);
        return true;
      },
    },
    async (undisturbed, disturbed, at) => {
      expect(newestOf(disturbed), at).toEqual(newestOf(undisturbed));
      expect(await disturbed.verifyLog(), at).toMatchObject({ problems: [], pending: 0 });
      // A write that failed keeps its object for the next sweep, which then restates the window once more.
      if (!at.startsWith('kill')) return;
      expect(await disturbed.contents(), at).toEqual(await undisturbed.contents());
      expect(await disturbed.verifyLog(), at).toEqual(await undisturbed.verifyLog());
    },
  );
  expect(writes).toContain('state log');
  expect(writes).toContain('table log');
});

test('two sweeps at once end as one does', async () => {
  const runtime = await createRuntime();
  const alone = new LambdaWorld(runtime);
  const world = new LambdaWorld(runtime);
  for (const one of [alone, world]) await arrangeSweep(one);
  await handlerOf(alone, alone.process(untouched))(sweepEvent, context);
  await Promise.all([1, 2].map(() => handlerOf(world, world.process(untouched))(sweepEvent, context)));
  expect(await world.contents()).toEqual(await alone.contents());
  expect(await world.verifyLog()).toEqual(await alone.verifyLog());
});
