import { dimensionNames } from '../contract/metric-names.ts';
import type { MetricDatum } from '../model/metric.ts';

/**
 * Metric data as a shard publishes them: what is of no model, the heartbeat, is of the shard. Two shards that shared one
 * would hide each other's silence.
 */
export function shardMetrics(data: readonly MetricDatum[], shard: string): readonly MetricDatum[] {
  return data.map((datum) =>
    datum.dimensions.length > 0 ? datum : { ...datum, dimensions: [[dimensionNames.shard, shard]] },
  );
}
