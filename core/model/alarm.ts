export type AlarmStateValue = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
export type MissingDataTreatment = 'breaching' | 'notBreaching' | 'ignore' | 'missing';
export type ComparisonOperator =
  | 'GreaterThanThreshold'
  | 'GreaterThanOrEqualToThreshold'
  | 'LessThanThreshold'
  | 'LessThanOrEqualToThreshold';
export type AlarmStatistic = 'Maximum' | 'Minimum' | 'Average';

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

/** An alarm on one metric, with CloudWatch's own semantics. */
export interface MetricAlarmDefinition extends AlarmBase {
  readonly type: 'metric';
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: readonly (readonly [name: string, value: string])[];
  readonly statistic: AlarmStatistic;
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

/** A rule over other alarms' states, as CloudWatch's AlarmRule: `ALARM("a") AND NOT ALARM("b")`. */
export interface CompositeAlarmDefinition extends AlarmBase {
  readonly type: 'composite';
  readonly rule: string;
  /** While this alarm is in ALARM, actions are muted. */
  readonly suppressor?:
    | { readonly alarm: string; readonly waitSeconds: number; readonly extensionSeconds: number }
    | undefined;
}

export type AlarmDefinition = MetricAlarmDefinition | CompositeAlarmDefinition;

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
