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
import { connectIngest, connectNotify, connectRetries, connectSweep } from '../../lambdas/ports-on-aws.ts';
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
const unused: readonly (readonly [grant: RegExp, reason: string])[] = [
  [/^logs:|^xray:/, 'the Lambda service writes logs and traces by the function’s role'],
  [/^sqs:(ReceiveMessage|DeleteMessage|GetQueueUrl|GetQueueAttributes)$/, 'the Lambda service polls the queue by it'],
  [/^s3:AbortMultipartUpload /, 'objects above 16 MiB are written in parts; those of a failed upload are removed'],
  [/^kms:(DescribeKey|Encrypt)$/, 'DynamoDB asks for them where its key is the customer’s'],
];
/** Beyond those: each with its reason. */
const unusedBy: Readonly<Record<Handler, readonly string[]>> = {
  ingest: [
    // What is there already is compared: nothing was left half way there.
    's3:GetObject state/empty/credit/*',
    's3:GetObject state/runtimes/credit/*',
    // A fragment that expired between its refusal and its comparison is not forbidden, but gone.
    's3:ListBucket state',
    's3:ListBucket audit',
    // A key that was ingested before with other content becomes a finding.
    'dynamodb:GetItem models',
    'dynamodb:PutItem models',
  ],
  evaluate: [
    // Learned from four weeks of windows.
    's3:GetObject state/learned/credit/*',
    's3:PutObject state/learned/credit/*',
    's3:ListBucket audit',
    // Destination of failed runs.
    'sqs:SendMessage tidewatch-main-runs-dead',
  ],
  sweep: [
    // Nothing was told of the fleet as a whole.
    's3:GetObject audit/bundles/fleet/*',
    // A finding as of ingest's.
    'dynamodb:PutItem models',
    // A note of an object that is too old to be ingested.
    'dynamodb:DeleteItem ingesting#credit',
    'sqs:SendMessage tidewatch-main-runs-dead',
  ],
  notify: [
    // A verdict that is gone must not keep its message from being sent.
    's3:ListBucket state',
    's3:ListBucket audit',
    // Every verdict's alarm rang.
    'dynamodb:PutItem doorbells',
    // Nothing was red.
    'sns:Publish tidewatch-red',
    'sns:Publish tidewatch-deliver-red',
    // Of its own failed runs.
    'sqs:SendMessage tidewatch-notify-dead',
  ],
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

/** A grant taken apart: one action on one resource, of one partition where it names several. */
function singleGrants(grant: Grant): readonly Grant[] {
  const conditions = grant.conditions.map(([operator, key, values]) =>
    key === 'dynamodb:LeadingKeys'
      ? values.map((value) => [operator, key, [value]] as const)
      : [[operator, key, values] as const],
  );
  const choices = conditions.reduce<readonly Grant['conditions'][]>(
    (all, one) => all.flatMap((chosen) => one.map((condition) => [...chosen, condition])),
    [[]],
  );
  return grant.actions.flatMap((action) =>
    grant.resources.flatMap((resource) =>
      choices.map((chosen) => ({ ...grant, actions: [action], resources: [resource], conditions: chosen })),
    ),
  );
}

/** `s3:GetObject state/fragments/credit/*`, `dynamodb:PutItem series#credit`, `sns:Publish topic`, else the action alone. */
function describeGrant({ actions, resources, conditions }: Grant): string {
  const [action = ''] = actions;
  const object = /:s3:::tidewatch-(state|audit)-[^/]*(\/.*)?$/.exec(resources[0] ?? '');
  const rows = conditions.find(([, key]) => key === 'dynamodb:LeadingKeys')?.[2][0];
  const named = /^(sns:Publish|sqs:SendMessage)$/.test(action) ? resources[0]?.split(':').at(-1) : undefined;
  const subject = object ? `${object[1]}${object[2] ?? ''}` : (rows ?? named);
  return subject === undefined ? action : `${action} ${subject}`;
}

const seen = new Map<Handler, readonly AwsRequest[]>();
let aws: SimulatedAws;
let runtime: ModelRuntime;

/** Calls a function at a time, in its own environment, in a new process; keeps what it asked AWS for. */
async function run(handler: Handler, time: number, step: () => Promise<unknown>): Promise<void> {
  vi.setSystemTime(time);
  for (const [name, value] of Object.entries(environmentOf(functions[handler]))) vi.stubEnv(name, value);
  const before = aws.requests.length;
  try {
    await step();
  } finally {
    seen.set(handler, [...(seen.get(handler) ?? []), ...aws.requests.slice(before)]);
    vi.unstubAllEnvs();
  }
}

const log = new RecordedLog();
const runtimes = () => ({ runtimes: [runtime], log });

function received(bodies: readonly string[]) {
  return queueBatch(bodies).Records.map((record) => ({ ...record, receiptHandle: 'handle' }));
}

function ingest(time: number, objects: readonly CaptureObject[], others: readonly string[] = []) {
  for (const { key, body, arrived } of objects) aws.place(captureBucket, key, body, arrived);
  const Records = received([...objects.map(({ key }) => captureEvent(key)), ...others]);
  return run('ingest', time, () =>
    createIngestHandler(async () => ({
      ...runtimes(),
      ports: connectIngest(),
      retries: connectRetries('ingestQueueUrl'),
    }))({ Records }, context),
  );
}

function evaluate(time: number, event: unknown) {
  return run('evaluate', time, () =>
    createEvaluateHandler(async () => ({
      ...runtimes(),
      ports: connectEvaluate([runtime.policy], log),
      retries: connectRetries('touchQueueUrl'),
    }))(event, context),
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
  await evaluate(start + hour + 13 * minute, { Records: received([...aws.touches, '{']) });
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
  const sweep = (time: number) =>
    run('sweep', time, () =>
      createSweepHandler(async () => ({ ...runtimes(), ports: connectSweep() }))({ schedule: 'sweep' }, context),
    );
  await sweep(start + 4 * hour);
  expect(aws.announced).toHaveLength(2);
  // One without a line leaves no fragment; the next sweep forgets what it announced.
  aws.place(captureBucket, 'data/credit/AllTraffic/empty.jsonl', Buffer.from(''), start);
  await ingest(start + 4 * hour + minute, [], [...aws.announced, captureEvent('data/credit/AllTraffic/empty.jsonl')]);
  await sweep(start + 5 * hour);
  await evaluate(start + 5 * hour + minute, queueBatch(aws.touches));
});

afterAll(() => {
  aws.restore();
  vi.useRealTimers();
});

test('the run did what it was made for', () => {
  expect(log.messages('error').map((message) => message.split(' ')[0])).toEqual([
    'message',
    'tick',
    'message',
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
  // Probes of the alert path have no subject.
  expect(aws.messages.filter((subject) => subject !== undefined)).toHaveLength(1);
});

describe.each(handlers)('the role of %s', (handler) => {
  const grants = grantsOf(templates, functions[handler]);

  test('allows every request that it makes', () => {
    const requests = seen.get(handler) ?? [];
    expect(requests.length).toBeGreaterThan(5);
    const refused = requests.filter((request) => !isAllowed(grants, request));
    expect(refused.map(({ action, resource, context: keys }) => [action, resource, keys])).toEqual([]);
  });

  test('allows nothing that is not used: no action, no prefix of objects, no partition of rows', () => {
    const requests = seen.get(handler) ?? [];
    const idle = grants
      .filter(({ effect }) => effect === 'Allow')
      .flatMap(singleGrants)
      .filter((grant) => !requests.some((request) => grantMatches(grant, request)))
      .map(describeGrant);
    const unexplained = idle.filter(
      (grant) => !unused.some(([pattern]) => pattern.test(grant)) && !unusedBy[handler].includes(grant),
    );
    expect(unexplained).toEqual([]);
    // What is excused and yet used, or not granted any more, needs no excuse.
    expect(unusedBy[handler].filter((grant) => !idle.includes(grant))).toEqual([]);
  });

  test('refuses what nobody may do', () => {
    const {
      TIDEWATCH_AUDIT_BUCKET: audit,
      TIDEWATCH_STATE_BUCKET: state,
      TIDEWATCH_TABLE: table,
    } = environmentOf(functions[handler]);
    const tableArn = `arn:aws:dynamodb:${place.region}:${place.account}:table/${table}`;
    const row = (action: string, partition: string): AwsRequest => ({
      action: `dynamodb:${action}`,
      resource: tableArn,
      context: { 'dynamodb:LeadingKeys': [partition] },
    });
    const requests: AwsRequest[] = [
      { action: 's3:DeleteObjectVersion', resource: `arn:aws:s3:::${audit}/bundles/x`, context: {} },
      { action: 's3:PutObject', resource: `arn:aws:s3:::${captureBucket}/data/credit/x`, context: {} },
      { action: 's3:GetObject', resource: `arn:aws:s3:::${captureBucket}/data/other/x`, context: {} },
      row('DeleteItem', 'episodes'),
      row('PutItem', 'rollbacks'),
      row('PutItem', 'deployments'),
      row('PutItem', 'series#other'),
      row('GetItem', 'rollbacks'),
      ...(handler === 'notify'
        ? [row('PutItem', 'models'), row('PutItem', 'series#credit'), row('PutItem', 'log')]
        : [
            row('PutItem', 'episodes'),
            row('PutItem', 'deliveries'),
            row('Query', 'series#other'),
            { action: 's3:GetObject', resource: `arn:aws:s3:::${audit}/bundles/other/x`, context: {} },
            { action: 's3:PutObject', resource: `arn:aws:s3:::${audit}/bundles/other/x`, context: {} },
            { action: 's3:PutObject', resource: `arn:aws:s3:::${state}/verdicts/other/x`, context: {} },
          ]),
      { action: 'sagemaker:InvokeEndpoint', resource: '*', context: {} },
      { action: 'cloudwatch:PutMetricData', resource: '*', context: { 'cloudwatch:namespace': ['AWS/Lambda'] } },
    ];
    for (const request of requests) expect([request, isAllowed(grants, request)]).toEqual([request, false]);
  });
});
