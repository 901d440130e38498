import type { MetricAlarmDefinition } from '../../core/model/alarm.ts';

export const period = 300_000;
export const end = Date.UTC(2001, 2, 10, 12);

/** Three of three periods at 1 or above, in all that a test does not say. */
export function plainAlarm(over: Partial<MetricAlarmDefinition> = {}): MetricAlarmDefinition {
  return {
    type: 'metric',
    name: 'a',
    description: 'a',
    runbook: 'https://example.com#a',
    audience: 'none',
    namespace: 'N',
    metric: 'M',
    dimensions: [],
    statistic: 'Maximum',
    periodSeconds: period / 1000,
    evaluationPeriods: 3,
    datapointsToAlarm: 3,
    threshold: 1,
    comparison: 'GreaterThanOrEqualToThreshold',
    missingData: 'missing',
    missingDataReason: '',
    ...over,
  };
}
