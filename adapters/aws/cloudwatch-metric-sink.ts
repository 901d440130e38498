import { type CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { MetricDatum } from '../../core/model/metric.ts';
import type { MetricSink } from '../../core/pipeline/ports.ts';

const maximumData = 1_000;

/**
 * Publishes to CloudWatch. A throttled request is retried by the client; one that fails in the end, or that CloudWatch
 * refuses, is an error: the caller does its step again, so no datum is lost silently. A datum may arrive twice.
 */
export class CloudWatchMetricSink implements MetricSink {
  readonly #client: CloudWatchClient;

  constructor(client: CloudWatchClient) {
    this.#client = client;
  }

  async put(namespace: string, data: readonly MetricDatum[]): Promise<void> {
    if (data.length === 0) return;
    if (data.length > maximumData) {
      throw new RangeError(`metrics: expected at most ${maximumData} data a request, saw ${data.length}`);
    }
    for (const { name, value, time } of data) {
      if (!Number.isFinite(value) || !Number.isFinite(time)) {
        throw new RangeError(`metric ${name}: expected a finite value and time, saw ${value} at ${time}`);
      }
    }
    await this.#client.send(
      new PutMetricDataCommand({
        Namespace: namespace,
        MetricData: data.map(({ name, dimensions, time, value, unit }) => ({
          MetricName: name,
          Dimensions: dimensions.map(([Name, Value]) => ({ Name, Value })),
          Timestamp: new Date(time),
          Value: value,
          Unit: unit,
        })),
      }),
    );
  }
}
