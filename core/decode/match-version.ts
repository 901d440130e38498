import type { VersionPolicy } from '../model/policy.ts';

/**
 * The policy of a version: the entry with that very name, else the entry with the longest matching prefix (`credit-v*`).
 * Undefined where none matches.
 */
export function matchVersion(versions: readonly VersionPolicy[], version: string): VersionPolicy | undefined {
  let best: VersionPolicy | undefined;
  for (const policy of versions) {
    if (policy.match === version) return policy;
    if (!policy.match.endsWith('*') || !version.startsWith(policy.match.slice(0, -1))) continue;
    if (best === undefined || policy.match.length > best.match.length) best = policy;
  }
  return best;
}
