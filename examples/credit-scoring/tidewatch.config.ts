import {
  availabilitySlo,
  completenessSlo,
  defineConfig,
  email,
  httpCapture,
  latencySlo,
  sagemakerCapture,
} from '../../tidewatch.ts';

/** A credit score behind a SageMaker endpoint; the API in front of it records status and latency. */
export default defineConfig({
  fleet: { falseAlarms: { yellowPerWeek: 1 } },
  models: [
    {
      name: 'credit-scoring',
      source: [
        sagemakerCapture({ bucket: 'credit-captures', prefix: 'datacapture', endpoint: 'credit-scoring' }),
        httpCapture({ bucket: 'credit-captures', prefix: 'requests', role: 'requests' }),
      ],
      versions: [
        {
          match: 'credit-v*',
          schema: {
            columns: ['request_id', 'age', 'income', 'loan_amount', 'term_months', 'home_ownership', 'purpose'],
            prediction: 'score',
          },
          // Written by: tidewatch baseline create
          baseline: './baselines/credit-v7.json',
        },
      ],
      window: '1h',
      features: {
        request_id: { ignore: true },
        income: { required: true, minimumEffect: 0.05, published: true },
        term_months: { kind: 'categorical' },
      },
      slos: [
        latencySlo({ threshold: '100ms', objective: 0.999, period: '30d' }),
        availabilitySlo({ objective: 0.9995, period: '30d' }),
        completenessSlo({ objective: 0.99 }),
      ],
      alerts: { yellow: [email('ml@example.com')], red: [email('oncall@example.com')] },
    },
  ],
});
