import type { Finding } from '../../model/verdict.ts';
import {
  formatCount,
  formatInstant,
  formatName,
  formatNumber,
  formatProbabilityOf,
  formatScale,
  formatShare,
} from '../number-text.ts';
import {
  type EmbeddingComparison,
  type EmbeddingEffects,
  type EmbeddingTest,
  embeddingTests,
} from './compare-embedding.ts';

/** What a test must reach to be named as a cause. */
export interface EmbeddingCauseRule {
  /** Level at which Benjamini–Hochberg rejected: a test counts where its 3·p is at most this. */
  readonly rejectedLevel: number;
  /** Floor of the effects, and the level of its test; a floor of 0 is none. */
  readonly minimumEffect: number;
  readonly effectLevel: number;
}

/**
 * Why a feature of vectors is flagged: the tests that rejected and whose effect is above its floor, the surest first.
 * Empty: not drifted.
 */
export function findEmbeddingCauses(
  comparison: EmbeddingComparison,
  rule: EmbeddingCauseRule,
): readonly EmbeddingTest[] {
  const { tests, floors } = comparison;
  const pValue = (test: EmbeddingTest) => tests[test]?.pValue ?? 1;
  const reachesFloor = (test: EmbeddingTest) =>
    rule.minimumEffect <= 0 || (floors[test]?.pValue ?? 1) <= rule.effectLevel;
  return (['shift', 'distance', 'spread'] as const)
    .filter(
      (test) => tests[test] && Math.min(1, embeddingTests * pValue(test)) <= rule.rejectedLevel && reachesFloor(test),
    )
    .sort((a, b) => pValue(a) - pValue(b));
}

/** What a drift of vectors was seen in. */
export interface EmbeddingSight {
  readonly vectors: number;
  readonly stretch?:
    | {
        readonly scale: number;
        readonly windowSeconds: number;
        readonly windows: number;
        /** Milliseconds since the epoch. */
        readonly start: number;
      }
    | undefined;
}

/**
 * Says that a feature of vectors has drifted: one finding that names every cause.
 * @param causes at least one, the surest first
 * @param seen where it was seen: usable vectors compared, and the trailing stretch where there was one
 */
export function describeEmbeddingDrift(
  feature: string,
  comparison: EmbeddingComparison,
  causes: readonly [EmbeddingTest, ...EmbeddingTest[]],
  qValue: number,
  seen: EmbeddingSight,
): Finding {
  const { tests, floors, effects } = comparison;
  const sentences = describeEmbeddingCauses(causes, effects).join('; ');
  const scale = seen.stretch ? `, seen at the ${formatScale(seen.stretch)} scale` : '';
  const numbers = `${formatProbabilityOf('q', qValue)}, ${formatCount(seen.vectors, 'vector')}${scale}`;
  return {
    id: `drift:${feature}`,
    tier: 'yellow',
    kind: 'drift',
    feature,
    message: `${formatName(feature)}: ${sentences}; ${numbers}`,
    evidence: {
      causes: causes.join(' '),
      qValue,
      shiftPValue: tests.shift?.pValue ?? null,
      shiftFloorPValue: floors.shift?.pValue ?? null,
      shiftDeviations: effects.shift,
      distancePValue: tests.distance?.pValue ?? null,
      distanceFloorPValue: floors.distance?.pValue ?? null,
      distanceDeviations: effects.distanceChange,
      spreadPValue: tests.spread?.pValue ?? null,
      spreadFloorPValue: floors.spread?.pValue ?? null,
      populationStabilityIndex: effects.distanceIndex,
      farShare: effects.farShare,
      baselineFarShare: effects.baselineFarShare,
      vectors: seen.vectors,
      ...(seen.stretch && {
        scale: seen.stretch.scale,
        windows: seen.stretch.windows,
        stretchStart: formatInstant(seen.stretch.start),
      }),
    },
  };
}

/** One part of a sentence for each thing that changed; distance and spread are one thing. */
function describeEmbeddingCauses(causes: readonly EmbeddingTest[], effects: EmbeddingEffects): readonly string[] {
  const parts = causes.map((cause) => {
    return cause === 'shift' ? describeShift(effects) : describeDistance(effects);
  });
  return [...new Set(parts)];
}

function describeShift({ shift, mainAxis, mainAxisChange }: EmbeddingEffects): string {
  const along = Math.abs(mainAxisChange);
  // Taking off the noise may leave less than one axis has by itself; the whole is never less than its part.
  const whole = formatNumber(round(Math.max(shift, along)));
  const part = formatNumber(round(along));
  return `the typical vector changed: the mean moved by ${whole} of the usual spread, ${part === whole ? 'all' : part} of it in one direction (main axis ${mainAxis})`;
}

function describeDistance(effects: EmbeddingEffects): string {
  const { distanceChange, farShare, baselineFarShare, nearShare, baselineNearShare } = effects;
  const change = `${formatNumber(round(Math.abs(distanceChange)))} of the usual spread`;
  const moved = `all of them on average ${change} ${distanceChange >= 0 ? 'farther from' : 'nearer to'} it`;
  const gainFar = farShare - baselineFarShare;
  // Both ends may grow; the one that grew more says what happened.
  if (distanceChange >= 0 ? gainFar >= 0 : gainFar > nearShare - baselineNearShare) {
    return `${formatShare(farShare)} of vectors are unlike what is usual in the baseline (${formatShare(baselineFarShare)} were), ${moved}`;
  }
  return `${formatShare(nearShare)} of vectors are unusually close to what is usual in the baseline (${formatShare(baselineNearShare)} were), ${moved}`;
}

function round(value: number): number {
  return Number(value.toPrecision(2));
}
