import { parseConfig } from '../../core/contract/config.ts';
import type { FleetPolicy, ModelPolicy } from '../../core/model/policy.ts';

/** The policy of a model that nobody configured: every default as shipped, one model, a fleet's whole budget. */
export function shippedPolicy(drift: { readonly minimumEffect?: number } = {}): ModelPolicy {
  const [policy] = parseShipped(drift).models;
  if (!policy) throw new Error('bench: expected one model policy, saw none');
  return policy;
}

/** The policy of its fleet. */
export function shippedFleet(): FleetPolicy {
  return parseShipped({}).fleet;
}

function parseShipped(drift: { readonly minimumEffect?: number }) {
  return parseConfig({
    models: [
      {
        name: 'bench',
        source: { kind: 'sagemaker-capture', bucket: 'bench', prefix: '', endpoint: 'bench' },
        // One baseline for all versions, so that a retrained one is expected, and new.
        versions: [{ match: '*', schema: {} }],
        drift,
      },
    ],
  });
}
