/** Checks that two rows of counts have the same bins, and gives their totals. Throws RangeError. */
export function totalsOfSameBins(baseline: ArrayLike<number>, current: ArrayLike<number>): [number, number] {
  if (baseline.length !== current.length) {
    throw new RangeError(
      `counts: expected as many current bins as baseline bins (${baseline.length}), saw ${current.length}`,
    );
  }
  return [totalCount(baseline), totalCount(current)];
}

/** From here on products of counts leave the range of doubles. */
const LARGEST_TOTAL = 1e100;

/** Sum of counts; throws RangeError on one that is negative or not finite, and on a sum above 1e100. */
export function totalCount(counts: ArrayLike<number>): number {
  let total = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] ?? 0;
    if (!(count >= 0 && count < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`counts: expected a finite count of at least 0 in bin ${bin}, saw ${count}`);
    }
    total += count;
  }
  if (total > LARGEST_TOTAL) throw new RangeError(`counts: expected a total of at most ${LARGEST_TOTAL}, saw ${total}`);
  return total;
}
