/** Checks that two rows of counts have the same bins, and gives their totals. Throws RangeError. */
export function totalsOfSameBins(baseline: ArrayLike<number>, current: ArrayLike<number>): [number, number] {
  if (baseline.length !== current.length) {
    throw new RangeError(
      `counts: expected as many current bins as baseline bins (${baseline.length}), saw ${current.length}`,
    );
  }
  return [totalCount(baseline), totalCount(current)];
}

/** Sum of counts; throws RangeError on one that is negative or not finite. */
export function totalCount(counts: ArrayLike<number>): number {
  let total = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] ?? 0;
    if (!(count >= 0 && count < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`counts: expected a finite count of at least 0 in bin ${bin}, saw ${count}`);
    }
    total += count;
  }
  return total;
}
