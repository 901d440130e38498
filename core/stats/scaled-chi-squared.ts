import { chiSquaredUpperTail } from './chi-squared.ts';

/**
 * P(X ≥ x) of a positive variable of which only the mean and the variance are known, taken as a multiple of χ²
 * (Satterthwaite 1946): h = 2·mean²/variance, P(χ²_h ≥ x·h/mean). Exact for sums of squares of equal variance; for
 * mixed ones the far tail is too light, the more so the more one term outweighs the others.
 * Without variance all mass is at the mean. Throws RangeError on NaN, a mean ≤ 0 and a negative variance.
 */
export function scaledChiSquaredUpperTail(x: number, mean: number, variance: number): number {
  if (!(mean > 0 && mean < Number.POSITIVE_INFINITY && variance >= 0 && variance < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`scaled chi-squared: expected a mean above 0 and a variance, saw ${mean} and ${variance}`);
  }
  if (Number.isNaN(x)) throw new RangeError('scaled chi-squared: expected a number, saw NaN');
  const variation = Math.sqrt(variance) / mean;
  const degreesOfFreedom = 2 / variation ** 2;
  if (degreesOfFreedom > 1e200) return x > mean ? 0 : 1;
  // So wide that next to nothing is above 0.
  if (degreesOfFreedom < 1e-200) return x > 0 ? 0 : 1;
  return chiSquaredUpperTail(degreesOfFreedom * (x / mean), degreesOfFreedom);
}
