import { availabilitySlo, defineConfig, httpCapture, sagemakerCapture, sqsQueue } from '../../../tidewatch.ts';

/**
 * Five models of one capture bucket: one that stays quiet, two whose inputs drift, one whose baseline is replaced, one whose requests fail. The windows
 * are days, and the captures of yesterday, so that a window is closed when its captures arrive and a run need not wait.
 */

const columns = ['age', 'amount', 'channel'];
const bucket = 'e2e-captures';
const queue = (name: string) => sqsQueue(`arn:aws:sqs:eu-west-1:000000000000:${name}`);

/** The second deployment of a run has another number of published features, and one baseline is another. */
const isChanged = process.env.TIDEWATCH_E2E_CHANGED === 'yes';

function model(name: string, baseline = 'baseline.json') {
  return {
    name,
    source: sagemakerCapture({ bucket, prefix: 'datacapture', endpoint: name, createBucket: true }),
    versions: [{ match: 'v1', schema: { columns, prediction: 'score' }, baseline: `../../fixtures/e2e/${baseline}` }],
    window: '1d' as const,
    grace: '0s' as const,
    captureDelay: '0m' as const,
    silenceAfter: '30d' as const,
    drift: { level: 0.01 },
    publishedFeatures: isChanged ? 3 : 5,
    // The second queue is deleted before the first message.
    alerts: { yellow: [queue('e2e-yellow'), queue('e2e-gone')], red: [queue('e2e-red')] },
  };
}

const orders = model('e2e-orders');

export default defineConfig({
  fleet: { name: 'e2e', runbook: 'https://example.com/runbook' },
  models: [
    model('e2e-pricing'),
    model('e2e-credit'),
    model('e2e-repeated'),
    model('e2e-renewed', isChanged ? 'half-baseline.json' : undefined),
    {
      ...orders,
      source: [orders.source, httpCapture({ bucket, prefix: 'requests/e2e-orders', role: 'requests' })],
      slos: [availabilitySlo({ objective: 0.99 })],
    },
  ],
});
