import type { DriftPolicy } from '../model/policy.ts';
import { benjaminiHochberg } from '../stats/benjamini-hochberg.ts';
import type { FeatureComparison } from './compare-feature.ts';
import { type DriftCause, findCauses, rejectedLevelOf } from './drift-causes.ts';

export type { DriftCause } from './drift-causes.ts';

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
 * The rule of one comparison: Benjamini–Hochberg over the features' combined p-values at `level`,
 * together with an effect floor. A feature has drifted where it is rejected by a test whose effect matters.
 * @returns one decision per candidate, in order
 */
export function decideDrift(candidates: readonly DriftCandidate[], policy: DriftPolicy): readonly DriftDecision[] {
  const tested = candidates.flatMap(({ comparison }) => comparison.combinedPValue ?? []);
  const adjusted = benjaminiHochberg(tested);
  const rejectedLevel = rejectedLevelOf(tested, adjusted, policy.level);
  let next = 0;
  return candidates.map(({ comparison, minimumEffect }) => {
    if (comparison.combinedPValue === null) return { qValue: null, causes: [] };
    const qValue = adjusted[next++] ?? 1;
    if (qValue > policy.level) return { qValue, causes: [] };
    const { pearson, ranks, effectFloor, missing, unseen } = comparison.tests;
    const tests = { pearson, ranks, effectFloor, missing, unseen };
    const { kind, missingRise, unseenRise } = comparison;
    return {
      qValue,
      causes: findCauses({ kind, ...tests, missingRise, unseenRise }, minimumEffect, policy, rejectedLevel),
    };
  });
}
