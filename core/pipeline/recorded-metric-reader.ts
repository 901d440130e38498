import { isAlarmStatistic, statisticOf } from '../alarm/statistic.ts';
import type { MeasuredMetric, MinuteValues } from '../model/measured-metric.ts';
import type { MetricReader, MetricSource } from './ports.ts';

const minuteMilliseconds = 60_000;

/** Reads metrics out of recorded raw data: what the embedded backend has in place of CloudWatch. */
export class RecordedMetricReader implements MetricReader {
  readonly #source: MetricSource;

  constructor(source: MetricSource) {
    this.#source = source;
  }

  /** Undefined for a statistic that is not evaluated here. */
  async readMinutes(
    metrics: readonly MeasuredMetric[],
    from: number,
    to: number,
  ): Promise<readonly (MinuteValues | undefined)[]> {
    return metrics.map((metric) => this.#readOne(metric, from, to));
  }

  #readOne({ namespace, metric, dimensions, statistic }: MeasuredMetric, from: number, to: number) {
    if (!isAlarmStatistic(statistic)) return undefined;
    const data = this.#source.read(namespace, metric, dimensions, from * minuteMilliseconds, to * minuteMilliseconds);
    const minutes = Map.groupBy(data, ({ time }) => Math.floor(time / minuteMilliseconds));
    return [...minutes].flatMap(([minute, members]): MinuteValues => {
      const value = statisticOf(
        statistic,
        members.map((member) => member.value),
      );
      return value === undefined ? [] : [[minute, value]];
    });
  }
}
