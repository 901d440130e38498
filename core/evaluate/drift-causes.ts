import type { DriftPolicy } from '../model/policy.ts';

/** Why a feature is flagged: the tests that rejected and whose effect is above its floor, the surest first. */
export type DriftCause = 'missing' | 'unseen' | 'pearson';

/** What three tests of one feature found, and how large the effects are. */
export interface TestedFeature {
  readonly pearson: { readonly pValue: number } | null | undefined;
  readonly effectFloor: { readonly pValue: number } | null | undefined;
  readonly missing: { readonly pValue: number } | null | undefined;
  readonly missingRise: number;
  readonly unseen: { readonly pValue: number } | null | undefined;
  readonly unseenRise: number;
}

/**
 * The level that Benjamini–Hochberg rejected at.
 * @param pValues combined p-values of the tested features
 * @param adjusted their adjusted values
 */
export function rejectedLevelOf(pValues: readonly number[], adjusted: readonly number[], level: number): number {
  const rejected = pValues.filter((_, index) => (adjusted[index] ?? 1) <= level);
  // At least the largest p-value rejected: rounding must not take a rejected feature's own test from it.
  return Math.max((level * rejected.length) / Math.max(pValues.length, 1), ...rejected);
}

/**
 * The causes of a rejected feature: a test counts if its own 3·p is at or below the level that Benjamini–Hochberg
 * rejected at and its effect is above its floor, so that a significant trifle in one test is not excused by an
 * insignificant bulk in another.
 */
export function findCauses(
  tested: TestedFeature,
  minimumEffect: number,
  policy: DriftPolicy,
  rejectedLevel: number,
): readonly DriftCause[] {
  const reachesFloor: Readonly<Record<DriftCause, boolean>> = {
    missing: tested.missingRise >= policy.minimumMissingRise,
    unseen: tested.unseenRise >= policy.minimumUnseenRise,
    pearson: minimumEffect <= 0 || (tested.effectFloor?.pValue ?? 1) <= policy.effectLevel,
  };
  const pValue = (cause: DriftCause) => tested[cause]?.pValue ?? 1;
  // Sorting is stable: of two equally sure causes the one that says more comes first.
  return (['missing', 'unseen', 'pearson'] as const)
    .filter((cause) => tested[cause] && Math.min(1, 3 * pValue(cause)) <= rejectedLevel && reachesFloor[cause])
    .sort((a, b) => pValue(a) - pValue(b));
}
