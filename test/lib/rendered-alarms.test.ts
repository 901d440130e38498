import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { readTemplateAlarms } from '../../cli/template-alarms.ts';
import { alarmMessage } from '../../core/alarm/alarm-message.ts';
import type { AlarmDefinition, AlarmMetric, AlarmThreshold } from '../../core/model/alarm.ts';
import { renderAlarm } from '../../lib/alarms.ts';

const threshold: AlarmThreshold = {
  periodSeconds: 300,
  evaluationPeriods: 3,
  datapointsToAlarm: 2,
  threshold: 0.05,
  comparison: 'GreaterThanThreshold',
  missingData: 'notBreaching',
  missingDataReason: 'without calls there are no errors',
};
const named = {
  description: 'too many errors',
  runbook: 'https://example.com/runbook.md#errors',
  audience: 'none',
} as const;

function metric(name: string, statistic: AlarmMetric['statistic']): AlarmMetric {
  return { namespace: 'AWS/SageMaker', metric: name, dimensions: [['EndpointName', 'e']], statistic };
}

/** Kinds of alarms that are evaluated and that no template has yet. */
const definitions: readonly AlarmDefinition[] = [
  {
    type: 'metric',
    name: 'percentile',
    ...named,
    ...threshold,
    ...metric('ModelLatency', 'p99.9'),
    lowSamples: 'ignore',
  },
  { type: 'metric', name: 'count', ...named, ...threshold, ...metric('ModelLatency', 'TC(100000:)') },
  {
    type: 'math',
    name: 'share',
    ...named,
    ...threshold,
    queries: [
      { id: 'errors', metric: metric('Invocation5XXErrors', 'Sum') },
      { id: 'calls', metric: metric('Invocations', 'Sum') },
      { id: 'share', expression: 'IF(calls > 10, FILL(errors, 0) / calls, 0)' },
    ],
    watches: 'share',
  },
];

test('an alarm of any kind can be rendered and read back', () => {
  const stack = new Stack(new App(), 'alarms');
  for (const definition of definitions) renderAlarm(stack, definition.name, definition, []);
  expect(readTemplateAlarms(Template.fromStack(stack).toJSON())).toEqual(definitions);
});

test('and its message says what it watches, as CloudWatch writes it', () => {
  const place = { account: '123456789012', region: 'eu-west-1' };
  const triggers = definitions.map((definition) => {
    const change = {
      alarm: definition.name,
      from: 'OK',
      to: 'ALARM',
      time: 0,
      reason: '',
      actionsEnabled: true,
    } as const;
    return JSON.parse(alarmMessage(definition, change, place, new Map())).Trigger;
  });
  expect(triggers[0]).toMatchObject({
    StatisticType: 'ExtendedStatistic',
    ExtendedStatistic: 'p99.9',
    EvaluateLowSampleCountPercentile: 'ignore',
  });
  expect(triggers[2]).toMatchObject({
    Metrics: [
      { Id: 'errors', MetricStat: { Stat: 'Sum', Period: 300 }, ReturnData: false },
      { Id: 'calls', ReturnData: false },
      { Id: 'share', Expression: 'IF(calls > 10, FILL(errors, 0) / calls, 0)', ReturnData: true },
    ],
  });
  expect(triggers[2]).not.toHaveProperty('MetricName');
});
