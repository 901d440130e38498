import { describe, expect, test } from 'vitest';
import { sagemakerCapture } from '../../core/contract/config.ts';
import { resourcesOf, sampleConfig, statementsOf, synthesise } from './synthesise.ts';

const templates = synthesise();
const queues = resourcesOf(templates, 'AWS::SQS::Queue');
const shard = 'tidewatch-main';
const captureRulesOf = (of: typeof templates) =>
  resourcesOf(of, 'AWS::Events::Rule').filter(({ stack }) => stack === shard);
const captureRules = captureRulesOf(templates);
const isDead = (name: unknown) => String(name).endsWith('-dead');

describe('what fails for good is kept', () => {
  test('of every queue', () => {
    for (const { properties } of queues.filter(({ properties: { QueueName } }) => !isDead(QueueName))) {
      expect(properties.RedrivePolicy).toMatchObject({ maxReceiveCount: 5 });
    }
    expect(queues.filter(({ properties: { QueueName } }) => !isDead(QueueName))).toHaveLength(2);
  });

  test('of every rule, schedule and subscription', () => {
    const rules = resourcesOf(templates, 'AWS::Events::Rule');
    expect(rules).toHaveLength(3);
    for (const { properties } of rules) expect(JSON.stringify(properties.Targets)).toContain('"DeadLetterConfig"');
    const schedules = resourcesOf(templates, 'AWS::Scheduler::Schedule');
    expect(schedules.map(({ properties }) => properties.ScheduleExpression).sort()).toEqual([
      'rate(1 hour)',
      'rate(1 minute)',
      'rate(1 minute)',
      'rate(1 minute)',
    ]);
    for (const { properties } of schedules) {
      expect(properties.Target).toMatchObject({
        DeadLetterConfig: { Arn: expect.anything() },
        RetryPolicy: { MaximumEventAgeInSeconds: expect.any(Number), MaximumRetryAttempts: 3 },
        Input: expect.stringMatching(/^\{"schedule":"(tick|sweep|overdue|endpoints)"\}$/),
      });
    }
    const subscriptions = resourcesOf(templates, 'AWS::SNS::Subscription');
    expect(subscriptions.length).toBeGreaterThan(6);
    for (const { properties } of subscriptions) {
      expect(properties.RedrivePolicy).toEqual({ deadLetterTargetArn: expect.anything() });
    }
  });

  test('of every function that is invoked asynchronously', () => {
    const configured = resourcesOf(templates, 'AWS::Lambda::EventInvokeConfig');
    const asynchronous = configured.filter(({ properties }) => properties.DestinationConfig !== undefined);
    expect(
      asynchronous
        .map(({ id }) => /Notify|Evaluate|Sweep|Watch/.exec(id.replace(/^.*?(Notif|Evaluation|Endpoints)/, ''))?.[0])
        .sort(),
    ).toEqual(['Evaluate', 'Notify', 'Sweep', 'Watch']);
  });
});

test('queues show a message again only after every attempt of its function is over', () => {
  const functions = resourcesOf(templates, 'AWS::Lambda::Function');
  const mappings = resourcesOf(templates, 'AWS::Lambda::EventSourceMapping');
  expect(mappings).toHaveLength(2);
  for (const { properties } of mappings) {
    const queue = queues.find(({ id }) => JSON.stringify(properties.EventSourceArn).includes(`"${id}"`));
    const target = functions.find(({ id }) => JSON.stringify(properties.FunctionName).includes(`"${id}"`));
    expect(queue?.properties.VisibilityTimeout).toBe(6 * Number(target?.properties.Timeout));
    expect(properties.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
  }
});

describe('concurrency', () => {
  const of = (ingest?: { concurrency?: number; reservedConcurrency?: number }) => {
    const made = synthesise({ ...sampleConfig, fleet: { ...sampleConfig.fleet, ...(ingest && { ingest }) } });
    const limits = resourcesOf(made, 'AWS::Lambda::EventSourceMapping').map(
      ({ properties }) => properties.ScalingConfig,
    );
    const reserved = resourcesOf(made, 'AWS::Lambda::Function').flatMap(({ properties }) =>
      properties.ReservedConcurrentExecutions === undefined
        ? []
        : [[properties.FunctionName, properties.ReservedConcurrentExecutions]],
    );
    return { limits, reserved };
  };

  test('leaves a small account room, and reserves none of it', () => {
    expect(of()).toEqual({ limits: [{ MaximumConcurrency: 5 }, { MaximumConcurrency: 2 }], reserved: [] });
  });

  test('of ingest is an option', () => {
    expect(of({ concurrency: 40, reservedConcurrency: 50 })).toEqual({
      limits: [{ MaximumConcurrency: 40 }, { MaximumConcurrency: 2 }],
      reserved: [['tidewatch-main-ingest', 50]],
    });
  });
});

test('ticks that could not run do not pile up', () => {
  const configured = resourcesOf(templates, 'AWS::Lambda::EventInvokeConfig');
  const evaluate = configured.find(({ id }) => id.includes('EvaluationEvaluate'));
  expect(evaluate?.properties).toMatchObject({ MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 });
});

test('every function runs Node 24 on arm64, traced, with a log that ends', () => {
  const logs = resourcesOf(templates, 'AWS::Logs::LogGroup');
  const functions = resourcesOf(templates, 'AWS::Lambda::Function');
  expect(logs.map(({ properties }) => properties.LogGroupName).sort()).toEqual(
    functions.map(({ properties }) => `/aws/lambda/${String(properties.FunctionName)}`).sort(),
  );
  for (const { properties } of logs) expect(properties.RetentionInDays).toBe(30);
  for (const { properties } of functions) {
    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: { LogGroup: expect.anything() },
    });
    expect(JSON.stringify(properties.Tags)).toContain('"tidewatch:fleet"');
  }
});

interface LifecycleConfiguration {
  readonly Rules: readonly { readonly Prefix?: string; readonly ExpirationInDays?: number }[];
}

test('what expires in the state bucket lives longer than it is needed', () => {
  const state = resourcesOf(templates, 'AWS::S3::Bucket').find(({ id }) => id.includes('StateBucket'));
  const rules = (state?.properties.LifecycleConfiguration as LifecycleConfiguration | undefined)?.Rules ?? [];
  const days = new Map(rules.map(({ Prefix, ExpirationInDays }) => [Prefix, ExpirationInDays]));
  // A window may last a day, late data come for seven days after it, and a sweep may find them seven days later.
  expect(days.get('fragments/')).toBeGreaterThan(15);
  expect(days.get('slis/')).toBeGreaterThan(30);
  // Four weeks of windows are judged together, and learned from.
  expect(days.get('trails/')).toBeGreaterThan(28);
  expect(days.get('empty/')).toBeGreaterThan(8);
});

test('capture rules ask for created objects under the prefixes, of this account', () => {
  expect(captureRules.map(({ properties }) => properties.EventPattern)).toEqual([
    {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      account: [{ Ref: 'AWS::AccountId' }],
      detail: {
        bucket: { name: ['credit-captures'] },
        object: { key: [{ prefix: 'datacapture/credit/' }, { prefix: 'requests/' }] },
      },
    },
    {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      account: [{ Ref: 'AWS::AccountId' }],
      detail: { bucket: { name: ['price-captures'] }, object: { key: [{ prefix: 'prices/' }] } },
    },
  ]);
});

test('one statement lets all rules of a shard send, and nothing else of EventBridge', () => {
  const rules = statementsOf(templates).filter(
    ({ owner, principal }) =>
      owner.stack === shard && JSON.stringify(principal ?? '') === '{"Service":"events.amazonaws.com"}',
  );
  expect(rules.map(({ owner }) => /Captures(\w+?)Policy/.exec(owner.id)?.[1])).toEqual(['Queue', 'UndeliveredEvents']);
  const names = captureRules.map(({ properties }) => String(properties.Name));
  for (const { actions, condition } of rules) {
    expect(actions).toEqual(['sqs:SendMessage']);
    const { StringEquals, ArnLike } = condition as Record<string, Record<string, unknown>>;
    expect(StringEquals).toEqual({ 'aws:SourceAccount': { Ref: 'AWS::AccountId' } });
    const prefix = /rule\/([^"]+)\*"/.exec(JSON.stringify(ArnLike?.['aws:SourceArn']))?.[1];
    expect(prefix).toBe('tidewatch-main-s3-');
    for (const name of names) expect(name.startsWith(String(prefix))).toBe(true);
  }
});

test('a bucket of another account is waited for under that account', () => {
  const [first] = sampleConfig.models;
  if (!first) throw new Error('expected a model');
  const source = sagemakerCapture({ bucket: 'their-captures', endpoint: 'credit', account: '999988887777' });
  const [rule] = captureRulesOf(synthesise({ ...sampleConfig, models: [{ ...first, slos: [], source }] }));
  expect(rule?.properties.EventPattern).toMatchObject({ account: ['999988887777'] });
});

test('only a bucket that was asked for is made, with its events on', () => {
  const captures = resourcesOf(templates, 'AWS::S3::Bucket').filter(({ id }) => id.includes('Captures'));
  expect(captures.map(({ properties }) => properties.BucketName)).toEqual(['credit-captures']);
  expect(captures[0]?.properties.NotificationConfiguration).toEqual({
    EventBridgeConfiguration: { EventBridgeEnabled: true },
  });
});

test('the template needs no look-up, no export and no parameter but that of bootstrap', () => {
  for (const template of templates.values()) {
    const { Parameters = {}, Outputs } = template as { Parameters?: object; Outputs?: object };
    expect(Object.keys(Parameters)).toEqual(['BootstrapVersion']);
    expect(Outputs).toBeUndefined();
    expect(JSON.stringify(template)).not.toContain('Fn::ImportValue');
  }
});

test('the dashboard has one variable, and a graph of each kind of metric', () => {
  const dashboards = resourcesOf(templates, 'AWS::CloudWatch::Dashboard');
  expect(dashboards).toHaveLength(1);
  const body = JSON.stringify(dashboards[0]?.properties.DashboardBody).replaceAll('\\', '');
  expect(body).toContain('"id":"model"');
  expect(body).toContain('"defaultValue":"credit-scoring"');
  for (const metric of [
    'Tier',
    'PopulationStabilityIndex',
    'SloErrorBudgetRemaining',
    'Records',
    'EvaluationLagSeconds',
    'Heartbeat',
  ]) {
    expect(body).toContain(metric);
  }
  expect(body).toContain(`${sampleConfig.fleet?.runbook}#red`);
});
