import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { MeasuredMetric, MinuteValues } from '../../core/model/measured-metric.ts';
import type { MetricReader } from '../../core/pipeline/ports.ts';
import { isServiceError } from './service-error.ts';

const minuteMilliseconds = 60_000;
/** CloudWatch's limits on one request. */
const maximumQueries = 500;
const maximumData = 100_800;
/** A page holds all that one request may ask for; more of them are a fault. */
const maximumPages = 20;
/** A request is refused whole for one metric in it that CloudWatch can't compute. */
const refusalsOfOne = [
  'ValidationError',
  'ValidationException',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'InvalidParameterCombination',
  'InvalidParameterCombinationException',
];

export interface MetricReaderOptions {
  /** Told of metrics that CloudWatch would not or could not tell. */
  readonly onFailure: (metrics: readonly MeasuredMetric[], error: unknown) => void;
}

/**
 * Reads metrics by GetMetricData: all of them in one request, as far as CloudWatch's limits allow. Where one of them is at
 * fault, halves are asked until it is alone.
 */
export class CloudWatchMetricReader implements MetricReader {
  readonly #client: CloudWatchClient;
  readonly #onFailure: MetricReaderOptions['onFailure'];

  constructor(client: CloudWatchClient, { onFailure }: MetricReaderOptions) {
    this.#client = client;
    this.#onFailure = onFailure;
  }

  async readMinutes(
    metrics: readonly MeasuredMetric[],
    from: number,
    to: number,
  ): Promise<readonly (MinuteValues | undefined)[]> {
    if (metrics.length === 0 || from >= to) return metrics.map(() => []);
    const size = Math.max(1, Math.min(maximumQueries, Math.floor(maximumData / (to - from))));
    const values: (MinuteValues | undefined)[] = [];
    for (let first = 0; first < metrics.length; first += size) {
      const some = metrics.slice(first, first + size);
      values.push(...(await this.#readSome(some, from, to)));
    }
    return values;
  }

  async #readSome(
    metrics: readonly MeasuredMetric[],
    from: number,
    to: number,
  ): Promise<readonly (MinuteValues | undefined)[]> {
    try {
      const { values, refused } = await this.#readPages(metrics, from, to);
      if (refused.size > 0) {
        const told = metrics.filter((_, index) => refused.has(index));
        this.#onFailure(told, new Error(`CloudWatch answered ${[...new Set(refused.values())].join(', ')}`));
      }
      return metrics.map((_, index) => (refused.has(index) ? undefined : sortMinutes(values.get(index))));
    } catch (error) {
      if (metrics.length > 1 && isServiceError(error, ...refusalsOfOne)) {
        const middle = Math.ceil(metrics.length / 2);
        const first = await this.#readSome(metrics.slice(0, middle), from, to);
        return [...first, ...(await this.#readSome(metrics.slice(middle), from, to))];
      }
      this.#onFailure(metrics, error);
      return metrics.map(() => undefined);
    }
  }

  async #readPages(metrics: readonly MeasuredMetric[], from: number, to: number) {
    const values = new Map<number, Map<number, number>>();
    const refused = new Map<number, string>();
    let token: string | undefined;
    for (let page = 0; page === 0 || token !== undefined; page++) {
      if (page === maximumPages) throw new Error(`GetMetricData: expected at most ${maximumPages} pages`);
      const answer = await this.#client.send(
        new GetMetricDataCommand({
          StartTime: new Date(from * minuteMilliseconds),
          EndTime: new Date(to * minuteMilliseconds),
          ScanBy: 'TimestampAscending',
          NextToken: token,
          MetricDataQueries: metrics.map((metric, index) => ({
            Id: `m${index}`,
            ReturnData: true,
            ...toQuery(metric),
          })),
        }),
      );
      for (const { Id, Timestamps, Values, StatusCode } of answer.MetricDataResults ?? []) {
        const index = Number(Id?.slice(1));
        if (StatusCode === 'Forbidden' || StatusCode === 'InternalError') refused.set(index, StatusCode);
        const minutes = values.get(index) ?? new Map<number, number>();
        values.set(index, minutes);
        for (const [at, time] of (Timestamps ?? []).entries()) {
          const minute = Math.floor(time.getTime() / minuteMilliseconds);
          const value = Values?.[at];
          if (value !== undefined && minute >= from && minute < to) minutes.set(minute, value);
        }
      }
      token = answer.NextToken;
    }
    return { values, refused };
  }
}

function toQuery({ namespace, metric, dimensions, statistic }: MeasuredMetric) {
  return {
    MetricStat: {
      Metric: {
        Namespace: namespace,
        MetricName: metric,
        Dimensions: dimensions.map(([Name, Value]) => ({ Name, Value })),
      },
      Period: 60,
      Stat: statistic,
    },
  };
}

function sortMinutes(minutes: ReadonlyMap<number, number> = new Map()): MinuteValues {
  return [...minutes].sort(([a], [b]) => a - b);
}
