import { deviance, logPoissonDensity } from './log-density.ts';
import { logNormalUpperTail } from './normal.ts';

/**
 * Regularised incomplete gamma functions, 0 < a ≤ 1e300, x ≥ 0, with a relative error of about 1e-12 in either tail
 * (for a < 1e-4, where no tail is between the extremes, of about 1e-16/a). Own code, because @stdlib's `gammainc` 0.3.1
 * is wrong by up to 1.6 % for large whole a (seen from 500 on).
 * Series and continued fraction of Press et al., "Numerical Recipes", 6.2: some √a steps near x = a. From a = 1e9 on
 * Temme's uniform expansion, with a relative error below 1e-9.
 */

const LARGEST_SUMMED = 1e9;

/** Q(a, x) = Γ(a, x)/Γ(a). */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (a > LARGEST_SUMMED) return x > a ? Math.exp(logUniformTail(a, x)) : -Math.expm1(logUniformTail(a, x));
  return x < a + 1 ? Math.max(0, 1 - Math.exp(logLowerSeries(a, x))) : Math.min(1, Math.exp(logUpperFraction(a, x)));
}

/** P(a, x) = γ(a, x)/Γ(a). */
export function lowerGamma(a: number, x: number): number {
  if (x <= 0) return 0;
  if (x === Number.POSITIVE_INFINITY) return 1;
  if (a > LARGEST_SUMMED) return x > a ? -Math.expm1(logUniformTail(a, x)) : Math.exp(logUniformTail(a, x));
  return x < a + 1 ? Math.min(1, Math.exp(logLowerSeries(a, x))) : Math.max(0, -Math.expm1(logUpperFraction(a, x)));
}

/** ln Q(a, x), also where Q is below the smallest double. */
export function logUpperGamma(a: number, x: number): number {
  if (x <= 0) return 0;
  if (x === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  if (x <= a + 1 && (a <= LARGEST_SUMMED || x <= a)) return Math.log(upperGamma(a, x));
  return a > LARGEST_SUMMED ? logUniformTail(a, x) : Math.min(0, logUpperFraction(a, x));
}

function logLowerSeries(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= x / (a + k);
    sum += term;
  }
  return Math.log(sum) + logPoissonDensity(a, x);
}

/** Lentz's evaluation of the continued fraction 1/(x + 1 − a − 1·(1 − a)/(x + 3 − a − …)). */
function logUpperFraction(a: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let fraction = d;
  // So far out the fraction is its first step.
  const steps = x > 1e30 ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 1; i <= steps; i++) {
    const numerator = -i * (i - a);
    b += 2;
    d = numerator * d + b;
    if (Math.abs(d) < tiny) d = tiny;
    c = b + numerator / c;
    if (Math.abs(c) < tiny) c = tiny;
    d = 1 / d;
    const factor = d * c;
    fraction *= factor;
    if (Math.abs(factor - 1) < 3e-16) break;
  }
  return Math.log(a) + logPoissonDensity(a, x) + Math.log(fraction);
}

/** ln of the smaller tail's side, Q for x > a and P otherwise: the normal tail of η·√a and one correction term. */
function logUniformTail(a: number, x: number): number {
  // η²/2 = λ − 1 − ln λ, λ = x/a.
  const halfSquare = deviance(a, x) / a;
  const eta = Math.sqrt(2 * halfSquare);
  const excess = Math.abs(x - a) / a;
  const sign = x > a ? 1 : -1;
  const z = eta * Math.sqrt(a);
  const logDensity = -0.5 * z * z - 0.5 * Math.log(2 * Math.PI * a);
  // So far out the normal tail and the correction would cancel.
  if (z > 1e3) return logDensity - Math.log(excess);
  // Temme's c₀ = 1/(λ − 1) − 1/η, near λ = 1 by its series; it adds to Q and takes from P.
  const correction = eta < 1e-4 ? -sign / 3 + eta / 12 : 1 / excess - 1 / eta;
  const logTail = logNormalUpperTail(z);
  return logTail + Math.log1p(correction * Math.exp(logDensity - logTail));
}
