import { describe, expect, test } from 'vitest';
import { evaluateAlarms } from '../../core/alarm/evaluate-alarms.ts';
import { evaluateMathAlarm, type MetricReader } from '../../core/alarm/metric-alarm.ts';
import { MetricMathError, parseMetricMath } from '../../core/alarm/metric-math.ts';
import type { AlarmMetric, AlarmQuery, MathAlarmDefinition, MetricAlarmDefinition } from '../../core/model/alarm.ts';

const minute = 60_000;
const now = Date.UTC(2001, 2, 10, 12);

function metric(name: string): AlarmMetric {
  return { namespace: 'AWS/SageMaker', metric: name, dimensions: [['EndpointName', 'e']], statistic: 'Sum' };
}

function alarm(expression: string, over: Partial<MathAlarmDefinition> = {}): MathAlarmDefinition {
  const queries: readonly AlarmQuery[] = [
    { id: 'errors', metric: metric('Invocation5XXErrors') },
    { id: 'calls', metric: metric('Invocations') },
    { id: 'share', expression },
  ];
  return {
    type: 'math',
    name: 'tidewatch/m/errors',
    description: 'too many errors',
    runbook: 'https://example.com#errors',
    audience: 'yellow',
    model: 'm',
    queries,
    watches: 'share',
    periodSeconds: 60,
    evaluationPeriods: 2,
    datapointsToAlarm: 2,
    threshold: 0.1,
    comparison: 'GreaterThanThreshold',
    missingData: 'notBreaching',
    missingDataReason: 'without calls there are no errors',
    ...over,
  };
}

/** Values by minute before `now`, the newest last. */
function reader(values: Readonly<Record<string, readonly (number | null)[]>>): MetricReader {
  return ({ metric: name }, from, to) =>
    (values[name] ?? []).flatMap((value, index, all) => {
      const time = now - (all.length - index) * minute;
      return value !== null && time >= from && time < to ? [{ time, value }] : [];
    });
}

describe('an alarm on metric math', () => {
  const share = 'IF(calls >= 10, FILL(errors, 0) / calls, 0)';

  test.each([
    ['rings where the share is too high', [10, 20], [100, 100], 'OK'],
    ['and for both periods', [20, 30], [100, 100], 'ALARM'],
    ['but not with hardly any calls', [5, 5], [5, 5], 'OK'],
    ['nor without any', [], [], 'OK'],
    ['and takes a minute without errors for none', [30, null], [100, 100], 'OK'],
  ] as const)('%s', (_, errors, calls, expected) => {
    const read = reader({ Invocation5XXErrors: errors, Invocations: calls });
    expect(evaluateMathAlarm(alarm(share), read, now, 'INSUFFICIENT_DATA').value).toBe(expected);
  });

  test('is evaluated among the others, and rings composites', () => {
    const read = reader({ Invocation5XXErrors: [30, 30], Invocations: [100, 100] });
    const composite = {
      type: 'composite',
      name: 'c',
      description: 'c',
      runbook: 'https://example.com#c',
      audience: 'red',
      rule: 'ALARM("tidewatch/m/errors")',
    } as const;
    const { states, transitions } = evaluateAlarms([composite, alarm(share)], read, new Map(), now);
    expect([...states].map(([name, { value }]) => [name, value])).toEqual([
      ['tidewatch/m/errors', 'ALARM'],
      ['c', 'ALARM'],
    ]);
    expect(transitions[0]?.reason).toContain('2 out of the last 2 datapoints [0.3 (2001-03-10T11:59:00Z)');
  });

  test.each([
    ['an unknown id', alarm('nobody / calls'), 'expected the id of another line, saw "nobody"'],
    ['lines in a circle', alarm('share + calls'), 'expected lines that do not need one another'],
    ['a list', alarm('[errors, calls]'), 'expected an expression whose result is one time series, saw a list of 2'],
    ['no line to watch', alarm('calls', { watches: 'x' }), 'expected a line to watch, saw "x"'],
  ])('%s is refused', (_, definition, words) => {
    expect(() => evaluateMathAlarm(definition, reader({}), now, 'OK')).toThrow(words);
  });
});

describe('metric math', () => {
  test.each([
    ['', 0, 'the end'],
    ['m1 +', 4, 'the end'],
    ['(m1', 3, 'expected )'],
    ['m1 m2', 3, 'an operator or the end'],
    ['ANOMALY_DETECTION_BAND(m1)', 0, 'one of the functions ABS'],
    ['constructor', undefined, ''],
    ['RATE(m1)', 0, 'saw "RATE"'],
    ['IF(m1)', 0, '2 or 3 operands of IF, saw 1'],
    ['METRICS("a")', 8, 'expected a number'],
    ['m1 # 2', 3, 'saw "#"'],
    [`${'('.repeat(5000)}1`, undefined, ''],
    [`${'-'.repeat(2000)}1`, 65, 'nesting'],
    [`m1${' '.repeat(3000)}`, 2048, 'at most 2048 characters'],
  ])('%j', (text, position, words) => {
    const read = () => parseMetricMath(text);
    if (text === 'constructor') {
      expect(read()).toMatchObject({ kind: 'id', id: 'constructor' });
      return;
    }
    expect(read).toThrow(MetricMathError);
    if (position !== undefined) expect(read).toThrow(`position ${position}: `);
    expect(read).toThrow(words);
  });

  test('binds as in arithmetic', () => {
    const evaluate = (text: string) =>
      evaluateMathAlarm(alarm(`TIME_SERIES(${text})`, { threshold: 0, missingData: 'missing' }), reader({}), now, 'OK')
        .value === 'ALARM';
    expect(evaluate('2 + 3 * 4 == 14')).toBe(true);
    expect(evaluate('-2 ^ 2 == -4')).toBe(true);
    expect(evaluate('2 * -3 == -6')).toBe(true);
    expect(evaluate('10 - 4 - 3 == 3')).toBe(true);
    expect(evaluate('1 < 2 && 2 < 1 || 1 > 0')).toBe(true);
    expect(evaluate('1 OR 1 AND 0')).toBe(true);
    expect(evaluate('(1 OR 1) AND 0')).toBe(false);
  });
});

test('a percentile of too few samples keeps the state where that is asked for', () => {
  const definition: MetricAlarmDefinition = {
    ...alarm('calls'),
    type: 'metric',
    ...metric('ModelLatency'),
    statistic: 'p90',
    lowSamples: 'ignore',
    threshold: 5,
  };
  const read = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ time: now - 1 - (index % 2) * minute, value: 9 }));
  const evaluate = (count: number, lowSamples: 'ignore' | 'evaluate') =>
    evaluateAlarms([{ ...definition, lowSamples }], () => read(count), new Map(), now).states.get(definition.name)
      ?.value;
  expect(evaluate(99, 'ignore')).toBe('INSUFFICIENT_DATA');
  expect(evaluate(100, 'ignore')).toBe('ALARM');
  expect(evaluate(99, 'evaluate')).toBe('ALARM');
});
