import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { groundTruth, qualitySlo, sagemakerCapture } from '../../core/contract/config.ts';
import type { ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { createEvaluateHandler } from '../../lambdas/evaluate.ts';
import { connectEvaluate } from '../../lambdas/evaluate-on-aws.ts';
import { createIngestHandler } from '../../lambdas/ingest.ts';
import { connectIngest, connectRetries, connectSweep } from '../../lambdas/ports-on-aws.ts';
import { createSweepHandler } from '../../lambdas/sweep.ts';
import { place, resolveTemplate } from '../lib/resolve-template.ts';
import { type AwsRequest, grantsOf, isAllowed } from '../lib/role-grants.ts';
import { resourcesOf, synthesise } from '../lib/synthesise.ts';
import { captureBucket, day } from '../pipeline/capture-lines.ts';
import { createLabelledRuntime, labelObject } from '../pipeline/labelled-world.ts';
import type { CaptureObject } from '../pipeline/memory-capture-store.ts';
import { captureEvent, context, queueBatch, RecordedLog } from './events.ts';
import { hour, minute, payloads, start } from './lambda-world.ts';
import { SimulatedAws } from './simulated-aws.ts';

const captureKey = `arn:aws:kms:${place.region}:${place.account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const slos = [qualitySlo({ measure: 'precision', atLeast: 0.85, labelsWithin: '1d' })];
const templates = synthesise({
  models: [
    {
      name: 'credit',
      source: [
        sagemakerCapture({ bucket: captureBucket, prefix: 'data', endpoint: 'credit', encryptionKey: captureKey }),
        groundTruth({ bucket: captureBucket, prefix: 'labels' }),
      ],
      versions: [{ match: 'v1', schema: { prediction: 'score' } }],
      slos,
    },
  ],
});
const functions = {
  ingest: 'tidewatch-main-ingest',
  evaluate: 'tidewatch-main-evaluate',
  sweep: 'tidewatch-main-sweep',
} as const;
type Handler = keyof typeof functions;

const seen = new Map<Handler, readonly AwsRequest[]>();
const log = new RecordedLog();
let aws: SimulatedAws;
let runtime: ModelRuntime;

function environmentOf(functionName: string): Readonly<Record<string, string>> {
  const found = resourcesOf(templates, 'AWS::Lambda::Function').find(
    ({ properties }) => properties.FunctionName === functionName,
  );
  const template = templates.get(found?.stack ?? '');
  if (!found || !template) throw new Error(`expected a function ${functionName}`);
  return (resolveTemplate(found.properties.Environment, template) as { Variables: Record<string, string> }).Variables;
}

function keyOf(pattern: RegExp): string {
  const id = resourcesOf(templates, 'AWS::KMS::Key').find((one) => pattern.test(one.id))?.id;
  return `arn:aws:kms:${place.region}:${place.account}:key/${id}`;
}

/** Calls a function at a time, in its own environment; keeps what it asked AWS for. */
async function run(handler: Handler, time: number, step: () => Promise<unknown>): Promise<void> {
  vi.setSystemTime(time);
  for (const [name, value] of Object.entries(environmentOf(functions[handler]))) vi.stubEnv(name, value);
  const before = aws.requests.length;
  await step();
  seen.set(handler, [...(seen.get(handler) ?? []), ...aws.requests.slice(before)]);
  vi.unstubAllEnvs();
}

function ingest(time: number, objects: readonly CaptureObject[]) {
  for (const { key, body, arrived } of objects) aws.place(captureBucket, key, body, arrived);
  const Records = queueBatch(objects.map(({ key }) => captureEvent(key))).Records;
  return run('ingest', time, () =>
    createIngestHandler(async () => ({
      runtimes: [runtime],
      log,
      ports: connectIngest(),
      retries: connectRetries('ingestQueueUrl'),
    }))({ Records: Records.map((record) => ({ ...record, receiptHandle: 'handle' })) }, context),
  );
}

function sweep(time: number) {
  return run('sweep', time, () =>
    createSweepHandler(async () => ({ runtimes: [runtime], log, ports: connectSweep() }))(
      { schedule: 'sweep' },
      context,
    ),
  );
}

function tick(time: number) {
  return run('evaluate', time, () =>
    createEvaluateHandler(async () => ({
      runtimes: [runtime],
      log,
      ports: connectEvaluate([runtime.policy], log),
      retries: connectRetries('touchQueueUrl'),
    }))({ schedule: 'tick' }, context),
  );
}

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  runtime = await createLabelledRuntime({}, { slos });
  const data = keyOf(/DataKey/);
  const environment = environmentOf(functions.ingest);
  aws = new SimulatedAws({
    data,
    topics: keyOf(/TopicKey/),
    aliases: ['alias/tidewatch-data'],
    byBucket: new Map([
      [environment.TIDEWATCH_STATE_BUCKET ?? '', data],
      [environment.TIDEWATCH_AUDIT_BUCKET ?? '', data],
      [captureBucket, captureKey],
    ]),
  });
  const captured = payloads(start, 'a');
  const ids = [
    ...Buffer.from(captured.body)
      .toString()
      .matchAll(/"eventId":"([^"]+)"/g),
  ].map(([, id = '']) => id);
  const labels = labelObject(
    'l',
    ids.map((id) => ({ id, label: 0 })),
    start + hour + minute,
  );
  // Twice, because what was written before a crash is compared.
  for (const later of [2, 3]) await ingest(start + hour + later * minute, [captured, labels]);
  await sweep(start + 2 * hour);
  await sweep(start + 26 * hour);
  await tick(start + 26 * hour + minute);
  // Days later what came is put together for good.
  await sweep(start + 24 * day);
});

afterAll(() => {
  aws.restore();
  vi.useRealTimers();
});

test('labels are joined, judged and told of, and nothing fails', () => {
  expect(log.messages('error')).toEqual([]);
  const judged = log.lines.filter(({ message }) => message === 'labels judged');
  expect(judged.map(({ fields }) => fields)).toMatchObject([
    { tier: expect.any(String), isWhole: true, cohorts: expect.any(Number) },
    { tier: 'red' },
    {},
  ]);
});

describe.each(Object.keys(functions) as Handler[])('the role of %s', (handler) => {
  const grants = grantsOf(templates, functions[handler]);

  test('allows every request that labels need', () => {
    const requests = seen.get(handler) ?? [];
    expect(requests.length).toBeGreaterThan(5);
    const refused = requests.filter((request) => !isAllowed(grants, request));
    expect(refused.map(({ action, resource, context: keys }) => [action, resource, keys])).toEqual([]);
  });
});

test('events of labels come by the same queue as captures', () => {
  const rules = resourcesOf(templates, 'AWS::Events::Rule').filter(({ properties }) =>
    JSON.stringify(properties.EventPattern).includes('"aws.s3"'),
  );
  expect(rules).toHaveLength(1);
  expect(JSON.stringify(rules[0]?.properties.EventPattern)).toContain('{"prefix":"labels/"}');
});

test('each function reaches what it needs of the join, and no more', () => {
  const object = (action: string, key: string) => ({
    action: `s3:${action}`,
    resource: `arn:aws:s3:::${environmentOf(functions.ingest).TIDEWATCH_STATE_BUCKET}/${key}`,
    context: {},
  });
  const may = (handler: Handler, action: string, key: string) =>
    isAllowed(grantsOf(templates, functions[handler]), object(action, key));
  expect(may('ingest', 'PutObject', 'labels/parts/credit/x')).toBe(true);
  expect(may('ingest', 'PutObject', 'labels/packs/credit/x')).toBe(false);
  expect(may('ingest', 'PutObject', 'quality/judgements/credit/x')).toBe(false);
  expect(may('evaluate', 'GetObject', 'quality/judgements/credit/x')).toBe(true);
  expect(may('evaluate', 'PutObject', 'quality/judgements/credit/x')).toBe(false);
  expect(may('evaluate', 'GetObject', 'index/packs/credit/x')).toBe(false);
  expect(may('sweep', 'PutObject', 'quality/judgements/credit/x')).toBe(true);
  expect(may('sweep', 'PutObject', 'fragments/credit/x')).toBe(false);
});
