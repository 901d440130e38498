import { CloudWatchClient, GetMetricDataCommand, type GetMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import { mockClient } from 'aws-sdk-client-mock';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CloudWatchMetricReader } from '../../../adapters/aws/cloudwatch-metric-reader.ts';
import type { MeasuredMetric } from '../../../core/model/measured-metric.ts';

const first = Date.UTC(2026, 2, 10) / 60_000;
const time = (minute: number) => new Date((first + minute) * 60_000);

function metric(name: string, statistic = 'Sum'): MeasuredMetric {
  return { namespace: 'Shop', metric: name, dimensions: [['Country', 'DE']], statistic };
}

function createReader() {
  const cloudWatch = mockClient(CloudWatchClient);
  onTestFinished(() => cloudWatch.restore());
  const onFailure = vi.fn();
  const reader = new CloudWatchMetricReader(new CloudWatchClient({ region: 'eu-west-1' }), { onFailure });
  const inputs = (): GetMetricDataCommandInput[] =>
    cloudWatch.commandCalls(GetMetricDataCommand).map(({ args }) => args[0].input);
  return { cloudWatch, reader, onFailure, inputs };
}

test('asks for all metrics at once, by the minute, and puts pages together', async () => {
  const { cloudWatch, reader, inputs, onFailure } = createReader();
  cloudWatch
    .on(GetMetricDataCommand)
    .resolvesOnce({
      NextToken: 'more',
      MetricDataResults: [
        { Id: 'm0', StatusCode: 'PartialData', Timestamps: [time(2), time(1)], Values: [5, 4] },
        { Id: 'm1', StatusCode: 'Complete', Timestamps: [], Values: [] },
      ],
    })
    .resolvesOnce({
      MetricDataResults: [{ Id: 'm0', StatusCode: 'Complete', Timestamps: [time(3), time(99)], Values: [6, 7] }],
    });
  const values = await reader.readMinutes([metric('a'), metric('b', 'TC(:100)')], first, first + 60);
  expect(values).toEqual([
    [
      [first + 1, 4],
      [first + 2, 5],
      [first + 3, 6],
    ],
    [],
  ]);
  expect(inputs()).toHaveLength(2);
  expect(inputs()[0]).toMatchObject({ StartTime: time(0), EndTime: time(60) });
  expect(inputs()[1]?.NextToken).toBe('more');
  expect(inputs()[0]?.MetricDataQueries?.[1]).toEqual({
    Id: 'm1',
    ReturnData: true,
    MetricStat: {
      Metric: { Namespace: 'Shop', MetricName: 'b', Dimensions: [{ Name: 'Country', Value: 'DE' }] },
      Period: 60,
      Stat: 'TC(:100)',
    },
  });
  expect(onFailure).not.toHaveBeenCalled();
});

test('a metric that is refused is unknown, the others are told', async () => {
  const { cloudWatch, reader, onFailure } = createReader();
  cloudWatch.on(GetMetricDataCommand).resolves({
    MetricDataResults: [
      { Id: 'm0', StatusCode: 'Forbidden' },
      { Id: 'm1', StatusCode: 'Complete', Timestamps: [time(1)], Values: [1] },
    ],
  });
  expect(await reader.readMinutes([metric('a'), metric('b')], first, first + 5)).toEqual([undefined, [[first + 1, 1]]]);
  expect(onFailure).toHaveBeenCalledTimes(1);
  expect(onFailure.mock.calls[0]?.[0]).toEqual([metric('a')]);
  expect(String(onFailure.mock.calls[0]?.[1])).toContain('Forbidden');
});

test('a failure leaves all unknown, and is told', async () => {
  const { cloudWatch, reader, onFailure } = createReader();
  cloudWatch.on(GetMetricDataCommand).rejects(new Error('Throttling'));
  expect(await reader.readMinutes([metric('a'), metric('b')], first, first + 5)).toEqual([undefined, undefined]);
  expect(onFailure).toHaveBeenCalledWith(
    [metric('a'), metric('b')],
    expect.objectContaining({ message: 'Throttling' }),
  );
  // Nobody is to blame alone: no half is asked.
  expect(cloudWatch.commandCalls(GetMetricDataCommand)).toHaveLength(1);
});

test('a metric that CloudWatch can not compute is unknown, and no other one', async () => {
  const { cloudWatch, reader, onFailure, inputs } = createReader();
  const invalid = Object.assign(new Error('the bounds of TC(10:5)'), { name: 'ValidationError' });
  cloudWatch.on(GetMetricDataCommand).callsFake(async ({ MetricDataQueries }: GetMetricDataCommandInput) => {
    const queries = MetricDataQueries ?? [];
    if (queries.some(({ MetricStat }) => MetricStat?.Stat === 'TC(10:5)')) throw invalid;
    const MetricDataResults = queries.map(({ Id, MetricStat }) => ({
      Id,
      StatusCode: 'Complete',
      Timestamps: [time(1)],
      Values: [Number(MetricStat?.Metric?.MetricName)],
    }));
    return { MetricDataResults };
  });
  const metrics = Array.from({ length: 40 }, (_, index) => metric(`${index}`, index === 23 ? 'TC(10:5)' : 'Sum'));
  const values = await reader.readMinutes(metrics, first, first + 5);
  expect(values).toEqual(metrics.map((_, index) => (index === 23 ? undefined : [[first + 1, index]])));
  expect(onFailure.mock.calls).toEqual([[[metrics[23]], invalid]]);
  expect(inputs().length).toBeLessThanOrEqual(1 + 2 * 6);
});

test('pages without end are a failure, not a hang', async () => {
  const { cloudWatch, reader, onFailure } = createReader();
  cloudWatch.on(GetMetricDataCommand).resolves({ NextToken: 'again', MetricDataResults: [] });
  expect(await reader.readMinutes([metric('a')], first, first + 5)).toEqual([undefined]);
  expect(String(onFailure.mock.calls[0]?.[1])).toContain('pages');
});

test('requests keep to the limits of CloudWatch', async () => {
  const { cloudWatch, reader, inputs } = createReader();
  cloudWatch.on(GetMetricDataCommand).resolves({ MetricDataResults: [] });
  const many = Array.from({ length: 501 }, (_, index) => metric(`m${index}`));
  expect(await reader.readMinutes(many, first, first + 180)).toHaveLength(501);
  expect(inputs().map(({ MetricDataQueries }) => MetricDataQueries?.length)).toEqual([500, 1]);
  // Three days of minutes: 23 metrics are 99,360 data.
  await reader.readMinutes(many.slice(0, 30), first, first + 4320);
  expect(
    inputs()
      .slice(2)
      .map(({ MetricDataQueries }) => MetricDataQueries?.length),
  ).toEqual([23, 7]);
  expect(await reader.readMinutes([], first, first + 5)).toEqual([]);
  expect(await reader.readMinutes([metric('a')], first, first)).toEqual([[]]);
  expect(inputs()).toHaveLength(4);
});
