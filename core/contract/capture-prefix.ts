import type { SourcePolicy } from '../model/policy.ts';

/** What the keys of a source's objects begin with: `datacapture/credit-scoring/`. Empty: the whole bucket. */
export function capturePrefix({ prefix, endpoint }: Pick<SourcePolicy, 'prefix' | 'endpoint'>): string {
  return endpoint === undefined ? prefix : `${prefix}${endpoint}/`;
}
