import { describe, expect, test } from 'vitest';
import { readTemplateAlarms } from '../../cli/template-alarms.ts';
import { modelAlarms } from '../../core/contract/alarm-definitions.ts';
import { formatAlarmDescription, parseAlarmDescription } from '../../core/contract/alarm-text.ts';
import { parseConfig } from '../../core/contract/config.ts';
import { backlogAlarms } from '../../core/contract/infrastructure-alarms.ts';
import { shardAlarmNames, shardAlarms } from '../../core/contract/shard-alarms.ts';
import type { AlarmDefinition } from '../../core/model/alarm.ts';
import { resourcesOf, sampleConfig, synthesise } from './synthesise.ts';

const templates = synthesise();
const { fleet, models } = parseConfig(sampleConfig);
const shard = shardAlarms('main', fleet);
const deployed = [...templates.values()].flatMap(readTemplateAlarms);
const resources = [
  ...resourcesOf(templates, 'AWS::CloudWatch::Alarm'),
  ...resourcesOf(templates, 'AWS::CloudWatch::CompositeAlarm'),
];

const byName = (a: AlarmDefinition, b: AlarmDefinition) => (a.name < b.name ? -1 : 1);

describe('the alarms that are deployed', () => {
  test('are those that are defined', () => {
    const defined = [
      ...models.flatMap((policy) => modelAlarms(policy, fleet)),
      ...shard,
      ...backlogAlarms('tidewatch-main-ingest', fleet),
    ];
    const named = new Set(defined.map(({ name }) => name));
    expect(deployed.filter(({ name }) => named.has(name)).sort(byName)).toEqual(defined.sort(byName));
  });

  test('and those of every dead-letter queue, of the ingest queue, of the shard and of notify', () => {
    const queues = resourcesOf(templates, 'AWS::SQS::Queue').map(({ properties }) => String(properties.QueueName));
    const dead = queues.filter((name) => name.endsWith('-dead'));
    expect(dead.length).toBeGreaterThanOrEqual(7);
    const lasting = resourcesOf(templates, 'AWS::SQS::Queue')
      .filter(({ properties }) => properties.MessageRetentionPeriod === 14 * 86_400)
      .map(({ properties }) => String(properties.QueueName))
      .filter((name) => dead.includes(name));
    // Any other clears within a day by itself.
    expect(lasting).toEqual([
      'tidewatch-notify-dead',
      'tidewatch-delivery-dead',
      'tidewatch-main-touch-dead',
      'tidewatch-main-ingest-dead',
    ]);
    const others = deployed.filter(({ model }) => model === undefined);
    const expected = [
      ...dead.map((name) => `tidewatch/dead-letters/${name}`),
      ...lasting.map((name) => `tidewatch/dead-letters/${name}/growing`),
      'tidewatch/backlog/tidewatch-main-ingest/late',
      'tidewatch/backlog/tidewatch-main-ingest/pending',
      ...Object.values(shardAlarmNames('main')),
      'tidewatch/notify-failure',
      'tidewatch/notify-silence',
      'tidewatch/notify-silence/runs',
    ];
    expect(others.map(({ name }) => name).sort()).toEqual(expected.sort());
  });

  test('have names of their own', () => {
    expect(new Set(deployed.map(({ name }) => name)).size).toBe(deployed.length);
  });

  test('say where their article is and how missing data is treated', () => {
    expect(deployed.length).toBe(resources.length);
    for (const definition of deployed) {
      expect(definition.runbook).toMatch(/^https:\/\/example\.com\/runbook\.md#[a-z-]+$/);
      if (definition.type === 'metric') expect(definition.missingDataReason.length).toBeGreaterThan(20);
    }
    for (const { type, properties } of resources) {
      expect(String(properties.AlarmDescription).length).toBeLessThanOrEqual(1024);
      if (type === 'AWS::CloudWatch::Alarm') {
        expect(['breaching', 'notBreaching', 'ignore', 'missing']).toContain(properties.TreatMissingData);
      }
    }
  });

  test('ring notify for models, and people directly for Tidewatch itself', () => {
    for (const { properties } of resources) {
      const topics = JSON.stringify(properties.AlarmActions).match(/tidewatch-[a-z-]+/g) ?? [];
      const name = String(properties.AlarmName);
      // Of a recovery only those hear who know whether there was anything to recover from: notify and deliver.
      const told = JSON.stringify(properties.OKActions).match(/tidewatch-[a-z-]+/g) ?? [];
      expect(told).toEqual(topics.filter((topic) => /^tidewatch-(alarms|deliver)-/.test(topic)));
      expect(told.length).toBe(topics.length === 0 ? 0 : 1);
      // CloudWatch takes no more.
      expect(topics.length).toBeLessThanOrEqual(5);
      if (name === 'tidewatch/notify-failure' || name === 'tidewatch/notify-silence')
        expect(topics).toEqual([
          'tidewatch-yellow',
          'tidewatch-failures-yellow',
          'tidewatch-red',
          'tidewatch-failures-red',
          'tidewatch-deliver-red',
        ]);
      else if (/^tidewatch\/(dead-letters|backlog)\//.test(name))
        expect(topics.join()).toMatch(/^tidewatch-(yellow|red),tidewatch-failures-\1,tidewatch-deliver-\1$/);
      else if (/\/(yellow|red|heartbeat-main)$/.test(name))
        expect(topics.join()).toMatch(/^tidewatch-alarms-(yellow|red)$/);
      else expect(topics).toEqual([]);
    }
  });

  test('are made after the alarms that they name', () => {
    for (const { stack, properties, dependsOn } of resourcesOf(templates, 'AWS::CloudWatch::CompositeAlarm')) {
      const quoted = String(properties.AlarmRule).match(/(?<=ALARM\(")[^"]+/g) ?? [];
      const suppressor = properties.ActionsSuppressor;
      const needed = [...quoted, ...(suppressor === undefined ? [] : [String(suppressor)])];
      const named = resources.filter((resource) => needed.includes(String(resource.properties.AlarmName)));
      expect(named).toHaveLength(new Set(needed).size);
      // The platform's stack is deployed before any shard's.
      const [own, others] = [named.filter((one) => one.stack === stack), named.filter((one) => one.stack !== stack)];
      expect(dependsOn).toEqual(expect.arrayContaining(own.map(({ id }) => id)));
      expect(others.map((one) => one.stack)).toEqual(others.map(() => 'tidewatch-platform'));
    }
  });

  test('watch the beats of a shard only after its schedule was made', () => {
    const schedules = resourcesOf(templates, 'AWS::Scheduler::Schedule');
    const tick = schedules.find(({ properties }) => properties.Name === 'tidewatch-main-tick');
    for (const { name } of shard) {
      expect(resources.find(({ properties }) => properties.AlarmName === name)?.dependsOn).toContain(tick?.id);
    }
  });
});

describe('a description', () => {
  const [definition] = shard;

  test('can be read back', () => {
    const { description, runbook, missingDataReason } = definition;
    expect(parseAlarmDescription(formatAlarmDescription(definition))).toEqual({
      description,
      runbook,
      missingDataReason,
    });
  });

  test('that is none is not read', () => {
    expect(parseAlarmDescription('')).toBeUndefined();
    expect(parseAlarmDescription('something\nRunbook: a b')).toBeUndefined();
  });

  test('longer than CloudWatch takes is refused', () => {
    expect(() => formatAlarmDescription({ ...definition, description: 'x'.repeat(1000) })).toThrow(RangeError);
  });

  test('fits with the longest runbook link that is allowed', () => {
    const runbook = `https://example.com/${'x'.repeat(380)}`;
    const name = 'm'.repeat(100);
    const config = {
      fleet: { ...sampleConfig.fleet, runbook },
      models: sampleConfig.models.map((model, at) => ({ ...model, name: `${name.slice(1)}${at}` })),
    };
    expect(resourcesOf(synthesise(config), 'AWS::CloudWatch::Alarm').length).toBeGreaterThan(10);
  });
});

test.each([
  [undefined],
  [{}],
  [{ Resources: { A: { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmDescription: 'x' } } } }],
  [{ Resources: { A: { Type: 'AWS::CloudWatch::CompositeAlarm' } } }],
])('a template that is not ours: %j', (template) => {
  expect(() => readTemplateAlarms(template)).toThrow(/^template/);
});
