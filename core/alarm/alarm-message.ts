import {
  type AlarmDefinition,
  type AlarmMetric,
  type AlarmStateValue,
  type AlarmTransition,
  isExtendedStatistic,
  type MathAlarmDefinition,
  type MetricAlarmDefinition,
} from '../model/alarm.ts';
import { alarmNameOf, parseAlarmRule, ruleAlarms } from './alarm-rule.ts';
import type { AlarmStates } from './evaluate-alarms.ts';

/** The account and region an alarm lives in; they make up its ARN. */
export interface AlarmPlace {
  readonly account: string;
  readonly region: string;
}

/** A CloudWatch alarm's SNS message, read and checked. */
export interface ParsedAlarmMessage {
  readonly type: 'metric' | 'composite';
  /** The alarm's name. */
  readonly alarm: string;
  readonly description?: string | undefined;
  readonly account?: string | undefined;
  /** From the ARN: the message's own `Region` is a display name. */
  readonly region?: string | undefined;
  readonly from: AlarmStateValue;
  readonly to: AlarmStateValue;
  readonly reason: string;
  /** Milliseconds since the epoch of the state change. */
  readonly time: number;
  /** Metric alarms on a single metric. */
  readonly metric?:
    | {
        readonly namespace: string;
        readonly name: string;
        readonly dimensions: readonly (readonly [name: string, value: string])[];
      }
    | undefined;
  /** Composites. */
  readonly rule?: string | undefined;
  /** Composites: the alarms that caused the change. Empty for metric alarms. */
  readonly children: readonly { readonly alarm: string; readonly value: AlarmStateValue; readonly time: number }[];
}

/** An alarm message that is none. The text never repeats what the message held. */
export class AlarmMessageError extends Error {
  override readonly name = 'AlarmMessageError';
}

/** SNS carries no larger message. */
export const maximumMessageLength = 262_144;
const maximumTextLength = 4096;
const maximumNameLength = 255;
const maximumListLength = 100;

/** 2001-03-10T10:05:00.000+0000, as CloudWatch writes times. */
function cloudWatchTime(time: number): string {
  return new Date(time).toISOString().replace('Z', '+0000');
}

/**
 * The message CloudWatch sends to SNS for a state change, as JSON. The embedded backend sends the same, so that what
 * reads them has one shape to know.
 * @param states where the alarms stand after the change: the source of a composite's `TriggeringChildren`
 */
export function alarmMessage(
  definition: AlarmDefinition,
  transition: AlarmTransition,
  place: AlarmPlace,
  states: AlarmStates,
): string {
  const common = {
    AlarmName: definition.name,
    AlarmDescription: definition.description,
    AWSAccountId: place.account,
    NewStateValue: transition.to,
    NewStateReason: transition.reason,
    StateChangeTime: cloudWatchTime(transition.time),
    Region: place.region,
    AlarmArn: alarmArn(place, definition.name),
    OldStateValue: transition.from,
    OKActions: [],
    AlarmActions: [],
    InsufficientDataActions: [],
  };
  if (definition.type !== 'composite') return JSON.stringify({ ...common, Trigger: triggerOf(definition) });
  return JSON.stringify({
    ...common,
    AlarmRule: definition.rule,
    TriggeringChildren: triggeringChildren(definition.rule, transition, place, states),
  });
}

function alarmArn(place: AlarmPlace, name: string): string {
  return `arn:aws:cloudwatch:${place.region}:${place.account}:alarm:${name}`;
}

function triggerOf(definition: MetricAlarmDefinition | MathAlarmDefinition) {
  return {
    ...(definition.type === 'metric' ? metricOf(definition) : { Metrics: queriesOf(definition) }),
    Period: definition.periodSeconds,
    EvaluationPeriods: definition.evaluationPeriods,
    DatapointsToAlarm: definition.datapointsToAlarm,
    ComparisonOperator: definition.comparison,
    Threshold: definition.threshold,
    TreatMissingData: definition.missingData,
    EvaluateLowSampleCountPercentile: definition.type === 'metric' ? (definition.lowSamples ?? '') : '',
  };
}

function metricOf({ metric, namespace, statistic, dimensions }: AlarmMetric) {
  return {
    MetricName: metric,
    Namespace: namespace,
    ...(isExtendedStatistic(statistic)
      ? { StatisticType: 'ExtendedStatistic', ExtendedStatistic: statistic }
      : { StatisticType: 'Statistic', Statistic: statistic.toUpperCase() }),
    Unit: null,
    Dimensions: dimensionsOf(dimensions),
  };
}

function queriesOf({ queries, watches, periodSeconds }: MathAlarmDefinition) {
  return queries.map((query) => ({
    Id: query.id,
    ...('expression' in query
      ? { Expression: query.expression }
      : {
          MetricStat: {
            Metric: {
              Dimensions: dimensionsOf(query.metric.dimensions),
              MetricName: query.metric.metric,
              Namespace: query.metric.namespace,
            },
            Period: periodSeconds,
            Stat: query.metric.statistic,
          },
        }),
    ReturnData: query.id === watches,
  }));
}

function dimensionsOf(dimensions: AlarmMetric['dimensions']) {
  return dimensions.map(([name, value]) => ({ value, name }));
}

/** To ALARM: the children in ALARM. Otherwise: those that changed last. */
function triggeringChildren(rule: string, transition: AlarmTransition, place: AlarmPlace, states: AlarmStates) {
  const children = ruleAlarms(parseAlarmRule(rule)).flatMap((name) => {
    const state = states.get(name);
    return state === undefined ? [] : [{ name, state }];
  });
  const newest = Math.max(...children.map(({ state }) => state.since));
  return children
    .filter(({ state }) => (transition.to === 'ALARM' ? state.value === 'ALARM' : state.since === newest))
    .map(({ name, state }) => ({
      Arn: alarmArn(place, name),
      State: { Value: state.value, Timestamp: cloudWatchTime(state.since) },
    }));
}

/**
 * Reads a CloudWatch alarm message (the `Message` of the SNS notification) of a metric or composite alarm. Fields that
 * Tidewatch does not need are not looked at.
 * @throws {AlarmMessageError} where the text is too long, is not JSON, or a needed field is missing or not as expected.
 */
export function parseAlarmMessage(text: string): ParsedAlarmMessage {
  if (text.length > maximumMessageLength)
    throw new AlarmMessageError(
      `alarm message: expected at most ${maximumMessageLength} characters, saw ${text.length}`,
    );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new AlarmMessageError('alarm message: expected JSON, saw text that is none');
  }
  const message = readObject(json, 'message');
  const alarm = readName(message, 'AlarmName');
  const composite = message.has('AlarmRule');
  const arn = readOptionalText(message, 'AlarmArn');
  const place = arn === undefined ? undefined : readArn(arn, 'AlarmArn');
  if (place !== undefined && place.alarm !== alarm)
    throw new AlarmMessageError('alarm message, AlarmArn: expected the alarm of AlarmName, saw another');
  return {
    type: composite ? 'composite' : 'metric',
    alarm,
    description: readOptionalText(message, 'AlarmDescription'),
    account: readOptionalText(message, 'AWSAccountId'),
    region: place?.region,
    from: readState(message, 'OldStateValue'),
    to: readState(message, 'NewStateValue'),
    reason: readOptionalText(message, 'NewStateReason') ?? '',
    time: readTime(message, 'StateChangeTime'),
    metric: composite ? undefined : readMetric(message),
    rule: composite ? readText(message, 'AlarmRule', 10_240) : undefined,
    children: composite ? readChildren(message) : [],
  };
}

/** Own fields of a JSON object; a Map, because a field may be called `__proto__`. */
type Fields = ReadonlyMap<string, unknown>;

function fault(field: string, expected: string, value: unknown): AlarmMessageError {
  const seen = value === null ? 'null' : Array.isArray(value) ? 'an array' : `${typeof value}`;
  return new AlarmMessageError(
    `alarm message, ${field}: expected ${expected}, saw ${value === undefined ? 'nothing' : seen}`,
  );
}

function readObject(value: unknown, field: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault(field, 'an object', value);
  return new Map(Object.entries(value));
}

function readText(fields: Fields, field: string, maximum = maximumTextLength): string {
  const value = fields.get(field);
  if (typeof value !== 'string') throw fault(field, 'text', value);
  if (value.length > maximum)
    throw new AlarmMessageError(`alarm message, ${field}: expected at most ${maximum} characters, saw ${value.length}`);
  return value;
}

function readOptionalText(fields: Fields, field: string): string | undefined {
  const value = fields.get(field);
  return value === undefined || value === null ? undefined : readText(fields, field);
}

function readName(fields: Fields, field: string): string {
  const name = readText(fields, field, maximumNameLength);
  if (name === '' || /\p{Cc}/u.test(name))
    throw new AlarmMessageError(`alarm message, ${field}: expected a name without control characters, saw another`);
  return name;
}

function readState(fields: Fields, field: string): AlarmStateValue {
  const value = fields.get(field);
  if (value === 'OK' || value === 'ALARM' || value === 'INSUFFICIENT_DATA') return value;
  throw fault(field, 'OK, ALARM or INSUFFICIENT_DATA', value);
}

function readTime(fields: Fields, field: string): number {
  const value = readText(fields, field, 40);
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(\+0000|\+00:00|Z)$/.test(value)
    ? Date.parse(value.replace(/(\+0000|\+00:00)$/, 'Z'))
    : Number.NaN;
  if (Number.isNaN(time)) throw fault(field, 'a time such as 2001-03-10T10:05:00.000+0000', value);
  return time;
}

function readArn(arn: string, field: string): { alarm: string; region: string } {
  const region = /^arn:[a-z0-9-]+:cloudwatch:([A-Za-z0-9_-]*):[A-Za-z0-9_-]*:alarm:./s.exec(arn)?.[1];
  if (region === undefined) throw fault(field, 'the ARN of an alarm', arn);
  return { alarm: alarmNameOf(arn), region };
}

function readList(fields: Fields, field: string): readonly unknown[] {
  const value = fields.get(field);
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw fault(field, 'a list', value);
  if (value.length > maximumListLength)
    throw new AlarmMessageError(
      `alarm message, ${field}: expected at most ${maximumListLength} items, saw ${value.length}`,
    );
  return value;
}

function readMetric(message: Fields): ParsedAlarmMessage['metric'] {
  const trigger = readObject(message.get('Trigger'), 'Trigger');
  // Alarms on metric math have `Metrics` in its place.
  if (!trigger.has('MetricName')) return undefined;
  return {
    namespace: readText(trigger, 'Namespace', maximumNameLength),
    name: readText(trigger, 'MetricName', maximumNameLength),
    dimensions: readList(trigger, 'Dimensions').map((item) => {
      const dimension = readObject(item, 'Dimensions');
      return [readText(dimension, 'name', 255), readText(dimension, 'value', 1024)] as const;
    }),
  };
}

function readChildren(message: Fields): ParsedAlarmMessage['children'] {
  return readList(message, 'TriggeringChildren').map((item) => {
    const child = readObject(item, 'TriggeringChildren');
    const state = readObject(child.get('State'), 'TriggeringChildren.State');
    return {
      alarm: readArn(readText(child, 'Arn', 1600), 'TriggeringChildren.Arn').alarm,
      value: readState(state, 'Value'),
      time: readTime(state, 'Timestamp'),
    };
  });
}
