import type { FeatureKind } from '../model/layout.ts';
import type { DriftPolicy } from '../model/policy.ts';
import { type DriftTest, weighTest } from './test-shares.ts';

/** Why a feature is flagged: the tests that rejected and whose effect is above its floor, the surest first. */
export type DriftCause = 'missing' | 'unseen' | 'distribution';

/** What the tests of one feature found, and how large the effects are. */
export interface TestedFeature {
  readonly kind: FeatureKind;
  readonly pearson: { readonly pValue: number } | null | undefined;
  readonly ranks: { readonly pValue: number } | null | undefined;
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
 * The causes of a rejected feature: a cause counts if the p-value of a test of it, weighed as that of the feature, is at or
 * below the level that Benjamini–Hochberg rejected at, and if its effect is above its floor, so that a significant
 * trifle in one is not excused by an insignificant bulk in another.
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
    distribution: minimumEffect <= 0 || (tested.effectFloor?.pValue ?? 1) <= policy.effectLevel,
  };
  const pValues = {
    pearson: tested.pearson?.pValue,
    ranks: tested.ranks?.pValue,
    missing: tested.missing?.pValue,
    unseen: tested.unseen?.pValue,
  };
  const weighed = (cause: DriftCause) =>
    Math.min(2, ...testsOf[cause].flatMap((test) => weighTest(tested.kind, test, pValues) ?? []));
  // Sorting is stable: of two equally sure causes the one that says more comes first.
  return (['missing', 'unseen', 'distribution'] as const)
    .filter((cause) => weighed(cause) <= rejectedLevel && reachesFloor[cause])
    .sort((a, b) => weighed(a) - weighed(b));
}

const testsOf: Readonly<Record<DriftCause, readonly DriftTest[]>> = {
  missing: ['missing'],
  unseen: ['unseen'],
  distribution: ['pearson', 'ranks'],
};
