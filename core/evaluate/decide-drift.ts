import type { DriftPolicy } from '../model/policy.ts';
import { benjaminiHochberg } from '../stats/benjamini-hochberg.ts';
import type { FeatureComparison } from './compare-feature.ts';

/** Why a feature is flagged: the tests that rejected and whose effect is above its floor, the surest first. */
export type DriftCause = 'missing' | 'unseen' | 'pearson';

export interface DriftDecision {
  /** Benjamini–Hochberg adjusted combined p-value; null: not tested. */
  readonly qValue: number | null;
  /** Empty: not drifted. */
  readonly causes: readonly DriftCause[];
}

/** What the rule needs to know of a feature. */
export interface DriftCandidate {
  readonly comparison: FeatureComparison;
  /** PSI floor of this feature; 0: none. */
  readonly minimumEffect: number;
}

/**
 * The rule of a window (statistics A4): Benjamini–Hochberg over the features' combined p-values at `level`, together
 * with an effect floor. A feature has drifted where it is rejected and at least one of the tests that made it so
 * shows an effect that matters: a test counts if its own 3·p is at or below the level that Benjamini–Hochberg
 * rejected at, so that a significant trifle in one test is not excused by an insignificant bulk in another.
 * @returns one decision per candidate, in order
 */
export function decideDrift(candidates: readonly DriftCandidate[], policy: DriftPolicy): readonly DriftDecision[] {
  const tested = candidates.flatMap(({ comparison }) => comparison.combinedPValue ?? []);
  const adjusted = benjaminiHochberg(tested);
  const rejected = tested.filter((_, index) => (adjusted[index] ?? 1) <= policy.level);
  // At least the largest p-value rejected: rounding must not take a rejected feature's own test from it.
  const rejectedLevel = Math.max((policy.level * rejected.length) / Math.max(tested.length, 1), ...rejected);
  let next = 0;
  return candidates.map((candidate) => {
    if (candidate.comparison.combinedPValue === null) return { qValue: null, causes: [] };
    const qValue = adjusted[next++] ?? 1;
    return { qValue, causes: qValue <= policy.level ? findCauses(candidate, policy, rejectedLevel) : [] };
  });
}

function findCauses(candidate: DriftCandidate, policy: DriftPolicy, rejectedLevel: number): readonly DriftCause[] {
  const { tests, missingRise, unseenRise } = candidate.comparison;
  const reachesFloor: Readonly<Record<DriftCause, boolean>> = {
    missing: missingRise >= policy.minimumMissingRise,
    unseen: unseenRise >= policy.minimumUnseenRise,
    pearson:
      candidate.minimumEffect <= 0 ||
      (tests.effectFloor !== undefined && tests.effectFloor.pValue <= policy.effectLevel),
  };
  const pValue = (cause: DriftCause) => tests[cause]?.pValue ?? 1;
  // Sorting is stable: of two equally sure causes the one that says more comes first.
  return (['missing', 'unseen', 'pearson'] as const)
    .filter((cause) => tests[cause] && Math.min(1, 3 * pValue(cause)) <= rejectedLevel && reachesFloor[cause])
    .sort((a, b) => pValue(a) - pValue(b));
}
