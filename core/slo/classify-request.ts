import type { SloPolicy } from '../model/policy.ts';

/** What a capture or a log line says of one request. */
export interface RequestOutcome {
  /** HTTP status code. */
  readonly status?: number | undefined;
  readonly latencyMilliseconds?: number | undefined;
}

/**
 * Whether a request is good or bad for an objective, or says nothing about it.
 *
 * Availability: a status of 500 or more is bad, every other one good (a client's mistake, also 429, is not the
 * service's failure); without a status it says nothing. Latency: at or under the threshold is good, compared exactly,
 * never interpolated; a request without a latency says nothing, and neither does one that failed with 500 or more: a
 * fast error is no fast answer, and a slow one already counts against availability (Site Reliability Workbook,
 * chapter 2). The other kinds are not counted from requests.
 */
export function classifyRequest(slo: SloPolicy, request: RequestOutcome): 'good' | 'bad' | 'not-valid' {
  const failed = request.status !== undefined && request.status >= 500;
  if (slo.kind === 'availability') return request.status === undefined ? 'not-valid' : failed ? 'bad' : 'good';
  if (slo.kind !== 'latency' || failed) return 'not-valid';
  const latency = request.latencyMilliseconds;
  if (latency === undefined || !Number.isFinite(latency) || latency < 0) return 'not-valid';
  return latency <= slo.thresholdMilliseconds ? 'good' : 'bad';
}
