import { isAlarmStatistic } from '../core/alarm/statistic.ts';
import { missingDataTreatments, parseAlarmDescription } from '../core/contract/alarm-text.ts';
import { dimensionNames } from '../core/contract/metric-names.ts';
import type {
  AlarmAudience,
  AlarmDefinition,
  AlarmMetric,
  AlarmQuery,
  AlarmStatistic,
  ComparisonOperator,
} from '../core/model/alarm.ts';
import { InputError } from './command.ts';

/** Of a resource. */
type Properties = ReadonlyMap<string, unknown>;

const comparisons: readonly ComparisonOperator[] = [
  'GreaterThanThreshold',
  'GreaterThanOrEqualToThreshold',
  'LessThanThreshold',
  'LessThanOrEqualToThreshold',
];

/**
 * Reads the alarms out of a synthesised template, so that what is tested is what is deployed.
 * @param template the JSON of a CloudFormation template
 * @throws {InputError} where it is no template, or an alarm in it is not of Tidewatch's form.
 */
export function readTemplateAlarms(template: unknown): readonly AlarmDefinition[] {
  const resources = membersOf(template)?.get('Resources');
  const byId = membersOf(resources);
  if (!byId) throw new InputError('template: expected an object with Resources, saw none');
  return [...byId].flatMap(([id, resource]) => {
    const members = membersOf(resource);
    const properties = membersOf(members?.get('Properties')) ?? new Map<string, unknown>();
    if (members?.get('Type') === 'AWS::CloudWatch::Alarm') return [readMetricAlarm(id, properties)];
    if (members?.get('Type') === 'AWS::CloudWatch::CompositeAlarm') return [readComposite(id, properties)];
    return [];
  });
}

function readMetricAlarm(id: string, properties: Properties): AlarmDefinition {
  const { name, description, runbook, missingDataReason, audience } = readCommon(id, properties);
  if (missingDataReason === undefined) throw fault(id, 'AlarmDescription', 'to say how missing data is treated');
  const evaluationPeriods = readNumber(id, properties, 'EvaluationPeriods');
  const common = {
    name,
    description,
    runbook,
    audience,
    evaluationPeriods,
    datapointsToAlarm: properties.has('DatapointsToAlarm')
      ? readNumber(id, properties, 'DatapointsToAlarm')
      : evaluationPeriods,
    threshold: readNumber(id, properties, 'Threshold'),
    comparison: readOneOf(id, properties, 'ComparisonOperator', comparisons),
    missingData: properties.has('TreatMissingData')
      ? readOneOf(id, properties, 'TreatMissingData', missingDataTreatments)
      : 'missing',
    missingDataReason,
  } as const;
  const queries = properties.get('Metrics');
  if (queries !== undefined) return { type: 'math', ...common, ...readQueries(id, queries) };
  const metric = readMetric(id, properties, readStatistic(id, properties));
  return {
    type: 'metric',
    ...common,
    ...modelOf(metric),
    ...metric,
    periodSeconds: readNumber(id, properties, 'Period'),
    ...(properties.get('EvaluateLowSampleCountPercentile') === 'ignore' && { lowSamples: 'ignore' }),
  };
}

function modelOf({ dimensions }: AlarmMetric): { readonly model?: string } {
  const model = dimensions.find(([dimension]) => dimension === dimensionNames.model)?.[1];
  return model === undefined ? {} : { model };
}

function readMetric(id: string, properties: Properties, statistic: AlarmStatistic): AlarmMetric {
  const dimensions = listOf(properties.get('Dimensions')).map((item) => {
    const members = membersOf(item) ?? new Map<string, unknown>();
    return [readText(id, members, 'Name'), readText(id, members, 'Value')] as const;
  });
  const namespace = readText(id, properties, 'Namespace');
  return { namespace, metric: readText(id, properties, 'MetricName'), dimensions, statistic };
}

function readStatistic(id: string, properties: Properties, property?: string): AlarmStatistic {
  const name = property ?? (properties.has('ExtendedStatistic') ? 'ExtendedStatistic' : 'Statistic');
  const text = readText(id, properties, name);
  if (isAlarmStatistic(text)) return text;
  throw fault(id, name, `a statistic such as Maximum, p99 or TC(0:100), saw ${JSON.stringify(text.slice(0, 40))}`);
}

/** All metrics of an alarm on metric math must have one period. */
function readQueries(id: string, value: unknown) {
  const periods = new Set<number>();
  let watches: string | undefined;
  const queries = listOf(value).map((item): AlarmQuery => {
    const members = membersOf(item) ?? new Map<string, unknown>();
    const query = readText(id, members, 'Id');
    if (members.get('ReturnData') !== false) watches = query;
    const stat = membersOf(members.get('MetricStat'));
    if (!stat) return { id: query, expression: readText(id, members, 'Expression') };
    periods.add(readNumber(id, stat, 'Period'));
    const metric = membersOf(stat.get('Metric')) ?? new Map<string, unknown>();
    return { id: query, metric: readMetric(id, metric, readStatistic(id, stat, 'Stat')) };
  });
  const [periodSeconds] = periods;
  if (periodSeconds === undefined || periods.size > 1) throw fault(id, 'Metrics', 'metrics of one period');
  if (watches === undefined) throw fault(id, 'Metrics', 'lines of which one returns data');
  const models = queries.flatMap((query) => ('metric' in query ? (modelOf(query.metric).model ?? []) : []));
  const model = models[0];
  return { queries, watches, periodSeconds, ...(model !== undefined && { model }) };
}

function readComposite(id: string, properties: Properties): AlarmDefinition {
  const { name, description, runbook, audience } = readCommon(id, properties);
  const model = /^tidewatch\/(.+)\/[^/]+$/.exec(name)?.[1];
  return {
    type: 'composite',
    name,
    description,
    runbook,
    audience,
    ...(model !== undefined && { model }),
    rule: readText(id, properties, 'AlarmRule'),
    ...(properties.has('ActionsSuppressor') && {
      suppressor: {
        alarm: readText(id, properties, 'ActionsSuppressor'),
        waitSeconds: readNumber(id, properties, 'ActionsSuppressorWaitPeriod'),
        extensionSeconds: readNumber(id, properties, 'ActionsSuppressorExtensionPeriod'),
      },
    }),
  };
}

function readCommon(id: string, properties: Properties) {
  const parsed = parseAlarmDescription(readText(id, properties, 'AlarmDescription'));
  if (!parsed) throw fault(id, 'AlarmDescription', 'a description with a runbook link');
  return { ...parsed, name: readText(id, properties, 'AlarmName'), audience: readAudience(properties) };
}

/** Whom an alarm is for shows in the names of the topics it rings; they are put together from texts. */
function readAudience(properties: Properties): AlarmAudience {
  const topics = listOf(properties.get('AlarmActions')).map((action) => JSON.stringify(action) ?? '');
  if (topics.length === 0) return 'none';
  return topics.some((topic) => /-red"/.test(topic)) ? 'red' : 'yellow';
}

/** Own members; a Map, because a member may be called `__proto__`. */
function membersOf(value: unknown): Properties | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fault(id: string, property: string, expected: string): InputError {
  return new InputError(`template, alarm ${id}: expected ${property} to be ${expected}`);
}

function readText(id: string, properties: Properties, property: string): string {
  const value = properties.get(property);
  if (typeof value !== 'string') throw fault(id, property, 'text');
  return value;
}

function readNumber(id: string, properties: Properties, property: string): number {
  const value = properties.get(property);
  if (typeof value !== 'number') throw fault(id, property, 'a number');
  return value;
}

function readOneOf<T extends string>(id: string, properties: Properties, property: string, allowed: readonly T[]): T {
  const value = allowed.find((candidate) => candidate === properties.get(property));
  if (value === undefined) throw fault(id, property, `one of ${allowed.join(', ')}`);
  return value;
}
