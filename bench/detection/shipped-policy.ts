import { parseConfig } from '../../core/contract/config.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';

/** The policy of a model that nobody configured: every default as shipped, one model, a fleet's whole budget. */
export function shippedPolicy(drift: { readonly minimumEffect?: number } = {}): ModelPolicy {
  const { models } = parseConfig({
    models: [
      {
        name: 'bench',
        source: { kind: 'sagemaker-capture', bucket: 'bench', prefix: '', endpoint: 'bench' },
        versions: [{ match: 'default', schema: {} }],
        drift,
      },
    ],
  });
  const [policy] = models;
  if (!policy) throw new Error('bench: expected one model policy, saw none');
  return policy;
}
