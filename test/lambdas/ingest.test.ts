import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sagemakerCapture } from '../../core/contract/config.ts';
import { objectId } from '../../core/contract/keys.ts';
import type { ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { createIngestHandler } from '../../lambdas/ingest.ts';
import { type RetryDelay, retrySeconds } from '../../lambdas/retry-delay.ts';
import { captureBucket } from '../pipeline/capture-lines.ts';
import { createRuntime, type WorldPorts } from '../pipeline/embedded-world.ts';
import { announcement, captureEvent, context, failedIds, queueBatch, RecordedLog } from './events.ts';
import { crashAtEveryWrite, hour, LambdaWorld, malformed, minute, payloads, requests, start } from './lambda-world.ts';

function handlerOf(
  runtimes: readonly ModelRuntime[],
  ports: WorldPorts,
  log = new RecordedLog(),
  retries: RetryDelay = { delay: async () => {} },
) {
  return createIngestHandler(async () => ({ runtimes, ports, retries, log }));
}

/** A world that holds the objects, at a time when their window is closed. */
async function createLambdaWorld(objects = [payloads(start, 'a'), requests(start, 'r')]) {
  const world = new LambdaWorld(await createRuntime());
  for (const object of objects) world.captures.put(object);
  world.clock.set(start + hour + 2 * minute);
  return world;
}

test('a batch is taken in; each line names what it is about and no value of it', async () => {
  const objects = [payloads(start, 'a'), requests(start, 'r'), malformed(start, 'm')];
  const world = await createLambdaWorld(objects);
  const log = new RecordedLog();
  const handler = handlerOf([world.runtime], world.process(), log);
  expect(failedIds(await handler(queueBatch(objects.map(({ key }) => captureEvent(key))), context))).toEqual([]);
  expect(world.state.keys('fragments/')).toHaveLength(3);
  expect(world.audit.keys('bundles/')).toHaveLength(3);
  expect(world.state.keys('quarantine/')).toHaveLength(1);
  expect(log.lines.map(({ message }) => message)).toEqual(Array(3).fill('capture ingested'));
  const line = log.lines.find(({ fields }) => fields.key === objects[2]?.key);
  expect(line?.fields).toMatchObject({
    requestId: 'request-1',
    messageId: 'm2',
    eventId: `event-${objects[2]?.key}`,
    model: 'credit',
    counted: 10,
    quarantined: 10,
  });
});

test('a message that can not be dealt with fails alone', async () => {
  const good = payloads(start, 'good');
  const world = await createLambdaWorld([good]);
  const log = new RecordedLog();
  const handler = handlerOf([world.runtime], world.process(), log);
  const secret = 'secret-payload';
  const batch = queueBatch([
    `{"${secret}`,
    `"${secret}"`,
    captureEvent('data/x', { source: secret }),
    captureEvent('data/x', { detail: { bucket: { name: 'b' }, object: { key: 7, note: secret } } }),
    undefined,
    captureEvent(good.key),
  ]);
  expect(failedIds(await handler(batch, context))).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
  expect(world.state.keys('fragments/')).toHaveLength(1);
  expect(log.messages('error')).toHaveLength(5);
  expect(JSON.stringify(log.lines)).toContain('expected the event \\"Object Created\\" of aws.s3');
  expect(JSON.stringify(log.lines)).not.toContain(secret);
});

describe('a message that failed', () => {
  const bad = ['x', 'y', captureEvent(payloads(start, 'good').key)];
  const delivered = (receives: readonly unknown[]) => ({
    Records: bad.map((body, at) => ({
      messageId: `m${at}`,
      body,
      receiptHandle: `handle-${at}`,
      attributes: { ApproximateReceiveCount: receives[at] },
    })),
  });

  test('is brought back soon, later with each attempt, and no other is', async () => {
    const world = await createLambdaWorld([payloads(start, 'good')]);
    const delays: (readonly [string, number])[] = [];
    const retries: RetryDelay = { delay: async (handle, seconds) => void delays.push([handle, seconds]) };
    const handler = handlerOf([world.runtime], world.process(), new RecordedLog(), retries);
    expect(failedIds(await handler(delivered(['1', '3', '1']), context))).toEqual(['m1', 'm0']);
    expect(delays).toEqual([
      ['handle-1', 120],
      ['handle-0', 30],
    ]);
  });

  test('comes back by itself where that can not be said', async () => {
    const world = await createLambdaWorld([payloads(start, 'good')]);
    const log = new RecordedLog();
    const retries: RetryDelay = { delay: () => Promise.reject(new Error('secret-payload')) };
    const handler = handlerOf([world.runtime], world.process(), log, retries);
    expect(failedIds(await handler(delivered(['1', 'x', undefined]), context))).toEqual(['m0', 'm1']);
    expect(log.messages('warn')).toEqual(Array(2).fill('message will come back late'));
    expect(JSON.stringify(log.lines)).not.toContain('secret-payload');
  });

  test('is tried five times within the default grace', () => {
    const waits = [1, 2, 3, 4].map(retrySeconds);
    expect(waits).toEqual([30, 60, 120, 240]);
    expect(waits.reduce((sum, seconds) => sum + seconds)).toBeLessThan(600);
    expect(retrySeconds(1_000)).toBe(900);
    expect(retrySeconds(0)).toBe(30);
  });
});

test('a batch of another shape is an error that names what was expected', async () => {
  const world = await createLambdaWorld();
  const handler = handlerOf([world.runtime], world.process());
  await expect(handler({}, context)).rejects.toThrow('event.Records: expected SQS messages, saw nothing');
  await expect(handler({ Records: [{ body: '' }] }, context)).rejects.toThrow('event.Records[0].messageId');
  await expect(handler(null, undefined)).rejects.toThrow('event: expected an object, saw null');
});

test('objects that are none of ours, or gone, are acknowledged and never read', async () => {
  const world = await createLambdaWorld([]);
  const log = new RecordedLog();
  const handler = handlerOf([world.runtime], world.process(), log);
  const elsewhere = { detail: { bucket: { name: 'other' }, object: { key: 'data/credit/x' } } };
  const batch = queueBatch([
    captureEvent('elsewhere/x'),
    captureEvent('x', elsewhere),
    captureEvent('data/credit/../x'),
    captureEvent('data/credit/AllTraffic/gone.jsonl'),
  ]);
  expect(failedIds(await handler(batch, context))).toEqual([]);
  expect([...log.messages('warn')].sort()).toEqual([
    'capture is gone',
    'capture refused',
    'capture refused: it lies under no source',
    'capture refused: it lies under no source',
  ]);
  expect(world.captures.reads).toEqual([]);
});

test('an event of another account is refused', async () => {
  const runtime = await createRuntime();
  const sources = runtime.policy.sources.map((source) => ({ ...source, account: '999988887777' }));
  const object = payloads(start, 'a');
  const world = await createLambdaWorld([object]);
  const log = new RecordedLog();
  const handler = handlerOf([{ ...runtime, policy: { ...runtime.policy, sources } }], world.process(), log);
  expect(failedIds(await handler(queueBatch([captureEvent(object.key)]), context))).toEqual([]);
  expect(log.messages('warn')).toEqual(['capture refused']);
  expect(world.captures.reads).toEqual([]);
});

test('an object whose key held another before becomes a finding, and its message is acknowledged', async () => {
  const object = payloads(start, 'a');
  const world = await createLambdaWorld([object]);
  const log = new RecordedLog();
  const handler = handlerOf([world.runtime], world.process(), log);
  await handler(queueBatch([captureEvent(object.key)]), context);
  world.captures.put({ ...object, body: payloads(start, 'b').body });
  expect(failedIds(await handler(queueBatch([captureEvent(object.key)]), context))).toEqual([]);
  expect((await world.modelState()).integrity).toHaveLength(1);
  expect(log.messages('error')).toHaveLength(1);
});

test('models that share an object all get it, whatever happens to one of them', async () => {
  const object = payloads(start, 'a');
  const world = await createLambdaWorld([object]);
  const other = await createRuntime({ name: 'other' });
  const ports = world.process();
  const failing: WorldPorts = {
    ...ports,
    keys: {
      modelDayKey: (model, day) =>
        model === 'credit' ? Promise.reject(new Error('x')) : ports.keys.modelDayKey(model, day),
    },
  };
  const batch = queueBatch([captureEvent(object.key)]);
  expect(failedIds(await handlerOf([world.runtime, other], failing)(batch, context))).toEqual(['m0']);
  expect(world.state.keys('fragments/other/')).toHaveLength(1);
  expect(failedIds(await handlerOf([world.runtime, other], ports)(batch, context))).toEqual([]);
  expect(world.state.keys('fragments/')).toHaveLength(2);
});

test('an object that the sweep announced is taken in for the model that it names', async () => {
  const object = payloads(start, 'a');
  const world = await createLambdaWorld([object]);
  const other = await createRuntime({ name: 'other' });
  const capture = { model: 'credit', bucket: 'captures', key: object.key, bytes: 100 };
  const log = new RecordedLog();
  // A note of an attempt by another configuration, which took more writes.
  await world.sqlite.table.put('ingesting#credit', objectId('captures', object.key), {}, 0);
  const handler = handlerOf([world.runtime, other], world.process(), log);
  const batch = [announcement(capture), announcement({ ...capture, model: 'nobody' })];
  expect(failedIds(await handler(queueBatch(batch), context))).toEqual([]);
  expect(log.messages('warn')).toEqual(['capture refused: it lies under no source']);
  expect(world.state.keys('fragments/')).toHaveLength(1);
  expect(world.state.keys('fragments/credit/')).toHaveLength(1);
  expect(await world.sqlite.table.list('ingesting#credit')).toEqual([]);
});

test('one that is gone meanwhile is forgotten', async () => {
  const world = await createLambdaWorld([]);
  const key = payloads(start, 'gone').key;
  await world.sqlite.table.put('ingesting#credit', objectId('captures', key), {}, 0);
  const body = announcement({ model: 'credit', bucket: 'captures', key, bytes: 100 });
  expect(failedIds(await handlerOf([world.runtime], world.process())(queueBatch([body]), context))).toEqual([]);
  expect(await world.sqlite.table.list('ingesting#credit')).toEqual([]);
});

test.each([
  { schema: 'tidewatch.announcement/2' },
  { model: '' },
  { bucket: ['captures'] },
  { key: null },
  { key: undefined },
  { account: 111122223333 },
  { account: '' },
  { bytes: '100' },
  { bytes: -1 },
  { bytes: 1.5 },
  { bytes: undefined },
])('an announcement of another shape fails: %j', async (changes) => {
  const object = payloads(start, 'a');
  const world = await createLambdaWorld([object]);
  const capture = { model: 'credit', bucket: 'captures', key: object.key, account: '111122223333', bytes: 100 };
  const [sound, odd] = [capture, { ...capture, ...changes }].map((one) =>
    JSON.stringify({ schema: 'tidewatch.announcement/1', ...one }),
  );
  const log = new RecordedLog();
  const handler = handlerOf([world.runtime], world.process(), log);
  expect(failedIds(await handler(queueBatch([odd, sound]), context))).toEqual(['m0']);
  expect(world.captures.reads).toEqual([object.key]);
  expect(JSON.stringify(log.lines)).toMatch(/message\.(schema|model|bucket|key|account|bytes): expected/);
});

describe('the order of a batch', () => {
  /** Notes what is read, and how many at a time; `onRead` is told of each. */
  function watchReads(ports: WorldPorts, onRead: (key: string) => void = () => {}) {
    const seen: { readonly key: string; readonly active: number }[] = [];
    let active = 0;
    const watched: WorldPorts = {
      ...ports,
      captures: {
        list: (bucket, prefix) => ports.captures.list(bucket, prefix),
        head: (bucket, key) => ports.captures.head(bucket, key),
        read: async function* (object) {
          active++;
          seen.push({ key: object.key, active });
          onRead(object.key);
          await new Promise((resolve) => setTimeout(resolve, 1));
          yield* ports.captures.read(object);
          active--;
        },
      },
    };
    return { seen, watched };
  }
  const sized = (key: string, size: number) =>
    captureEvent(key, { detail: { bucket: { name: 'captures' }, object: { key, size } } });

  test('at most four objects are worked on at a time, large ones alone and last', async () => {
    const objects = Array.from({ length: 9 }, (_, index) => payloads(start, `n${index}`));
    const world = await createLambdaWorld(objects);
    const { seen, watched } = watchReads(world.process());
    const bodies = objects.map(({ key }, index) => sized(key, index < 2 ? 9e6 : 100));
    expect(failedIds(await handlerOf([world.runtime], watched)(queueBatch(bodies), context))).toEqual([]);
    expect(Math.max(...seen.map((one) => one.active))).toBe(4);
    expect(seen.slice(-2)).toEqual(objects.slice(0, 2).map(({ key }) => ({ key, active: 1 })));
  });

  test('what is compressed is large where its text may be', async () => {
    const plain = Array.from({ length: 6 }, (_, index) => payloads(start, `n${index}`));
    const objects = plain.map((object, index) =>
      index < 2 ? { ...object, key: `${object.key}.gz`, body: gzipSync(object.body) } : object,
    );
    const world = await createLambdaWorld(objects);
    const { seen, watched } = watchReads(world.process());
    const bodies = objects.map(({ key }) => sized(key, 500_000));
    expect(failedIds(await handlerOf([world.runtime], watched)(queueBatch(bodies), context))).toEqual([]);
    expect(seen.slice(-2)).toEqual(objects.slice(0, 2).map(({ key }) => ({ key, active: 1 })));
    expect(world.state.keys('fragments/')).toHaveLength(6);
  });

  test('what there is no time for is put off, not tried, and has the first turn when it comes again', async () => {
    const objects = Array.from({ length: 10 }, (_, index) => payloads(start, `n${index}`));
    const world = await createLambdaWorld(objects);
    let remaining = 300_000;
    const timed = { ...context, getRemainingTimeInMillis: () => remaining };
    // Each takes 45 seconds.
    const { seen, watched } = watchReads(world.process(), () => {
      remaining -= 45_000;
    });
    const delays: (readonly [string, number])[] = [];
    const retries: RetryDelay = { delay: async (handle, seconds) => void delays.push([handle, seconds]) };
    const log = new RecordedLog();
    const handler = handlerOf([world.runtime], watched, log, retries);
    const receives = new Map(objects.map(({ key }) => [key, 0]));
    const deliver = async (keys: readonly string[]) => {
      remaining = 300_000;
      const Records = keys.map((key) => {
        receives.set(key, (receives.get(key) ?? 0) + 1);
        return {
          messageId: key,
          body: sized(key, 9e6),
          receiptHandle: `handle ${key}`,
          attributes: { ApproximateReceiveCount: String(receives.get(key)) },
        };
      });
      return failedIds(await handler({ Records }, timed));
    };

    const keys = objects.map(({ key }) => key);
    const putOff = await deliver(keys);
    // Begun after 0, 45, 90, 135 and 180 seconds; 75 are left then.
    expect(seen.map(({ key }) => key)).toEqual(keys.slice(0, 5));
    expect(putOff).toEqual(keys.slice(5));
    expect(delays).toEqual(putOff.map((key) => [`handle ${key}`, 30]));
    expect(log.messages('error')).toEqual([]);
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ message, fields }) => [message, fields])).toEqual([
      ['captures put off: the time is up', { requestId: 'request-1', captures: 5 }],
    ]);

    const late = Array.from({ length: 5 }, (_, index) => payloads(start, `late${index}`));
    for (const object of late) world.captures.put(object);
    expect(await deliver([...late.map(({ key }) => key), ...putOff])).toEqual(late.map(({ key }) => key));
    expect(seen.slice(5).map(({ key }) => key)).toEqual(putOff);
    expect(world.state.keys('fragments/')).toHaveLength(10);
  });
});

test('a capture that arrives before anybody looked at its endpoint is put off, which is no error', async () => {
  const object = payloads(start, 'a');
  const source = sagemakerCapture({
    bucket: captureBucket,
    prefix: 'data',
    endpoint: 'credit',
    versionFrom: 'endpoint',
  });
  const runtime = await createRuntime({ source });
  const world = new LambdaWorld(runtime);
  world.captures.put(object);
  world.clock.set(object.arrived + minute);
  const { table } = world.sqlite;
  const spell = { config: 'config-1', models: [['AllTraffic', 'v1']], began: start, since: start };
  await table.put('endpoints', 'credit', { spells: [spell], looked: start + minute }, 0);
  const log = new RecordedLog();
  const handler = handlerOf([runtime], world.process(), log);
  const batch = queueBatch([captureEvent(object.key)]);
  expect(failedIds(await handler(batch, context))).toHaveLength(1);
  expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
    ['info', 'capture put off: its endpoint was not looked at yet'],
  ]);
  await table.put('endpoints', 'credit', { spells: [spell], looked: object.arrived }, 1);
  expect(failedIds(await handler(batch, context))).toEqual([]);
  expect(world.state.keys('fragments/')).toEqual([expect.stringContaining('/v1/')]);
});

test('killed after any write and delivered again, nothing differs from an undisturbed run', async () => {
  const objects = [payloads(start, 'a'), malformed(start, 'm'), requests(start, 'r')];
  const runtime = await createRuntime();
  let pending: readonly string[] = [];
  const writes = await crashAtEveryWrite(
    {
      runtime,
      arrange: async (world) => {
        for (const object of objects) world.captures.put(object);
        world.clock.set(start + hour + 2 * minute);
        pending = objects.map(({ key }) => captureEvent(key));
      },
      invoke: async (_, ports) => {
        const batch = pending;
        const failed = failedIds(await handlerOf([runtime], ports)(queueBatch(batch), context));
        pending = batch.filter((_body, index) => failed.includes(`m${index}`));
        return pending.length === 0;
      },
    },
    async (undisturbed, disturbed, at) => {
      expect(await disturbed.contents(), at).toEqual(await undisturbed.contents());
    },
  );
  expect(new Set(writes.map((name) => name.split(' ')[0]))).toEqual(new Set(['audit', 'state', 'table', 'touch']));
});
