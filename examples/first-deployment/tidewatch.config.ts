import { defineConfig, email, https, sagemakerCapture } from '../../tidewatch.ts';

/**
 * The least that deploys and says something: one endpoint whose captures go to a bucket that the deployment makes. There
 * is no baseline yet, so objectives, data quality and silence are judged, and drift is not. The pager's secret must be
 * there before it is deployed; its text is what follows the host in the pager's URL.
 */
export default defineConfig({
  fleet: {
    runbook: 'https://example.com/tidewatch/runbook.md',
    retention: '30d',
    webhookHosts: ['events.example.com'],
  },
  models: [
    {
      name: 'credit-scoring',
      source: sagemakerCapture({
        bucket: 'example-credit-captures',
        prefix: 'datacapture',
        endpoint: 'credit-scoring',
        createBucket: true,
      }),
      versions: [{ match: 'credit-v*', schema: { prediction: 'score' } }],
      silenceAfter: '30m',
      alerts: {
        yellow: [email('ml@example.com')],
        red: [email('oncall@example.com'), https({ host: 'events.example.com', secret: 'tidewatch/pager' })],
      },
    },
  ],
});
