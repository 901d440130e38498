import { metricNamespace } from '../contract/metric-names.ts';
import type { MetricDatum } from '../model/metric.ts';
import { batchMetrics, type MetricRefusal } from '../publish/batch-metrics.ts';
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
