import { normalUpperQuantile } from '../stats/normal.ts';
import { studentUpperTailQuick } from '../stats/student-t.ts';
import { type Scatter, wanderScore } from '../stats/wander-tail.ts';

/** The normal score that four in five exceed. */
const powerScore = -0.8416212335729143;

/** What a stretch must show to be drift. */
export interface ShiftRule {
  readonly scatter: Scatter;
  /** Level of the test of no change. */
  readonly level: number;
  /** The effect floor, 0: none; and the level of its test. */
  readonly minimumEffect: number;
  readonly effectLevel: number;
}

/**
 * The smallest lasting PSI that a stretch would be flagged for with power 0.8, wander and all. To about one per cent;
 * null where nothing could be.
 */
export function detectableShift(rule: ShiftRule): number | null {
  const { scatter, level, minimumEffect, effectLevel } = rule;
  if (!(level > 0 && level < 1 && scatter.sampling > 0 && scatter.sampling < Number.POSITIVE_INFINITY)) return null;
  const unit = scatter.sampling * scatter.degreesOfFreedom + scatter.wander;
  const critical = findDistance(unit, scatter, 0, scoreOfLevel(level, scatter.certainty));
  const aboveFloor =
    minimumEffect > 0
      ? findDistance(unit + minimumEffect, scatter, minimumEffect, scoreOfLevel(effectLevel, scatter.certainty))
      : 0;
  const distance = Math.max(critical, aboveFloor);
  // In the root of the shift the score falls nearly in a straight line.
  const root = findRoot(
    (y) => powerScore - wanderScore(distance, scatter, y * y),
    Math.sqrt(Math.max(distance - unit, distance * 0.01)),
  );
  return Number.isFinite(root) ? root * root : null;
}

function findDistance(start: number, scatter: Scatter, shift: number, score: number): number {
  const root = findRoot((y) => wanderScore(y * y, scatter, shift) - score, Math.sqrt(start) * 1.5);
  return root * root;
}

/** The normal score at which Student's tail of it reaches a level. */
function scoreOfLevel(level: number, certainty: number): number {
  const normal = normalUpperQuantile(Math.min(level, 0.5));
  if (certainty > 1e9) return normal;
  const target = Math.log(level);
  return findRoot((t) => target - Math.log(Math.max(studentUpperTailQuick(t, certainty), 1e-320)), normal + 0.1);
}

/** The y > 0 where a rising function that is nearly straight crosses zero, to a part in a thousand. */
function findRoot(rising: (y: number) => number, start: number): number {
  let [low, high] = [start, start];
  let [atLow, atHigh] = [rising(start), 0];
  atHigh = atLow;
  for (let step = 0; atLow > 0 && step < 60; step++) {
    [high, atHigh] = [low, atLow];
    low /= 1.3;
    atLow = rising(low);
  }
  for (let step = 0; atHigh < 0 && step < 200; step++) {
    [low, atLow] = [high, atHigh];
    high *= 1.3;
    atHigh = rising(high);
  }
  for (let step = 0; step < 40 && high - low > 1e-3 * high; step++) {
    const secant = low - (atLow * (high - low)) / (atHigh - atLow || 1);
    const margin = 0.02 * (high - low);
    const next = secant > low + margin && secant < high - margin ? secant : (low + high) / 2;
    const value = rising(next);
    if (Math.abs(value) < 1e-4) return next;
    if (value > 0) [high, atHigh] = [next, value];
    else [low, atLow] = [next, value];
  }
  return (low + high) / 2;
}
