import { expect, test } from 'vitest';
import { type AlarmStates, evaluateAlarms, planAlarms } from '../../core/alarm/evaluate-alarms.ts';
import { parseConfig } from '../../core/contract/config.ts';
import { deadLetterAlarm, deadLetterGrowthAlarm } from '../../core/contract/infrastructure-alarms.ts';
import { sampleConfig } from '../lib/synthesise.ts';

const { fleet } = parseConfig(sampleConfig);
const minute = 60_000;
const noon = Date.UTC(2001, 2, 10, 12);
const definitions = [deadLetterAlarm, deadLetterGrowthAlarm].map((define) =>
  define('q-dead', 'a capture event', 'yellow', fleet),
);

/** What rings, by minute since noon, where a queue holds so many messages. Undefined: SQS reports nothing. */
function ring(minutes: number, held: (at: number) => number | undefined): readonly string[] {
  const plan = planAlarms(definitions);
  const rung: string[] = [];
  let states: AlarmStates = new Map();
  for (let at = 1; at <= minutes; at++) {
    const read = (_: unknown, from: number, to: number) =>
      Array.from({ length: at }, (_none, index) => ({ time: noon + index * minute, value: held(index) })).flatMap(
        ({ time, value }) => (value !== undefined && time >= from && time < to ? [{ time, value }] : []),
      );
    const step = evaluateAlarms(plan, read, states, noon + at * minute);
    for (const { alarm, to } of step.transitions) {
      if (to === 'ALARM') rung.push(`${at} ${alarm.replace('tidewatch/dead-letters/q-dead', '').slice(1) || 'holds'}`);
    }
    states = step.states;
  }
  return rung;
}

test('the first message rings once', () => {
  expect(ring(60, (at) => (at < 20 ? 0 : 1))).toEqual(['21 holds']);
  expect(ring(60, (at) => (at < 20 ? undefined : 1))).toEqual(['21 holds']);
});

test('a later one rings again, although the first is still there', () => {
  expect(ring(300, (at) => (at < 20 ? 0 : at < 120 ? 1 : at < 240 ? 2 : 5))).toEqual([
    '21 holds',
    '125 growing',
    '245 growing',
  ]);
});

test('a burst rings once, and what is taken away does not', () => {
  expect(ring(60, (at) => (at < 20 ? 1 : Math.min(30, at)))).toEqual(['1 holds', '25 growing']);
  expect(ring(120, (at) => (at < 60 ? 9 : 4))).toEqual(['1 holds']);
  expect(ring(120, (at) => (at < 60 ? 9 : 0))).toEqual(['1 holds']);
});
