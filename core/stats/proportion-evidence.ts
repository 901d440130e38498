import { logLowerBeta } from './incomplete-beta.ts';
import { logBinomialDensity } from './log-density.ts';

/** Largest number of trials: beyond it whole numbers and the beta function lose their last digits. */
const LARGEST_TRIALS = 1e14;

/**
 * ln of the evidence against "each trial succeeds with probability atLeast or more": an e-value. 0 without trials, above
 * ln(1/α) with probability at most α however often it is looked at while trials come in (Ville's inequality).
 *
 *   E = (1/p₀)·∫₀^{p₀} (p/p₀)^k·((1 − p)/(1 − p₀))^{n−k} dp = B(k+1, n−k+1)·I_{p₀}(k+1, n−k+1) / (p₀^{k+1}·(1 − p₀)^{n−k})
 *
 * A likelihood ratio averaged over all worse rates. Its mean grows by no trial whose rate is atLeast or more, so rates may
 * vary and trials may depend on the past.
 * @param successes k, a whole number from 0 to trials
 * @param trials n, a whole number up to 1e14
 * @param atLeast p₀, in (0, 1)
 * @throws {RangeError} on other values
 */
export function logProportionEvidence(successes: number, trials: number, atLeast: number): number {
  if (!(Number.isSafeInteger(trials) && trials >= 0 && trials <= LARGEST_TRIALS)) {
    throw new RangeError(
      `proportion evidence: expected a whole number of trials up to ${LARGEST_TRIALS}, saw ${trials}`,
    );
  }
  if (!(Number.isSafeInteger(successes) && successes >= 0 && successes <= trials)) {
    throw new RangeError(`proportion evidence: expected whole successes from 0 to ${trials}, saw ${successes}`);
  }
  if (!(atLeast > 0 && atLeast < 1)) {
    throw new RangeError(`proportion evidence: expected a rate in (0, 1), saw ${atLeast}`);
  }
  if (trials === 0) return 0;
  // B(k+1, n−k+1) = 1/((n+1)·(n choose k)): by the binomial density nothing large is subtracted.
  const logTail = logLowerBeta(atLeast, successes + 1, trials - successes + 1);
  return logTail - Math.log(atLeast) - Math.log1p(trials) - logBinomialDensity(successes, trials, atLeast);
}

/** ln of the mean of values given by their logarithms; −Infinity of none. */
export function logMean(logValues: readonly number[]): number {
  const largest = logValues.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (largest === Number.NEGATIVE_INFINITY || largest === Number.POSITIVE_INFINITY) return largest;
  const sum = logValues.reduce((total, value) => total + Math.exp(value - largest), 0);
  return largest + Math.log(sum / logValues.length);
}
