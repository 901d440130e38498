import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { PublishCommand } from '@aws-sdk/client-sns';
import { alarmMessage } from '../../core/alarm/alarm-message.ts';
import { type AlarmStates, evaluateAlarms, planAlarms } from '../../core/alarm/evaluate-alarms.ts';
import type {
  AlarmDefinition,
  AlarmMetric,
  AlarmStatistic,
  AlarmTransition,
  ComparisonOperator,
  MetricAlarmDefinition,
  MissingDataTreatment,
} from '../../core/model/alarm.ts';
import type { MetricDatum } from '../../core/model/metric.ts';
import { type Aws, readDepth } from './aws.ts';
import type { DeployedStack } from './deployment.ts';

/** An alarm as the template has it, with the topics it tells. */
export interface DeployedAlarm {
  readonly definition: AlarmDefinition;
  readonly alarmTopics: readonly string[];
  readonly okTopics: readonly string[];
}

/** Every alarm of the full templates; those on metric math are left out and named. */
export function readDeployedAlarms(stacks: readonly DeployedStack[]): {
  readonly alarms: readonly DeployedAlarm[];
  readonly leftOut: readonly string[];
} {
  const alarms: DeployedAlarm[] = [];
  const leftOut: string[] = [];
  for (const { template, values } of stacks) {
    for (const { Type, Properties = {} } of Object.values(template.Resources)) {
      if (Type !== 'AWS::CloudWatch::Alarm' && Type !== 'AWS::CloudWatch::CompositeAlarm') continue;
      const name = values.text(Properties.AlarmName);
      if (Properties.Metrics !== undefined) {
        leftOut.push(name);
        continue;
      }
      const resolved = new Map(Object.entries(values.resolve(Properties) as object));
      alarms.push({
        definition: Type === 'AWS::CloudWatch::Alarm' ? metricAlarm(name, resolved) : compositeAlarm(name, resolved),
        alarmTopics: values.texts(Properties.AlarmActions),
        okTopics: values.texts(Properties.OKActions),
      });
    }
  }
  return { alarms, leftOut };
}

type Resolved = ReadonlyMap<string, unknown>;

function metricAlarm(name: string, properties: Resolved): MetricAlarmDefinition {
  const text = (key: string) => String(properties.get(key) ?? '');
  const number = (key: string) => Number(properties.get(key));
  const dimensions = (properties.get('Dimensions') ?? []) as readonly { Name: string; Value: string }[];
  return {
    type: 'metric',
    name,
    description: text('AlarmDescription'),
    runbook: '',
    audience: 'none',
    namespace: text('Namespace'),
    metric: text('MetricName'),
    dimensions: dimensions.map(({ Name, Value }) => [Name, Value] as const),
    statistic: text('Statistic') as AlarmStatistic,
    periodSeconds: number('Period'),
    evaluationPeriods: number('EvaluationPeriods'),
    datapointsToAlarm: properties.has('DatapointsToAlarm') ? number('DatapointsToAlarm') : number('EvaluationPeriods'),
    threshold: number('Threshold'),
    comparison: text('ComparisonOperator') as ComparisonOperator,
    missingData: (properties.get('TreatMissingData') ?? 'missing') as MissingDataTreatment,
    missingDataReason: '',
  };
}

function compositeAlarm(name: string, properties: Resolved): AlarmDefinition {
  const suppressor = properties.get('ActionsSuppressor');
  return {
    type: 'composite',
    name,
    description: String(properties.get('AlarmDescription') ?? ''),
    runbook: '',
    audience: 'none',
    rule: String(properties.get('AlarmRule')),
    ...(suppressor === undefined
      ? {}
      : {
          suppressor: {
            alarm: String(suppressor).replace(/^arn:.*:alarm:/, ''),
            waitSeconds: Number(properties.get('ActionsSuppressorWaitPeriod')),
            extensionSeconds: Number(properties.get('ActionsSuppressorExtensionPeriod')),
          },
        }),
  };
}

export interface RecordedValue {
  readonly time: number;
  readonly value: number;
}

const minute = 60_000;

/** Clocks of functions may be ahead by this. */
const clockSkew = 5 * minute;

/** Reads a metric's values back, one per minute, oldest first. */
export async function readMetric(
  { cloudWatch }: Aws,
  namespace: string,
  metric: string,
  dimensions: MetricDatum['dimensions'],
  from: number,
  statistic: AlarmStatistic | 'SampleCount' = 'Maximum',
): Promise<readonly RecordedValue[]> {
  const { MetricDataResults } = await cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(from),
      EndTime: new Date(Date.now() + clockSkew),
      ScanBy: 'TimestampAscending',
      MetricDataQueries: [
        {
          Id: 'm',
          MetricStat: {
            Metric: {
              Namespace: namespace,
              MetricName: metric,
              Dimensions: dimensions.map(([Name, Value]) => ({ Name, Value })),
            },
            Period: 60,
            Stat: statistic,
          },
        },
      ],
    }),
  );
  const { Timestamps = [], Values = [] } = MetricDataResults?.[0] ?? {};
  return Timestamps.map((time, index) => ({ time: time.getTime(), value: Values[index] ?? Number.NaN })).sort(
    (a, b) => a.time - b.time,
  );
}

/** Takes an alarm's message in the place of its topics. @returns whether it did. */
export type Interceptor = (alarm: string, message: string) => boolean;

/** Values of a metric in the place of those that the emulator recorded; undefined: the emulator's. */
export type Readings = (definition: MetricAlarmDefinition) => readonly RecordedValue[] | undefined;

/** Plays CloudWatch's alarms: evaluates the deployed ones with core/alarm and tells their topics. */
export class CloudWatchStandIn {
  readonly #aws: Aws;
  readonly #alarms: readonly DeployedAlarm[];
  readonly #since: number;
  readonly #intercept: Interceptor;
  readonly #readings: Readings;
  #states: AlarmStates = new Map();
  #through: number;

  /** @param since when the alarms were deployed, milliseconds since the epoch. */
  constructor(
    aws: Aws,
    alarms: readonly DeployedAlarm[],
    since: number,
    intercept: Interceptor,
    readings: Readings = () => undefined,
  ) {
    this.#aws = aws;
    this.#intercept = intercept;
    this.#readings = readings;
    this.#alarms = alarms;
    this.#since = since;
    this.#through = Math.floor(since / minute) * minute;
  }

  /**
   * Evaluates every minute up to the one after `until`, so that the values of that minute count.
   * @returns the changes whose actions ran.
   */
  async evaluateThrough(until: number): Promise<readonly AlarmTransition[]> {
    const plan = planAlarms(this.#alarms.map(({ definition }) => definition));
    const recorded = new Map<string, readonly RecordedValue[]>();
    for (const { definition } of this.#alarms) {
      if (definition.type === 'metric') recorded.set(nameOf(definition), await this.#read(definition));
    }
    const told: AlarmTransition[] = [];
    for (const last = Math.ceil(until / minute) * minute; this.#through < last; ) {
      this.#through += minute;
      const { states, transitions } = evaluateAlarms(
        plan,
        (metric) => recorded.get(nameOf(metric)) ?? [],
        this.#states,
        this.#through,
        { recordedSince: this.#since },
      );
      this.#states = states;
      for (const transition of transitions) {
        if (await this.#tell(transition)) told.push(transition);
      }
    }
    return told;
  }

  async #read(definition: MetricAlarmDefinition): Promise<readonly RecordedValue[]> {
    const { namespace, metric, dimensions, statistic } = definition;
    const given = this.#readings(definition);
    if (given) return given;
    if (namespace === 'AWS/SQS' && metric === 'ApproximateNumberOfMessagesVisible') {
      // What SQS would report by itself, each minute.
      const { visible } = await readDepth(this.#aws, new Map(dimensions).get('QueueName') ?? '');
      return [{ time: Math.floor(Date.now() / minute) * minute, value: visible }];
    }
    return readMetric(this.#aws, namespace, metric, dimensions, this.#since - 3_600_000, statistic);
  }

  async #tell(transition: AlarmTransition): Promise<boolean> {
    const alarm = this.#alarms.find(({ definition }) => definition.name === transition.alarm);
    if (!alarm || !transition.actionsEnabled || transition.to === 'INSUFFICIENT_DATA') return false;
    const { account, region } = this.#aws.emulator;
    const Message = alarmMessage(alarm.definition, transition, { account, region }, this.#states);
    const topics = transition.to === 'ALARM' ? alarm.alarmTopics : alarm.okTopics;
    if (topics.length > 0 && this.#intercept(transition.alarm, Message)) return true;
    for (const TopicArn of topics) {
      await this.#aws.sns.send(new PublishCommand({ TopicArn, Message, Subject: `${transition.to}: alarm` }));
    }
    return topics.length > 0;
  }
}

function nameOf({ namespace, metric, dimensions, statistic }: AlarmMetric): string {
  return JSON.stringify([namespace, metric, dimensions, statistic]);
}
