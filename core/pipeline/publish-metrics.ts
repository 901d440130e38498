import { metricNamespace } from '../contract/metric-names.ts';
import type { MetricDatum } from '../model/metric.ts';
import { batchMetrics, type MetricRefusal } from '../publish/batch-metrics.ts';
import { gaugeMetrics, type ModelState as ModelGauges } from '../publish/gauge-metrics.ts';
import type { Clock, MetricSink } from './ports.ts';

/** Data of a metric that CloudWatch would not take, and that are therefore not published. */
export interface RefusedMetrics {
  readonly name: string;
  readonly reason: MetricRefusal;
  readonly count: number;
}

/** Publishes in requests that CloudWatch takes. @returns what it would refuse: to be logged. */
export async function publishMetrics(
  ports: { readonly metrics: MetricSink; readonly clock: Clock },
  data: readonly MetricDatum[],
): Promise<readonly RefusedMetrics[]> {
  const { batches, refused } = batchMetrics(data, ports.clock.now());
  for (const batch of batches) await ports.metrics.put(metricNamespace, batch);
  return addRefused(refused.map(({ datum, reason }) => ({ name: datum.name, reason, count: 1 })));
}

/** One entry a name and reason. */
export function addRefused(refused: readonly RefusedMetrics[]): readonly RefusedMetrics[] {
  const sums = new Map<string, RefusedMetrics>();
  for (const one of refused) {
    const key = `${one.reason} ${one.name}`;
    sums.set(key, { ...one, count: one.count + (sums.get(key)?.count ?? 0) });
  }
  return [...sums.values()];
}

/** How long gauges may wait for others to share a request with. */
const maximumWaitMilliseconds = 10_000;

/**
 * Collects the gauges of a tick. Requests cost as much as a small Lambda, so a tick that is over in seconds makes one, and
 * in a longer one no gauge waits for all others: once the first has waited for ten seconds all that is there is published.
 * A model that is measured again replaces what has not been published of it.
 */
export class GaugePublisher {
  readonly #ports: { readonly metrics: MetricSink; readonly clock: Clock };
  readonly #refused: RefusedMetrics[] = [];
  #waiting = new Map<string, ModelGauges>();
  #since = 0;

  constructor(ports: { readonly metrics: MetricSink; readonly clock: Clock }) {
    this.#ports = ports;
  }

  add(gauges: ModelGauges): void {
    if (this.#waiting.size === 0) this.#since = this.#ports.clock.now();
    this.#waiting.set(gauges.model, gauges);
  }

  /**
   * To be called between any two steps that may take long. Never throws: what can't be published now must not keep models
   * from being judged. It is tried again after another wait, and by `finish`.
   */
  async publishLate(): Promise<void> {
    const now = this.#ports.clock.now();
    if (this.#waiting.size === 0 || now - this.#since < maximumWaitMilliseconds) return;
    try {
      await this.#publish(false);
    } catch {
      this.#since = now;
    }
  }

  /**
   * Publishes what is left, with the heartbeat last.
   * @param isComplete false where a model failed: then there is no heartbeat.
   * @returns what CloudWatch would not take of the whole tick.
   * @throws what the sink throws, where gauges are left that were not published.
   */
  async finish(isComplete: boolean): Promise<readonly RefusedMetrics[]> {
    await this.#publish(isComplete);
    return this.#refused;
  }

  /** Meanwhile models go on: theirs wait for the next request. What could not be published goes on waiting, too. */
  async #publish(isComplete: boolean): Promise<void> {
    const sent = this.#waiting;
    this.#waiting = new Map();
    try {
      const data = gaugeMetrics([...sent.values()], this.#ports.clock.now(), isComplete);
      this.#refused.push(...(await publishMetrics(this.#ports, data)));
    } catch (error) {
      this.#waiting = new Map([...sent, ...this.#waiting]);
      throw error;
    }
  }
}
