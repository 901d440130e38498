import type { MetricAlarmDefinition } from '../model/alarm.ts';
import type { FleetPolicy } from '../model/policy.ts';
import { runbookArticles, runbookLink } from './alarm-definitions.ts';

/** Prefix of the alarms on dead-letter queues. */
const deadLetterPrefix = 'tidewatch/dead-letters/';

/** Name of the alarm that rings where messages can't be sent. */
export const notifyFailureAlarmName = 'tidewatch/notify-failure';

/**
 * The alarm of a dead-letter queue. Alarms on Tidewatch's own parts go to the delivery topics directly: they must reach
 * people where the way over notify is what failed.
 * @param holds what a message in it is, as in "a capture event that could not be ingested in five attempts"
 */
export function deadLetterAlarm(
  queue: string,
  holds: string,
  audience: 'yellow' | 'red',
  fleet: FleetPolicy,
): MetricAlarmDefinition {
  return {
    type: 'metric',
    name: `${deadLetterPrefix}${queue}`,
    description: `the dead-letter queue ${queue} is not empty. Each message is ${holds}`,
    runbook: runbookLink(fleet, runbookArticles.deadLetters),
    audience,
    namespace: 'AWS/SQS',
    metric: 'ApproximateNumberOfMessagesVisible',
    dimensions: [['QueueName', queue]],
    statistic: 'Maximum',
    periodSeconds: 60,
    evaluationPeriods: 1,
    datapointsToAlarm: 1,
    threshold: 0,
    comparison: 'GreaterThanThreshold',
    missingData: 'notBreaching',
    missingDataReason: 'SQS stops to report a queue that held nothing for six hours',
  };
}

/**
 * The alarm of the notifying function itself. It runs every minute, so three failing minutes are no accident; a single
 * message that can't be sent ends in the dead-letter queue instead.
 */
export function notifyFailureAlarm(functionName: string, fleet: FleetPolicy): MetricAlarmDefinition {
  return {
    type: 'metric',
    name: notifyFailureAlarmName,
    description: 'alarms of models do not reach people: the notifying function has failed for three minutes running',
    runbook: runbookLink(fleet, runbookArticles.notifyFailure),
    audience: 'red',
    namespace: 'AWS/Lambda',
    metric: 'Errors',
    dimensions: [['FunctionName', functionName]],
    statistic: 'Maximum',
    periodSeconds: 60,
    evaluationPeriods: 3,
    datapointsToAlarm: 3,
    threshold: 0,
    comparison: 'GreaterThanThreshold',
    missingData: 'notBreaching',
    missingDataReason: 'a minute without a run has no error; runs that never began end in the dead-letter queue',
  };
}

/** Prefix of the alarms on what waits in a queue. */
const backlogPrefix = 'tidewatch/backlog/';

/** Longer than the default grace: windows are judged without what waits. */
const lateSeconds = 900;
/** What waits this long is no longer late, it is missing. */
const pendingSeconds = 86_400;

/**
 * The alarms on the age of what waits in the ingest queue: yellow where captures come late into their windows, red where
 * they wait for a day.
 */
export function backlogAlarms(queue: string, fleet: FleetPolicy): readonly MetricAlarmDefinition[] {
  const common = {
    type: 'metric',
    runbook: runbookLink(fleet, runbookArticles.backlog),
    namespace: 'AWS/SQS',
    metric: 'ApproximateAgeOfOldestMessage',
    dimensions: [['QueueName', queue]],
    statistic: 'Maximum',
    periodSeconds: 60,
    evaluationPeriods: 5,
    datapointsToAlarm: 5,
    comparison: 'GreaterThanThreshold',
    missingData: 'notBreaching',
    missingDataReason: 'SQS stops to report a queue that held nothing for six hours',
  } satisfies Partial<MetricAlarmDefinition>;
  return [
    {
      ...common,
      name: `${backlogPrefix}${queue}/late`,
      description: `captures wait in ${queue} for more than ${lateSeconds / 60} minutes: windows may be judged without them`,
      audience: 'yellow',
      threshold: lateSeconds,
    },
    {
      ...common,
      name: `${backlogPrefix}${queue}/pending`,
      description: `captures wait in ${queue} for more than ${pendingSeconds / 3600} hours: their windows were judged without them`,
      audience: 'red',
      threshold: pendingSeconds,
    },
  ];
}
