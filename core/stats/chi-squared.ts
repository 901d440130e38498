import { logUpperGamma, lowerGamma, upperGamma } from './incomplete-gamma.ts';
import { findRoot } from './root.ts';

/**
 * P(χ² ≥ x), degrees of freedom > 0 (need not be whole). Relative error below 1e-9 down to 1e-300; 0 further out.
 * 1 for x ≤ 0. With 0 degrees of freedom all mass is at 0.
 */
export function chiSquaredUpperTail(x: number, degreesOfFreedom: number): number {
  checkDegreesOfFreedom(degreesOfFreedom);
  if (Number.isNaN(x)) throw new RangeError('chi-squared: expected a number, saw NaN');
  if (x <= 0) return 1;
  if (degreesOfFreedom === 0 || x === Number.POSITIVE_INFINITY) return 0;
  return clampProbability(upperGamma(degreesOfFreedom / 2, x / 2));
}

/** The x with P(χ² ≤ x) = probability; 0 at 0, Infinity at 1. */
export function chiSquaredQuantile(probability: number, degreesOfFreedom: number): number {
  checkDegreesOfFreedom(degreesOfFreedom);
  checkProbability(probability);
  if (probability === 0 || degreesOfFreedom === 0) return 0;
  if (probability > 0.5) return chiSquaredUpperQuantile(1 - probability, degreesOfFreedom);
  const target = Math.log(probability);
  return solve((x) => Math.log(lowerGamma(degreesOfFreedom / 2, x / 2)) - target, degreesOfFreedom);
}

/** The x with P(χ² ≥ x) = tail: the critical value of a test at level `tail`, accurate for tiny levels. */
export function chiSquaredUpperQuantile(tail: number, degreesOfFreedom: number): number {
  checkDegreesOfFreedom(degreesOfFreedom);
  checkProbability(tail);
  if (tail === 1 || degreesOfFreedom === 0) return 0;
  if (tail === 0) return Number.POSITIVE_INFINITY;
  if (tail > 0.5) return chiSquaredQuantile(1 - tail, degreesOfFreedom);
  const target = Math.log(tail);
  return solve((x) => target - logUpperGamma(degreesOfFreedom / 2, x / 2), degreesOfFreedom);
}

/** Root of an increasing function of x > 0; logarithms of an underflown tail are held finite. */
function solve(increasing: (x: number) => number, degreesOfFreedom: number): number {
  const f = (x: number) => Math.min(1e4, Math.max(-1e4, increasing(x)));
  let lower = degreesOfFreedom;
  while (lower > 0 && f(lower) > 0) lower /= 2;
  let upper = degreesOfFreedom + 1;
  while (f(upper) < 0) upper *= 2;
  return findRoot(f, lower, upper);
}

function checkDegreesOfFreedom(degreesOfFreedom: number): void {
  if (!(degreesOfFreedom >= 0 && degreesOfFreedom < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`chi-squared: expected finite degrees of freedom of at least 0, saw ${degreesOfFreedom}`);
  }
}

function checkProbability(probability: number): void {
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(`chi-squared: expected a probability in [0, 1], saw ${probability}`);
  }
}

function clampProbability(p: number): number {
  return Math.min(1, Math.max(0, p));
}
