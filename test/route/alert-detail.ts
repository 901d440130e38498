import type { AlertDetail } from '../../core/model/delivery.ts';

/** What machines read of a message, for tests that are about something else. */
export const alertDetail: AlertDetail = {
  cause: 'health',
  sequence: 1,
  since: 1,
  startedAt: 1,
  headline: 'latency SLO broken',
  alarm: 'tidewatch/credit/red',
  runbook: 'https://example.com/runbook.md#red',
  findings: [{ kind: 'slo', tier: 'red', message: 'latency: 2 % of requests were too slow' }],
  verdicts: ['verdicts/credit/AllTraffic/v1/live/1.json'],
  affected: [],
  mayFollow: [],
};
