import { createCloudWatchClient } from '../adapters/aws/clients.ts';
import { CloudWatchInvocationCounter } from '../adapters/aws/cloudwatch-invocation-counter.ts';
import { CloudWatchMetricReader } from '../adapters/aws/cloudwatch-metric-reader.ts';
import { CloudWatchMetricSink } from '../adapters/aws/cloudwatch-metric-sink.ts';
import type { ModelPolicy } from '../core/model/policy.ts';
import { Calibrations } from '../core/pipeline/calibrations.ts';
import { Measurements } from '../core/pipeline/measurements.ts';
import type { MetricSink } from '../core/pipeline/ports.ts';
import { RollUpReader } from '../core/pipeline/roll-up.ts';
import type { TickPorts } from '../core/pipeline/tick.ts';
import { TrailReader } from '../core/pipeline/trail-store.ts';
import { WindowReader } from '../core/pipeline/window-reader.ts';
import { shardMetrics } from '../core/publish/shard-metrics.ts';
import { readVariable } from './environment.ts';
import { describeFault } from './fault.ts';
import type { Log } from './log.ts';
import { connectStores } from './ports-on-aws.ts';

/** Enough for the last day of twenty models: older ones are read again where they are needed. */
const rememberedTrails = 512;

/**
 * A tick reads three or four windows of every series of every model. All of them must stay in memory, or every fragment is
 * read again every minute.
 */
const windowsPerModel = 16;
const fewestModels = 4;

export function connectEvaluate(policies: readonly ModelPolicy[], log: Log): TickPorts {
  const { stores } = connectStores();
  const cloudWatch = createCloudWatchClient();
  const sink = new CloudWatchMetricSink(cloudWatch);
  const shard = readVariable('shard');
  const metrics: MetricSink = { put: (namespace, data) => sink.put(namespace, shardMetrics(data, shard)) };
  return {
    ...stores,
    metrics,
    invocations: new CloudWatchInvocationCounter(cloudWatch, policies, stores.clock, {
      onFailure: (model, error) => log.warn('invocations are unknown', { model, fault: describeFault(error) }),
    }),
    measurements: new Measurements(
      new CloudWatchMetricReader(cloudWatch, {
        onFailure: (metrics, error) =>
          log.warn('metrics are unknown', {
            metrics: metrics.length,
            first: metrics[0]?.metric,
            fault: describeFault(error),
          }),
      }),
    ),
    windows: new WindowReader(stores.state, windowsPerModel * Math.max(policies.length, fewestModels)),
    rollUps: new RollUpReader(stores.state),
    trails: new TrailReader(stores.state, rememberedTrails),
    calibrations: new Calibrations(),
  };
}
