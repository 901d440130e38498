import { describe, expect, test } from 'vitest';
import type { MeasuredMetric, MinuteValues } from '../../core/model/measured-metric.ts';
import type { AvailabilitySloPolicy, LatencySloPolicy, MetricSloPolicy } from '../../core/model/policy.ts';
import {
  countFreshMinutes,
  countMinutes,
  isMeasured,
  type MetricBackedSlo,
  metricsOf,
  toSlots,
} from '../../core/slo/measured-slis.ts';

const month = { objective: 0.99, periodSeconds: 30 * 86_400 };
const fast: LatencySloPolicy = {
  kind: 'latency',
  name: 'fast',
  thresholdMilliseconds: 100,
  endpoint: 'credit',
  ...month,
};
const up: AvailabilitySloPolicy = { kind: 'availability', name: 'up', endpoint: 'credit', ...month };
const cpu: MetricSloPolicy = {
  kind: 'metric',
  name: 'cpu',
  metric: { namespace: '/aws/sagemaker/Endpoints', metric: 'CPUUtilization', dimensions: [], statistic: 'Average' },
  atMost: 80,
  ...month,
};

/** Answers by metric, statistic and variant. */
function count(slo: MetricBackedSlo, answers: Readonly<Record<string, MinuteValues>>, variants = ['blue']) {
  const valuesOf = ({ metric, statistic, dimensions }: MeasuredMetric) =>
    answers[`${metric} ${statistic} ${dimensions[1]?.[1] ?? ''}`.trim()];
  return countMinutes(slo, variants, valuesOf);
}

test('an endpoint is asked variant by variant, in microseconds', () => {
  expect(metricsOf(fast, ['blue', 'green'])).toHaveLength(4);
  expect(metricsOf(fast, ['blue'])).toEqual(
    ['TC(:100000)', 'SampleCount'].map((statistic) => ({
      namespace: 'AWS/SageMaker',
      metric: 'ModelLatency',
      dimensions: [
        ['EndpointName', 'credit'],
        ['VariantName', 'blue'],
      ],
      statistic,
    })),
  );
  expect(metricsOf({ ...fast, endpointMetric: 'OverheadLatency' }, ['blue'])[0]?.metric).toBe('OverheadLatency');
  expect(metricsOf(up, ['blue']).map(({ metric, statistic }) => `${metric} ${statistic}`)).toEqual([
    'Invocation5XXErrors Sum',
    'Invocations Sum',
  ]);
  expect(metricsOf(cpu, ['blue'])).toEqual([cpu.metric]);
});

describe('minutes of an endpoint', () => {
  test('are counted exactly and added up over variants', () => {
    const answers: Record<string, MinuteValues> = {
      'ModelLatency TC(:100000) blue': [
        [1, 9],
        [3, 5],
      ],
      // A minute in which all were slow has no datum below the threshold.
      'ModelLatency SampleCount blue': [
        [1, 10],
        [2, 4],
        [3, 5],
      ],
      'ModelLatency TC(:100000) green': [[1, 1]],
      'ModelLatency SampleCount green': [[1, 2]],
    };
    expect(count(fast, answers, ['blue', 'green'])).toEqual([
      [1, 10, 12],
      [2, 0, 4],
      [3, 5, 5],
    ]);
  });

  test('of errors: none published is none, and never more than there were calls', () => {
    const answers: Record<string, MinuteValues> = {
      'Invocations Sum blue': [
        [1, 10],
        [2, 10],
        [3, 3],
        [4, 0],
      ],
      'Invocation5XXErrors Sum blue': [
        [2, 4],
        [3, 9],
        [7, 1],
      ],
    };
    expect(count(up, answers)).toEqual([
      [1, 10, 10],
      [2, 6, 10],
      [3, 0, 3],
    ]);
  });

  test('with values that no counter has say nothing', () => {
    const answers: Record<string, MinuteValues> = {
      'Invocations Sum blue': [
        [1, Number.NaN],
        [2, -5],
        [3, Number.POSITIVE_INFINITY],
      ],
    };
    expect(count(up, answers)).toEqual([]);
    expect(count(up, {})).toEqual([]);
  });
});

test('a minute of a metric is good within its bounds, both of them included', () => {
  const values: MinuteValues = [
    [1, 80],
    [2, 80.1],
    [4, Number.NaN],
    [5, -1],
  ];
  expect(count(cpu, { 'CPUUtilization Average': values })).toEqual([
    [1, 1, 1],
    [2, 0, 1],
    [5, 1, 1],
  ]);
  const both: MetricSloPolicy = { ...cpu, atLeast: 0 };
  expect(count(both, { 'CPUUtilization Average': values }).map(([, good]) => good)).toEqual([1, 0, 0]);
});

test('a minute is fresh while the newest record is young enough', () => {
  const slo = { kind: 'freshness', name: 'fresh', thresholdSeconds: 120, ...month } as const;
  const good = (minutes: readonly number[], before: number | undefined, from: number, to: number) =>
    countFreshMinutes(slo, minutes, before, from, to).map(([, isGood]) => isGood);
  expect(good([12], undefined, 10, 18)).toEqual([0, 0, 1, 1, 1, 0, 0, 0]);
  expect(good([12], 9, 10, 18)).toEqual([1, 1, 1, 1, 1, 0, 0, 0]);
  expect(good([5, 20], undefined, 10, 12)).toEqual([0, 0]);
  expect(good([], undefined, 10, 10)).toEqual([]);
});

test('objectives that captures do not count, and slots of theirs', () => {
  expect([fast, up, cpu].map(isMeasured)).toEqual([true, true, true]);
  expect(isMeasured({ kind: 'freshness', name: 'f', thresholdSeconds: 60, ...month })).toBe(true);
  expect(isMeasured({ ...fast, endpoint: undefined })).toBe(false);
  expect(isMeasured({ kind: 'completeness', name: 'c', objective: 0.9, periodSeconds: 86_400 })).toBe(false);
  const slots = toSlots([
    ['b', [[2, 1, 1]]],
    [
      'a',
      [
        [1, 0, 1],
        [2, 1, 2],
      ],
    ],
  ]);
  expect(slots.map(({ minute, slis }) => [minute, slis])).toEqual([
    [1, [['a', 0, 1]]],
    [
      2,
      [
        ['a', 1, 2],
        ['b', 1, 1],
      ],
    ],
  ]);
});
