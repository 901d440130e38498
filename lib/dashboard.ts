import { Duration } from 'aws-cdk-lib';
import {
  Dashboard,
  DashboardVariable,
  DefaultValue,
  GraphWidget,
  MathExpression,
  Metric,
  TextWidget,
  Values,
  VariableInputType,
  VariableType,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { runbookArticles, runbookLink } from '../core/contract/alarm-definitions.ts';
import { dimensionNames, type MetricName, metricNames, metricNamespace } from '../core/contract/metric-names.ts';
import type { FleetConfiguration } from './fleet-configuration.ts';
import type { FleetNames } from './names.ts';

/** Stands for the model chosen in the dashboard; a pattern, because searches are text. */
const chosenModel = 'TIDEWATCH_MODEL';

/** The one dashboard of a fleet: all tiers above, then the chosen model. */
export function createDashboard(scope: Construct, id: string, names: FleetNames, configuration: FleetConfiguration) {
  const models = configuration.models.map(({ name }) => name);
  const dashboard = new Dashboard(scope, id, {
    dashboardName: names.dashboard,
    defaultInterval: Duration.days(1),
    variables: [
      new DashboardVariable({
        id: 'model',
        type: VariableType.PATTERN,
        label: 'Model',
        inputType: VariableInputType.SELECT,
        value: chosenModel,
        values: Values.fromValues(...models.map((name) => ({ label: name, value: name }))),
        defaultValue: DefaultValue.value(models[0] ?? ''),
        visible: true,
      }),
    ],
  });
  const minute = Duration.minutes(1);
  const hour = Duration.hours(1);
  dashboard.addWidgets(new TextWidget({ width: 24, height: 3, markdown: introduction(configuration) }));
  dashboard.addWidgets(
    graph(
      'Tier of every model (0 green, 1 yellow, 2 red)',
      [searchAll(metricNames.tier, dimensionNames.model, minute)],
      16,
    ),
    graph('Heartbeat of every shard', [searchAll(metricNames.heartbeat, dimensionNames.shard, minute)], 8),
  );
  dashboard.addWidgets(
    graph('Tier', [ofModel(metricNames.tier, minute)]),
    graph('Drifted features', [ofModel(metricNames.driftedFeatures, hour), ofModel(metricNames.driftShare, hour)]),
    graph('Largest PSI', [ofModel(metricNames.maxPopulationStabilityIndex, hour)]),
  );
  dashboard.addWidgets(
    graph('PSI by feature', [search(metricNames.populationStabilityIndex, dimensionNames.feature, hour)], 6),
    graph('Missing values by feature', [search(metricNames.missingRate, dimensionNames.feature, hour)], 6),
    graph('Records', [ofModel(metricNames.records, hour), ofModel(metricNames.quarantinedRecords, hour)], 6),
    graph('Evaluation lag', [ofModel(metricNames.evaluationLagSeconds, minute)], 6),
  );
  dashboard.addWidgets(
    graph('Error budget left', [search(metricNames.sloErrorBudgetRemaining, dimensionNames.slo, minute)]),
    graph('Burn rate', [search(metricNames.sloBurnRate, dimensionNames.slo, minute)]),
    graph('Quarantined share', [ofModel(metricNames.quarantineShare, minute)]),
  );
  return dashboard;
}

function introduction({ fleet, deployment }: FleetConfiguration): string {
  const articles = Object.values(runbookArticles).map((article) => `[${article}](${runbookLink(fleet, article)})`);
  return [
    `# Tidewatch ${deployment.fleetName}`,
    'Choose a model above. Scores carry the end of their window; tiers, budgets and lag are of now.',
    `Runbook: ${articles.join(' · ')}`,
  ].join('\n');
}

function graph(title: string, left: (Metric | MathExpression)[], width = 8) {
  return new GraphWidget({ title, left, width, height: 6, leftYAxis: { showUnits: false } });
}

function metric(metricName: MetricName, period: Duration, dimensionsMap: Record<string, string>) {
  return new Metric({ namespace: metricNamespace, metricName, dimensionsMap, statistic: 'Maximum', period });
}

function ofModel(metricName: MetricName, period: Duration) {
  return metric(metricName, period, { [dimensionNames.model]: chosenModel });
}

/** One line for every value of a second dimension: features and objectives differ between models. */
function search(metricName: MetricName, dimension: string, period: Duration) {
  const dimensions = [dimension, dimensionNames.model].sort().join(',');
  return new MathExpression({
    expression: `SEARCH('{${metricNamespace},${dimensions}} MetricName="${metricName}" ${dimensionNames.model}="${chosenModel}"', 'Maximum', ${period.toSeconds()})`,
    usingMetrics: {},
    label: '',
    period,
  });
}

function searchAll(metricName: MetricName, dimension: string, period: Duration) {
  return new MathExpression({
    expression: `SEARCH('{${metricNamespace},${dimension}} MetricName="${metricName}"', 'Maximum', ${period.toSeconds()})`,
    usingMetrics: {},
    label: '',
    period,
  });
}
