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
