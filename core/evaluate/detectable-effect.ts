import { effectFloorTest, minimumDetectableEffect } from '../stats/effect-floor.ts';

/** The chance of being noticed that "detectable" means. */
const power = 0.8;

/** Sizes and rule that decide what a window could have shown. */
export interface DetectionRule {
  readonly baselineSize: number;
  readonly currentSize: number;
  readonly bins: number;
  /** Level at which Pearson's test must reject. */
  readonly level: number;
  /** The effect floor, and the level of its test; a floor of 0 is none. */
  readonly minimumEffect: number;
  readonly effectLevel: number;
}

/**
 * The smallest PSI that a window would have been flagged for with power 0.8. A flag takes both Pearson's test and
 * the effect floor. Both look at the same distance, so the harder of the two decides. Null where the window can't
 * show any: fewer than two bins, or an empty side.
 */
function detectableEffect(rule: DetectionRule): number | null {
  const { baselineSize, currentSize, bins, level } = rule;
  if (bins < 2 || baselineSize <= 0 || currentSize <= 0 || level <= 0) return null;
  const byTest = minimumDetectableEffect({ baselineSize, currentSize, bins, level: Math.min(level, 1), power });
  if (byTest === null || !Number.isFinite(byTest)) return null;
  if (rule.minimumEffect <= 0) return byTest;
  const byFloor = detectableAboveFloor(rule);
  return byFloor === null ? null : Math.max(byTest, byFloor);
}

/** Remembers results by rule: the features of a window mostly share their sizes and bins. */
export function rememberDetectableEffects(): typeof detectableEffect {
  const known = new Map<string, number | null>();
  return (rule) => {
    const key = [
      rule.baselineSize,
      rule.currentSize,
      rule.bins,
      rule.level,
      rule.minimumEffect,
      rule.effectLevel,
    ].join();
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const effect = detectableEffect(rule);
    known.set(key, effect);
    return effect;
  };
}

function detectableAboveFloor(rule: DetectionRule): number | null {
  const { baselineSize, currentSize, bins, minimumEffect, effectLevel } = rule;
  const pValue = (psi: number, effect: number) => effectFloorTest(psi, baselineSize, currentSize, bins, effect).pValue;
  // The smallest PSI that passes the floor, then the true effect at which four in five windows show that much.
  const critical = findRoot(minimumEffect / 1024, (psi) => pValue(psi, minimumEffect) <= effectLevel);
  if (critical === null) return null;
  return findRoot(minimumEffect, (effect) => pValue(critical, effect) >= power);
}

/** The smallest value from `low` on at which a condition that stays true holds, to a part in a thousand. */
function findRoot(low: number, holds: (value: number) => boolean): number | null {
  let below = low;
  let above = low;
  for (let doublings = 0; !holds(above); doublings++) {
    if (doublings === 40) return null;
    below = above;
    above *= 2;
  }
  while (above / below > 1.001) {
    const middle = Math.sqrt(above * below);
    if (holds(middle)) above = middle;
    else below = middle;
  }
  return above;
}
