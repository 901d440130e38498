import type { FeatureSummary, OpaqueSummary } from '../../model/profile.ts';

/** A summary as far as values are there or not: of an embedding, whatever is no usable vector is missing. */
export function presenceOf(summary: FeatureSummary): FeatureSummary {
  if (summary.kind !== 'embedding') return summary;
  const { count, fitted = 0, missing, invalid } = summary;
  return { kind: 'opaque', count: count + fitted, missing: missing + invalid } satisfies OpaqueSummary;
}
