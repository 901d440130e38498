import { dimensionNames, metricNames } from '../contract/metric-names.ts';
import type { MetricDatum } from '../model/metric.ts';
import { type QualityVerdict, type SloVerdict, type Tier, tierValue } from '../model/verdict.ts';
import { dimensionValue } from './dimension-value.ts';

/** What is known of one model now. */
export interface ModelState {
  /** As configured, so that it is the very value that the alarms ask for. */
  readonly model: string;
  /** Worst of the newest closed window and the live judgement; undefined: stale, and withheld. */
  readonly tier: Tier | undefined;
  /** Seconds since the end of the newest judged window; undefined: none was judged yet. */
  readonly evaluationLagSeconds: number | undefined;
  /** Quarantined over captured records of the newest closed window; undefined: nothing captured, or stale. */
  readonly quarantineShare: number | undefined;
  /** Of the live judgement. */
  readonly slos: readonly SloVerdict[];
  /** By labels; absent: there are none. */
  readonly quality?: readonly QualityVerdict[] | undefined;
  readonly labelCoverage?: number | undefined;
}

/**
 * The gauges of a tick: for each model its tier, its lag and its objectives' burn rates and budgets; for the fleet a
 * heartbeat, which says that the tick completed: publish when everything else is done.
 * @param now milliseconds since the epoch
 * @param isComplete false where a model is missing, because it failed: then there is no heartbeat
 */
export function gaugeMetrics(models: readonly ModelState[], now: number, isComplete = true): MetricDatum[] {
  const gauges = models.flatMap((state) => modelGauges(state, now));
  if (!isComplete) return gauges;
  const heartbeat: MetricDatum = { name: metricNames.heartbeat, dimensions: [], time: now, value: 1, unit: 'None' };
  return [...gauges, heartbeat];
}

function modelGauges(state: ModelState, time: number): readonly MetricDatum[] {
  const model = [dimensionNames.model, state.model] as const;
  const data: MetricDatum[] = [];
  const add = (name: string, value: number | undefined, unit: MetricDatum['unit'], slo?: string) => {
    if (value === undefined) return;
    const dimensions = slo === undefined ? [model] : [model, [dimensionNames.slo, dimensionValue(slo)] as const];
    data.push({ name, dimensions, time, value, unit });
  };
  add(metricNames.tier, state.tier && tierValue[state.tier], 'None');
  add(metricNames.evaluationLagSeconds, state.evaluationLagSeconds, 'Seconds');
  add(metricNames.quarantineShare, state.quarantineShare, 'None');
  for (const slo of state.slos) {
    add(metricNames.sloBurnRate, slo.burnRateLong, 'None', slo.name);
    add(metricNames.sloErrorBudgetRemaining, slo.errorBudgetRemaining, 'None', slo.name);
    add(metricNames.sloErrorBudgetExhaustionSeconds, slo.errorBudgetExhaustionSeconds, 'Seconds', slo.name);
  }
  add(metricNames.labelCoverage, state.labelCoverage, 'None');
  const measures = new Set<string>();
  for (const { measure, matured } of state.quality ?? []) {
    if (matured.value === null || measures.has(measure)) continue;
    measures.add(measure);
    const dimensions = [[dimensionNames.measure, measure] as const, model];
    data.push({ name: metricNames.quality, dimensions, time, value: matured.value, unit: 'None' });
  }
  return data;
}
