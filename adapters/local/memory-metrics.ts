import type { MetricDatum } from '../../core/model/metric.ts';
import type { MetricSink, MetricSource } from '../../core/pipeline/ports.ts';

interface Datum {
  readonly time: number;
  readonly value: number;
}

/** Metrics of one process, as `SqliteMetrics` keeps them: data of the same time and value once, read by time, then value. */
export class MemoryMetrics implements MetricSink, MetricSource {
  readonly #series = new Map<string, Datum[]>();

  async put(namespace: string, data: readonly MetricDatum[]): Promise<void> {
    for (const { name, dimensions, time, value } of data) this.add(namespace, name, dimensions, { time, value });
  }

  /** @throws {RangeError} for a value that is not finite or a time that is not whole. */
  add(namespace: string, metric: string, dimensions: MetricDatum['dimensions'], { time, value }: Datum): void {
    if (!Number.isFinite(value)) throw new RangeError(`metric ${metric}: expected a finite value, saw ${value}`);
    if (!Number.isSafeInteger(time)) throw new RangeError(`metric ${metric}: expected a whole time, saw ${time}`);
    const key = nameSeries(namespace, metric, dimensions);
    const series = this.#series.get(key) ?? [];
    this.#series.set(key, series);
    // Nearly always the newest of all.
    let at = series.length;
    while (at > 0 && isAfter(series[at - 1], { time, value })) at--;
    const before = series[at - 1];
    if (before?.time !== time || before.value !== value) series.splice(at, 0, { time, value });
  }

  /** True where something was recorded of it, ever. */
  has(namespace: string, metric: string, dimensions: MetricDatum['dimensions']): boolean {
    return this.#series.has(nameSeries(namespace, metric, dimensions));
  }

  read(
    namespace: string,
    metric: string,
    dimensions: MetricDatum['dimensions'],
    from: number,
    to: number,
  ): readonly Datum[] {
    const series = this.#series.get(nameSeries(namespace, metric, dimensions));
    return series === undefined ? [] : series.slice(firstAt(series, from), firstAt(series, to));
  }
}

function isAfter(a: Datum | undefined, b: Datum): boolean {
  return a !== undefined && (a.time > b.time || (a.time === b.time && a.value > b.value));
}

/** Index of the first datum at or after a time. */
function firstAt(series: readonly Datum[], time: number): number {
  let [low, high] = [0, series.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((series[middle]?.time ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One text for one set of dimensions, whatever their order. */
function nameSeries(namespace: string, metric: string, dimensions: MetricDatum['dimensions']): string {
  const sorted = dimensions.length < 2 ? dimensions : dimensions.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify([namespace, metric, sorted]);
}
