import type { MeasuredMetric, MinuteValues } from '../model/measured-metric.ts';
import type {
  AvailabilitySloPolicy,
  FreshnessSloPolicy,
  LatencySloPolicy,
  MetricSloPolicy,
  SloPolicy,
} from '../model/policy.ts';
import type { MinuteSlot } from '../model/profile.ts';

/** Events of one objective in one minute. */
export type MinuteSli = readonly [minute: number, good: number, valid: number];

/** An objective that is counted from CloudWatch metrics. */
export type MetricBackedSlo = LatencySloPolicy | AvailabilitySloPolicy | MetricSloPolicy;

export function isMetricBacked(slo: SloPolicy): slo is MetricBackedSlo {
  return (
    slo.kind === 'metric' || ((slo.kind === 'latency' || slo.kind === 'availability') && slo.endpoint !== undefined)
  );
}

/** An objective that captures don't count: of CloudWatch metrics, or of the time between records. */
export function isMeasured(slo: SloPolicy): boolean {
  return slo.kind === 'freshness' || isMetricBacked(slo);
}

/** Minutes of an endpoint, good or valid, by two statistics; `bad` where the first one counts failures. */
interface MetricPair {
  readonly counted: MeasuredMetric;
  readonly valid: MeasuredMetric;
}

/**
 * The metrics that an objective needs. Of an endpoint they are SageMaker's own, for each variant: `TC(:threshold)` of the
 * latency counts requests at or under the threshold exactly, its `SampleCount` all of them.
 */
export function metricsOf(slo: MetricBackedSlo, variants: readonly string[]): readonly MeasuredMetric[] {
  if (slo.kind === 'metric') return [slo.metric];
  return variants.flatMap((variant) => Object.values(pairOf(slo, variant)));
}

function pairOf(slo: LatencySloPolicy | AvailabilitySloPolicy, variant: string): MetricPair {
  const of = (metric: string, statistic: string): MeasuredMetric => ({
    namespace: 'AWS/SageMaker',
    metric,
    dimensions: [
      ['EndpointName', slo.endpoint ?? ''],
      ['VariantName', variant],
    ],
    statistic,
  });
  if (slo.kind === 'availability') {
    return { counted: of('Invocation5XXErrors', 'Sum'), valid: of('Invocations', 'Sum') };
  }
  const metric = slo.endpointMetric ?? 'ModelLatency';
  // SageMaker measures in microseconds.
  return { counted: of(metric, `TC(:${slo.thresholdMilliseconds * 1000})`), valid: of(metric, 'SampleCount') };
}

/**
 * Good and valid events a minute, ascending. A minute of a `metricSlo` is one event, bad where its value is out of bounds.
 * Minutes without a datum, or with one that is no number, say nothing; nor do those of a variant of which one metric was
 * never read.
 * @param valuesOf what was read of a metric; undefined: it never was
 */
export function countMinutes(
  slo: MetricBackedSlo,
  variants: readonly string[],
  valuesOf: (metric: MeasuredMetric) => MinuteValues | undefined,
): readonly MinuteSli[] {
  if (slo.kind === 'metric') {
    return (valuesOf(slo.metric) ?? [])
      .filter(([, value]) => Number.isFinite(value))
      .map(([minute, value]) => [minute, isWithin(slo, value) ? 1 : 0, 1]);
  }
  const minutes = new Map<number, readonly [good: number, valid: number]>();
  for (const variant of variants) {
    const { counted, valid } = pairOf(slo, variant);
    const [some, all] = [valuesOf(counted), valuesOf(valid)];
    if (some === undefined || all === undefined) continue;
    const counts = new Map(some);
    for (const [minute, value] of all) {
      const events = toCount(value);
      const those = Math.min(toCount(counts.get(minute) ?? 0), events);
      if (events === 0) continue;
      const [goodBefore, validBefore] = minutes.get(minute) ?? [0, 0];
      const good = slo.kind === 'availability' ? events - those : those;
      minutes.set(minute, [goodBefore + good, validBefore + events]);
    }
  }
  return [...minutes].map(([minute, [good, valid]]) => [minute, good, valid] as const).sort(([a], [b]) => a - b);
}

function isWithin({ atLeast, atMost }: MetricSloPolicy, value: number): boolean {
  return (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
}

function toCount(value: number): number {
  return Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}

/**
 * Every minute of [from, to) is good where the newest record of its end is not older than the threshold.
 * @param recordMinutes minutes that had a record, ascending
 * @param before the newest minute with a record before those; undefined: there was none
 */
export function countFreshMinutes(
  { thresholdSeconds }: FreshnessSloPolicy,
  recordMinutes: readonly number[],
  before: number | undefined,
  from: number,
  to: number,
): readonly MinuteSli[] {
  const slis: MinuteSli[] = [];
  let newest = before ?? Number.NEGATIVE_INFINITY;
  let index = 0;
  for (let minute = from; minute < to; minute++) {
    for (; (recordMinutes[index] ?? Number.POSITIVE_INFINITY) <= minute; index++) {
      newest = Math.max(newest, recordMinutes[index] ?? newest);
    }
    slis.push([minute, (minute - newest) * 60 <= thresholdSeconds ? 1 : 0, 1]);
  }
  return slis;
}

/** Minute slots that hold the events of several objectives and nothing else, ascending. */
export function toSlots(
  counted: readonly (readonly [slo: string, minutes: readonly MinuteSli[]])[],
): readonly MinuteSlot[] {
  const minutes = new Map<number, (readonly [slo: string, good: number, valid: number])[]>();
  for (const [name, slis] of counted) {
    for (const [minute, good, valid] of slis) {
      const known = minutes.get(minute);
      if (known) known.push([name, good, valid]);
      else minutes.set(minute, [[name, good, valid]]);
    }
  }
  return [...minutes]
    .map(([minute, slis]) => ({
      minute,
      rows: 0,
      requests: 0,
      schemaBreaks: 0,
      slis: slis.sort(([a], [b]) => (a < b ? -1 : 1)),
      missing: [],
    }))
    .sort((a, b) => a.minute - b.minute);
}
