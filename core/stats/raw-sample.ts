/** A sorted copy; −0 counts as 0. Throws RangeError on NaN. */
export function sortSample(sample: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(sample, (value) => value + 0).sort();
  // Sorting puts NaN last.
  if (Number.isNaN(sorted.at(-1))) throw new RangeError('sample: expected numbers, saw NaN');
  return sorted;
}

/**
 * Visits the distinct values of two sorted samples, ascending, with how many values of each sample are at most that:
 * the steps of both empirical distributions.
 */
export function visitSteps(
  x: Float64Array,
  y: Float64Array,
  visit: (value: number, atMostX: number, atMostY: number) => void,
): void {
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    // Past the end of one sample the other decides; Infinity itself may be a value.
    const value = Math.min(x[i] ?? Number.POSITIVE_INFINITY, y[j] ?? Number.POSITIVE_INFINITY);
    while (i < x.length && x[i] === value) i++;
    while (j < y.length && y[j] === value) j++;
    visit(value, i, j);
  }
}
