import { logBinomialDensity } from './log-density.ts';
import { sumFallingTerms } from './tail-sum.ts';

/**
 * P(X ≥ k), X binomial(n, p), accurate in relative terms far into the tail, for n up to 1e12 (time grows like the
 * standard deviation). 1 for k ≤ 0, 0 for k > n. Throws RangeError on n that isn't a whole number ≥ 0 and p outside [0, 1].
 */
export function binomialUpperTail(k: number, n: number, p: number): number {
  if (!(Number.isSafeInteger(n) && n >= 0))
    throw new RangeError(`binomial: expected a whole n of at least 0, saw ${n}`);
  if (!(p >= 0 && p <= 1)) throw new RangeError(`binomial: expected a probability in [0, 1], saw ${p}`);
  if (Number.isNaN(k)) throw new RangeError('binomial: expected a number of successes, saw NaN');
  const least = Math.ceil(k);
  if (least <= 0) return 1;
  if (least > n || p === 0) return 0;
  if (p === 1) return 1;
  const odds = p / (1 - p);
  if (least > n * p) {
    const first = Math.exp(logBinomialDensity(least, n, p));
    return Math.min(
      1,
      sumFallingTerms(first, (step) => ((n - least - step) / (least + step + 1)) * odds),
    );
  }
  const most = least - 1;
  const first = Math.exp(logBinomialDensity(most, n, p));
  const lowerTail = sumFallingTerms(first, (step) => (most - step) / ((n - most + step + 1) * odds));
  return Math.max(0, 1 - lowerTail);
}
