import { logCompleteBeta } from './incomplete-beta.ts';

/**
 * ln of the chance that all of `draws` fall into a class, where the class has share `share` on average and two draws of
 * one sample agree more often than that by the intraclass correlation: the beta-binomial law with α + β = 1/correlation − 1.
 * Correlation 0 is the binomial, `draws`·ln share; correlation 1 says that a sample is all of one class, ln share.
 * @param share in [0, 1]
 * @param correlation in [0, 1]
 * @throws {RangeError} on a share or correlation outside [0, 1], or draws that are no whole number of at least 0.
 */
export function logAllInOneClass(draws: number, share: number, correlation: number): number {
  if (!(Number.isSafeInteger(draws) && draws >= 0)) {
    throw new RangeError(`beta-binomial: expected a whole number of draws, saw ${draws}`);
  }
  for (const [name, value] of [
    ['share', share],
    ['correlation', correlation],
  ] as const) {
    if (!(value >= 0 && value <= 1)) throw new RangeError(`beta-binomial: expected a ${name} in [0, 1], saw ${value}`);
  }
  if (draws === 0 || share === 1) return 0;
  if (share === 0) return Number.NEGATIVE_INFINITY;
  if (draws === 1) return Math.log(share);
  const size = 1 / correlation - 1;
  if (!(size < largestSize)) return draws * Math.log(share);
  const alpha = share * size;
  const beta = (1 - share) * size;
  if (!(alpha > smallestParameter && beta > smallestParameter)) return Math.log(share);
  return Math.min(Math.log(share), logCompleteBeta(alpha + draws, beta) - logCompleteBeta(alpha, beta));
}

/** From here on the binomial law serves; and below the other the law of two outcomes, which is never smaller. */
const largestSize = 1e12;
const smallestParameter = 1e-4;
