import { lowerBeta, upperBeta } from './incomplete-beta.ts';
import { normalUpperQuantile } from './normal.ts';
import { findRoot } from './root.ts';

/** Interval for a proportion, within [0, 1]. */
export interface ProportionInterval {
  readonly lower: number;
  readonly upper: number;
}

/**
 * Wilson's score interval for a proportion, without continuity correction: covers about as often as `confidence` says,
 * also near 0 and 1. [0, 1] when there are no trials. Throws RangeError on impossible counts.
 */
export function wilsonInterval(successes: number, trials: number, confidence = 0.95): ProportionInterval {
  checkProportion(successes, trials, confidence);
  if (trials === 0) return { lower: 0, upper: 1 };
  const z = normalUpperQuantile((1 - confidence) / 2);
  const share = successes / trials;
  const spread = (z * z) / trials;
  const middle = share + spread / 2;
  const halfWidth = Math.sqrt(spread * (share * (1 - share) + spread / 4));
  return {
    lower: successes === 0 ? 0 : Math.max(0, (middle - halfWidth) / (1 + spread)),
    upper: successes === trials ? 1 : Math.min(1, (middle + halfWidth) / (1 + spread)),
  };
}

/**
 * Clopper and Pearson's interval for a proportion: covers at least as often as `confidence` says, whatever the truth;
 * wider than Wilson's. [0, 1] when there are no trials. Throws RangeError on impossible counts.
 */
export function clopperPearsonInterval(successes: number, trials: number, confidence = 0.95): ProportionInterval {
  checkProportion(successes, trials, confidence);
  const tail = (1 - confidence) / 2;
  const failures = trials - successes;
  return {
    lower: successes === 0 ? 0 : findRoot((p) => lowerBeta(p, successes, failures + 1) - tail, 0, 1),
    upper: failures === 0 ? 1 : findRoot((p) => upperBeta(p, successes + 1, failures) - tail, 0, 1),
  };
}

function checkProportion(successes: number, trials: number, confidence: number): void {
  if (!(Number.isSafeInteger(trials) && trials >= 0)) {
    throw new RangeError(`proportion: expected a whole number of trials of at least 0, saw ${trials}`);
  }
  if (!(Number.isSafeInteger(successes) && successes >= 0 && successes <= trials)) {
    throw new RangeError(`proportion: expected a whole number of successes from 0 to ${trials}, saw ${successes}`);
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`proportion: expected a confidence in (0, 1), saw ${confidence}`);
  }
}
