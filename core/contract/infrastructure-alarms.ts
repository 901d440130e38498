import type { CompositeAlarmDefinition, MathAlarmDefinition, MetricAlarmDefinition } from '../model/alarm.ts';
import type { FleetPolicy } from '../model/policy.ts';
import { runbookArticles, runbookLink } from './alarm-definitions.ts';

/** Prefix of the alarms on dead-letter queues. */
const deadLetterPrefix = 'tidewatch/dead-letters/';

/** Name of the alarm that rings where messages can't be sent. */
export const notifyFailureAlarmName = 'tidewatch/notify-failure';

/** Name of the page for a notifying function that does not run. */
const notifySilenceAlarmName = 'tidewatch/notify-silence';

/** Whom an alarm on Tidewatch itself is told to: where notify can tell nobody of anything, all. */
export function toldTiers(alarm: string, audience: 'yellow' | 'red'): readonly ('yellow' | 'red')[] {
  return alarm === notifyFailureAlarmName || alarm === notifySilenceAlarmName ? ['yellow', 'red'] : [audience];
}

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
 * Rings again where a dead-letter queue that was not empty holds more. The alarm above rings once, and stays as long as
 * the oldest message does: what comes after it would be told to nobody. Five minutes, because SQS counts approximately and
 * a burst is one piece of news.
 * @param holds as of the alarm above
 */
export function deadLetterGrowthAlarm(
  queue: string,
  holds: string,
  audience: 'yellow' | 'red',
  fleet: FleetPolicy,
): MathAlarmDefinition {
  return {
    type: 'math',
    name: `${deadLetterPrefix}${queue}/growing`,
    description: `the dead-letter queue ${queue} was not empty, and holds more now. Each message is ${holds}`,
    runbook: runbookLink(fleet, runbookArticles.deadLetters),
    audience,
    queries: [
      {
        id: 'held',
        metric: {
          namespace: 'AWS/SQS',
          metric: 'ApproximateNumberOfMessagesVisible',
          dimensions: [['QueueName', queue]],
          statistic: 'Maximum',
        },
      },
      // What it grew by, where it held any before: the first message is the other alarm's.
      { id: 'growth', expression: 'IF(DIFF(held) < held, DIFF(held), 0)' },
    ],
    watches: 'growth',
    periodSeconds: 300,
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

/**
 * The alarms on the notifying function's runs: one that tells nobody, and the page, which waits for the first run of a
 * fresh stack. It goes to people directly: without its runs nothing held back is told, and nobody watches the other ways.
 */
export function notifySilenceAlarms(
  functionName: string,
  fleet: FleetPolicy,
): readonly [MetricAlarmDefinition, CompositeAlarmDefinition] {
  const runs = `${notifySilenceAlarmName}/runs`;
  const runbook = runbookLink(fleet, runbookArticles.alertPath);
  return [
    {
      type: 'metric',
      name: runs,
      description: 'the notifying function has not run for a quarter of an hour, or never',
      runbook,
      audience: 'none',
      namespace: 'AWS/Lambda',
      metric: 'Invocations',
      dimensions: [['FunctionName', functionName]],
      statistic: 'Maximum',
      periodSeconds: 60,
      evaluationPeriods: 15,
      datapointsToAlarm: 15,
      threshold: 1,
      comparison: 'LessThanThreshold',
      missingData: 'breaching',
      missingDataReason: 'it runs every minute: a function that does not run reports nothing',
    },
    {
      type: 'composite',
      name: notifySilenceAlarmName,
      description: 'the notifying function does not run any more: alarms of models may not reach people',
      runbook,
      audience: 'red',
      rule: `ALARM("${runs}")`,
      // Only a suppressor gives an alarm a time to wait: a metric that was never published is taken for a missing one.
      suppressor: { alarm: notifyFailureAlarmName, waitSeconds: firstRunSeconds, extensionSeconds: 60 },
    },
  ];
}

/** Time that a fresh stack has for the first run of its notifying function. */
const firstRunSeconds = 600;

/** Prefix of the alarms on what waits in a queue. */
const backlogPrefix = 'tidewatch/backlog/';

/** Prefix of the alarms on messages that do not reach a pager, a chat or a webhook. */
const undeliveredPrefix = 'tidewatch/undelivered/';

/**
 * The alarms of the queue of messages to pagers, chats and webhooks: it is empty within seconds. One is for messages that
 * are tried in vain, one for messages that nobody takes. Both go to people directly.
 */
export function deliveryAlarms(queue: string, fleet: FleetPolicy): readonly MetricAlarmDefinition[] {
  return [
    {
      ...queueAlarm(queue, fleet),
      name: `${undeliveredPrefix}${queue}/failing`,
      description:
        'a message has been tried for five minutes and does not reach a pager, a chat or a webhook; mail and queues have it',
      metric: 'ApproximateNumberOfMessagesNotVisible',
      evaluationPeriods: 6,
      datapointsToAlarm: 5,
      threshold: 0,
      comparison: 'GreaterThanThreshold',
    },
    waitingAlarm(
      queue,
      'messages to pagers, chats and webhooks wait, and no function takes them; mail and queues have them',
      fleet,
    ),
  ];
}

/** The alarm of the queue of messages to an event bus. */
export function unpipedAlarm(queue: string, fleet: FleetPolicy): MetricAlarmDefinition {
  return waitingAlarm(
    queue,
    'messages to an event bus wait, and its pipe takes none; mail and queues have them',
    fleet,
  );
}

function waitingAlarm(queue: string, description: string, fleet: FleetPolicy): MetricAlarmDefinition {
  return {
    ...queueAlarm(queue, fleet),
    name: `${undeliveredPrefix}${queue}/waiting`,
    description,
    metric: 'ApproximateNumberOfMessagesVisible',
    evaluationPeriods: 3,
    datapointsToAlarm: 3,
    threshold: 0,
    comparison: 'GreaterThanThreshold',
  };
}

/** What the alarms on a queue that is empty within seconds have in common. */
function queueAlarm(queue: string, fleet: FleetPolicy) {
  return {
    type: 'metric',
    runbook: runbookLink(fleet, runbookArticles.undelivered),
    audience: 'red',
    namespace: 'AWS/SQS',
    dimensions: [['QueueName', queue]],
    statistic: 'Maximum',
    periodSeconds: 60,
    missingData: 'notBreaching',
    missingDataReason: 'SQS stops to report a queue that held nothing for six hours',
  } satisfies Partial<MetricAlarmDefinition>;
}

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
