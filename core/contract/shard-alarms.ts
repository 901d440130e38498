import type { CompositeAlarmDefinition, MetricAlarmDefinition } from '../model/alarm.ts';
import type { FleetPolicy } from '../model/policy.ts';
import { runbookArticles, runbookLink } from './alarm-definitions.ts';
import { notifyFailureAlarmName } from './infrastructure-alarms.ts';
import { dimensionNames, metricNames, metricNamespace } from './metric-names.ts';

/** Minutes without a beat after which a shard has stopped. */
const silentMinutes = 15;

/**
 * How long the page waits for a beat. CloudWatch takes a metric that was never published for a missing one: on a fresh
 * stack the alarm on beats rings until the first tick is over, at most a few minutes after the schedule was made.
 */
const firstBeatSeconds = 600;

/** Names of a shard's alarms. The first part of the page's last word says which episode it is of. */
export function shardAlarmNames(shard: string) {
  return { beats: `tidewatch/shards/${shard}/heartbeat`, heartbeat: `tidewatch/heartbeat-${shard}` } as const;
}

/**
 * The alarms of a deployed shard: one on its beats that tells nobody, and the page, which waits for the first beat of a
 * fresh stack. A shard that never ticks pages as well.
 */
export function shardAlarms(shard: string, fleet: FleetPolicy): [MetricAlarmDefinition, CompositeAlarmDefinition] {
  const names = shardAlarmNames(shard);
  const runbook = runbookLink(fleet, runbookArticles.heartbeat);
  return [
    {
      type: 'metric',
      name: names.beats,
      description: `no tick of shard ${shard} has completed for ${silentMinutes} minutes, or none ever`,
      runbook,
      audience: 'none',
      namespace: metricNamespace,
      metric: metricNames.heartbeat,
      dimensions: [[dimensionNames.shard, shard]],
      statistic: 'Maximum',
      periodSeconds: 60,
      evaluationPeriods: silentMinutes,
      datapointsToAlarm: silentMinutes,
      threshold: 1,
      comparison: 'LessThanThreshold',
      missingData: 'breaching',
      missingDataReason: 'a missing heartbeat is the very thing this alarm is for',
    },
    {
      type: 'composite',
      name: names.heartbeat,
      description: `Tidewatch itself has stopped for shard ${shard}: none of its models is watched`,
      runbook,
      audience: 'red',
      rule: `ALARM("${names.beats}")`,
      // Only a suppressor gives an alarm a time to wait. Where this one rings, notify could tell nobody: people were told
      // of that, and hear of the heartbeat once messages can be sent again.
      suppressor: {
        alarm: notifyFailureAlarmName,
        waitSeconds: firstBeatSeconds,
        extensionSeconds: 60,
      },
    },
  ];
}
