import type { MeasuredMetric, MinuteValues } from '../model/measured-metric.ts';
import { isMetricBacked, metricsOf } from '../slo/measured-slis.ts';
import type { ModelRuntime } from './model-runtime.ts';
import { readModelState } from './model-state.ts';
import type { Clock, MetricReader, StateTable } from './ports.ts';
import { runBounded } from './run-bounded.ts';
import { listSeries, type SeriesState } from './series.ts';

export interface MeasurementPorts {
  readonly table: StateTable;
  readonly clock: Clock;
}

const minuteMilliseconds = 60_000;
const millisecondsPerHour = 3_600_000;
const millisecondsPerDay = 24 * millisecondsPerHour;
/** As far back as any burn window looks: what is older is not fetched any more. */
const oldestMilliseconds = 3 * millisecondsPerDay;
/** A short burn window and the hour it is cut from. */
const usualMilliseconds = 3 * millisecondsPerHour;
const concurrentModels = 5;
/** Variants that had no record for so long are not asked for. */
const variantMilliseconds = 3 * millisecondsPerDay;
const maximumVariants = 20;

/** What is known of a metric that was asked for. */
interface Reading {
  readonly values: MinuteValues;
  /** When they were read, in milliseconds since the epoch. */
  readonly time: number;
  /** False where a later tick could not read it. */
  readonly isNewest: boolean;
}

/**
 * What CloudWatch says of objectives that captures can't count, read once a tick for all models together. What a tick
 * could not read is what the tick before knew, and as old.
 */
export class Measurements {
  readonly #reader: MetricReader;
  /** Undefined: it was asked for and never read. */
  #readings = new Map<string, Reading | undefined>();

  constructor(reader: MetricReader) {
    this.#reader = reader;
  }

  /** Reads all that the models' objectives need now. */
  async refresh(runtimes: readonly ModelRuntime[], ports: MeasurementPorts): Promise<void> {
    const now = ports.clock.now();
    const wanted = new Map<string, MeasuredMetric>();
    let from = now;
    await runBounded(
      runtimes.filter(({ policy }) => policy.slos.some(isMetricBacked)),
      concurrentModels,
      async ({ policy }) => {
        const [series, state] = await Promise.all([
          listSeries(ports.table, policy.name),
          readModelState(ports.table, policy.name, now),
        ]);
        from = Math.min(from, firstMeasuredHour(state.measuredThrough, now) * millisecondsPerHour);
        for (const slo of policy.slos.filter(isMetricBacked)) {
          for (const metric of metricsOf(slo, variantsOf(series, now))) wanted.set(nameOf(metric), metric);
        }
      },
    );
    const metrics = [...wanted];
    if (metrics.length === 0) return;
    const answers = await this.#reader.readMinutes(
      metrics.map(([, metric]) => metric),
      Math.floor(from / minuteMilliseconds),
      Math.floor(now / minuteMilliseconds) + 1,
    );
    const before = this.#readings;
    this.#readings = new Map(
      metrics.map(([name], index) => {
        const values = answers[index];
        const known = before.get(name);
        return [name, values ? { values, time: now, isNewest: true } : known && { ...known, isNewest: false }];
      }),
    );
  }

  /** What is known of a metric; undefined where it was never read. */
  readingOf(metric: MeasuredMetric): Reading | undefined {
    return this.#readings.get(nameOf(metric));
  }

  /** True where the last tick asked for it and was not told. */
  isUnread(metric: MeasuredMetric): boolean {
    const name = nameOf(metric);
    return this.#readings.has(name) && this.#readings.get(name)?.isNewest !== true;
  }
}

/**
 * The first hour that is looked at by the minute: that of the short windows, or further back where hours were not summed
 * up yet, as after a standstill.
 */
export function firstMeasuredHour(measuredThrough: number | undefined, now: number): number {
  const usual = Math.floor((now - usualMilliseconds) / millisecondsPerHour);
  const oldest = Math.floor((now - oldestMilliseconds) / millisecondsPerHour);
  return Math.max(Math.min(usual, measuredThrough ?? usual), oldest);
}

/** Names of the endpoint's variants, as its captures have them. Those that the service could not have are left out. */
export function variantsOf(series: readonly SeriesState[], now: number): readonly string[] {
  const recent = series
    .filter(({ newestWindow, windowSeconds }) => newestWindow + windowSeconds * 1000 > now - variantMilliseconds)
    .toSorted((a, b) => b.newestWindow - a.newestWindow)
    .map(({ variant }) => variant)
    .filter((variant) => /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(variant));
  const names = [...new Set(recent)].slice(0, maximumVariants).sort();
  return names.length > 0 ? names : ['AllTraffic'];
}

function nameOf({ namespace, metric, dimensions, statistic }: MeasuredMetric): string {
  return JSON.stringify([namespace, metric, dimensions, statistic]);
}
