import { describeUnmeasured } from '../evaluate/slo-finding.ts';
import type { FreshnessSloPolicy } from '../model/policy.ts';
import type { MinuteSlot } from '../model/profile.ts';
import type { Finding, SloVerdict } from '../model/verdict.ts';
import type { EventHistory } from '../slo/error-budget.ts';
import { judgeSlos, type TiersInForce } from '../slo/judge-slos.ts';
import {
  countFreshMinutes,
  countMinutes,
  isMetricBacked,
  type MetricBackedSlo,
  type MinuteSli,
  metricsOf,
  toSlots,
} from '../slo/measured-slis.ts';
import { sumHours } from '../slo/minute-slots.ts';
import { findWatermark } from '../slo/watermark.ts';
import { firstMeasuredHour, type Measurements, variantsOf } from './measurements.ts';
import type { ModelRuntime } from './model-runtime.ts';
import { type ModelState, updateModelState } from './model-state.ts';
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
/** A metric that can't be read for so long is told of: shorter faults of CloudWatch end by themselves. */
const unreadMilliseconds = 15 * minuteMilliseconds;

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
  /** Objectives whose metrics can't be read. */
  readonly findings: readonly Finding[];
}

/** What is known of an objective of CloudWatch metrics. */
interface MeasuredObjective {
  readonly slo: MetricBackedSlo;
  readonly minutes: readonly MinuteSli[];
  /** The minute it is judged at, exclusive. */
  readonly endMinute: number;
  /** Where it can't be read now: the newest time of which it is known; undefined: of none. */
  readonly unread: { readonly knownUntil: number | undefined } | undefined;
  /** True where the last reading told all of it: what comes of it may be kept for good. */
  readonly isComplete: boolean;
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
  if (metricBacked.length + freshness.length === 0) return { slos: [], slots: [], findings: [] };
  const now = ports.clock.now();
  const slotsFrom = firstMeasuredHour(state.measuredThrough, now);
  const variants = variantsOf(series, now);
  const measured = metricBacked.map((slo) => readObjective(slo, variants, ports.measurements, slotsFrom, now));
  const slots = toSlots([
    ...measured.map(({ slo, minutes }) => [slo.name, minutes] as const),
    ...freshness.map((slo) => [slo.name, freshMinutes(slo, runtime, state, captured, slotsFrom)] as const),
  ]);
  const final = now - Math.max(finalSeconds, policy.captureDelaySeconds + settlingMinutes * 60) * 1000;
  const through = Math.floor(final / millisecondsPerHour);
  if (measured.every(({ isComplete }) => isComplete) && through > (state.measuredThrough ?? slotsFrom)) {
    const past = slots.filter(({ minute }) => minute < through * minutesPerHour);
    await rollUpHours(ports, policy.name, sumHours(past), through);
  }
  const history: EventHistory = { hours, slots, slotsFrom };
  const inForce: TiersInForce = new Map(state.live.burning);
  return {
    slos: [
      ...measured.flatMap(({ slo, endMinute }) => judgeSlos([slo], history, endMinute, inForce)),
      ...judgeSlos(freshness, history, captured.endMinute, inForce),
    ],
    slots,
    findings: await findUnread(runtime, ports, state, measured),
  };
}

/**
 * An objective is judged as of the time until which all of its metrics are known: with one of a pair alone every request
 * would count as bad. What can't be read is thus neither raised nor cleared.
 */
function readObjective(
  slo: MetricBackedSlo,
  variants: readonly string[],
  measurements: Measurements | undefined,
  slotsFrom: number,
  now: number,
): MeasuredObjective {
  const metrics = metricsOf(slo, variants);
  const readings = metrics.flatMap((metric) => measurements?.readingOf(metric) ?? []);
  const knownUntil = readings.length > 0 ? Math.min(...readings.map(({ time }) => time)) : undefined;
  const common = {
    slo,
    isComplete: readings.length === metrics.length && readings.every(({ isNewest }) => isNewest),
    unread: metrics.some((metric) => measurements?.isUnread(metric)) ? { knownUntil } : undefined,
  };
  const firstMinute = slotsFrom * minutesPerHour;
  if (knownUntil === undefined) {
    return {
      ...common,
      minutes: [],
      endMinute: measurements ? firstMinute : findWatermark([], now, metricDelaySeconds),
    };
  }
  const settledMinute = knownUntil / minuteMilliseconds - settlingMinutes;
  const minutes = countMinutes(slo, variants, (metric) => measurements?.readingOf(metric)?.values).filter(
    ([minute]) => minute >= firstMinute && minute <= knownUntil / minuteMilliseconds,
  );
  const settled = toSlots([[slo.name, minutes.filter(([minute]) => minute <= settledMinute)]]);
  return { ...common, minutes, endMinute: findWatermark(settled, knownUntil, metricDelaySeconds) };
}

/** Notes since when objectives can't be read, so that a new process knows, and tells of those that could not for long. */
async function findUnread(
  { policy }: ModelRuntime,
  ports: RollUpPorts,
  state: ModelState,
  measured: readonly MeasuredObjective[],
): Promise<readonly Finding[]> {
  const now = ports.clock.now();
  const before = new Map(state.unread);
  const unread = measured.flatMap(({ slo, unread: found }) =>
    found ? [{ slo, since: before.get(slo.name) ?? found.knownUntil ?? now }] : [],
  );
  if (unread.length !== before.size || unread.some(({ slo }) => !before.has(slo.name))) {
    const rows = unread.map(({ slo, since }) => [slo.name, since] as const);
    await updateModelState(ports.table, policy.name, now, (row) => ({
      ...row,
      unread: rows.length > 0 ? rows : undefined,
    }));
  }
  return unread
    .filter(({ since }) => now - since >= unreadMilliseconds)
    .map(({ slo, since }) => describeUnmeasured(slo, Math.floor(since / minuteMilliseconds)));
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
