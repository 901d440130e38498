import { dimensionNames, type MetricName, metricNames } from '../contract/metric-names.ts';
import type { MetricDatum } from '../model/metric.ts';
import { featurePolicy, type ModelPolicy } from '../model/policy.ts';
import type { Verdict } from '../model/verdict.ts';
import { dimensionValue } from './dimension-value.ts';

/**
 * The scores of a closed window, stamped with the window's end; none for live verdicts and analyses. To be published for
 * the first verdict of a series' window only, whatever its revision: history is not rewritten. Windows of several series
 * (variants, versions, or two widths after a change) may end together: each adds a datum, and Maximum shows the largest.
 * What was not measured is left out, never sent as zero.
 */
export function verdictMetrics(verdict: Verdict, policy: ModelPolicy): MetricDatum[] {
  if (verdict.mode !== 'closed') return [];
  const time = Date.parse(verdict.window.end);
  const datum = (name: MetricName, value: number, unit: MetricDatum['unit'], feature?: string): MetricDatum => ({
    name,
    dimensions: [
      ...(feature === undefined ? [] : [[dimensionNames.feature, dimensionValue(feature)] as const]),
      [dimensionNames.model, policy.name],
    ],
    time,
    value,
    unit,
  });
  const features = Object.entries(verdict.features);
  const tested = features.filter(([, { qValue }]) => qValue !== null);
  const drifted = tested.filter(([, feature]) => feature.drifted).length;
  const scores = new Map(
    features.flatMap(([name, feature]) => {
      const score = feature.scores.populationStabilityIndex;
      return score === undefined ? [] : [[name, score] as const];
    }),
  );
  const published = publishedFeatures(verdict, policy);
  const data = [
    datum(metricNames.records, verdict.records.counted, 'Count'),
    datum(metricNames.quarantinedRecords, verdict.records.quarantined, 'Count'),
  ];
  if (tested.length > 0) {
    data.push(datum(metricNames.driftedFeatures, drifted, 'Count'));
    data.push(datum(metricNames.driftShare, drifted / tested.length, 'None'));
  }
  if (scores.size > 0) data.push(datum(metricNames.maxPopulationStabilityIndex, maximum(scores.values()), 'None'));
  for (const name of published) {
    const score = scores.get(name);
    if (score !== undefined) data.push(datum(metricNames.populationStabilityIndex, score, 'None', name));
  }
  return [...data, ...missingRates(verdict, policy, datum)];
}

/**
 * The features with a metric of their own, by name: those marked `published`, or else the first few of the verdict's.
 * The choice depends on the configuration and the layout alone, so the metrics exist before the first window.
 */
export function publishedFeatures(verdict: Pick<Verdict, 'features'>, policy: ModelPolicy): readonly string[] {
  const names = Object.keys(verdict.features).sort();
  const marked = policy.features.filter(([, { published, ignore }]) => published && !ignore).map(([name]) => name);
  if (marked.length === 0) return names.slice(0, policy.publishedFeatures);
  return names.filter((name) => marked.includes(name));
}

function missingRates(
  verdict: Verdict,
  policy: ModelPolicy,
  datum: (name: MetricName, value: number, unit: MetricDatum['unit'], feature?: string) => MetricDatum,
): readonly MetricDatum[] {
  const data: MetricDatum[] = [];
  let allMissing = 0;
  let allRows = 0;
  for (const [name, { current }] of Object.entries(verdict.features)) {
    const rows = current.count + current.missing;
    if (rows === 0) continue;
    allMissing += current.missing;
    allRows += rows;
    if (!featurePolicy(policy, name).required) continue;
    data.push(datum(metricNames.missingRate, current.missing / rows, 'None', name));
  }
  return allRows === 0 ? [] : [datum(metricNames.missingRate, allMissing / allRows, 'None'), ...data];
}

function maximum(values: Iterable<number>): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) largest = Math.max(largest, value);
  return largest;
}
