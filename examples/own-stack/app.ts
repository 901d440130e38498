import { App, Stack } from 'aws-cdk-lib';
import { ModelMonitoring } from '../../lib/model-monitoring.ts';
import { email, sagemakerCapture } from '../../tidewatch.ts';

/** Tidewatch inside an application and a stack of your own: `cdk deploy --app 'tsx examples/own-stack/app.ts'`. */
const app = new App();
const stack = new Stack(app, 'CreditScoring');

new ModelMonitoring(stack, 'Monitoring', {
  baselineFolder: import.meta.dirname,
  models: [
    {
      name: 'credit-scoring',
      source: sagemakerCapture({ bucket: 'example-credit-captures', endpoint: 'credit-scoring' }),
      versions: [{ match: 'credit-v*', schema: { prediction: 'score' } }],
      alerts: { red: [email('oncall@example.com')] },
    },
  ],
});

app.synth();
