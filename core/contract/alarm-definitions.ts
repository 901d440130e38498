import type { AlarmDefinition, MetricAlarmDefinition } from '../model/alarm.ts';
import type { FleetPolicy, ModelPolicy } from '../model/policy.ts';
import { tierValue } from '../model/verdict.ts';
import { dimensionNames, metricNames, metricNamespace } from './metric-names.ts';

/** Fragments of the runbook's articles: `${fleet.runbook}#lag`. */
export const runbookArticles = {
  yellow: 'yellow',
  red: 'red',
  lag: 'lag',
  quarantine: 'quarantine',
  heartbeat: 'heartbeat',
  deadLetters: 'dead-letters',
  notifyFailure: 'notify-failure',
  backlog: 'backlog',
  undelivered: 'undelivered',
  alertPath: 'alert-path',
  rollback: 'rollback',
} as const;

/** CloudWatch's limit on an alarm's name, in characters. */
export const maximumAlarmNameLength = 255;

/**
 * How long the yellow composite waits for the red one before it acts, and holds its tongue after red is over.
 * CloudWatch evaluates metric alarms once a minute and at no fixed second, so the two tier alarms can see the same
 * datum up to a minute apart and the composites later still: two evaluations cover it.
 */
export const suppressionSeconds = { wait: 120, extension: 120 } as const;

/** Time an evaluation may take beyond the moment its window is due. */
const evaluationAllowanceSeconds = 900;

/**
 * `EvaluationLagSeconds` above which a model is stale. The newest judged window's end is at most one window plus the
 * grace old when the next one falls due; a quarter of an hour is allowed for the work. `Tier` is withheld beyond it.
 */
export function evaluationLagLimitSeconds(policy: Pick<ModelPolicy, 'windowSeconds' | 'graceSeconds'>): number {
  return policy.windowSeconds + policy.graceSeconds + evaluationAllowanceSeconds;
}

/** Names of a model's alarms. */
export function modelAlarmNames(model: string) {
  const name = (kind: string) => alarmName(`tidewatch/${model}/${kind}`, model);
  return {
    yellowTier: name('yellow-tier'),
    redTier: name('red-tier'),
    lag: name('lag'),
    quarantine: name('quarantine'),
    yellow: name('yellow'),
    red: name('red'),
  } as const;
}

/** Name of the embedded backend's alarm on missing heartbeats. A deployment has one for each shard. */
const heartbeatAlarmName = 'tidewatch/heartbeat';

/**
 * The alarms of one model: four metric alarms that tell nobody, and two composites that do. The definitions are
 * rendered by the CDK constructs and evaluated by `core/alarm` alike.
 * @throws {RangeError} for a model name that CloudWatch could not carry.
 */
export function modelAlarms(policy: ModelPolicy, fleet: FleetPolicy): AlarmDefinition[] {
  const model = policy.name;
  const names = modelAlarmNames(model);
  const lagLimit = evaluationLagLimitSeconds(policy);
  const child = {
    type: 'metric',
    audience: 'none',
    model,
    namespace: metricNamespace,
    dimensions: [[dimensionNames.model, model]],
    // Never Sum or SampleCount: PutMetricData has no idempotency, so a retry would count twice.
    statistic: 'Maximum',
  } satisfies Partial<MetricAlarmDefinition>;
  const everyMinute = { periodSeconds: 60, evaluationPeriods: 1, datapointsToAlarm: 1 };
  const withheld =
    'a withheld tier means the judgement is stale, which must neither clear nor raise an alarm; the lag alarm tells of it';

  return [
    {
      ...child,
      ...everyMinute,
      name: names.yellowTier,
      description: `${model} was judged yellow or red: a potential problem to look into`,
      runbook: runbookLink(fleet, runbookArticles.yellow),
      metric: metricNames.tier,
      threshold: tierValue.yellow,
      comparison: 'GreaterThanOrEqualToThreshold',
      missingData: 'ignore',
      missingDataReason: withheld,
    },
    {
      ...child,
      ...everyMinute,
      name: names.redTier,
      description: `${model} was judged red: an objective is broken`,
      runbook: runbookLink(fleet, runbookArticles.red),
      metric: metricNames.tier,
      threshold: tierValue.red,
      comparison: 'GreaterThanOrEqualToThreshold',
      missingData: 'ignore',
      missingDataReason: withheld,
    },
    {
      ...child,
      name: names.lag,
      description: `the newest judged window of ${model} ended more than ${lagLimit} seconds ago: drift is not being judged`,
      runbook: runbookLink(fleet, runbookArticles.lag),
      metric: metricNames.evaluationLagSeconds,
      periodSeconds: 300,
      evaluationPeriods: 3,
      datapointsToAlarm: 3,
      threshold: lagLimit,
      comparison: 'GreaterThanThreshold',
      missingData: 'ignore',
      missingDataReason:
        'the lag is published together with the heartbeat: where it is missing the heartbeat is too, whose alarm pages; a new model has neither yet',
    },
    {
      ...child,
      ...everyMinute,
      name: names.quarantine,
      description: `more than ${Number((policy.drift.maximumQuarantineShare * 100).toPrecision(6))} % of the records captured for ${model} in the newest window could not be read`,
      runbook: runbookLink(fleet, runbookArticles.quarantine),
      metric: metricNames.quarantineShare,
      threshold: policy.drift.maximumQuarantineShare,
      comparison: 'GreaterThanThreshold',
      missingData: 'ignore',
      missingDataReason:
        'the share is withheld when stale and in windows without records; neither says that captures can be read',
    },
    {
      type: 'composite',
      name: names.red,
      description: `${model}: an objective is broken. Page`,
      runbook: runbookLink(fleet, runbookArticles.red),
      audience: 'red',
      model,
      rule: `ALARM("${names.redTier}")`,
    },
    {
      type: 'composite',
      name: names.yellow,
      description: `${model}: something to look into. Not a page`,
      runbook: runbookLink(fleet, runbookArticles.yellow),
      audience: 'yellow',
      model,
      rule: `(ALARM("${names.yellowTier}") OR ALARM("${names.lag}") OR ALARM("${names.quarantine}")) AND NOT ALARM("${names.redTier}")`,
      suppressor: {
        alarm: names.red,
        waitSeconds: suppressionSeconds.wait,
        extensionSeconds: suppressionSeconds.extension,
      },
    },
  ];
}

/** The alarms of the embedded backend that speak for all models. A deployment has those of its shards in their place. */
export function fleetAlarms(fleet: FleetPolicy): AlarmDefinition[] {
  return [
    {
      type: 'metric',
      name: heartbeatAlarmName,
      description: 'Tidewatch itself has stopped: no tick has completed for a quarter of an hour, no model is watched',
      runbook: runbookLink(fleet, runbookArticles.heartbeat),
      audience: 'red',
      namespace: metricNamespace,
      metric: metricNames.heartbeat,
      dimensions: [],
      statistic: 'Maximum',
      periodSeconds: 300,
      evaluationPeriods: 3,
      datapointsToAlarm: 3,
      threshold: 1,
      comparison: 'LessThanThreshold',
      missingData: 'breaching',
      missingDataReason: 'a missing heartbeat is the very thing this alarm is for',
    },
  ];
}

/** Where an article of the runbook is published. */
export function runbookLink(fleet: FleetPolicy, article: string): string {
  return `${fleet.runbook}#${article}`;
}

/** Refuses what CloudWatch refuses, and the two characters that would break out of a quoted name in an alarm rule. */
function alarmName(name: string, model: string): string {
  if (name.length > maximumAlarmNameLength)
    throw new RangeError(
      `alarm definitions: expected a model name that leaves alarm names within ${maximumAlarmNameLength} characters, saw one of ${model.length}`,
    );
  if (!/^[\x20-\x7e]+$/.test(model) || /["\\]/.test(model) || model.trim() !== model)
    throw new RangeError(
      `alarm definitions: expected a model name of printable ASCII without quotes or backslashes, saw ${JSON.stringify(model)}`,
    );
  return name;
}
