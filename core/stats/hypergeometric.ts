import { logHypergeometricDensity } from './log-density.ts';
import { sumFallingTerms } from './tail-sum.ts';

/**
 * P(X ≥ k), X the number of successes among `drawn` records drawn without replacement from a `population` that holds
 * `successes` of them. The exact test of a new category or of missing values: with both rows pooled, `drawn` is the
 * current row's size and k its count. Accurate in relative terms far into the tail, for populations up to 1e12 (time
 * grows like the standard deviation). 1 where k is at or below the least possible, 0 above the most.
 * Throws RangeError on parameters that aren't whole or don't fit the population.
 */
export function hypergeometricUpperTail(k: number, drawn: number, successes: number, population: number): number {
  for (const [name, value, most] of [
    ['population', population, Number.MAX_SAFE_INTEGER],
    ['drawn', drawn, population],
    ['successes', successes, population],
  ] as const) {
    if (!(Number.isSafeInteger(value) && value >= 0 && value <= most)) {
      throw new RangeError(`hypergeometric: expected a whole ${name} from 0 to ${most}, saw ${value}`);
    }
  }
  if (Number.isNaN(k)) throw new RangeError('hypergeometric: expected a number of successes, saw NaN');
  const least = Math.ceil(k);
  if (least <= Math.max(0, drawn - (population - successes))) return 1;
  if (least > Math.min(drawn, successes)) return 0;
  const othersNotDrawn = population - successes - drawn;
  const probability = (count: number) => Math.exp(logHypergeometricDensity(count, drawn, successes, population));
  if (least > (drawn / population) * successes) {
    const ratio = (step: number) => {
      const count = least + step;
      return ((successes - count) / (count + 1)) * ((drawn - count) / (othersNotDrawn + count + 1));
    };
    return Math.min(1, sumFallingTerms(probability(least), ratio));
  }
  const most = least - 1;
  const ratio = (step: number) => {
    const count = most - step;
    return (count / (successes - count + 1)) * ((othersNotDrawn + count) / (drawn - count + 1));
  };
  return Math.max(0, 1 - sumFallingTerms(probability(most), ratio));
}
