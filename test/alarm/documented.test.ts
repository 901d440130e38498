import { describe, expect, test } from 'vitest';
import { evaluateAlarmRule, parseAlarmRule } from '../../core/alarm/alarm-rule.ts';
import { evaluateMetricMath, type TimeSeries } from '../../core/alarm/evaluate-math.ts';
import { evaluateMetricAlarm } from '../../core/alarm/metric-alarm.ts';
import { parseMetricMath } from '../../core/alarm/metric-math.ts';
import { isAlarmStatistic, statisticOf } from '../../core/alarm/statistic.ts';
import {
  nextSuppression,
  type PendingTransition,
  type SuppressionState,
  unsuppressed,
} from '../../core/alarm/suppression.ts';
import type { AlarmStateValue, MissingDataTreatment } from '../../core/model/alarm.ts';
import composites from '../fixtures/alarm/composite-rules.json' with { type: 'json' };
import math from '../fixtures/alarm/metric-math.json' with { type: 'json' };
import missing from '../fixtures/alarm/missing-data.json' with { type: 'json' };
import statistics from '../fixtures/alarm/statistics.json' with { type: 'json' };
import suppression from '../fixtures/alarm/suppression.json' with { type: 'json' };
import thresholds from '../fixtures/alarm/thresholds.json' with { type: 'json' };
import { end, period, plainAlarm } from './plain-alarm.ts';

/** Cases taken from CloudWatch's documentation: each file names its page. */

const states: readonly AlarmStateValue[] = ['OK', 'ALARM', 'INSUFFICIENT_DATA'];
const treatments: readonly MissingDataTreatment[] = ['missing', 'ignore', 'breaching', 'notBreaching'];

describe('missing data', () => {
  test.each(missing.cases)('$datapointsToAlarm of $evaluationPeriods, $points', (documented) => {
    const { datapointsToAlarm, evaluationPeriods, points } = documented;
    const symbols = points.split(' ');
    const data = symbols.flatMap((symbol, index) =>
      symbol === '-' ? [] : [{ time: end - (symbols.length - index) * period, value: symbol === 'X' ? 1 : 0 }],
    );
    for (const missingData of treatments) {
      for (const previous of states) {
        const expected = documented[missingData] === 'retain' ? previous : documented[missingData];
        const definition = plainAlarm({ datapointsToAlarm, evaluationPeriods, missingData });
        expect(evaluateMetricAlarm(definition, data, end + 42_000, previous).value, missingData).toBe(expected);
      }
    }
  });
});

test.each(thresholds.cases)('M of N: $name', ({ values, states: expected, ...counts }) => {
  const definition = plainAlarm({
    datapointsToAlarm: counts.datapointsToAlarm,
    evaluationPeriods: counts.evaluationPeriods,
    threshold: 3,
    comparison: 'GreaterThanThreshold',
  });
  const data = values.map((value, index) => ({ time: end + index * period, value }));
  const seen = values.map((_, index) => {
    if (expected[index] === '-') return '-';
    const now = end + (index + 1) * period;
    return evaluateMetricAlarm(definition, data.slice(0, index + 1), now, 'OK').value;
  });
  expect(seen).toEqual(expected);
});

test.each(composites.cases)('composite $rule over $states', ({ rule, states: given, state }) => {
  const known = new Map<string, string>(Object.entries(given));
  const stateOf = (name: string) => states.find((value) => value === known.get(name)) ?? 'INSUFFICIENT_DATA';
  expect(evaluateAlarmRule(parseAlarmRule(rule), stateOf) ? 'ALARM' : 'OK').toBe(state);
});

test.each(suppression.cases)('$name', (documented) => {
  const changes = new Map<string, string>(Object.entries(documented.composite));
  const others = new Map<string, string>(Object.entries(documented.suppressor));
  const find = (map: ReadonlyMap<string, string>, unit: number) => states.find((one) => one === map.get(String(unit)));
  const periods = { waitSeconds: suppression.waitUnits, extensionSeconds: suppression.extensionUnits };
  let [state, value, suppressor]: [SuppressionState, AlarmStateValue, AlarmStateValue] = [
    unsuppressed,
    'OK',
    find(others, 0) ?? 'OK',
  ];
  const actions: string[] = [];
  const by: string[] = [];
  for (let unit = 1; unit <= documented.units; unit++) {
    suppressor = find(others, unit) ?? suppressor;
    const to = find(changes, unit);
    const change: PendingTransition | undefined = to && { from: value, to, time: unit * 1000, reason: '' };
    value = to ?? value;
    const next = nextSuppression(state, change, suppressor, periods, unit * 1000);
    state = next.state;
    by.push(state.by);
    if (next.act) actions.push(`t${unit} ${next.act.to}`);
  }
  expect({ actions, by: by.join(' ') }).toEqual({ actions: documented.actions, by: documented.suppressedBy });
});

test.each(math.cases)('metric math $expression', ({ expression, series, result }) => {
  const known = new Map<string, TimeSeries>(
    Object.entries(series).map(([id, values]) => [id, values.map((value) => value ?? undefined)]),
  );
  const evaluate = () =>
    evaluateMetricMath(parseMetricMath(expression), {
      seriesOf: (id) => known.get(id),
      metrics: [...known.values()],
      periods: Math.max(...[...known.values()].map(({ length }) => length)),
      periodSeconds: 60,
    });
  if (typeof result === 'string') expect(evaluate).toThrow(/^metric math, position \d+: expected /);
  else expect(evaluate()).toEqual(result.map((value) => value ?? undefined));
});

test.each(statistics.cases)('statistic $statistic of $values.length values', ({ statistic, values, result }) => {
  if (typeof result === 'string') {
    expect(isAlarmStatistic(statistic)).toBe(false);
    return;
  }
  if (!isAlarmStatistic(statistic)) throw new Error(`${statistic} is refused`);
  expect(statisticOf(statistic, values)).toBe(result);
  expect(statisticOf(statistic, [])).toBeUndefined();
});
