import { describe, expect, test } from 'vitest';
import { type AlarmState, evaluateAlarms, planAlarms } from '../../core/alarm/evaluate-alarms.ts';
import type {
  AlarmDefinition,
  AlarmMetric,
  CompositeAlarmDefinition,
  MetricAlarmDefinition,
} from '../../core/model/alarm.ts';

const minute = 60_000;
const start = Date.UTC(2001, 2, 10);

function metricAlarm(name: string, over: Partial<MetricAlarmDefinition> = {}): MetricAlarmDefinition {
  return {
    type: 'metric',
    name,
    description: name,
    runbook: 'https://example.com#a',
    audience: 'none',
    namespace: 'N',
    metric: name,
    dimensions: [],
    statistic: 'Maximum',
    periodSeconds: 60,
    evaluationPeriods: 1,
    datapointsToAlarm: 1,
    threshold: 1,
    comparison: 'GreaterThanOrEqualToThreshold',
    missingData: 'ignore',
    missingDataReason: '',
    ...over,
  };
}

function composite(
  name: string,
  rule: string,
  suppressor?: CompositeAlarmDefinition['suppressor'],
): CompositeAlarmDefinition {
  return {
    type: 'composite',
    name,
    description: name,
    runbook: 'https://example.com#a',
    audience: 'yellow',
    rule,
    suppressor,
  };
}

/** Evaluates each minute over constant values by metric; states pass through JSON as a store would keep them. */
function run(definitions: readonly AlarmDefinition[], minutes: readonly Record<string, number>[]) {
  let states: ReadonlyMap<string, AlarmState> = new Map();
  const transitions: string[] = [];
  minutes.forEach((values, index) => {
    const now = start + (index + 1) * minute;
    const step = evaluateAlarms(
      definitions,
      (definition) => [{ time: now - minute, value: new Map(Object.entries(values)).get(definition.metric) ?? 0 }],
      states,
      now,
    );
    states = new Map(JSON.parse(JSON.stringify([...step.states])) as [string, AlarmState][]);
    for (const t of step.transitions)
      transitions.push(
        `${index + 1}: ${t.alarm} ${t.from}->${t.to} at ${(t.time - start) / minute}${t.actionsEnabled ? '' : ' muted'}`,
      );
  });
  return transitions;
}

describe('planAlarms', () => {
  test('puts children before composites, of composites too', () => {
    const definitions = [
      composite('top', 'ALARM("middle")'),
      composite('middle', 'ALARM(b) OR OK(a)'),
      metricAlarm('a'),
      metricAlarm('b'),
    ];
    expect(planAlarms(definitions).steps.map(({ definition }) => definition.name)).toEqual(['b', 'a', 'middle', 'top']);
  });
  test('refuses cycles, unknown and repeated names', () => {
    expect(() => planAlarms([composite('a', 'ALARM(b)'), composite('b', 'OK(a)')])).toThrow('"a" -> "b" -> "a"');
    expect(() => planAlarms([composite('a', 'ALARM(a)')])).toThrow(/cycle/);
    expect(() => planAlarms([composite('a', 'ALARM(b)')])).toThrow('saw "b"');
    expect(() => planAlarms([metricAlarm('a'), metricAlarm('a')])).toThrow('saw "a" twice');
    const muted = composite('a', 'TRUE', { alarm: 'gone', waitSeconds: 1, extensionSeconds: 1 });
    expect(() => planAlarms([muted])).toThrow('saw "gone"');
  });
});

describe('evaluateAlarms', () => {
  test('composites see the children of the same minute', () => {
    const definitions = [
      composite('top', 'NOT OK("middle")'),
      composite('middle', 'ALARM(__proto__) AND OK(b)'),
      metricAlarm('__proto__'),
      metricAlarm('b'),
    ];
    expect(run(definitions, [{}, JSON.parse('{"__proto__": 1}')])).toEqual([
      '1: __proto__ INSUFFICIENT_DATA->OK at 1',
      '1: b INSUFFICIENT_DATA->OK at 1',
      '1: middle INSUFFICIENT_DATA->OK at 1',
      '1: top INSUFFICIENT_DATA->OK at 1',
      '2: __proto__ OK->ALARM at 2',
      '2: middle OK->ALARM at 2',
      '2: top OK->ALARM at 2',
    ]);
  });

  test('a muted change is reported once more, with its own time, when its actions run', () => {
    const definitions = [
      composite('yellow', 'ALARM(y)', { alarm: 'red', waitSeconds: 120, extensionSeconds: 120 }),
      composite('red', 'ALARM(r)'),
      metricAlarm('y'),
      metricAlarm('r'),
    ];
    const heard = run(definitions, [{}, {}, {}, { y: 1 }, { y: 1 }, { y: 1 }, { y: 1 }]);
    expect(heard.filter((line) => line.includes('yellow'))).toEqual([
      '1: yellow INSUFFICIENT_DATA->OK at 1 muted',
      '3: yellow INSUFFICIENT_DATA->OK at 1',
      '4: yellow OK->ALARM at 4 muted',
      '6: yellow OK->ALARM at 4',
    ]);
    const muted = run(definitions, [{}, {}, {}, { y: 1, r: 1 }, { y: 1, r: 1 }, {}, {}, {}, {}]);
    expect(muted.filter((line) => line.includes('yellow')).slice(2)).toEqual([
      '4: yellow OK->ALARM at 4 muted',
      '6: yellow ALARM->OK at 6 muted',
      '8: yellow ALARM->OK at 6',
    ]);
  });

  test('returns the very states it was given when nothing changes', () => {
    const definitions = planAlarms([metricAlarm('a'), composite('c', 'ALARM(a)')]);
    const read = () => [{ time: start, value: 0 }];
    const first = evaluateAlarms(definitions, read, new Map(), start + minute);
    expect(first.states.get('c')).toMatchObject({ value: 'OK', since: start + minute });
    const second = evaluateAlarms(definitions, read, first.states, start + 2 * minute);
    expect(second.states).toBe(first.states);
    expect(second.transitions).toEqual([]);
  });

  test('asks for the evaluation range alone', () => {
    const asked: number[][] = [];
    const read = (_metric: AlarmMetric, from: number, to: number) => {
      asked.push([(from - start) / minute, (to - start) / minute]);
      return [];
    };
    evaluateAlarms(
      [metricAlarm('a', { periodSeconds: 300, evaluationPeriods: 3 })],
      read,
      new Map(),
      start + 61 * minute,
    );
    expect(asked).toEqual([[35, 60]]);
  });
});
