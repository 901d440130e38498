import {
  availabilitySlo,
  type ConfigInput,
  completenessSlo,
  defineConfig,
  email,
  httpCapture,
  latencySlo,
  sagemakerCapture,
} from '../../core/contract/config.ts';
import { demoBucket, demoEndpoint, payloadColumns, payloadPrefix, requestPrefix } from './write-captures.ts';

export const demoModel = 'delay-risk';

/** The demo's configuration: shipped defaults but for windows of a day, because the data has ten flights an hour. */
export function demoConfig(baseline: string): ConfigInput {
  return defineConfig({
    models: [
      {
        name: demoModel,
        source: [
          sagemakerCapture({ bucket: demoBucket, prefix: payloadPrefix, endpoint: demoEndpoint }),
          httpCapture({ bucket: demoBucket, prefix: requestPrefix, role: 'requests' }),
        ],
        versions: [{ match: 'v1', schema: { columns: payloadColumns, prediction: 'risk' }, baseline }],
        window: '1d',
        // An object holds half an hour and is delivered a minute later.
        captureDelay: '35m',
        features: { origin: { required: true } },
        slos: [
          latencySlo({ threshold: '100ms', objective: 0.99, period: '30d' }),
          availabilitySlo({ objective: 0.99, period: '30d' }),
          completenessSlo({ objective: 0.99 }),
        ],
        alerts: { yellow: [email('ml@example.com')], red: [email('oncall@example.com')] },
      },
    ],
  });
}
