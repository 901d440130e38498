import type { MetricDatum } from '../../core/model/metric.ts';
import type { MetricSink, MetricSource } from '../../core/pipeline/ports.ts';
import { expectText, expectTime, readInteger } from './sqlite-columns.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * Recorded metrics. Data of one series with the same time and value are kept once, so that a repeated `put` changes
 * nothing, not even an average. Different values of one time are all kept, as CloudWatch does.
 */
export class SqliteMetrics implements MetricSink, MetricSource {
  readonly #database: SqliteDatabase;
  readonly #series = new Map<string, number>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
    database.onRollback(() => this.#series.clear());
  }

  /** All data or none. @throws {RangeError} for a value that is not finite or a time that is not whole. */
  async put(namespace: string, data: readonly MetricDatum[]): Promise<void> {
    for (const { name, value, time } of data) {
      if (!Number.isFinite(value)) throw new RangeError(`metric ${name}: expected a finite value, saw ${value}`);
      expectTime(`metric ${name}`, time);
      expectText('metric', name);
    }
    // All was checked above, so in a step of the caller's a savepoint would only cost time.
    if (this.#database.inTransaction()) this.#insert(namespace, data);
    else await this.#database.transaction(() => this.#insert(namespace, data));
  }

  /** By time, then by value. */
  read(
    namespace: string,
    metric: string,
    dimensions: MetricDatum['dimensions'],
    from: number,
    to: number,
  ): readonly { readonly time: number; readonly value: number }[] {
    const series = this.#findSeries(namespace, metric, describeDimensions(dimensions));
    if (series === undefined) return [];
    return this.#database
      .all(
        'SELECT time, value FROM metric_data WHERE series = ? AND time >= ? AND time < ? ORDER BY time, value',
        series,
        expectTime('metrics from', from),
        expectTime('metrics to', to),
      )
      .map((row) => ({ time: readInteger(row, 'time'), value: readInteger(row, 'value') }));
  }

  #insert(namespace: string, data: readonly MetricDatum[]): void {
    for (const datum of data) {
      this.#database.run(
        'INSERT OR IGNORE INTO metric_data (series, time, value) VALUES (?, ?, ?)',
        this.#seriesOf(namespace, datum),
        datum.time,
        datum.value,
      );
    }
  }

  #seriesOf(namespace: string, { name, dimensions }: MetricDatum): number {
    const text = describeDimensions(dimensions);
    const found = this.#findSeries(namespace, name, text);
    if (found !== undefined) return found;
    this.#database.run(
      'INSERT INTO metric_series (namespace, metric, dimensions) VALUES (?, ?, ?)',
      expectText('namespace', namespace),
      name,
      expectText('dimensions', text),
    );
    const made = this.#findSeries(namespace, name, text);
    if (made === undefined) throw new Error(`metric ${name}: its series was not kept`);
    return made;
  }

  #findSeries(namespace: string, metric: string, dimensions: string): number | undefined {
    const name = JSON.stringify([namespace, metric, dimensions]);
    const known = this.#series.get(name);
    if (known !== undefined) return known;
    const row = this.#database.first(
      'SELECT id FROM metric_series WHERE namespace = ? AND metric = ? AND dimensions = ?',
      namespace,
      metric,
      dimensions,
    );
    if (row === undefined) return undefined;
    const id = readInteger(row, 'id');
    this.#series.set(name, id);
    return id;
  }
}

/** One text for one set of dimensions, whatever their order. */
function describeDimensions(dimensions: MetricDatum['dimensions']): string {
  return JSON.stringify(dimensions.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
