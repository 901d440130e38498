import {
  availabilitySlo,
  defineConfig,
  groundTruth,
  httpCapture,
  pagerDuty,
  qualitySlo,
  sagemakerCapture,
  sagemakerEndpoint,
  sqsQueue,
} from '../../../tidewatch.ts';

/**
 * Eight models of one capture bucket: one that stays quiet, two whose inputs drift, one whose baseline is replaced, one whose requests fail, two
 * whose requests fail after a deployment and that can be rolled back, one with labels. The windows are days, and the captures of yesterday, so
 * that a window is closed when its captures arrive and a run need not wait; where a deployment must be known to be good they are hours.
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

/** A model of which requests are counted as well. */
function served(name: string) {
  const plain = model(name);
  return {
    ...plain,
    source: [plain.source, httpCapture({ bucket, prefix: `requests/${name}`, role: 'requests' })],
    slos: [availabilitySlo({ objective: 0.99 })],
  };
}

/** One whose endpoint can be brought back. */
function guarded(name: string, dryRun: boolean) {
  return {
    ...served(name),
    window: '1h' as const,
    drift: { level: 0.0001 },
    rollback: sagemakerEndpoint({ dryRun, provenFor: '1h', cooldown: '1h' }),
  };
}

const restored = guarded('e2e-restored', false);
const labelled = model('e2e-labelled');

export default defineConfig({
  fleet: { name: 'e2e', runbook: 'https://example.com/runbook' },
  models: [
    model('e2e-pricing'),
    model('e2e-credit'),
    model('e2e-repeated'),
    model('e2e-renewed', isChanged ? 'half-baseline.json' : undefined),
    served('e2e-orders'),
    guarded('e2e-rehearsed', true),
    { ...restored, alerts: { ...restored.alerts, red: [...restored.alerts.red, pagerDuty({ secret: 'e2e/pager' })] } },
    {
      ...labelled,
      source: [labelled.source, groundTruth({ bucket, prefix: 'labels/e2e-labelled' })],
      slos: [
        qualitySlo({ measure: 'precision', atLeast: 0.9, labelsWithin: '1h' }),
        qualitySlo({ measure: 'recall', atLeast: 0.3, labelsWithin: '1h' }),
      ],
    },
  ],
});
