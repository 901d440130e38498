import { createServer } from 'node:http';
import { CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createCloudWatchClient } from '../../../adapters/aws/clients.ts';
import { CloudWatchInvocationCounter, planRange } from '../../../adapters/aws/cloudwatch-invocation-counter.ts';
import { CloudWatchMetricSink } from '../../../adapters/aws/cloudwatch-metric-sink.ts';
import type { MetricDatum } from '../../../core/model/metric.ts';
import { createRuntime } from '../../pipeline/embedded-world.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const now = Date.UTC(2026, 2, 10, 5);
const datum: MetricDatum = { name: 'Tier', dimensions: [['Model', 'credit']], time: now, value: 2, unit: 'None' };

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the metric sink', () => {
  test('sends data as they are', async () => {
    const cloudWatch = mockClient(CloudWatchClient);
    onTestFinished(() => cloudWatch.restore());
    cloudWatch.on(PutMetricDataCommand).resolves({});
    const sink = new CloudWatchMetricSink(new CloudWatchClient({ region: 'eu-west-1' }));
    await sink.put('Tidewatch', [datum]);
    await sink.put('Tidewatch', []);
    expect(cloudWatch.commandCalls(PutMetricDataCommand).map(({ args }) => args[0].input)).toEqual([
      {
        Namespace: 'Tidewatch',
        MetricData: [
          {
            MetricName: 'Tier',
            Dimensions: [{ Name: 'Model', Value: 'credit' }],
            Timestamp: new Date(now),
            Value: 2,
            Unit: 'None',
          },
        ],
      },
    ]);
  });

  test('what CloudWatch would refuse is an error, and so is what it refuses', async () => {
    const cloudWatch = mockClient(CloudWatchClient);
    onTestFinished(() => cloudWatch.restore());
    const sink = new CloudWatchMetricSink(new CloudWatchClient({ region: 'eu-west-1' }));
    await expect(sink.put('Tidewatch', [{ ...datum, value: Number.NaN }])).rejects.toThrow('metric Tier');
    await expect(sink.put('Tidewatch', Array(1_001).fill(datum))).rejects.toThrow('saw 1001');
    expect(cloudWatch.calls()).toHaveLength(0);
    cloudWatch.on(PutMetricDataCommand).rejects(new Error('InvalidParameterValue'));
    await expect(sink.put('Tidewatch', [datum])).rejects.toThrow('InvalidParameterValue');
  });

  test('a throttled request is sent again by the client until it is taken', async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      request.resume();
      requests++;
      const throttled = requests <= 1;
      response.writeHead(throttled ? 400 : 200, {
        'content-type': 'application/x-amz-json-1.0',
        'x-amzn-query-error': 'Throttling;Sender',
      });
      response.end(throttled ? JSON.stringify({ __type: 'ThrottlingException', message: 'Rate exceeded' }) : '{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('expected a port');
    vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${address.port}`);
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'x');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x');
    await new CloudWatchMetricSink(createCloudWatchClient()).put('Tidewatch', [datum]);
    expect(requests).toBe(2);
  });
});

describe('the invocation counter', () => {
  async function count(answers: readonly { values: readonly number[][]; next?: string }[], from = now - hour) {
    const cloudWatch = mockClient(CloudWatchClient);
    onTestFinished(() => cloudWatch.restore());
    const handler = cloudWatch.on(GetMetricDataCommand);
    for (const { values, next } of answers) {
      handler.resolvesOnce({ MetricDataResults: values.map((Values) => ({ Values })), NextToken: next });
    }
    const { policy } = await createRuntime();
    const failures: string[] = [];
    const counter = new CloudWatchInvocationCounter(
      new CloudWatchClient({ region: 'eu-west-1' }),
      [policy],
      { now: () => now },
      { onFailure: (model) => failures.push(model) },
    );
    const counted = await counter.count('credit', from, now);
    return { counted, failures, counter, cloudWatch };
  }

  test('sums an endpoint’s variants over every page', async () => {
    const { counted, cloudWatch } = await count([{ values: [[1, 2], [10]], next: 't' }, { values: [[100]] }]);
    expect(counted).toBe(113);
    const [first, second] = cloudWatch.commandCalls(GetMetricDataCommand).map(({ args }) => args[0].input);
    expect(first?.MetricDataQueries?.[0]?.Expression).toBe(
      `SEARCH('{AWS/SageMaker,EndpointName,VariantName} MetricName="Invocations" EndpointName="credit"', 'Sum', 3600)`,
    );
    expect(first?.StartTime).toEqual(new Date(now - hour));
    expect(second?.NextToken).toBe('t');
  });

  test('no datum proves nothing; a zero is a count', async () => {
    expect((await count([{ values: [] }])).counted).toBeUndefined();
    expect((await count([{ values: [[]] }])).counted).toBeUndefined();
    expect((await count([{ values: [[0]] }])).counted).toBe(0);
  });

  test('a model without an endpoint is not asked about', async () => {
    const { counter, cloudWatch } = await count([{ values: [[1]] }]);
    expect(await counter.count('another', now - hour, now)).toBeUndefined();
    expect(cloudWatch.commandCalls(GetMetricDataCommand)).toHaveLength(1);
  });

  test('where CloudWatch fails, the count is unknown and the failure is told', async () => {
    const { counter, cloudWatch, failures } = await count([{ values: [[1]] }]);
    cloudWatch.on(GetMetricDataCommand).rejects(new Error('AccessDenied'));
    expect(await counter.count('credit', now - hour, now)).toBeUndefined();
    expect(failures).toEqual(['credit']);
  });

  test.each([
    ['an hour', now - hour, now, { from: now - hour, to: now, period: hour }],
    ['five minutes', now - 5 * minute, now, { from: now - 5 * minute, to: now, period: 5 * minute }],
    ['odd minutes', now - 7 * minute - 1, now - 1, { from: now - 7 * minute, to: now - minute, period: minute }],
    ['days with odd edges', now - 2 * day + 1, now - 1, { from: now - 2 * day + hour, to: now - hour, period: hour }],
    ['more than is kept', now - 500 * day, now, { from: now - 455 * day, to: now, period: hour }],
    [
      'minutes that are kept no more',
      now - 20 * day,
      now - 20 * day + 12 * minute,
      { from: now - 20 * day, to: now - 20 * day + 10 * minute, period: 5 * minute },
    ],
    ['less than a minute', now - 59_000, now - 1_000, undefined],
  ])('asks for the largest period that fits: %s', (_, from, to, expected) => {
    expect(planRange(from, to, now)).toEqual(expected);
  });
});
