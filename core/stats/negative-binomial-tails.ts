import { lowerGamma, upperGamma } from './incomplete-gamma.ts';
import { logBinomialDensity } from './log-density.ts';
import { poissonLowerTail, poissonUpperTail } from './poisson-tail.ts';
import { sumFallingTerms } from './tail-sum.ts';

/**
 * Tails of the negative binomial law of counts, by mean and dispersion: a Poisson count whose rate itself is gamma
 * distributed, with variance = mean + dispersion·mean². Dispersion 0 is the Poisson law.
 */

/** Beyond this standard deviation sums take too long, and the gamma law of the rate is exact enough (error about 1e-6). */
const longestSum = 1e6;
/** From here on where the rate's own variance is so many times what counting adds; the tail is then good to a few per cent. */
const longSum = 1e5;
const dominance = 1e4;
/** Below it the law can't be told from Poisson's in double precision. */
const smallestDispersion = 1e-13;

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
  const shape = 1 / dispersion;
  if (isLong(mean, dispersion)) return upperGamma(shape, (shape * (least - 0.5)) / mean);
  return least > mean ? sumUpwards(least, mean, shape) : Math.max(0, 1 - sumDownwards(least - 1, mean, shape));
}

/** P(X ≤ k), accurate in relative terms far into the tail. */
export function overdispersedLowerTail(k: number, mean: number, dispersion: number): number {
  check(k, mean, dispersion);
  if (mean === 0 || dispersion < smallestDispersion) return poissonLowerTail(k, mean);
  const most = Math.floor(k);
  if (most < 0) return 0;
  if (most === Number.POSITIVE_INFINITY) return 1;
  const shape = 1 / dispersion;
  if (isLong(mean, dispersion)) return lowerGamma(shape, (shape * (most + 0.5)) / mean);
  return most < mean ? sumDownwards(most, mean, shape) : Math.max(0, 1 - sumUpwards(most + 1, mean, shape));
}

/** P(X = 0) = (1 + dispersion·mean)^(−1/dispersion). */
export function overdispersedZero(mean: number, dispersion: number): number {
  check(0, mean, dispersion);
  const product = dispersion * mean;
  if (dispersion < smallestDispersion) return Math.exp(-mean);
  // Where the product overflows its logarithm does not.
  const log = product === Number.POSITIVE_INFINITY ? Math.log(dispersion) + Math.log(mean) : Math.log1p(product);
  return Math.exp(-log / dispersion);
}

/** P(X ≥ least) for least > mean: the terms fall from the start. */
function sumUpwards(least: number, mean: number, shape: number): number {
  const success = mean / (shape + mean);
  const ratio = (step: number) => ((shape + least + step) / (least + step + 1)) * success;
  return Math.min(1, sumFallingTerms(density(least, mean, shape), ratio));
}

/** P(X ≤ most) for most ≤ mean, added until below the mode what is left cannot count. */
function sumDownwards(most: number, mean: number, shape: number): number {
  const success = mean / (shape + mean);
  let term = density(most, mean, shape);
  let sum = term;
  const mode = shape > 1 ? ((shape - 1) * mean) / shape : 0;
  for (let k = most; k > 0 && term > 0; k--) {
    term *= k / ((shape + k - 1) * success);
    sum += term;
    if (k < mode && term < sum * 1e-18) break;
  }
  return Math.min(1, sum);
}

function density(k: number, mean: number, shape: number): number {
  if (k === 0) return overdispersedZero(mean, 1 / shape);
  const total = shape + mean;
  const log = logBinomialDensity(k, shape + k, mean / total, shape / total);
  return (shape / (shape + k)) * Math.exp(log);
}

function isLong(mean: number, dispersion: number): boolean {
  const deviation = Math.sqrt(mean) * Math.sqrt(1 + dispersion * mean);
  return deviation > longestSum || (deviation > longSum && dispersion * mean > dominance);
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
