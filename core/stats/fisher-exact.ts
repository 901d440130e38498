import { hypergeometricUpperTail } from './hypergeometric.ts';
import { logHypergeometricDensity } from './log-density.ts';

/** Tables this much likelier than the one seen still count as unlikely as it: equal ones differ by rounding (as in R). */
const TIE_TOLERANCE = 1e-7;

/**
 * Fisher's exact test of a two-by-two table [[a, b], [c, d]], two-sided: the probability, given the margins, of all
 * tables no likelier than this one. As R's `fisher.test` and scipy's `fisher_exact`. 1 where a margin is 0.
 * Throws RangeError on counts that aren't whole and not negative.
 */
export function fisherExactTest(a: number, b: number, c: number, d: number): number {
  for (const count of [a, b, c, d]) {
    if (!(Number.isSafeInteger(count) && count >= 0)) {
      throw new RangeError(`fisher: expected whole counts of at least 0, saw ${count}`);
    }
  }
  const [drawn, successes, population] = [a + b, a + c, a + b + c + d];
  const least = Math.max(0, drawn + successes - population);
  const most = Math.min(drawn, successes);
  const logDensity = (count: number) => logHypergeometricDensity(count, drawn, successes, population);
  const limit = logDensity(a) + Math.log1p(TIE_TOLERANCE);
  const mode = Math.min(most, Math.max(least, Math.floor(((drawn + 1) / (population + 2)) * (successes + 1))));
  if (least === most || logDensity(mode) <= limit) return 1;
  const upperTail = (count: number) => hypergeometricUpperTail(count, drawn, successes, population);
  const lowerTail = (count: number) =>
    hypergeometricUpperTail(drawn - count, drawn, population - successes, population);
  // The first count beyond the mode on each side whose table is no likelier; none where even the last is likelier.
  const above = findFirst(mode, most, (count) => logDensity(count) <= limit);
  const below = findFirst(mode, least, (count) => logDensity(count) <= limit);
  return Math.min(1, (above === null ? 0 : upperTail(above)) + (below === null ? 0 : lowerTail(below)));
}

/** The count nearest to `from` (exclusive), on the way to `to` (inclusive), from which on a condition holds. */
function findFirst(from: number, to: number, holds: (count: number) => boolean): number | null {
  if (from === to || !holds(to)) return null;
  let [without, within] = [from, to];
  while (Math.abs(within - without) > 1) {
    const middle = Math.floor((without + within) / 2);
    if (holds(middle)) within = middle;
    else without = middle;
  }
  return within;
}
