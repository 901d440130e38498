import { CfnAlarm, type CfnAlarmProps, CfnCompositeAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { modelAlarms } from '../core/contract/alarm-definitions.ts';
import { formatAlarmDescription } from '../core/contract/alarm-text.ts';
import { toldTiers } from '../core/contract/infrastructure-alarms.ts';
import {
  type AlarmDefinition,
  isExtendedStatistic,
  type MathAlarmDefinition,
  type MetricAlarmDefinition,
} from '../core/model/alarm.ts';
import type { FleetPolicy, ModelPolicy } from '../core/model/policy.ts';
import type { FleetNames } from './names.ts';

/** The internal topic of an alarm's tier: notify says what people read. Alarms without people have no action. */
export function routedActions(names: FleetNames, { audience }: AlarmDefinition): readonly string[] {
  return audience === 'none' ? [] : [names.topicArn(names.alarmTopic(audience))];
}

/**
 * One alarm on Tidewatch itself. It goes straight to people: to those who take everything, to those whose subscription is
 * filtered by model, and to deliver, at most five topics, as many as an alarm may have. Of its end only deliver is told,
 * which knows whether anybody heard of its beginning: a new alarm goes from INSUFFICIENT_DATA to OK, and every deployment
 * would mail as many recoveries of what never failed.
 */
export function renderDirectAlarm(
  scope: Construct,
  id: string,
  definition: AlarmDefinition,
  names: FleetNames,
): CfnAlarm | CfnCompositeAlarm {
  const { audience } = definition;
  if (audience === 'none') throw new TypeError(`alarm ${definition.name}: expected an audience, saw none`);
  const people = toldTiers(definition.name, audience).flatMap((tier) => [
    names.topicArn(names.deliveryTopic(tier)),
    names.topicArn(names.failureTopic(tier)),
  ]);
  const deliver = names.topicArn(names.deliverTopic(audience));
  return renderAlarm(scope, id, definition, [...people, deliver], [deliver]);
}

/**
 * One alarm, exactly as defined.
 * @param okActions told of its recovery
 */
export function renderAlarm(
  scope: Construct,
  id: string,
  definition: AlarmDefinition,
  actions: readonly string[],
  okActions: readonly string[] = [],
): CfnAlarm | CfnCompositeAlarm {
  const common = {
    alarmName: definition.name,
    alarmDescription: formatAlarmDescription(definition),
    actionsEnabled: true,
    alarmActions: [...actions],
    okActions: [...okActions],
  };
  if (definition.type === 'composite') {
    const { rule, suppressor } = definition;
    return new CfnCompositeAlarm(scope, id, {
      ...common,
      alarmRule: rule,
      ...(suppressor && {
        actionsSuppressor: suppressor.alarm,
        actionsSuppressorWaitPeriod: suppressor.waitSeconds,
        actionsSuppressorExtensionPeriod: suppressor.extensionSeconds,
      }),
    });
  }
  return new CfnAlarm(scope, id, {
    ...common,
    ...(definition.type === 'metric' ? renderMetric(definition) : renderQueries(definition)),
    evaluationPeriods: definition.evaluationPeriods,
    datapointsToAlarm: definition.datapointsToAlarm,
    threshold: definition.threshold,
    comparisonOperator: definition.comparison,
    treatMissingData: definition.missingData,
  });
}

function renderMetric({ lowSamples, periodSeconds, ...watched }: MetricAlarmDefinition): Partial<CfnAlarmProps> {
  const { namespace, metric, dimensions, statistic } = watched;
  return {
    namespace,
    metricName: metric,
    dimensions: dimensions.map(([name, value]) => ({ name, value })),
    ...(isExtendedStatistic(statistic) ? { extendedStatistic: statistic } : { statistic }),
    ...(lowSamples && { evaluateLowSampleCountPercentile: lowSamples }),
    period: periodSeconds,
  };
}

function renderQueries({ queries, watches, periodSeconds }: MathAlarmDefinition): Partial<CfnAlarmProps> {
  const metrics = queries.map((query) => {
    const returnData = query.id === watches;
    if ('expression' in query) return { id: query.id, expression: query.expression, returnData };
    const { namespace, metric, dimensions, statistic } = query.metric;
    const named = dimensions.map(([name, value]) => ({ name, value }));
    const metricStat = {
      metric: { namespace, metricName: metric, dimensions: named },
      period: periodSeconds,
      stat: statistic,
    };
    return { id: query.id, metricStat, returnData };
  });
  return { metrics };
}

export interface ModelAlarmsProps {
  readonly policy: ModelPolicy;
  readonly fleet: FleetPolicy;
  readonly names: FleetNames;
}

/** The alarms of one model. */
export class ModelAlarms extends Construct {
  constructor(scope: Construct, id: string, { policy, fleet, names }: ModelAlarmsProps) {
    super(scope, id);
    const rendered = new Map<string, CfnAlarm | CfnCompositeAlarm>();
    for (const definition of modelAlarms(policy, fleet)) {
      const kind = definition.name.slice(definition.name.lastIndexOf('/') + 1);
      const actions = routedActions(names, definition);
      const alarm = renderAlarm(this, kind, definition, actions, actions);
      rendered.set(definition.name, alarm);
      if (definition.type !== 'composite') continue;
      // A composite can only be made after the alarms that its rule names, and its suppressor.
      for (const [name, other] of rendered) {
        const isNamed = definition.rule.includes(`"${name}"`) || definition.suppressor?.alarm === name;
        if (isNamed) alarm.addResourceDependency(other);
      }
    }
  }
}
