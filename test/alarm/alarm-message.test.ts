import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AlarmMessageError, alarmMessage, parseAlarmMessage } from '../../core/alarm/alarm-message.ts';
import type { AlarmState } from '../../core/alarm/evaluate-alarms.ts';
import type { AlarmTransition, CompositeAlarmDefinition, MetricAlarmDefinition } from '../../core/model/alarm.ts';

const time = Date.UTC(2001, 2, 10, 10, 5, 0, 123);
const place = { account: '123456789012', region: 'eu-west-1' };
const base = { description: 'what it means', runbook: 'https://example.com#red', audience: 'red', model: 'm' } as const;
const metric: MetricAlarmDefinition = {
  ...base,
  type: 'metric',
  name: 'tidewatch/m/red-tier',
  namespace: 'Tidewatch',
  metric: 'Tier',
  dimensions: [['Model', 'm']],
  statistic: 'Maximum',
  periodSeconds: 60,
  evaluationPeriods: 1,
  datapointsToAlarm: 1,
  threshold: 2,
  comparison: 'GreaterThanOrEqualToThreshold',
  missingData: 'ignore',
  missingDataReason: '',
};
const composite: CompositeAlarmDefinition = {
  ...base,
  type: 'composite',
  name: 'tidewatch/m/red',
  rule: 'ALARM("tidewatch/m/red-tier") OR ALARM("tidewatch/m/lag")',
};
const transition = (alarm: string): AlarmTransition => ({
  alarm,
  from: 'OK',
  to: 'ALARM',
  time,
  reason: 'because',
  actionsEnabled: true,
});
const states: ReadonlyMap<string, AlarmState> = new Map([
  ['tidewatch/m/red-tier', { value: 'ALARM', since: time, reason: '' }],
  ['tidewatch/m/lag', { value: 'OK', since: time - 5000, reason: '' }],
]);
const metricText = alarmMessage(metric, transition(metric.name), place, states);
const compositeText = alarmMessage(composite, transition(composite.name), place, states);

describe('alarmMessage', () => {
  test('has the shape of a metric alarm', () => {
    expect(JSON.parse(metricText)).toEqual({
      AlarmName: 'tidewatch/m/red-tier',
      AlarmDescription: 'what it means',
      AWSAccountId: '123456789012',
      NewStateValue: 'ALARM',
      NewStateReason: 'because',
      StateChangeTime: '2001-03-10T10:05:00.123+0000',
      Region: 'eu-west-1',
      AlarmArn: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:tidewatch/m/red-tier',
      OldStateValue: 'OK',
      OKActions: [],
      AlarmActions: [],
      InsufficientDataActions: [],
      Trigger: {
        MetricName: 'Tier',
        Namespace: 'Tidewatch',
        StatisticType: 'Statistic',
        Statistic: 'MAXIMUM',
        Unit: null,
        Dimensions: [{ value: 'm', name: 'Model' }],
        Period: 60,
        EvaluationPeriods: 1,
        DatapointsToAlarm: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        Threshold: 2,
        TreatMissingData: 'ignore',
        EvaluateLowSampleCountPercentile: '',
      },
    });
  });
  test('has the shape of a composite alarm', () => {
    const message = JSON.parse(compositeText);
    expect(message).not.toHaveProperty('Trigger');
    expect(message).toMatchObject({
      AlarmRule: composite.rule,
      TriggeringChildren: [
        {
          Arn: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:tidewatch/m/red-tier',
          State: { Value: 'ALARM', Timestamp: '2001-03-10T10:05:00.123+0000' },
        },
      ],
    });
  });
});

describe('parseAlarmMessage', () => {
  test('reads both', () => {
    expect(parseAlarmMessage(metricText)).toEqual({
      type: 'metric',
      alarm: 'tidewatch/m/red-tier',
      description: 'what it means',
      account: '123456789012',
      region: 'eu-west-1',
      from: 'OK',
      to: 'ALARM',
      reason: 'because',
      time,
      metric: { namespace: 'Tidewatch', name: 'Tier', dimensions: [['Model', 'm']] },
      rule: undefined,
      children: [],
    });
    expect(parseAlarmMessage(compositeText)).toMatchObject({
      type: 'composite',
      rule: composite.rule,
      metric: undefined,
      children: [{ alarm: 'tidewatch/m/red-tier', value: 'ALARM', time }],
    });
  });

  test('reads what CloudWatch sends: display names, placeholders, metric math', () => {
    const math = {
      AlarmName: 'EXAMPLE',
      AlarmDescription: null,
      AWSAccountId: '111122223333',
      NewStateValue: 'ALARM',
      NewStateReason: 'Threshold Crossed',
      StateChangeTime: '2015-06-03T17:43:27.123+0000',
      Region: 'EU (Ireland)',
      AlarmArn: 'arn:aws:cloudwatch:REGION:ACCOUNT_NUMBER:alarm:EXAMPLE',
      OldStateValue: 'INSUFFICIENT_DATA',
      Trigger: { Period: 60, Metrics: [{ Expression: 'm1*1', Id: 'e1', ReturnData: true }] },
    };
    expect(parseAlarmMessage(JSON.stringify(math))).toMatchObject({
      alarm: 'EXAMPLE',
      region: 'REGION',
      time: Date.UTC(2015, 5, 3, 17, 43, 27, 123),
      metric: undefined,
    });
  });

  const changed = (fields: Record<string, unknown>) => JSON.stringify({ ...JSON.parse(metricText), ...fields });
  test.each([
    ['no JSON', 'hello', /expected JSON/],
    ['a list', '[]', /message: expected an object, saw an array/],
    ['too long', ' '.repeat(262_145), /at most 262144/],
    ['no name', changed({ AlarmName: undefined }), /AlarmName: expected text, saw nothing/],
    ['a name with a line break', changed({ AlarmName: 'a\nb' }), /AlarmName/],
    ['another state', changed({ NewStateValue: 'RED' }), /NewStateValue: expected OK, ALARM/],
    ['a time that is none', changed({ StateChangeTime: '2001-13-45T10:05:00.000+0000' }), /StateChangeTime/],
    ['a local time', changed({ StateChangeTime: '2001-03-10T10:05:00.000+0100' }), /StateChangeTime/],
    [
      'another alarm in the ARN',
      changed({ AlarmArn: 'arn:aws:cloudwatch:r:1:alarm:other' }),
      /AlarmArn: expected the alarm/,
    ],
    ['no ARN', changed({ AlarmArn: 'x' }), /AlarmArn: expected the ARN/],
    ['no trigger', changed({ Trigger: undefined }), /Trigger: expected an object/],
    [
      'children that are no list',
      changed({ AlarmRule: 'TRUE', TriggeringChildren: {} }),
      /TriggeringChildren: expected a list/,
    ],
    ['too many children', changed({ AlarmRule: 'TRUE', TriggeringChildren: Array(101).fill({}) }), /at most 100 items/],
  ])('refuses %s', (_case, text, words) => {
    expect(() => parseAlarmMessage(text)).toThrow(words);
    expect(() => parseAlarmMessage(text)).toThrow(AlarmMessageError);
  });

  test('errors never repeat the message', () => {
    expect(() => parseAlarmMessage(changed({ NewStateValue: 'secret', StateChangeTime: 'secret' }))).not.toThrow(
      /secret/,
    );
  });

  test('hostile fields give a message or an AlarmMessageError', () => {
    const keys = fc.constantFrom(
      ...Object.keys(JSON.parse(metricText)),
      'AlarmRule',
      'TriggeringChildren',
      '__proto__',
    );
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue(), { maxKeys: 3 }), (fields) => {
        try {
          parseAlarmMessage(JSON.stringify({ ...JSON.parse(compositeText), ...fields }));
        } catch (error) {
          expect(error).toBeInstanceOf(AlarmMessageError);
        }
      }),
    );
  });
});
