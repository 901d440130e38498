import { chiSquaredUpperTail } from './chi-squared.ts';
import { logLowerBetaNearZero, lowerBeta } from './incomplete-beta.ts';
import { lowerGamma } from './incomplete-gamma.ts';

/** From here on a χ² divided by its degrees of freedom is 1. */
const ENDLESS = 1e15;

/**
 * P(F ≥ x), F the ratio of two independent χ², each divided by its degrees of freedom (> 0, need not be whole, may be
 * Infinity). Relative error below 1e-9 down to 1e-300. 1 for x ≤ 0. Throws RangeError on NaN and impossible parameters.
 */
export function fUpperTail(x: number, numeratorDegrees: number, denominatorDegrees: number): number {
  for (const degrees of [numeratorDegrees, denominatorDegrees]) {
    if (!(degrees > 0)) throw new RangeError(`f: expected degrees of freedom above 0, saw ${degrees}`);
  }
  if (Number.isNaN(x)) throw new RangeError('f: expected a number, saw NaN');
  if (x <= 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (numeratorDegrees >= ENDLESS && denominatorDegrees >= ENDLESS) return x > 1 ? 0 : 1;
  if (denominatorDegrees >= ENDLESS) return chiSquaredUpperTail(x * numeratorDegrees, numeratorDegrees);
  if (numeratorDegrees >= ENDLESS) return lowerGamma(denominatorDegrees / 2, denominatorDegrees / (2 * x));
  const [a, b] = [denominatorDegrees / 2, numeratorDegrees / 2];
  const ratio = (numeratorDegrees / denominatorDegrees) * x;
  if (ratio > 1e100) {
    const logRatio = Math.log(numeratorDegrees) - Math.log(denominatorDegrees) + Math.log(x);
    return Math.exp(logLowerBetaNearZero(-logRatio, a, b));
  }
  return lowerBeta(1 / (1 + ratio), a, b, ratio / (1 + ratio));
}
