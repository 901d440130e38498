import { describe, expect, test } from 'vitest';
import { MemoryMetrics } from '../../adapters/local/memory-metrics.ts';
import { freshnessSlo, latencySlo, metricSlo, sagemakerCapture } from '../../core/contract/config.ts';
import { metricNames } from '../../core/contract/metric-names.ts';
import type { MeasuredMetric, MinuteValues } from '../../core/model/measured-metric.ts';
import { Measurements } from '../../core/pipeline/measurements.ts';
import type { MetricReader } from '../../core/pipeline/ports.ts';
import { RecordedMetricReader } from '../../core/pipeline/recorded-metric-reader.ts';
import { captureBucket, hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { createWorld, start, usualCalls, type World } from './embedded-world.ts';

const source = sagemakerCapture({ bucket: captureBucket, prefix: 'data', endpoint: 'credit', versionFrom: 'version' });
const cpu = metricSlo({ namespace: 'Host', metric: 'cpu', atMost: 80, objective: 0.99 });

/** Reads recorded metrics, and counts how often it is asked and for what. */
class WatchedReader implements MetricReader {
  readonly metrics = new MemoryMetrics();
  readonly asked: (readonly MeasuredMetric[])[] = [];
  readonly spans: number[] = [];
  isRefused: (metric: MeasuredMetric) => boolean = () => false;

  async readMinutes(metrics: readonly MeasuredMetric[], from: number, to: number) {
    this.asked.push(metrics);
    this.spans.push(to - from);
    const values = await new RecordedMetricReader(this.metrics).readMinutes(metrics, from, to);
    return values.map((read, index): MinuteValues | undefined => {
      const metric = metrics[index];
      return metric && this.isRefused(metric) ? undefined : read;
    });
  }
}

interface Stage {
  readonly world: World;
  readonly reader: WatchedReader;
  readonly measurements: Measurements;
}

async function createStage(slos: Parameters<typeof createWorld>[0]): Promise<Stage> {
  const reader = new WatchedReader();
  return { world: await createWorld({ source, ...slos }), reader, measurements: new Measurements(reader) };
}

async function tick({ world, measurements }: Stage, now: number): Promise<void> {
  await world.tick(now, { measurements });
}

function recordCpu({ reader }: Stage, from: number, to: number, value: number): void {
  for (let time = from; time < to; time += minute) reader.metrics.add('Host', 'cpu', [], { time, value });
}

function newest({ world }: Stage, name: string, slo: string): number | undefined {
  return world.metrics.data.findLast(
    (datum) =>
      datum.name === name && datum.dimensions.some(([, value]) => value === slo) && datum.time === world.clock.now(),
  )?.value;
}

describe('an objective of a CloudWatch metric', () => {
  test('pages while its minutes are out of bounds, and says so in minutes', async () => {
    const stage = await createStage({ slos: [cpu], silenceAfter: '30d' });
    recordCpu(stage, start, start + 5 * hour, 50);
    recordCpu(stage, start + 5 * hour, start + 5 * hour + 20 * minute, 95);
    recordCpu(stage, start + 5 * hour + 20 * minute, start + 12 * hour, 50);
    const tiers: (number | undefined)[] = [];
    for (let at = 0; at < 6 * 60; at += 2) {
      await tick(stage, start + at * minute + 30_000);
      tiers.push(stage.world.metrics.values(metricNames.tier).at(-1));
    }
    const red = tiers.indexOf(2);
    // Minutes younger than three are not looked at yet.
    expect(red * 2).toBeGreaterThanOrEqual(300 + 3);
    expect(red * 2).toBeLessThanOrEqual(300 + 20);
    const [verdict] = stage.world.liveVerdicts();
    expect(verdict?.findings[0]).toMatchObject({ id: 'slo:cpu', tier: 'red', kind: 'slo' });
    expect(verdict?.findings[0]?.message).toMatch(/^cpu: \d+ of 60 minutes of the last hour were out of bounds, /);
    expect(verdict?.findings[0]?.message).toMatch(/since 2026-03-02 05:00 UTC$/);
    expect(stage.world.liveVerdicts().at(-1)?.tier).toBe('green');
  });

  test('is asked for once a tick, all metrics together, three hours and a bit back', async () => {
    const endpoint = latencySlo({ threshold: '100ms', objective: 0.99 });
    const stage = await createStage({ slos: [cpu, endpoint], silenceAfter: '30d' });
    for (let at = 0; at < 300; at++) await tick(stage, start + at * minute);
    expect(stage.reader.asked).toHaveLength(300);
    expect(stage.reader.asked[0]?.map(({ metric, statistic }) => `${metric} ${statistic}`)).toEqual([
      'cpu Average',
      'ModelLatency TC(:100000)',
      'ModelLatency SampleCount',
    ]);
    expect(Math.max(...stage.reader.spans)).toBeLessThanOrEqual(4 * 60 + 1);
  });

  test('keeps the hours that are over, so that the budget outlasts the minutes', async () => {
    const stage = await createStage({ slos: [cpu], silenceAfter: '30d' });
    recordCpu(stage, start - hour, start + 30 * hour, 50);
    recordCpu(stage, start + 60 * minute + minute, start + 65 * minute, 500);
    for (let at = 0; at < 30 * 60; at += 10) await tick(stage, start + at * minute);
    const remaining = newest(stage, metricNames.sloErrorBudgetRemaining, 'cpu');
    // From the three hours before the first tick, of which one is recorded, to three minutes before the last.
    const minutes = 60 + 30 * 60 - 10 - 2;
    expect(remaining).toBeCloseTo(1 - 4 / (minutes * 0.01), 6);
    const { measuredThrough, rollUps } = await stage.world.modelState();
    expect(measuredThrough).toBe(start / hour + 29);
    const hours = await stage.world.ports().rollUps.hours(rollUps.map(([, key]) => key));
    expect(hours.find((sum) => sum.hour === start / hour + 1)?.slis).toEqual([['cpu', 56, 60, 2]]);
    expect(hours).toHaveLength(30);
  });

  test('a standstill of hours is made up for from what CloudWatch kept', async () => {
    const stage = await createStage({ slos: [cpu], silenceAfter: '30d' });
    recordCpu(stage, start, start + 20 * hour, 50);
    for (let at = 0; at < 120; at += 10) await tick(stage, start + at * minute);
    await tick(stage, start + 15 * hour);
    await tick(stage, start + 15 * hour + minute);
    const { measuredThrough, rollUps } = await stage.world.modelState();
    expect(measuredThrough).toBe(start / hour + 14);
    const hours = await stage.world.ports().rollUps.hours(rollUps.map(([, key]) => key));
    expect(hours.map(({ slis }) => slis)).toEqual(new Array(14).fill([['cpu', 60, 60]]));
    // But not of weeks.
    await tick(stage, start + 60 * 24 * hour);
    expect(Math.max(...stage.reader.spans)).toBeLessThanOrEqual(3 * 1440 + 61);
  });

  test('that nobody can read for a while stays as it was, and no hour is kept without it', async () => {
    const stage = await createStage({ slos: [cpu], silenceAfter: '30d' });
    recordCpu(stage, start - 4 * hour, start + 9 * hour, 95);
    for (let at = 0; at < 60; at += 5) await tick(stage, start + at * minute);
    expect(stage.world.metrics.values(metricNames.tier).at(-1)).toBe(2);
    const before = (await stage.world.modelState()).measuredThrough;
    stage.reader.isRefused = () => true;
    for (let at = 60; at < 70; at++) await tick(stage, start + at * minute);
    expect(stage.world.metrics.values(metricNames.tier).at(-1)).toBe(2);
    for (let at = 70; at < 200; at += 10) await tick(stage, start + at * minute);
    expect((await stage.world.modelState()).measuredThrough).toBe(before);
    // A red goes on, and people know why nothing new is said of it.
    const [burning, unmeasured] = stage.world.liveVerdicts().at(-1)?.findings ?? [];
    expect(burning).toMatchObject({ id: 'slo:cpu', tier: 'red' });
    expect(unmeasured).toMatchObject({ id: 'unmeasured:cpu', tier: 'yellow', kind: 'unmeasured' });
    stage.reader.isRefused = () => false;
    await tick(stage, start + 200 * minute);
    expect((await stage.world.modelState()).measuredThrough).toBe(start / hour + 3);
  });

  test('that does not exist says nothing, and pages nobody', async () => {
    const stage = await createStage({ slos: [cpu], silenceAfter: '30d' });
    for (let at = 0; at < 120; at += 10) await tick(stage, start + at * minute);
    expect(new Set(stage.world.metrics.values(metricNames.tier))).toEqual(new Set([0]));
    expect(newest(stage, metricNames.sloErrorBudgetRemaining, 'cpu')).toBe(1);
    expect(newest(stage, metricNames.sloBurnRate, 'cpu')).toBeUndefined();
  });
});

describe('where one of the two metrics of an endpoint can not be read', () => {
  const dimensions = [
    ['EndpointName', 'credit'],
    ['VariantName', 'AllTraffic'],
  ] as const;
  const createEndpoint = async () => {
    const slos = [latencySlo({ threshold: '100ms', objective: 0.99 })];
    const stage = await createStage({ slos, silenceAfter: '30d' });
    for (let at = -60; at < 120; at++) {
      for (let index = 0; index < 20; index++) {
        const time = start + at * minute + index;
        stage.reader.metrics.add('AWS/SageMaker', 'ModelLatency', dimensions, { time, value: 50_000 });
      }
    }
    return stage;
  };
  const isCount = ({ statistic }: MeasuredMetric) => statistic.startsWith('TC');
  const told = ({ world }: Stage) =>
    world.liveVerdicts().map(({ tier, findings }) => [tier, ...findings.map(({ id }) => id)]);

  test.each<[string, (metric: MeasuredMetric) => boolean]>([
    ['the good ones', isCount],
    ['all of them', (metric) => !isCount(metric)],
  ])(
    '%s, what is counted by both is all there is, and after a quarter of an hour people know',
    async (_, isRefused) => {
      const stage = await createEndpoint();
      for (let at = 0; at < 5; at++) await tick(stage, start + at * minute);
      stage.reader.isRefused = isRefused;
      for (let at = 5; at < 19; at++) await tick(stage, start + at * minute);
      expect(told(stage)).toEqual([]);
      await tick(stage, start + 19 * minute);
      expect(told(stage)).toEqual([['yellow', 'unmeasured:latency']]);
      expect(stage.world.liveVerdicts()[0]?.findings[0]?.message).toBe(
        'latency: what it is counted from has not been readable since 2026-03-02 00:04 UTC; until it is, it is neither raised nor cleared',
      );
      stage.reader.isRefused = () => false;
      await tick(stage, start + 60 * minute);
      expect(told(stage).at(-1)).toEqual(['green']);
      expect((await stage.world.modelState()).unread).toBeUndefined();
      expect(newest(stage, metricNames.sloErrorBudgetRemaining, 'latency')).toBe(1);
    },
  );

  test('from the first time on, no request is bad, and a new process still knows since when', async () => {
    const stage = await createEndpoint();
    stage.reader.isRefused = isCount;
    for (let at = 0; at < 15; at++) await tick(stage, start + at * minute);
    expect(told(stage)).toEqual([]);
    const restarted = { ...stage, measurements: new Measurements(stage.reader) };
    for (let at = 15; at < 30; at++) await tick(restarted, start + at * minute);
    expect(told(stage)).toEqual([['yellow', 'unmeasured:latency']]);
  });
});

test('an endpoint is counted exactly at the threshold, for the variants that captures name', async () => {
  const stage = await createStage({ slos: [latencySlo({ threshold: '100ms', objective: 0.99 })], silenceAfter: '30d' });
  const calls = usualCalls(start, start + 30 * minute, 30, 3);
  await stage.world.deliver({
    key: payloadKey(start, 'p'),
    body: linesOf(calls.map(payloadLine)),
    arrived: start + 31 * minute,
  });
  const dimensions = [
    ['EndpointName', 'credit'],
    ['VariantName', 'AllTraffic'],
  ] as const;
  for (let at = 0; at < 60; at++) {
    // In microseconds: at the threshold is good, above it is not.
    for (const [index, value] of [100_000, at % 2 === 0 ? 100_001 : 99_999, 5].entries()) {
      stage.reader.metrics.add('AWS/SageMaker', 'ModelLatency', dimensions, {
        time: start + at * minute + index,
        value,
      });
    }
  }
  await tick(stage, start + 62 * minute);
  expect(newest(stage, metricNames.sloErrorBudgetRemaining, 'latency')).toBeCloseTo(1 - 30 / (180 * 0.01), 9);
  expect(stage.world.liveVerdicts()[0]?.findings[0]?.message).toMatch(
    /^latency: 30 of 180 requests of the last 6 h were too slow/,
  );
});

test('freshness counts the minutes since the newest record, over restarts of the clock of captures', async () => {
  const slo = freshnessSlo({ threshold: '10m', objective: 0.9 });
  const stage = await createStage({ slos: [slo], silenceAfter: '30d', captureDelay: '5m' });
  await tick(stage, start);
  const deliver = async (from: number, to: number) => {
    const body = linesOf(usualCalls(from, to, (to - from) / minute, 3).map(payloadLine));
    await stage.world.deliver({ key: payloadKey(from, `p${from}`), body, arrived: to + 30_000 });
  };
  // Records for two hours, none for two, and records again.
  for (let at = 5; at <= 120; at += 5) {
    await deliver(start + (at - 5) * minute, start + at * minute);
    await tick(stage, start + at * minute + 40_000);
  }
  expect(stage.world.metrics.values(metricNames.tier).at(-1)).toBe(0);
  for (let at = 125; at <= 240; at += 5) await tick(stage, start + at * minute + 40_000);
  expect(stage.world.metrics.values(metricNames.tier).at(-1)).toBe(2);
  const red = stage.world.liveVerdicts().find(({ tier }) => tier === 'red');
  expect(red?.findings[0]?.message).toMatch(
    /^freshness: \d+ of 60 minutes of the last hour had no record that is fresh/,
  );
  for (let at = 245; at <= 420; at += 5) {
    await deliver(start + (at - 5) * minute, start + at * minute);
    await tick(stage, start + at * minute + 40_000);
  }
  expect(stage.world.metrics.values(metricNames.tier).at(-1)).not.toBe(2);
  // Two hours without a record, of which ten minutes are allowed: 420 minutes, of which 110 were not fresh.
  expect(newest(stage, metricNames.sloErrorBudgetRemaining, 'freshness')).toBeCloseTo(1 - 110 / (420 * 0.1), 1);
});
