import type { AlarmStateValue, ComparisonOperator, MetricAlarmDefinition } from '../model/alarm.ts';

/** A recorded metric value. */
export interface RecordedDatum {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly value: number;
}

/** An evaluation's outcome, with a sentence on why, as CloudWatch writes it. */
export interface AlarmEvaluation {
  readonly value: AlarmStateValue;
  readonly reason: string;
}

/**
 * Periods CloudWatch looks at beyond the evaluation periods, in case some of those have no data. It publishes no
 * formula; its documentation's worked example has 3 evaluation periods and an evaluation range of 5.
 */
export const extraPeriods = 2;

/** The statistic of one complete period; undefined where it has no data. */
interface Slot {
  /** Start of the period, milliseconds since the epoch. */
  readonly start: number;
  readonly statistic: number | undefined;
  readonly breaching: boolean;
}

/**
 * Time range an evaluation at `now` reads: the complete, epoch-aligned periods that end at or before `now`,
 * `evaluationPeriods + extraPeriods` of them.
 */
export function evaluationRange(definition: MetricAlarmDefinition, now: number): { from: number; to: number } {
  const period = definition.periodSeconds * 1000;
  const to = Math.floor(now / period) * period;
  return { from: to - (definition.evaluationPeriods + extraPeriods) * period, to };
}

/**
 * Evaluates one metric alarm as CloudWatch documents it in "Configuring how CloudWatch alarms treat missing data":
 * real data points of the evaluation range decide as long as there are enough of them; missing ones are filled in as
 * rarely as possible; an alarm whose only data are breaching waits until the oldest is M periods old (the premature
 * alarm state). Values that are not finite are left out, as CloudWatch refuses them.
 *
 * @param data recorded values in any order; those outside the evaluation range are left out
 * @param now milliseconds since the epoch
 * @param previous the state to keep where the evaluation says "retain"
 * @param recordedSince where given, nothing was recorded before this time, and as long as fewer than
 *   `evaluationPeriods` whole periods lie after it missing data retains the state. CloudWatch has no such thing: a new
 *   `breaching` alarm there rings until its metric arrives. A replay begins where its data begins and must not.
 */
export function evaluateMetricAlarm(
  definition: MetricAlarmDefinition,
  data: readonly RecordedDatum[],
  now: number,
  previous: AlarmStateValue,
  recordedSince?: number,
): AlarmEvaluation {
  const { evaluationPeriods, datapointsToAlarm } = definition;
  const slots = slotsOf(definition, data, now);
  const real = slots.filter((slot) => slot.statistic !== undefined);
  const evaluated = real.slice(-evaluationPeriods);
  const breaching = evaluated.filter((slot) => slot.breaching).length;
  const decided = (value: AlarmStateValue) => ({
    value,
    reason: thresholdReason(definition, evaluated, value, breaching),
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
      const end = evaluationRange(definition, now).to;
      const agePeriods = oldest === undefined ? 0 : (end - oldest.start) / (definition.periodSeconds * 1000);
      if (agePeriods >= datapointsToAlarm) return decided('ALARM');
      return { value: 'INSUFFICIENT_DATA', reason: `Insufficient Data: ${dataMissing(fills)} not received.` };
    }
  }
}

/** Whole periods between `since` and the end of the evaluation range. */
function periodsSince(definition: MetricAlarmDefinition, since: number, now: number): number {
  const period = definition.periodSeconds * 1000;
  return Math.floor(now / period) - Math.ceil(since / period);
}

function slotsOf(definition: MetricAlarmDefinition, data: readonly RecordedDatum[], now: number): Slot[] {
  const period = definition.periodSeconds * 1000;
  const { from, to } = evaluationRange(definition, now);
  const values: number[][] = Array.from({ length: definition.evaluationPeriods + extraPeriods }, () => []);
  for (const { time, value } of data) {
    if (time >= from && time < to && Number.isFinite(value)) values[Math.floor((time - from) / period)]?.push(value);
  }
  return values.map((periodValues, index) => {
    const statistic = statisticOf(definition, periodValues);
    return {
      start: from + index * period,
      statistic,
      breaching: statistic !== undefined && breaches(statistic, definition.comparison, definition.threshold),
    };
  });
}

function statisticOf(definition: MetricAlarmDefinition, values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  switch (definition.statistic) {
    case 'Maximum':
      return values.reduce((a, b) => Math.max(a, b));
    case 'Minimum':
      return values.reduce((a, b) => Math.min(a, b));
    case 'Average':
      return values.reduce((sum, value) => sum + value / values.length, 0);
  }
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
  definition: MetricAlarmDefinition,
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

function missingDataReason(definition: MetricAlarmDefinition, fills: number, value: AlarmStateValue): string {
  const treated = definition.missingData === 'breaching' ? 'Breaching' : 'NonBreaching';
  const crossed = value === 'ALARM' ? 'Threshold Crossed: ' : '';
  return `${crossed}${dataMissing(fills)} treated as [${treated}].`;
}

function dataMissing(fills: number): string {
  return fills === 1 ? '1 missing datapoint was' : `${fills} missing datapoints were`;
}
