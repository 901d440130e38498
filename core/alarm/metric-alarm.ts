import type {
  AlarmMetric,
  AlarmStateValue,
  AlarmThreshold,
  ComparisonOperator,
  MathAlarmDefinition,
  MetricAlarmDefinition,
} from '../model/alarm.ts';
import { evaluateMetricMath, type TimeSeries } from './evaluate-math.ts';
import { MetricMathError, parseMetricMath } from './metric-math.ts';
import { significantSamples, statisticOf } from './statistic.ts';

/** A recorded metric value. */
export interface RecordedDatum {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly value: number;
}

/** An evaluation's outcome. */
export interface AlarmEvaluation {
  readonly value: AlarmStateValue;
  /** A sentence on why, as CloudWatch writes it. Empty where data decided and the state stays: nobody will read it. */
  readonly reason: string;
}

/**
 * Periods CloudWatch looks at beyond the evaluation periods, in case some of those have no data. It publishes no
 * formula; its documentation's worked example has 3 evaluation periods and an evaluation range of 5.
 */
export const extraPeriods = 2;

/** Reads the raw data of a metric in [from, to), milliseconds since the epoch, in any order. */
export type MetricReader = (metric: AlarmMetric, from: number, to: number) => readonly RecordedDatum[];

/** What one complete period of data says. */
interface Slot {
  /** Start of the period, milliseconds since the epoch. */
  readonly start: number;
  readonly statistic: number;
  readonly breaching: boolean;
}

/**
 * Time range an evaluation at `now` reads: the complete, epoch-aligned periods that end at or before `now`,
 * `evaluationPeriods + extraPeriods` of them.
 */
export function evaluationRange(definition: AlarmThreshold, now: number): { from: number; to: number } {
  const period = definition.periodSeconds * 1000;
  const to = Math.floor(now / period) * period;
  return { from: to - (definition.evaluationPeriods + extraPeriods) * period, to };
}

/**
 * Evaluates an alarm on a metric: `evaluateThreshold` of the statistics of its periods. Values that are not finite are
 * left out, as CloudWatch refuses them. A percentile of too few samples keeps the state where the alarm asks for it.
 * @param data recorded values in any order; those outside the evaluation range are left out
 */
export function evaluateMetricAlarm(
  definition: MetricAlarmDefinition,
  data: readonly RecordedDatum[],
  now: number,
  previous: AlarmStateValue,
  recordedSince?: number,
): AlarmEvaluation {
  const periods = valuesOfPeriods(definition, data, now);
  if (definition.lowSamples === 'ignore') {
    const needed = significantSamples(definition.statistic);
    const seen = periods.slice(-definition.evaluationPeriods).reduce((sum, values) => sum + values.length, 0);
    if (seen < needed - 1e-6)
      return {
        value: previous,
        reason: `${seen} samples are too few for ${definition.statistic}: the state is retained.`,
      };
  }
  const values = periods.map((period) => statisticOf(definition.statistic, period));
  return evaluateThreshold(definition, values, now, previous, recordedSince);
}

/**
 * Evaluates an alarm on metric math: `evaluateThreshold` of the result of the line that it watches.
 * @throws {MetricMathError} for an expression that can't be read or evaluated, an unknown id or lines that go in a circle.
 */
export function evaluateMathAlarm(
  definition: MathAlarmDefinition,
  read: MetricReader,
  now: number,
  previous: AlarmStateValue,
  recordedSince?: number,
): AlarmEvaluation {
  const { from, to } = evaluationRange(definition, now);
  const known = new Map<string, TimeSeries>();
  for (const query of definition.queries) {
    if (!('metric' in query)) continue;
    const periods = valuesOfPeriods(definition, read(query.metric, from, to), now);
    known.set(
      query.id,
      periods.map((values) => statisticOf(query.metric.statistic, values)),
    );
  }
  const metrics = [...known.values()];
  const open = new Set<string>();
  const seriesOf = (id: string): TimeSeries | undefined => {
    const series = known.get(id);
    const query = definition.queries.find((one) => one.id === id);
    if (series || !query || !('expression' in query)) return series;
    if (open.has(id)) throw new MetricMathError(0, 'lines that do not need one another', `"${id}" in its own result`);
    open.add(id);
    const result = evaluateMetricMath(parseMetricMath(query.expression), {
      seriesOf,
      metrics,
      periods: definition.evaluationPeriods + extraPeriods,
      periodSeconds: definition.periodSeconds,
    });
    known.set(id, result);
    return result;
  };
  const watched = seriesOf(definition.watches);
  if (!watched) throw new MetricMathError(0, 'a line to watch', `"${definition.watches}", which is none`);
  return evaluateThreshold(definition, watched, now, previous, recordedSince);
}

/**
 * Compares the newest periods with an alarm's threshold as CloudWatch documents it in "Configuring how CloudWatch alarms
 * treat missing data": real data points of the evaluation range decide as long as there are enough of them; missing ones
 * are filled in as rarely as possible; an alarm whose only data are breaching waits until the oldest is M periods old (the
 * premature alarm state).
 *
 * @param values of the periods of `evaluationRange`, oldest first; undefined: missing
 * @param now milliseconds since the epoch
 * @param previous the state to keep where the evaluation says "retain"
 * @param recordedSince where given, nothing was recorded before this time, and as long as fewer than
 *   `evaluationPeriods` whole periods lie after it missing data retains the state. CloudWatch has no such thing: a new
 *   `breaching` alarm there rings until its metric arrives. A replay begins where its data begins and must not.
 */
export function evaluateThreshold(
  definition: AlarmThreshold,
  values: TimeSeries,
  now: number,
  previous: AlarmStateValue,
  recordedSince?: number,
): AlarmEvaluation {
  const { evaluationPeriods, datapointsToAlarm } = definition;
  const { from, to } = evaluationRange(definition, now);
  const period = definition.periodSeconds * 1000;
  const real: Slot[] = [];
  values.forEach((statistic, index) => {
    if (statistic === undefined) return;
    const breaching = breaches(statistic, definition.comparison, definition.threshold);
    real.push({ start: from + index * period, statistic, breaching });
  });
  const evaluated = real.slice(-evaluationPeriods);
  const breaching = evaluated.filter((slot) => slot.breaching).length;
  const decided = (value: AlarmStateValue) => ({
    value,
    reason: value === previous ? '' : thresholdReason(definition, evaluated, value, breaching),
  });

  if (breaching >= datapointsToAlarm) return decided('ALARM');
  if (evaluated.length === evaluationPeriods) return decided('OK');

  const fills = evaluationPeriods - evaluated.length;
  const missingReason = (value: AlarmStateValue) => ({
    value,
    reason: missingDataReason(definition, fills, value),
  });
  if (recordedSince !== undefined && periodsSince(definition, recordedSince, now) < evaluationPeriods) {
    return evaluated.some((slot) => !slot.breaching)
      ? decided('OK')
      : { value: previous, reason: 'not enough periods recorded yet' };
  }
  switch (definition.missingData) {
    case 'breaching':
      return missingReason(breaching + fills >= datapointsToAlarm ? 'ALARM' : 'OK');
    case 'notBreaching':
      return missingReason('OK');
    case 'ignore':
      if (evaluated.some((slot) => !slot.breaching)) return decided('OK');
      return { value: previous, reason: `${dataMissing(fills)} ignored: the state is retained.` };
    case 'missing': {
      if (evaluated.length === 0)
        return { value: 'INSUFFICIENT_DATA', reason: `Insufficient Data: ${dataMissing(fills)} not received.` };
      if (evaluated.some((slot) => !slot.breaching)) return decided('OK');
      const oldest = evaluated[0];
      const agePeriods = oldest === undefined ? 0 : (to - oldest.start) / period;
      if (agePeriods >= datapointsToAlarm) return decided('ALARM');
      return { value: 'INSUFFICIENT_DATA', reason: `Insufficient Data: ${dataMissing(fills)} not received.` };
    }
  }
}

/** Whole periods between `since` and the end of the evaluation range. */
function periodsSince(definition: AlarmThreshold, since: number, now: number): number {
  const period = definition.periodSeconds * 1000;
  return Math.floor(now / period) - Math.ceil(since / period);
}

/** The finite values of each period of the evaluation range, oldest first. */
function valuesOfPeriods(
  definition: AlarmThreshold,
  data: readonly RecordedDatum[],
  now: number,
): readonly (readonly number[])[] {
  const period = definition.periodSeconds * 1000;
  const { from, to } = evaluationRange(definition, now);
  const values: number[][] = Array.from({ length: definition.evaluationPeriods + extraPeriods }, () => []);
  for (const { time, value } of data) {
    if (time >= from && time < to && Number.isFinite(value)) values[Math.floor((time - from) / period)]?.push(value);
  }
  return values;
}

function breaches(value: number, comparison: ComparisonOperator, threshold: number): boolean {
  switch (comparison) {
    case 'GreaterThanThreshold':
      return value > threshold;
    case 'GreaterThanOrEqualToThreshold':
      return value >= threshold;
    case 'LessThanThreshold':
      return value < threshold;
    case 'LessThanOrEqualToThreshold':
      return value <= threshold;
  }
}

const comparisonWords: Readonly<Record<ComparisonOperator, readonly [is: string, isNot: string]>> = {
  GreaterThanThreshold: ['greater than', 'not greater than'],
  GreaterThanOrEqualToThreshold: ['greater than or equal to', 'not greater than or equal to'],
  LessThanThreshold: ['less than', 'not less than'],
  LessThanOrEqualToThreshold: ['less than or equal to', 'not less than or equal to'],
};

function thresholdReason(
  definition: AlarmThreshold,
  evaluated: readonly Slot[],
  value: AlarmStateValue,
  breaching: number,
): string {
  const alarm = value === 'ALARM';
  const shown = evaluated
    .filter((slot) => slot.breaching === alarm)
    .slice(-5)
    .reverse();
  const values = shown.map((slot) => `${slot.statistic} (${new Date(slot.start).toISOString().slice(0, 19)}Z)`);
  const [is, isNot] = comparisonWords[definition.comparison];
  const count = alarm ? breaching : evaluated.length - breaching;
  const verb = count === 1 ? 'was' : 'were';
  return (
    `Threshold Crossed: ${count} out of the last ${definition.evaluationPeriods} datapoints [${values.join(', ')}] ${verb} ` +
    `${alarm ? is : isNot} the threshold (${definition.threshold}) (minimum ${definition.datapointsToAlarm} ` +
    `datapoint${definition.datapointsToAlarm === 1 ? '' : 's'} for OK -> ALARM transition).`
  );
}

function missingDataReason(definition: AlarmThreshold, fills: number, value: AlarmStateValue): string {
  const treated = definition.missingData === 'breaching' ? 'Breaching' : 'NonBreaching';
  const crossed = value === 'ALARM' ? 'Threshold Crossed: ' : '';
  return `${crossed}${dataMissing(fills)} treated as [${treated}].`;
}

function dataMissing(fills: number): string {
  return fills === 1 ? '1 missing datapoint was' : `${fills} missing datapoints were`;
}
