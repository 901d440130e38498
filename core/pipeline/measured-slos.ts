import type { FreshnessSloPolicy } from '../model/policy.ts';
import type { MinuteSlot } from '../model/profile.ts';
import type { SloVerdict } from '../model/verdict.ts';
import type { EventHistory } from '../slo/error-budget.ts';
import { judgeSlos, type TiersInForce } from '../slo/judge-slos.ts';
import { countFreshMinutes, countMinutes, isMetricBacked, metricsOf, toSlots } from '../slo/measured-slis.ts';
import { sumHours } from '../slo/minute-slots.ts';
import { findWatermark } from '../slo/watermark.ts';
import { firstMeasuredHour, type Measurements, variantsOf } from './measurements.ts';
import type { ModelRuntime } from './model-runtime.ts';
import type { ModelState } from './model-state.ts';
import { type RollUpPorts, rollUpHours } from './roll-up.ts';
import type { SeriesState } from './series.ts';

const minuteMilliseconds = 60_000;
const minutesPerHour = 60;
const millisecondsPerHour = minutesPerHour * minuteMilliseconds;
/** A datum of CloudWatch may still grow: what is younger is not judged, … */
const settlingMinutes = 3;
/** … silence of a metric is that only after this time, … */
const metricDelaySeconds = 600;
/** … and an hour's sum is kept for good only after this. */
const finalSeconds = 900;

/** What captures say. */
export interface CapturedMinutes {
  /** Ascending, one per minute. */
  readonly slots: readonly MinuteSlot[];
  /** The hour (since the epoch) from which on they are complete. */
  readonly slotsFrom: number;
  /** The minute at which windows of captures end, exclusive. */
  readonly endMinute: number;
}

export interface MeasuredJudgement {
  readonly slos: readonly SloVerdict[];
  /** The minutes judged, for what is to be said of them. */
  readonly slots: readonly MinuteSlot[];
}

/**
 * Judges the objectives that captures don't count: those of CloudWatch metrics, and freshness. Their minutes are in no
 * fragment, so the tick sums up each hour once it is final, into the roll-up of its day.
 */
export async function judgeMeasured(
  runtime: ModelRuntime,
  ports: RollUpPorts & { readonly measurements?: Measurements | undefined },
  series: readonly SeriesState[],
  state: ModelState,
  captured: CapturedMinutes,
  hours: EventHistory['hours'],
): Promise<MeasuredJudgement> {
  const { policy } = runtime;
  const metricBacked = policy.slos.filter(isMetricBacked);
  const freshness = policy.slos.filter((slo) => slo.kind === 'freshness');
  if (metricBacked.length + freshness.length === 0) return { slos: [], slots: [] };
  const now = ports.clock.now();
  const slotsFrom = firstMeasuredHour(state.measuredThrough, now);
  const variants = variantsOf(series, now);
  const { measurements } = ports;
  const slots = toSlots([
    ...metricBacked.map((slo) => {
      const counted = countMinutes(slo, variants, (metric) => measurements?.valuesOf(metric));
      return [slo.name, counted.filter(([minute]) => minute >= slotsFrom * minutesPerHour)] as const;
    }),
    ...freshness.map((slo) => [slo.name, freshMinutes(slo, runtime, state, captured, slotsFrom)] as const),
  ]);
  const isKnown = metricBacked.every((slo) =>
    metricsOf(slo, variants).every((metric) => measurements?.isKnown(metric)),
  );
  const final = now - Math.max(finalSeconds, policy.captureDelaySeconds + settlingMinutes * 60) * 1000;
  const through = Math.floor(final / millisecondsPerHour);
  if (isKnown && through > (state.measuredThrough ?? slotsFrom)) {
    const past = slots.filter(({ minute }) => minute < through * minutesPerHour);
    await rollUpHours(ports, policy.name, sumHours(past), through);
  }
  const history: EventHistory = { hours, slots, slotsFrom };
  const inForce: TiersInForce = new Map(state.live.burning);
  const settled = slots.filter(({ minute }) => minute <= now / minuteMilliseconds - settlingMinutes);
  const metricEnd = findWatermark(settled, now, metricDelaySeconds);
  return {
    slos: [
      ...judgeSlos(metricBacked, history, metricEnd, inForce),
      ...judgeSlos(freshness, history, captured.endMinute, inForce),
    ],
    slots,
  };
}

/** Freshness counts from the time on that the model is watched: before its first record too. */
function freshMinutes(
  slo: FreshnessSloPolicy,
  { policy }: ModelRuntime,
  state: ModelState,
  { slots, slotsFrom, endMinute }: CapturedMinutes,
  measuredFrom: number,
) {
  const since = Math.floor(state.since / minuteMilliseconds);
  const hasRecords = policy.sources.some(({ role }) => role === 'inferences');
  const recordMinutes = slots
    .filter((slot) => (hasRecords ? slot.rows > 0 || slot.schemaBreaks > 0 : slot.requests > 0))
    .map(({ minute }) => minute);
  const before = Math.max(Math.floor((state.lastRecordTime ?? state.since) / minuteMilliseconds), since);
  const from = Math.max(since, Math.max(slotsFrom, measuredFrom) * minutesPerHour);
  // What is known of the last record may be newer than the first minutes looked at.
  return countFreshMinutes(slo, recordMinutes, Math.min(before, from), from, endMinute);
}
