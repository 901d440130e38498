/**
 * Sum of probabilities f(start) + f(start ± 1) + … given f(start) and the ratio of each to the one before, for a
 * sequence that falls off (away from its mode). Relative to f(start), stopped where the rest can't change the sum.
 */
export function sumFallingTerms(first: number, ratioAfter: (step: number) => number): number {
  let term = first;
  let sum = first;
  for (let step = 0; term > 0; step++) {
    const ratio = ratioAfter(step);
    term *= ratio;
    sum += term;
    // The rest is at most a geometric series, as the ratios fall.
    if (ratio < 1 && term < sum * 1e-17 * (1 - ratio)) break;
  }
  return sum;
}
