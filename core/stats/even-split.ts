import { halfLogTwoPi, stirlingError } from './log-density.ts';

/**
 * ln of the chance that samples from one distribution have the very same counts, given the counts of all of them
 * together: with c_b in bin b and n = Σ c_b in each of k samples,
 * Π_b (k·c_b)!/(c_b!)^k ÷ (k·n)!/(n!)^k. Exact whatever the distribution is (a multivariate hypergeometric probability).
 * 0 where fewer than two bins hold anything: such samples can't differ.
 * @param counts of each sample, whole numbers
 * @param samples at least 1
 * @throws {RangeError} on counts that are none.
 */
export function logEvenSplit(counts: ArrayLike<number>, samples: number): number {
  let total = 0;
  let log = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] ?? 0;
    if (!(Number.isSafeInteger(count) && count >= 0)) {
      throw new RangeError(`even split: expected whole counts of at least 0, saw ${count}`);
    }
    total += count;
    log += logEvenShares(count, samples);
  }
  return Math.min(0, log - logEvenShares(total, samples));
}

/**
 * ln of the multinomial chance (k·c)!/((c!)^k·k^(k·c)) that k·c draws into k equal classes put c into each. By Stirling's
 * formula with its error: all that is large falls out, so that nothing is lost where counts are.
 */
function logEvenShares(count: number, samples: number): number {
  if (count === 0) return 0;
  const all = samples * count;
  return (
    stirlingError(all) -
    samples * stirlingError(count) -
    (samples - 1) * halfLogTwoPi +
    0.5 * (Math.log(all) - samples * Math.log(count))
  );
}
