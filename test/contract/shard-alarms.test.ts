import { describe, expect, test } from 'vitest';
import { type AlarmState, evaluateAlarms, planAlarms } from '../../core/alarm/evaluate-alarms.ts';
import { modelAlarms } from '../../core/contract/alarm-definitions.ts';
import { parseConfig } from '../../core/contract/config.ts';
import { backlogAlarms, notifyFailureAlarm } from '../../core/contract/infrastructure-alarms.ts';
import { metricNames } from '../../core/contract/metric-names.ts';
import { shardAlarmNames, shardAlarms } from '../../core/contract/shard-alarms.ts';
import { alarmNotice } from '../../core/route/alarm-notice.ts';

const minute = 60_000;
const start = Date.UTC(2001, 2, 10);
const { fleet, models } = parseConfig({
  models: [
    {
      name: 'main',
      source: { kind: 'sagemaker-capture', bucket: 'captures', endpoint: 'credit' },
      versions: [{ match: '*' }],
    },
  ],
});
const definitions = [
  ...models.flatMap((policy) => modelAlarms(policy, fleet)),
  ...shardAlarms('main', fleet),
  notifyFailureAlarm('tidewatch-notify', fleet),
];
const { heartbeat } = shardAlarmNames('main');

/**
 * What people hear when everything is deployed at minute 0 and evaluated as CloudWatch does, which knows of no time
 * before which a metric can't be missing.
 * @param beats whether the tick of a minute is completed
 */
function listen(minutes: number, beats: (at: number) => boolean, errors: (at: number) => boolean = () => false) {
  const plan = planAlarms(definitions);
  let states: ReadonlyMap<string, AlarmState> = new Map();
  const heard: string[] = [];
  for (let index = 1; index <= minutes; index++) {
    const result = evaluateAlarms(
      plan,
      ({ metric }, from, to) => {
        const data: { time: number; value: number }[] = [];
        for (let time = Math.max(from, start); time < to; time += minute) {
          const at = (time - start) / minute;
          if (metric === 'Errors') data.push({ time, value: errors(at) ? 1 : 0 });
          else if (beats(at)) {
            if (metric === metricNames.heartbeat) data.push({ time, value: 1 });
            if (metric === metricNames.evaluationLagSeconds) data.push({ time, value: 60 });
            if (metric === metricNames.tier) data.push({ time, value: 0 });
          }
        }
        return data;
      },
      states,
      start + index * minute,
    );
    states = result.states;
    for (const { alarm, to, actionsEnabled } of result.transitions) {
      const people = definitions.find(({ name }) => name === alarm)?.audience;
      if (actionsEnabled && to === 'ALARM' && people !== 'none') heard.push(`${index} ${alarm}`);
    }
  }
  return heard;
}

describe('the alarms of a deployed shard', () => {
  test('a fresh stack tells nobody anything while its first tick is awaited', () => {
    for (const first of [0, 1, 3, 6, 8]) expect(listen(120, (at) => at >= first)).toEqual([]);
  });

  test('a stack that never ticks pages after the wait', () => {
    expect(listen(60, () => false)).toEqual([`11 ${heartbeat}`]);
  });

  test('a shard that stops pages within 25 to 30 minutes, and once', () => {
    const [page, ...others] = listen(180, (at) => at < 60);
    expect(others).toEqual([]);
    expect(page?.split(' ')[1]).toBe(heartbeat);
    const after = Number(page?.split(' ')[0]) - 60;
    expect(after).toBeGreaterThanOrEqual(25);
    expect(after).toBeLessThanOrEqual(30);
  });

  test('a tick that is missed now and then is no silence', () => {
    expect(listen(180, (at) => at % 14 === 0)).toEqual([]);
  });

  test('a shard that stops while messages can not be sent pages once they can', () => {
    const heard = listen(
      240,
      (at) => at < 60,
      (at) => at >= 50 && at < 120,
    );
    expect(heard).toHaveLength(2);
    expect(heard[0]).toMatch(/^53 tidewatch\/notify-failure$/);
    expect(heard[1]).toMatch(new RegExp(`^12\\d ${heartbeat}$`));
  });

  test('are told of under an episode of their own for each shard', () => {
    const notice = (shard: string) => {
      const [beats, page] = shardAlarms(shard, fleet);
      const children = [{ alarm: beats.name, value: 'ALARM' as const }];
      return alarmNotice(page, { alarm: page.name, to: 'ALARM', reason: '', time: start, children });
    };
    expect(notice('main')).toMatchObject({ model: 'fleet', tier: 'red', triggers: ['heartbeat'] });
    expect(notice('main').cause).not.toBe(notice('other').cause);
  });

  test('have names that no model’s alarm has', () => {
    const names = definitions.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

test('captures that wait are yellow after a quarter of an hour, and page after a day', () => {
  expect(
    backlogAlarms('tidewatch-main-ingest', fleet).map((alarm) => [
      alarm.audience,
      alarm.metric,
      alarm.dimensions,
      alarm.threshold,
      alarm.comparison,
      alarm.missingData,
    ]),
  ).toEqual(
    [
      ['yellow', 900],
      ['red', 86_400],
    ].map(([audience, threshold]) => [
      audience,
      'ApproximateAgeOfOldestMessage',
      [['QueueName', 'tidewatch-main-ingest']],
      threshold,
      'GreaterThanThreshold',
      'notBreaching',
    ]),
  );
});
