import type { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { readTemplateAlarms } from '../../cli/template-alarms.ts';
import { email, eventBus, parseConfig, sagemakerCapture, sqsQueue } from '../../core/contract/config.ts';
import { unpipedAlarm } from '../../core/contract/infrastructure-alarms.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { createStacks } from '../../lib/stacks.ts';
import { place } from './resolve-template.ts';
import { createApp, resourcesOf, statementsOf, synthesise } from './synthesise.ts';

const queue = `arn:aws:sqs:${place.region}:${place.account}:alerts`;
const buses = ['default', 'mine'].map((name) => `arn:aws:events:${place.region}:${place.account}:event-bus/${name}`);
const [bus = '', other = ''] = buses;
const model = (name: string, red: readonly ReturnType<typeof eventBus | typeof sqsQueue | typeof email>[]) => ({
  name,
  source: sagemakerCapture({ bucket: 'captures', prefix: name, endpoint: name }),
  versions: [{ match: '*' }],
  alerts: { yellow: [eventBus({ arn: bus })], red: [...red] },
});
const config = {
  fleet: { runbook: 'https://example.com/runbook.md' },
  models: [
    model('credit', [eventBus({ arn: bus }), sqsQueue(queue), email('a@example.com')]),
    model('prices', [eventBus({ arn: bus }), eventBus({ arn: other })]),
  ],
};
const templates = synthesise(config);
const subscriptions = resourcesOf(templates, 'AWS::SNS::Subscription').map(({ properties }) => properties);
const pipes = resourcesOf(templates, 'AWS::Pipes::Pipe');

test('a queue gets the message itself, without an envelope of SNS', () => {
  const own = subscriptions.filter(({ Endpoint }) => Endpoint === queue);
  expect(own).toHaveLength(2);
  for (const properties of own) expect(properties).toMatchObject({ Protocol: 'sqs', RawMessageDelivery: true });
  for (const properties of subscriptions.filter(({ Protocol }) => Protocol !== 'sqs'))
    expect(properties.RawMessageDelivery).toBeUndefined();
});

describe('an event bus', () => {
  test('has one pipe and one queue, however many models and tiers name it', () => {
    expect(pipes.map(({ properties }) => properties.Target)).toEqual(buses);
    const [first, second] = pipes.map(({ properties }) => properties.Source);
    const of = (source: unknown) =>
      subscriptions
        .filter(({ Endpoint }) => JSON.stringify(Endpoint) === JSON.stringify(source))
        .map(({ Protocol, RawMessageDelivery, TopicArn, FilterPolicy, RedrivePolicy }) => [
          Protocol,
          RawMessageDelivery,
          /(Delivery|Failures)(yellow|red)/.exec(JSON.stringify(TopicArn))?.[0],
          FilterPolicy,
          RedrivePolicy !== undefined,
        ]);
    expect(of(first)).toEqual([
      ['sqs', true, 'Deliveryyellow', undefined, true],
      ['sqs', true, 'Deliveryred', undefined, true],
    ]);
    expect(of(second)).toEqual([
      ['sqs', true, 'Deliveryred', { model: ['prices', 'fleet'] }, true],
      ['sqs', true, 'Failuresred', undefined, true],
    ]);
  });

  test('gets the full JSON as a part of the detail, one event a message', () => {
    for (const { properties } of pipes) {
      expect(properties).toMatchObject({
        SourceParameters: { SqsQueueParameters: { BatchSize: 1 } },
        TargetParameters: {
          EventBridgeEventBusParameters: { Source: 'tidewatch', DetailType: 'Tidewatch alert' },
          InputTemplate: '{"alert": <$.body>}',
        },
      });
    }
  });

  test('what it refuses is kept, and told directly, as is what waits for a pipe', () => {
    const queues = resourcesOf(templates, 'AWS::SQS::Queue').filter(({ properties }) =>
      /^tidewatch-bus-[0-9a-f]{12}$/.test(String(properties.QueueName)),
    );
    expect(queues).toHaveLength(2);
    const alarms = [...templates.values()].flatMap(readTemplateAlarms);
    const { fleet } = parseConfig(config);
    for (const { properties } of queues) {
      expect(properties).toMatchObject({ RedrivePolicy: { maxReceiveCount: 12 }, SqsManagedSseEnabled: true });
      const name = String(properties.QueueName);
      expect(alarms).toContainEqual(unpipedAlarm(name, fleet));
      expect(alarms.map((alarm) => alarm.name)).toContain(`tidewatch/dead-letters/${name}-dead`);
    }
  });

  test("each pipe's role reads its queue and writes to its bus, and nothing else; nobody else may use it", () => {
    const statements = statementsOf(templates);
    for (const { properties } of pipes) {
      const role = JSON.stringify(properties.RoleArn).match(/"(\w+Role\w+)"/)?.[1] ?? '';
      const granted = statements.filter(({ owner }) => JSON.stringify(owner.properties.Roles ?? '').includes(role));
      expect(granted.map(({ effect, actions, resources }) => [effect, actions, resources])).toEqual([
        [
          'Allow',
          ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
          [JSON.stringify(properties.Source)],
        ],
        ['Allow', ['events:PutEvents'], [JSON.stringify(properties.Target)]],
      ]);
      const [trust] = statements.filter(({ owner }) => owner.id === role);
      expect(trust?.principal).toEqual({ Service: 'pipes.amazonaws.com' });
      expect(JSON.stringify(trust?.condition)).toContain(`:pipe/${String(properties.Name)}`);
    }
  });

  test('passes the checks of AwsSolutions', () => {
    const app: App = createApp();
    const { platform } = createStacks(app, loadFleet(config, '.'));
    const { violations } = new AwsSolutionsChecks(app).validateScope(platform);
    expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
  });
});
