import { chiSquaredUpperTail } from './chi-squared.ts';
import { logUpperGamma } from './incomplete-gamma.ts';
import { logPoissonDensity } from './log-density.ts';
import { normalUpperTail } from './normal.ts';

/** Above this many Poisson steps to the saddle point the saddle-point approximation is exact to about 1e-9. */
const LARGEST_SUMMED_SADDLE = 1e7;

/**
 * P(X ≥ x), X noncentral χ² with degrees of freedom > 0 and noncentrality ≥ 0 (the sum of squares of normal variables
 * whose squared means sum to the noncentrality). A Poisson mixture of central tails, summed around its saddle point, all
 * terms positive: relative error below 1e-9 down to 1e-300. 1 for x ≤ 0. Throws RangeError on impossible parameters.
 */
export function noncentralChiSquaredUpperTail(x: number, degreesOfFreedom: number, noncentrality: number): number {
  if (!(noncentrality >= 0)) {
    throw new RangeError(`noncentral chi-squared: expected a noncentrality of at least 0, saw ${noncentrality}`);
  }
  if (noncentrality === 0) return chiSquaredUpperTail(x, degreesOfFreedom);
  if (!(degreesOfFreedom > 0 && degreesOfFreedom < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`noncentral chi-squared: expected finite degrees of freedom above 0, saw ${degreesOfFreedom}`);
  }
  if (Number.isNaN(x)) throw new RangeError('noncentral chi-squared: expected a number, saw NaN');
  if (x <= 0 || noncentrality === Number.POSITIVE_INFINITY) return 1;
  // So far out the distribution is narrower than a double can tell, and the squares below would overflow.
  const mean = noncentrality + degreesOfFreedom;
  if (mean > 1e100) return x > mean ? 0 : 1;
  if (x > 1e102) return 0;

  // The root v = 1/(1 − 2t) of mean(t) = x, where the mean of the exponentially tilted distribution is k·v + λ·v².
  const tilt = (2 * x) / (degreesOfFreedom + Math.sqrt(degreesOfFreedom ** 2 + 4 * noncentrality * x));
  // Chernoff's bound: beyond it the tail is below the smallest double, and what follows would not be representable.
  if (tilt > 1 && chernoffExponent(tilt - 1, degreesOfFreedom, noncentrality) > 760) return 0;
  const saddle = (noncentrality / 2) * Math.max(1, tilt);
  if (saddle > LARGEST_SUMMED_SADDLE) return saddlePointTail(x, degreesOfFreedom, noncentrality);

  const weightMean = noncentrality / 2;
  const half = x / 2;
  const first = Math.max(0, Math.floor(saddle - 12 * Math.sqrt(saddle) - 20));
  const shape = degreesOfFreedom / 2 + first;
  // Weights and tails are told in multiples of the first of each, which may be below the smallest double.
  const logFirstTail = logUpperGamma(shape, half);
  let largestTail = Math.exp(-logFirstTail);
  let weight = 1;
  let tail = 1;
  let increment = Math.exp(logPoissonDensity(shape, half) - logFirstTail);
  let sum = 0;
  let weights = 0;
  for (let step = 0; ; step++) {
    const term = weight * tail;
    sum += term;
    weights += weight;
    const index = first + step;
    if (index > saddle && !(term >= sum * 1e-17)) break;
    tail = Math.min(largestTail, tail + increment);
    increment *= half / (shape + step + 1);
    weight *= weightMean / (index + 1);
    if (tilt > 1 && (weight < 1e-100 || tail > 1e200)) {
      // Only the products count: neither factor may leave the range of a double. Up to the mean they don't.
      weight *= 1e100;
      tail *= 1e-100;
      increment *= 1e-100;
      largestTail *= 1e-100;
    }
  }
  // Where every tail is 1 the weights' own rounding is all that is left: their sum is 1.
  if (tilt <= 1 && first === 0) return Math.min(1, (sum / weights) * Math.exp(logFirstTail));
  return Math.min(1, Math.exp(Math.log(sum) + logPoissonDensity(first, weightMean) + logFirstTail));
}

/** Lugannani and Rice's saddle-point tail. */
function saddlePointTail(x: number, degreesOfFreedom: number, noncentrality: number): number {
  // With v = 1 + rise, t = rise/(2v) and t·x − K(t) = λ·rise²/2 + k·(rise − ln v)/2: nothing cancels near the mean.
  const linear = 2 * noncentrality + degreesOfFreedom;
  const excess = x - degreesOfFreedom - noncentrality;
  const rise = (2 * excess) / (linear + Math.sqrt(degreesOfFreedom ** 2 + 4 * noncentrality * x));
  const tilt = 1 + rise;
  // A millionth of a millionth of a noncentrality above 1e7: all the mass is above.
  if (tilt < 1e-6) return 1;
  const exponent = chernoffExponent(rise, degreesOfFreedom, noncentrality);
  const w = Math.sign(rise) * Math.sqrt(Math.max(0, 2 * exponent));
  const variance = 2 * degreesOfFreedom * tilt ** 2 + 4 * noncentrality * tilt ** 3;
  const u = (rise / (2 * tilt)) * Math.sqrt(variance);
  const skewness = (8 * degreesOfFreedom + 24 * noncentrality) / (2 * degreesOfFreedom + 4 * noncentrality) ** 1.5;
  const correction = Math.abs(u) < 1e-4 ? -skewness / 6 : 1 / u - 1 / w;
  const density = Math.exp(-0.5 * w * w) / Math.sqrt(2 * Math.PI);
  return Math.min(1, Math.max(0, normalUpperTail(w) + density * correction));
}

/** −ln of Chernoff's bound of the tail at the mean of the distribution tilted by 1 + rise. */
function chernoffExponent(rise: number, degreesOfFreedom: number, noncentrality: number): number {
  return (noncentrality * rise * rise + degreesOfFreedom * (rise - Math.log1p(rise))) / 2;
}
