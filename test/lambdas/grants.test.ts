import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { alarmMessage } from '../../core/alarm/alarm-message.ts';
import { modelAlarmNames, modelAlarms } from '../../core/contract/alarm-definitions.ts';
import { httpCapture, sagemakerCapture } from '../../core/contract/config.ts';
import type { AlarmStateValue } from '../../core/model/alarm.ts';
import type { ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { createEvaluateHandler } from '../../lambdas/evaluate.ts';
import { connectEvaluate } from '../../lambdas/evaluate-on-aws.ts';
import { createIngestHandler } from '../../lambdas/ingest.ts';
import { createNotifyHandler } from '../../lambdas/notify.ts';
import { connectIngest, connectNotify, connectRetries } from '../../lambdas/ports-on-aws.ts';
import { createSweepHandler } from '../../lambdas/sweep.ts';
import { place, resolveTemplate } from '../lib/resolve-template.ts';
import { type AwsRequest, type Grant, grantMatches, grantsOf, isAllowed } from '../lib/role-grants.ts';
import { resourcesOf, synthesise } from '../lib/synthesise.ts';
import { captureBucket } from '../pipeline/capture-lines.ts';
import { createRuntime } from '../pipeline/embedded-world.ts';
import type { CaptureObject } from '../pipeline/memory-capture-store.ts';
import { captureEvent, context, notifications, queueBatch, RecordedLog } from './events.ts';
import { hour, malformed, minute, payloads, requests, start } from './lambda-world.ts';
import { SimulatedAws } from './simulated-aws.ts';

const captureKey = `arn:aws:kms:${place.region}:${place.account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const encryptionKey = captureKey;
/** The sources are those of the runtime. */
const templates = synthesise({
  models: [
    {
      name: 'credit',
      source: [
        sagemakerCapture({ bucket: captureBucket, prefix: 'data', endpoint: 'credit', encryptionKey }),
        httpCapture({ bucket: captureBucket, prefix: 'requests', role: 'requests' }),
      ],
      versions: [{ match: '*' }],
    },
  ],
});

const functions = {
  ingest: 'tidewatch-main-ingest',
  evaluate: 'tidewatch-main-evaluate',
  sweep: 'tidewatch-main-sweep',
  notify: 'tidewatch-notify',
} as const;
type Handler = keyof typeof functions;
const handlers = Object.keys(functions) as Handler[];

/** What is granted for others than the handler's own code, and for what a test does not make happen. */
const unused: readonly (readonly [action: RegExp, reason: string])[] = [
  [/^logs:|^xray:/, 'the Lambda service writes logs and traces by the function’s role'],
  [/^sqs:(ReceiveMessage|DeleteMessage|GetQueueUrl|GetQueueAttributes)$/, 'the Lambda service polls the queue by it'],
  [/^s3:AbortMultipartUpload$/, 'objects above 16 MiB are written in parts; those of a failed upload are removed'],
  [/^kms:(DescribeKey|Encrypt)$/, 'DynamoDB asks for them where its key is the customer’s'],
];
/** Beyond those: what only the Lambda service does with a function's role. */
const unusedBy: Readonly<Record<Handler, readonly string[]>> = {
  // Of the state bucket: a fragment that expired between its refusal and its comparison is not forbidden, but gone.
  ingest: ['s3:ListBucket'],
  // Destination of failed runs; queue of touches, which fail as a whole.
  evaluate: ['sqs:SendMessage', 'sqs:ChangeMessageVisibility', 's3:ListBucket'],
  sweep: ['sqs:SendMessage'],
  // A verdict that is gone must not keep its message from being sent.
  notify: ['sqs:SendMessage', 's3:ListBucket'],
};

function resourceId(type: string, pattern: RegExp): string {
  const found = resourcesOf(templates, type).find(({ id }) => pattern.test(id));
  if (!found) throw new Error(`expected a ${type} like ${pattern}`);
  return found.id;
}

function environmentOf(functionName: string): Readonly<Record<string, string>> {
  const found = resourcesOf(templates, 'AWS::Lambda::Function').find(
    ({ properties }) => properties.FunctionName === functionName,
  );
  const template = templates.get(found?.stack ?? '');
  if (!found || !template) throw new Error(`expected a function ${functionName}`);
  return (resolveTemplate(found.properties.Environment, template) as { Variables: Record<string, string> }).Variables;
}

const seen = new Map<Handler, readonly AwsRequest[]>();
let aws: SimulatedAws;
let runtime: ModelRuntime;

/** Calls a function at a time, in its own environment, in a new process; keeps what it asked AWS for. */
async function run(handler: Handler, time: number, step: () => Promise<unknown>): Promise<void> {
  vi.setSystemTime(time);
  for (const [name, value] of Object.entries(environmentOf(functions[handler]))) vi.stubEnv(name, value);
  const before = aws.requests.length;
  await step();
  seen.set(handler, [...(seen.get(handler) ?? []), ...aws.requests.slice(before)]);
  vi.unstubAllEnvs();
}

const log = new RecordedLog();
const runtimes = () => ({ runtimes: [runtime], log });

function ingest(time: number, objects: readonly CaptureObject[], others: readonly string[] = []) {
  for (const { key, body, arrived } of objects) aws.place(captureBucket, key, body, arrived);
  const batch = queueBatch([...objects.map(({ key }) => captureEvent(key)), ...others]);
  const Records = batch.Records.map((record) => ({ ...record, receiptHandle: 'handle' }));
  return run('ingest', time, () =>
    createIngestHandler(async () => ({ ...runtimes(), ports: connectIngest(), retries: connectRetries() }))(
      { Records },
      context,
    ),
  );
}

function evaluate(time: number, event: unknown) {
  return run('evaluate', time, () =>
    createEvaluateHandler(async () => ({ ...runtimes(), ports: connectEvaluate([runtime.policy], log) }))(
      event,
      context,
    ),
  );
}

function notify(time: number, to: AlarmStateValue) {
  const { policy, fleet } = runtime;
  const { yellow } = modelAlarmNames(policy.name);
  const definition = modelAlarms(policy, fleet).find(({ name }) => name === yellow);
  if (!definition) throw new Error('expected an alarm');
  const transition = {
    alarm: yellow,
    from: 'OK',
    to,
    time,
    reason: 'threshold crossed',
    actionsEnabled: true,
  } as const;
  const text = alarmMessage(definition, transition, place, new Map());
  const handle = createNotifyHandler(async () => ({
    fleet,
    policies: [policy],
    shards: ['main'],
    ports: connectNotify(),
    log,
  }));
  return run('notify', time, async () => {
    await handle(notifications([text]), context);
    await handle({ schedule: 'overdue' }, context);
  });
}

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  runtime = await createRuntime();
  const arn = (id: string) => `arn:aws:kms:${place.region}:${place.account}:key/${id}`;
  const data = arn(resourceId('AWS::KMS::Key', /DataKey/));
  const environment = environmentOf(functions.ingest);
  aws = new SimulatedAws({
    data,
    topics: arn(resourceId('AWS::KMS::Key', /TopicKey/)),
    aliases: ['alias/tidewatch-data'],
    byBucket: new Map([
      [environment.TIDEWATCH_STATE_BUCKET ?? '', data],
      [environment.TIDEWATCH_AUDIT_BUCKET ?? '', data],
      [captureBucket, captureKey],
    ]),
  });
  const closed = start + hour + 2 * minute;
  const objects = [payloads(start, 'a', { factor: 3 }), requests(start, 'r'), malformed(start, 'm')];
  const gone = captureEvent('data/credit/AllTraffic/gone.jsonl');
  // Everything twice, because what was written before a crash is compared.
  await ingest(closed, objects, [gone, '{']);
  await ingest(closed + minute, objects);
  aws.failNext('cloudwatch:PutMetricData');
  await evaluate(start + hour + 11 * minute, { schedule: 'tick' }).catch(() => undefined);
  await evaluate(start + hour + 11 * minute, { schedule: 'tick' });
  await ingest(start + hour + 12 * minute, [payloads(start, 'late')]);
  await evaluate(start + hour + 13 * minute, queueBatch(aws.touches));
  aws.failNext('sns:Publish');
  await notify(start + hour + 14 * minute, 'ALARM').catch(() => undefined);
  await notify(start + hour + 14 * minute, 'ALARM');
  // The first version rests for an hour, which is the second's; then there was a record of it after all, never announced.
  const second = payloads(start + hour, 'second');
  const body = Buffer.from(Buffer.from(second.body).toString().replaceAll('version=v1', 'version=v2'));
  await ingest(start + 2 * hour + 2 * minute, [{ ...second, body }]);
  await evaluate(start + 2 * hour + 11 * minute, { schedule: 'tick' });
  const lost = payloads(start + hour, 'lost');
  aws.place(captureBucket, lost.key, lost.body, lost.arrived);
  // And one whose ingestion ended half way.
  aws.failNext('dynamodb:DeleteItem');
  await ingest(start + 2 * hour + 20 * minute, [malformed(start + hour, 'half')]);
  await run('sweep', start + 4 * hour, () =>
    createSweepHandler(async () => ({ ...runtimes(), ports: connectIngest() }))({ schedule: 'sweep' }, context),
  );
  await evaluate(start + 4 * hour + minute, queueBatch(aws.touches));
});

afterAll(() => {
  aws.restore();
  vi.useRealTimers();
});

test('the run did what it was made for', () => {
  expect(log.messages('error').map((message) => message.split(' ')[0])).toEqual([
    'message',
    'tick',
    'alarm',
    'message',
  ]);
  const messages = log.lines.map(({ message }) => message);
  for (const message of [
    'capture ingested',
    'capture is gone',
    'tick completed',
    'window judged again',
    'model swept',
  ]) {
    expect(messages).toContain(message);
  }
  expect(aws.messages).toHaveLength(1);
});

describe.each(handlers)('the role of %s', (handler) => {
  const grants = grantsOf(templates, functions[handler]);

  test('allows every request that it makes', () => {
    const requests = seen.get(handler) ?? [];
    expect(requests.length).toBeGreaterThan(5);
    const refused = requests.filter((request) => !isAllowed(grants, request));
    expect(refused.map(({ action, resource, context: keys }) => [action, resource, keys])).toEqual([]);
  });

  test('allows nothing that is not used', () => {
    const requests = seen.get(handler) ?? [];
    const isUsed = (grant: Grant, action: string) =>
      requests.some((request) => request.action === action && grantMatches(grant, request));
    const idle = grants
      .filter(({ effect }) => effect === 'Allow')
      .flatMap((grant) => grant.actions.filter((action) => !isUsed(grant, action)));
    const unexplained = idle.filter(
      (action) => !unused.some(([pattern]) => pattern.test(action)) && !unusedBy[handler].includes(action),
    );
    expect(unexplained).toEqual([]);
  });

  test('refuses what nobody may do', () => {
    const { TIDEWATCH_AUDIT_BUCKET: audit, TIDEWATCH_TABLE: table } = environmentOf(functions[handler]);
    const tableArn = `arn:aws:dynamodb:${place.region}:${place.account}:table/${table}`;
    const requests: AwsRequest[] = [
      { action: 's3:DeleteObjectVersion', resource: `arn:aws:s3:::${audit}/bundles/x`, context: {} },
      { action: 's3:PutObject', resource: `arn:aws:s3:::${captureBucket}/data/credit/x`, context: {} },
      { action: 's3:GetObject', resource: `arn:aws:s3:::${captureBucket}/data/other/x`, context: {} },
      { action: 'dynamodb:DeleteItem', resource: tableArn, context: { 'dynamodb:LeadingKeys': ['episodes'] } },
      { action: 'sagemaker:InvokeEndpoint', resource: '*', context: {} },
      { action: 'cloudwatch:PutMetricData', resource: '*', context: { 'cloudwatch:namespace': ['AWS/Lambda'] } },
    ];
    for (const request of requests)
      expect([request.action, isAllowed(grants, request)]).toEqual([request.action, false]);
  });
});
