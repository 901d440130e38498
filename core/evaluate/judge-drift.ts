import type { Baseline } from '../model/baseline.ts';
import { defaultFeaturePolicy, type ModelPolicy } from '../model/policy.ts';
import type { TrailingCounts } from '../model/trailing-counts.ts';
import { benjaminiHochberg } from '../stats/benjamini-hochberg.ts';
import { type Calibration, uncalibrated } from './calibration.ts';
import { type DriftCause, findCauses, rejectedLevelOf } from './drift-causes.ts';
import { endDrifts } from './ended-drift.ts';
import { type StretchMeasurement, StretchReader } from './stretch-reader.ts';
import { pearsonShare } from './test-shares.ts';

export type { DriftCause } from './drift-causes.ts';

/** What one stretch of windows shows of one feature, weighed against the others. */
export interface ScaleResult extends StretchMeasurement {
  /** Benjamini–Hochberg adjusted over the features of the scale. */
  readonly qValue: number | null;
  /** Empty: no drift at this scale. */
  readonly causes: readonly DriftCause[];
  /** The baseline's ups and downs in time are not known, and no cause is too gross to be one of them. */
  readonly isProvisional: boolean;
  /** There was drift, and a shorter stretch shows that it is over: see `endDrifts`. */
  readonly ended?: true | undefined;
  /** Smallest lasting PSI that this stretch would have shown with power 0.8; null: none. */
  readonly minimumDetectableEffect: number | null;
}

export interface FeatureDrift {
  readonly name: string;
  /** In the order of the stretches given. */
  readonly scales: readonly ScaleResult[];
  readonly drifted: boolean;
  /** Position in `scales` of the surest drift; where there is none, of the smallest q-value; −1: nothing was tested. */
  readonly deciding: number;
  /** Causes at the deciding scale, the surest first; of a feature that has not drifted: of its provisional drift. */
  readonly causes: readonly DriftCause[];
  /** The smallest over the scales; null: not tested. */
  readonly qValue: number | null;
}

export interface DriftJudgement {
  /** In the order of the baseline's layout, without those that the configuration ignores. */
  readonly features: readonly FeatureDrift[];
  /** How the p-values are calibrated. */
  readonly calibration: string;
  /** Benjamini–Hochberg level per window and scale. */
  readonly level: number;
}

export interface DriftInput {
  readonly policy: ModelPolicy;
  readonly baseline: Baseline;
  readonly calibration: Calibration;
  readonly stretches: readonly TrailingCounts[];
  /** Default: `policy.drift.level`. A retest of a late revision and a slice have levels of their own. */
  readonly level?: number | undefined;
}

/**
 * The main rule (docs/statistics/main-rule.md). Each trailing stretch is compared with what the baseline expects of its mix of hours;
 * Benjamini–Hochberg runs over the features of a stretch at the rule's level; a feature has drifted where it is
 * rejected at any scale by a test whose effect matters. Work per window does not depend on the length of the
 * stretches. Stretches of too few records are not tested.
 */
export function judgeDrift(input: DriftInput): DriftJudgement {
  const { policy, calibration, stretches } = input;
  const level = input.level ?? policy.drift.level;
  const policies = new Map(policy.features);
  const features = calibration.features.flatMap((feature, position) => {
    const { ignore, minimumEffect } = policies.get(feature.name) ?? defaultFeaturePolicy;
    return ignore ? [] : [{ feature, position, minimumEffect: minimumEffect ?? policy.drift.minimumEffect }];
  });
  const positions = layoutPositions(input.baseline);
  const reader = new StretchReader(calibration, policy.drift);
  const byScale = stretches.map((stretch) => {
    reader.open(stretch);
    const measured = features.map(({ feature, minimumEffect }) =>
      reader.measure(feature, stretch.counts[positions.get(feature.name) ?? -1], minimumEffect),
    );
    const tested = measured.flatMap(({ combinedPValue }) => combinedPValue ?? []);
    const adjusted = benjaminiHochberg(tested);
    const rejectedLevel = rejectedLevelOf(tested, adjusted, level);
    const familyLevel = level / Math.max(tested.length, 1);
    let next = 0;
    return measured.map((measurement, index): ScaleResult => {
      const minimumEffect = features[index]?.minimumEffect ?? 0;
      const qValue = measurement.combinedPValue === null ? null : (adjusted[next++] ?? 1);
      const rejected = qValue !== null && qValue <= level;
      const provisionalBelow = features[index]?.feature.provisionalBelow ?? calibration.provisionalBelow;
      const causes = rejected ? findCauses(measurement, minimumEffect, policy.drift, rejectedLevel) : [];
      return {
        ...measurement,
        qValue,
        causes,
        isProvisional:
          provisionalBelow !== undefined && !causes.some((cause) => isTooGross(cause, measurement, provisionalBelow)),
        minimumDetectableEffect: reader.detectable(index, familyLevel * pearsonShare(measurement.kind)),
      };
    });
  });
  return {
    features: features.map(({ feature }, index) =>
      decideOverScales(feature.name, endDrifts(byScale.flatMap((results) => results[index] ?? []))),
    ),
    calibration: calibration.description,
    level,
  };
}

/** Whether something is no ordinary up and down, though these are not known. */
function isTooGross(
  cause: DriftCause,
  { isGross, missingRise, unseenRise }: StretchMeasurement,
  provisionalBelow: number,
): boolean {
  if (provisionalBelow === Number.POSITIVE_INFINITY) return false;
  if (cause === 'distribution') return isGross;
  return (cause === 'missing' ? missingRise : unseenRise) >= uncalibrated.grossRise;
}

/**
 * A feature has drifted where it has at any scale; of those that have, else of those where it provisionally has, else of
 * all, the one with the smallest q-value decides.
 */
export function decideOverScales(name: string, scales: readonly ScaleResult[]): FeatureDrift {
  let deciding = -1;
  let decidingRank = 0;
  let qValue: number | null = null;
  scales.forEach((result, position) => {
    if (result.qValue === null) return;
    if (qValue === null || result.qValue < qValue) qValue = result.qValue;
    const rank = result.causes.length === 0 ? 0 : result.isProvisional ? 1 : 2;
    const best = scales[deciding]?.qValue ?? null;
    if (best !== null && (rank < decidingRank || (rank === decidingRank && result.qValue >= best))) return;
    deciding = position;
    decidingRank = rank;
  });
  return { name, scales, drifted: decidingRank === 2, deciding, causes: scales[deciding]?.causes ?? [], qValue };
}

function layoutPositions(baseline: Baseline): ReadonlyMap<string, number> {
  return new Map(baseline.layout.features.map(([name], position) => [name, position]));
}
