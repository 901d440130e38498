/**
 * Benjamini–Hochberg adjusted p-values (q-values), in the order of the input: rejecting those ≤ α keeps the expected
 * share of false discoveries ≤ α for independent or positively dependent tests (Benjamini and Hochberg 1995;
 * Benjamini and Yekutieli 2001). q of rank i = min over ranks j ≥ i of p(j)·k/j, at most 1.
 * Throws RangeError on a p-value outside [0, 1].
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  checkPValues(pValues);
  const descending = pValues.map((p, index) => ({ p, index })).sort((a, b) => b.p - a.p);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let smallest = 1;
  descending.forEach(({ p, index }, position) => {
    const rank = pValues.length - position;
    // The factor first: it is at least 1, so rounding can't push a q-value below its p-value.
    smallest = Math.min(smallest, p * (pValues.length / rank));
    adjusted[index] = smallest;
  });
  return adjusted;
}

/** Bonferroni adjusted p-values: min(1, k·p). Valid under any dependence. Throws RangeError like `benjaminiHochberg`. */
export function bonferroni(pValues: readonly number[]): number[] {
  checkPValues(pValues);
  return pValues.map((p) => Math.min(1, p * pValues.length));
}

function checkPValues(pValues: readonly number[]): void {
  pValues.forEach((p, index) => {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`p-values: expected a number in [0, 1] at ${index}, saw ${p}`);
  });
}
