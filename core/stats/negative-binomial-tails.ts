import { digamma } from './digamma.ts';
import { lowerBeta } from './incomplete-beta.ts';
import { lowerGamma, upperGamma } from './incomplete-gamma.ts';
import { poissonLowerTail, poissonUpperTail } from './poisson-tail.ts';

/**
 * Tails of the negative binomial law of counts, by mean and dispersion: a Poisson count whose rate itself is gamma
 * distributed, with variance = mean + dispersion·mean². Dispersion 0 is the Poisson law. With shape = 1/dispersion and
 * success = mean/(shape + mean), P(X ≥ k) = I_success(k, shape): at most some √min(k, shape, 1e9) steps.
 */

/** Below it, beyond the parameters of the incomplete beta function, the law is taken for Poisson's. */
const smallestDispersion = 1e-15;
/** Above it, beyond those parameters too, the count is taken for its rate: gamma distributed. */
const largestCount = 1e15;
/** Above it nearly every count is 0, so that P(X ≥ k) is too small to be 1 minus P(X < k), but not the other way round. */
const sparseDispersion = 1e3;

/**
 * P(X ≥ k), accurate in relative terms far into the tail. Throws RangeError on a mean or dispersion that isn't finite and
 * at least 0.
 */
export function overdispersedUpperTail(k: number, mean: number, dispersion: number): number {
  check(k, mean, dispersion);
  if (mean === 0 || dispersion < smallestDispersion) return poissonUpperTail(k, mean);
  const least = Math.ceil(k);
  if (least <= 0) return 1;
  if (least === Number.POSITIVE_INFINITY) return 0;
  const { shape, success, failure } = parametersOf(mean, dispersion);
  // Of the two sides the incomplete beta function has the one away from the mean, and 1 minus that for the other.
  const isNear = success * (shape + 1) > failure * (least + 1);
  if (isNear && dispersion > sparseDispersion) return sparseUpperTail(least, mean, dispersion);
  if (least > largestCount) return upperGamma(shape, (shape * (least - 0.5)) / mean);
  return lowerBeta(success, least, shape, failure);
}

/** P(X ≤ k), accurate in relative terms far into the tail. */
export function overdispersedLowerTail(k: number, mean: number, dispersion: number): number {
  check(k, mean, dispersion);
  if (mean === 0 || dispersion < smallestDispersion) return poissonLowerTail(k, mean);
  const above = Math.floor(k) + 1;
  if (above <= 0) return 0;
  if (above === Number.POSITIVE_INFINITY) return 1;
  if (dispersion > sparseDispersion) return 1 - overdispersedUpperTail(above, mean, dispersion);
  const { shape, success, failure } = parametersOf(mean, dispersion);
  if (above > largestCount) return lowerGamma(shape, (shape * (above - 0.5)) / mean);
  return lowerBeta(failure, shape, above, success);
}

/** P(X = 0) = (1 + dispersion·mean)^(−1/dispersion). */
export function overdispersedZero(mean: number, dispersion: number): number {
  check(0, mean, dispersion);
  if (dispersion < smallestDispersion) return Math.exp(-mean);
  return Math.exp(-logSpread(mean, dispersion) / dispersion);
}

/** ln(1 + dispersion·mean), also where the product overflows. */
function logSpread(mean: number, dispersion: number): number {
  const product = dispersion * mean;
  return product === Number.POSITIVE_INFINITY ? Math.log(dispersion) + Math.log(mean) : Math.log1p(product);
}

function parametersOf(mean: number, dispersion: number) {
  const shape = 1 / dispersion;
  return { shape, success: mean / (shape + mean), failure: shape / (shape + mean) };
}

/**
 * P(X ≥ k) by the power series of P(X < k) = I_q(r, k) for r = shape near 0 and q = failure below about 1/k:
 * q^r·Γ(k + r)/(Γ(k)·Γ(1 + r))·(1 + r·Σ (1 − k)(2 − k)…(n − k)/n!·q^n/(n + r)). Its logarithm is summed in units of r.
 */
function sparseUpperTail(k: number, mean: number, dispersion: number): number {
  const { shape, failure } = parametersOf(mean, dispersion);
  let coefficient = 1;
  let sum = 0;
  for (let n = 1; Math.abs(coefficient) > 1e-17; n++) {
    coefficient *= ((n - k) / n) * failure;
    sum += coefficient / (n + shape);
  }
  // ln Γ(k + r) − ln Γ(k) − ln Γ(1 + r) is the integral of this from 0 to r, by Simpson's rule.
  const slope = (x: number) => digamma(k + x) - digamma(1 + x);
  const meanSlope = (slope(0) + 4 * slope(shape / 2) + slope(shape)) / 6;
  return -Math.expm1(shape * (meanSlope - logSpread(mean, dispersion)) + Math.log1p(shape * sum));
}

function check(k: number, mean: number, dispersion: number): void {
  if (Number.isNaN(k)) throw new RangeError('negative binomial: expected a count, saw NaN');
  if (!(mean >= 0 && mean < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`negative binomial: expected a finite mean of at least 0, saw ${mean}`);
  }
  if (!(dispersion >= 0 && dispersion < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`negative binomial: expected a finite dispersion of at least 0, saw ${dispersion}`);
  }
}
