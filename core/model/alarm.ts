export type AlarmStateValue = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
export type MissingDataTreatment = 'breaching' | 'notBreaching' | 'ignore' | 'missing';
export type ComparisonOperator =
  | 'GreaterThanThreshold'
  | 'GreaterThanOrEqualToThreshold'
  | 'LessThanThreshold'
  | 'LessThanOrEqualToThreshold';
/** Of the raw values of a period. `p99`: percentile. `TC(0:100)`, `PR(0:100)`: count and percentage within bounds. */
export type AlarmStatistic =
  | 'Maximum'
  | 'Minimum'
  | 'Average'
  | 'Sum'
  | 'SampleCount'
  | `p${number}`
  | `TC(${string})`
  | `PR(${string})`;

const simpleStatistics: readonly AlarmStatistic[] = ['Maximum', 'Minimum', 'Average', 'Sum', 'SampleCount'];

/** Whether CloudWatch takes it as an extended statistic. */
export function isExtendedStatistic(statistic: AlarmStatistic): boolean {
  return !simpleStatistics.includes(statistic);
}

/** Which people an alarm's state changes are for; `none`: a child of composites only. */
export type AlarmAudience = 'none' | 'yellow' | 'red';

interface AlarmBase {
  /** Path-like and unique: `tidewatch/credit-scoring/yellow`. */
  readonly name: string;
  /** What it means, for a person who has never seen it. */
  readonly description: string;
  /** Runbook article that explains it, as a link. */
  readonly runbook: string;
  readonly audience: AlarmAudience;
  /** The model concerned; absent: the fleet. */
  readonly model?: string | undefined;
}

/** A metric and the statistic of its periods. */
export interface AlarmMetric {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: readonly (readonly [name: string, value: string])[];
  readonly statistic: AlarmStatistic;
}

/** What is compared with the threshold, how often and for how long. */
export interface AlarmThreshold {
  readonly periodSeconds: number;
  /** N of "M out of N". */
  readonly evaluationPeriods: number;
  /** M of "M out of N". */
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: ComparisonOperator;
  readonly missingData: MissingDataTreatment;
  /** Why missing data is treated so. */
  readonly missingDataReason: string;
}

/** An alarm on one metric, with CloudWatch's own semantics. */
export interface MetricAlarmDefinition extends AlarmBase, AlarmThreshold, AlarmMetric {
  readonly type: 'metric';
  /** Of a percentile: whether it is evaluated with too few samples to tell it. @default 'evaluate' */
  readonly lowSamples?: 'evaluate' | 'ignore' | undefined;
}

/** One line of an alarm on metric math: a metric, or an expression over the other lines, under an id. */
export type AlarmQuery =
  | { readonly id: string; readonly metric: AlarmMetric }
  | { readonly id: string; readonly expression: string };

/** An alarm on metric math. */
export interface MathAlarmDefinition extends AlarmBase, AlarmThreshold {
  readonly type: 'math';
  readonly queries: readonly AlarmQuery[];
  /** The id of the line that is compared with the threshold. */
  readonly watches: string;
}

/** A rule over other alarms' states, as CloudWatch's AlarmRule: `ALARM("a") AND NOT ALARM("b")`. */
export interface CompositeAlarmDefinition extends AlarmBase {
  readonly type: 'composite';
  readonly rule: string;
  /** While this alarm is in ALARM, actions are muted. */
  readonly suppressor?:
    | { readonly alarm: string; readonly waitSeconds: number; readonly extensionSeconds: number }
    | undefined;
}

export type AlarmDefinition = MetricAlarmDefinition | MathAlarmDefinition | CompositeAlarmDefinition;

/** A change of an alarm's state. */
export interface AlarmTransition {
  readonly alarm: string;
  readonly from: AlarmStateValue;
  readonly to: AlarmStateValue;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly reason: string;
  /** False while a suppressor mutes the actions. */
  readonly actionsEnabled: boolean;
}
