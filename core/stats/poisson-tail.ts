import { lowerGamma, upperGamma } from './incomplete-gamma.ts';
import { normalUpperTail } from './normal.ts';

/** From here on the normal law serves: the exact sums take as many steps as the standard deviation. */
const largestExact = 1e12;

/** P(X ≥ k), X Poisson(mean), accurate in relative terms far into the tail. Throws RangeError on a mean that isn't finite and ≥ 0. */
export function poissonUpperTail(k: number, mean: number): number {
  const least = Math.ceil(checkCount(k));
  checkMean(mean);
  if (least <= 0) return 1;
  if (mean === 0 || least === Number.POSITIVE_INFINITY) return 0;
  if (Math.max(mean, least) > largestExact) return normalUpperTail(standardise(least, mean));
  return lowerGamma(least, mean);
}

/** P(X ≤ k), X Poisson(mean). */
export function poissonLowerTail(k: number, mean: number): number {
  const most = Math.floor(checkCount(k));
  checkMean(mean);
  if (most < 0) return 0;
  if (mean === 0 || most === Number.POSITIVE_INFINITY) return 1;
  if (Math.max(mean, most) > largestExact) return normalUpperTail(-standardise(most, mean));
  return upperGamma(most + 1, mean);
}

function standardise(k: number, mean: number): number {
  return (k - mean) / Math.sqrt(mean);
}

function checkCount(k: number): number {
  if (Number.isNaN(k)) throw new RangeError('poisson: expected a count, saw NaN');
  return k;
}

function checkMean(mean: number): void {
  if (!(mean >= 0 && mean < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`poisson: expected a finite mean of at least 0, saw ${mean}`);
  }
}
