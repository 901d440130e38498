import type { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSqsClient } from '../../adapters/aws/clients.ts';
import { SqsDeadLetters } from '../../adapters/aws/sqs-dead-letters.ts';
import { readTemplateAlarms } from '../../cli/template-alarms.ts';
import { chat, email, pagerDuty, parseConfig, sagemakerCapture, webhook } from '../../core/contract/config.ts';
import { deliveryAlarms } from '../../core/contract/infrastructure-alarms.ts';
import { alertDocument } from '../../core/model/alert-document.ts';
import { createDeliverHandler } from '../../lambdas/deliver.ts';
import { connectDeliver, connectRetries } from '../../lambdas/ports-on-aws.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { createStacks } from '../../lib/stacks.ts';
import { context, queueBatch, RecordedLog } from '../lambdas/events.ts';
import { SimulatedAws } from '../lambdas/simulated-aws.ts';
import { alertDetail } from '../route/alert-detail.ts';
import { place, resolveTemplate } from './resolve-template.ts';
import { grantMatches, grantsOf, isAllowed } from './role-grants.ts';
import { createApp, resourcesOf, synthesise } from './synthesise.ts';

const topic = `arn:aws:sns:${place.region}:${place.account}:ml-chat`;
const secretArn = `arn:aws:secretsmanager:${place.region}:${place.account}:secret:hooks/in-AbCdEf`;
const config = {
  fleet: { webhookHosts: ['hooks.example.com'], runbook: 'https://example.com/runbook.md' },
  models: [
    {
      name: 'credit',
      source: sagemakerCapture({ bucket: 'captures', endpoint: 'credit' }),
      versions: [{ match: '*' }],
      alerts: {
        yellow: [chat({ topic }), email('ml@example.com')],
        red: [pagerDuty({ secret: 'tidewatch/pager' }), webhook({ secret: secretArn }), email('oncall@example.com')],
      },
    },
  ],
};
const templates = synthesise(config);
const functionName = 'tidewatch-deliver';
const ofQueues = resourcesOf(templates, 'AWS::SQS::Queue');

describe('the way to pagers, chats and webhooks', () => {
  test('is there where a contact needs it alone', () => {
    const [model] = config.models;
    const plain = synthesise({
      models: [{ ...model, name: 'credit', alerts: { red: [email('a@example.com')] } } as never],
    });
    const names = resourcesOf(plain, 'AWS::Lambda::Function').map(({ properties }) => properties.FunctionName);
    expect(names).not.toContain(functionName);
  });

  test('takes everything of the deliver topics, which nobody else hears, by a queue that keeps what fails', () => {
    const subscriptions = resourcesOf(templates, 'AWS::SNS::Subscription').filter(
      ({ properties }) => properties.Protocol === 'sqs',
    );
    expect(
      subscriptions.map(({ properties }) => /Deliver(yellow|red)/.exec(JSON.stringify(properties.TopicArn))?.[1]),
    ).toEqual(['yellow', 'red']);
    for (const { properties } of subscriptions) {
      expect(properties.FilterPolicy).toBeUndefined();
      // deliver reads by which topic a message came.
      expect(properties.RawMessageDelivery).toBeUndefined();
      expect(properties.RedrivePolicy).toEqual({ deadLetterTargetArn: expect.anything() });
    }
    const queue = ofQueues.find(({ properties }) => properties.QueueName === functionName);
    expect(queue?.properties).toMatchObject({ RedrivePolicy: { maxReceiveCount: 20 }, VisibilityTimeout: 360 });
    const others = resourcesOf(templates, 'AWS::SNS::Subscription').filter(
      ({ properties }) => properties.Protocol !== 'sqs',
    );
    expect(others.map(({ properties }) => properties.Protocol).sort()).toEqual(['email', 'email', 'lambda', 'lambda']);
    for (const { properties } of others) expect(JSON.stringify(properties.TopicArn)).not.toMatch(/Deliver(yellow|red)/);
  });

  test('is watched: what is tried in vain, what nobody takes, what failed for good, each told of directly', () => {
    const { fleet } = parseConfig(config);
    const deployed = [...templates.values()].flatMap(readTemplateAlarms);
    const expected = deliveryAlarms(functionName, fleet);
    expect(deployed.filter(({ name }) => name.includes('/undelivered/'))).toEqual(expected);
    const deadLetters = 'tidewatch/dead-letters/tidewatch-deliver-dead';
    expect(deployed.map(({ name }) => name)).toEqual(expect.arrayContaining([deadLetters, `${deadLetters}/growing`]));
    const rung = resourcesOf(templates, 'AWS::CloudWatch::Alarm').filter(({ properties }) =>
      /undelivered|deliver-dead/.test(String(properties.AlarmName)),
    );
    expect(rung).toHaveLength(4);
    for (const { properties } of rung) {
      expect(JSON.stringify(properties.AlarmActions).match(/tidewatch-[a-z-]+/g)).toEqual([
        'tidewatch-red',
        'tidewatch-failures-red',
        'tidewatch-deliver-red',
      ]);
      expect(JSON.stringify(properties.OKActions).match(/tidewatch-[a-z-]+/g)).toEqual(['tidewatch-deliver-red']);
    }
  });

  test('passes the checks of AwsSolutions', () => {
    const app: App = createApp();
    const { platform } = createStacks(app, loadFleet(config, '.'));
    const { violations } = new AwsSolutionsChecks(app).validateScope(platform);
    expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
  });
});

describe('its role', () => {
  let aws: SimulatedAws;
  beforeAll(async () => {
    const keyArn = (id: string) => `arn:aws:kms:${place.region}:${place.account}:key/${id}`;
    aws = new SimulatedAws({
      data: keyArn('data'),
      topics: keyArn('topics'),
      aliases: ['alias/tidewatch-data'],
      byBucket: new Map(),
    });
    const made = resourcesOf(templates, 'AWS::Lambda::Function').find(
      ({ properties }) => properties.FunctionName === functionName,
    );
    const template = templates.get(made?.stack ?? '');
    if (!made || !template) throw new Error('expected the function');
    const { Variables } = resolveTemplate(made.properties.Environment, template) as {
      Variables: Record<string, string>;
    };
    for (const [name, value] of Object.entries(Variables)) vi.stubEnv(name, value);
    const { fleet, models: policies } = parseConfig(config);
    const red = Variables.TIDEWATCH_DELIVER_TOPIC_RED_ARN ?? '';
    const yellow = Variables.TIDEWATCH_DELIVER_TOPIC_YELLOW_ARN ?? '';
    const handle = createDeliverHandler(async () => ({
      fleet,
      policies,
      topics: new Map([
        [red, 'red'],
        [yellow, 'yellow'],
      ]),
      ports: { ...connectDeliver(), https: { post: async () => ({ status: 202 }) } },
      retries: connectRetries('deliverQueueUrl'),
      deadLetters: new SqsDeadLetters(createSqsClient(), Variables.TIDEWATCH_DELIVER_DEAD_LETTER_QUEUE_URL ?? ''),
      log: new RecordedLog(),
    }));
    for (const tier of ['red', 'yellow'] as const) {
      const message = alertDocument({
        id: tier,
        tier,
        event: 'raised',
        model: 'credit',
        episode: 'e',
        subject: 's',
        text: 't',
        time: 1,
        detail: alertDetail,
      });
      const text = JSON.stringify({ TopicArn: tier === 'red' ? red : yellow, Message: JSON.stringify(message) });
      const { Records } = queueBatch([text, '{']);
      await handle({ Records: Records.map((record) => ({ ...record, receiptHandle: 'h' })) }, context);
    }
  });
  afterAll(() => {
    aws.restore();
    vi.unstubAllEnvs();
  });

  test('allows every request that it makes', () => {
    const grants = grantsOf(templates, functionName);
    const actions = new Set(aws.requests.map(({ action }) => action));
    expect([...actions].sort()).toEqual([
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'kms:Decrypt',
      'kms:GenerateDataKey',
      'secretsmanager:GetSecretValue',
      'sns:Publish',
      'sqs:ChangeMessageVisibility',
      'sqs:SendMessage',
    ]);
    // The chat's topic and the secrets are others': their keys are theirs to grant.
    const own = aws.requests.filter(({ action, resource }) => !action.startsWith('kms:') || resource.endsWith('/data'));
    const refused = own.filter(
      (request) => !isAllowed(grants, request) && !JSON.stringify(request.context).includes('secretsmanager'),
    );
    // The simulated service ends the ARN that was given whole with six more characters.
    expect(refused.map(({ resource }) => resource)).toEqual([`${secretArn}-AbCdEf`]);
    expect(isAllowed(grants, { action: 'secretsmanager:GetSecretValue', resource: secretArn, context: {} })).toBe(true);
  });

  test('allows nothing else', () => {
    const grants = grantsOf(templates, functionName).filter(({ effect }) => effect === 'Allow');
    const idle = grants.flatMap((grant) =>
      grant.actions.filter(
        (action) => !aws.requests.some((request) => request.action === action && grantMatches(grant, request)),
      ),
    );
    const byTheService =
      /^(logs|xray):|^sqs:(ReceiveMessage|DeleteMessage|GetQueueUrl|GetQueueAttributes)$|^kms:(DescribeKey|Encrypt)$/;
    expect(idle.filter((action) => !byTheService.test(action))).toEqual([]);
    for (const request of [
      { action: 'dynamodb:PutItem', resource: '*', context: { 'dynamodb:LeadingKeys': ['episodes'] } },
      {
        action: 'dynamodb:PutItem',
        resource: `arn:aws:dynamodb:${place.region}:${place.account}:table/tidewatch-state`,
        context: { 'dynamodb:LeadingKeys': ['episodes'] },
      },
      {
        action: 'secretsmanager:GetSecretValue',
        resource: `arn:aws:secretsmanager:${place.region}:${place.account}:secret:tidewatch/evidence-key-AbCdEf`,
        context: {},
      },
      { action: 's3:GetObject', resource: 'arn:aws:s3:::captures/credit/x', context: {} },
    ])
      expect([request.resource, isAllowed(grants, request)]).toEqual([request.resource, false]);
  });
});
