import { Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { ConfigError, type ConfigInput, email, https, sagemakerCapture } from '../../core/contract/config.ts';
import { groupPrefixes } from '../../lib/capture-pipeline.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { ModelMonitoring } from '../../lib/model-monitoring.ts';
import { ModelShard } from '../../lib/model-shard.ts';
import { planSubscriptions } from '../../lib/subscriptions.ts';
import { createApp, resourcesOf, sampleConfig, synthesise } from './synthesise.ts';

function fleetOf(count: number): ConfigInput {
  return {
    models: Array.from({ length: count }, (_, index) => ({
      name: `model-${index}`,
      source: sagemakerCapture({
        bucket: `captures-${index % 7}`,
        prefix: 'a-rather-long-prefix/of/captures',
        endpoint: `endpoint-${index}`,
      }),
      versions: [{ match: '*' }],
      alerts: { red: [email(`team-${index % 5}@example.com`), email('oncall@example.com')] },
      shard: `shard-${Math.floor(index / 20)}`,
    })),
  };
}

test('sixty models fit into stacks of fewer than 500 resources', { timeout: 120_000 }, () => {
  const templates = synthesise(fleetOf(60));
  expect([...templates.keys()]).toEqual([
    'tidewatch-platform',
    'tidewatch-shard-0',
    'tidewatch-shard-1',
    'tidewatch-shard-2',
  ]);
  for (const { Resources } of templates.values()) expect(Object.keys(Resources).length).toBeLessThan(300);
  expect(resourcesOf(templates, 'AWS::CloudWatch::CompositeAlarm')).toHaveLength(120 + 3 + 1);
});

test('the kinds and numbers of resources', () => {
  const counts = new Map<string, number>();
  for (const { stack, type } of resourcesOf(synthesise())) {
    const key = `${stack} ${type}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect([...counts].map(([key, count]) => `${key} ${count}`).sort()).toMatchSnapshot();
});

describe('a configuration that cannot be is refused at synth', () => {
  const [first, second] = sampleConfig.models;
  if (!first || !second) throw new Error('expected two models');
  test.each([
    ['two models of one name', { models: [first, { ...second, name: first.name }] }],
    [
      'a bucket that can not be',
      { models: [{ ...second, source: sagemakerCapture({ bucket: 'Captures', endpoint: 'prices' }) }] },
    ],
    [
      'an endpoint that can not be',
      { models: [{ ...second, source: sagemakerCapture({ bucket: 'captures', endpoint: 'a_b' }) }] },
    ],
    [
      'a key that can not be',
      { models: [{ ...second, source: sagemakerCapture({ bucket: 'captures', prefix: '../x', endpoint: 'a' }) }] },
    ],
  ])('%s', (_, config) => {
    expect(() => synthesise({ ...sampleConfig, ...config })).toThrow(ConfigError);
  });

  test('a shard that is not there', () => {
    const configuration = loadFleet(sampleConfig, '.');
    expect(() => new ModelShard(new Stack(createApp()), 'Shard', { configuration, shard: 'other' })).toThrow(
      "shard other: expected one of the configuration's (main)",
    );
  });
});

describe('constructs by themselves', () => {
  test('all of it in a stack of somebody else', () => {
    const app = createApp();
    const stack = new Stack(app, 'Mine');
    new ModelMonitoring(stack, 'Credit', { ...sampleConfig, deletionProtection: false });
    const [template] = app.synth().stacks.map((artifact) => artifact.template);
    const types = new Set(Object.values<{ Type: string }>(template.Resources).map(({ Type }) => Type));
    expect(types.has('AWS::Events::Rule') && types.has('AWS::KMS::Key')).toBe(true);
    const rule = Object.values<{ Type: string; DependsOn?: string[] }>(template.Resources).find(
      ({ Type }) => Type === 'AWS::Lambda::EventSourceMapping',
    );
    expect(rule?.DependsOn?.some((id) => id.includes('StateBucket'))).toBe(true);
    expect(JSON.stringify(template)).toContain('"DeletionProtectionEnabled":false');
  });

  test('two applications give the same template', () => {
    const synth = () => JSON.stringify([...synthesise()]);
    expect(synth()).toBe(synth());
  });
});

describe('subscriptions', () => {
  const contact = (address: string) => ({ kind: 'email' as const, address });
  const model = (name: string, ...yellow: string[]) => ({ name, alerts: { yellow: yellow.map(contact), red: [] } });

  test('are filtered for those who watch some models only', () => {
    const planned = planSubscriptions([model('a', 'all@x.com', 'some@x.com'), model('b', 'ALL@x.com')], 'yellow');
    expect(planned).toEqual([
      { contact: contact('all@x.com'), models: undefined },
      { contact: contact('some@x.com'), models: ['a'] },
    ]);
    expect(planSubscriptions([model('a', 'all@x.com')], 'red')).toEqual([]);
  });

  test('are not filtered by more models than SNS takes', () => {
    const many = Array.from({ length: 160 }, (_, at) => model(`m${at}`, ...(at < 155 ? ['most@x.com'] : [])));
    expect(planSubscriptions(many, 'yellow')).toEqual([{ contact: contact('most@x.com'), models: undefined }]);
  });

  test('are of as many addresses as there are: the case of a mail address says nothing, that of others does', () => {
    const [first, second] = sampleConfig.models;
    if (!first || !second) throw new Error('expected two models');
    const alertsOf = (address: string, secret: string) => ({
      alerts: { yellow: [email(address), https({ host: 'x.com', secret })] },
    });
    const made = synthesise({
      fleet: { webhookHosts: ['x.com'] },
      models: [
        { ...first, ...alertsOf('all@x.com', 'hooks/Key') },
        { ...second, ...alertsOf('ALL@x.com', 'hooks/key') },
      ],
    });
    const endpoints = resourcesOf(made, 'AWS::SNS::Subscription')
      .filter(({ properties }) => JSON.stringify(properties.TopicArn).includes('Deliveryyellow'))
      .map(({ properties }) => String(properties.Endpoint));
    expect(endpoints.sort()).toEqual([
      'all@x.com',
      'https://x.com/{{resolve:secretsmanager:hooks/Key}}',
      'https://x.com/{{resolve:secretsmanager:hooks/key}}',
    ]);
  });

  test('reach everybody where notify fails', () => {
    const subscriptions = resourcesOf(synthesise(), 'AWS::SNS::Subscription').filter(
      ({ properties }) => properties.Protocol !== 'lambda' || String(properties.Endpoint).includes('page'),
    );
    const seen = subscriptions.map(({ properties: { Endpoint, TopicArn, FilterPolicy } }) => [
      Endpoint,
      /(Alarms|Delivery|Failures)\w*?(yellow|red)/.exec(JSON.stringify(TopicArn))?.slice(1, 3).join(' '),
      FilterPolicy,
    ]);
    const credit = { model: ['credit-scoring', 'fleet'] };
    const queue = 'arn:aws:sqs:us-east-1:123456789012:alerts';
    const page = 'arn:aws:lambda:us-east-1:123456789012:function:page';
    const secret = 'https://events.example.com/{{resolve:secretsmanager:tidewatch/pager}}';
    expect(seen).toEqual([
      ['ml@example.com', 'Delivery yellow', credit],
      ['ml@example.com', 'Failures yellow', undefined],
      ['all@example.com', 'Delivery yellow', undefined],
      [secret, 'Delivery red', credit],
      [secret, 'Failures red', undefined],
      [queue, 'Delivery red', credit],
      [queue, 'Failures red', undefined],
      [page, 'Delivery red', { model: ['prices', 'fleet'] }],
      [page, 'Failures red', undefined],
    ]);
  });
});

test('event patterns stay within 2,048 characters', () => {
  const prefixes = Array.from({ length: 20 }, (_, at) => `${'p'.repeat(400)}${at}/`);
  const groups = groupPrefixes(prefixes);
  expect(groups.flat()).toEqual(prefixes);
  for (const group of groups) expect(JSON.stringify(group.map((prefix) => ({ prefix }))).length).toBeLessThan(1_700);
  expect(groupPrefixes(['a/', 'b/'])).toEqual([['a/', 'b/']]);
});
