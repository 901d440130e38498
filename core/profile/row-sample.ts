/**
 * A sample of rows, the same for all columns. Each row has a pseudo-random rank of its own, and the rows below a
 * threshold are kept; where they become too many, the threshold is halved. So the sample depends on nothing but the
 * rows' numbers.
 */
export class RowSample {
  readonly #columns = new Map<string, number[]>();
  #ranks: number[] = [];
  #threshold = 1;

  /** @returns positions of the next rows that are in the sample: their numbers are `first`, `first` + 1, … */
  choose(first: number, rows: number): readonly number[] {
    const chosen: number[] = [];
    for (let row = 0; row < rows; row++) {
      const rank = rankOf(first + row);
      if (rank >= this.#threshold) continue;
      chosen.push(row);
      this.#ranks.push(rank);
    }
    return chosen;
  }

  /** Keeps a column's numbers of the rows just chosen; undefined: the column has none. */
  keep(column: string, chosen: readonly number[], numbers: ArrayLike<number> | undefined): void {
    if (!numbers) return;
    const kept = this.#columns.get(column) ?? [];
    // Batches without this column left a gap.
    while (kept.length < this.#ranks.length - chosen.length) kept.push(Number.NaN);
    for (const row of chosen) kept.push(numbers[row] ?? Number.NaN);
    this.#columns.set(column, kept);
  }

  /** Gives up rows until at most `maximumRows` are left. */
  shrink(maximumRows: number): void {
    while (this.#ranks.length > maximumRows) {
      this.#threshold /= 2;
      const ranks = this.#ranks;
      for (const [column, numbers] of this.#columns) {
        this.#columns.set(
          column,
          numbers.filter((_, index) => (ranks[index] ?? 1) < this.#threshold),
        );
      }
      this.#ranks = ranks.filter((rank) => rank < this.#threshold);
    }
  }

  /** The column's numbers in the sampled rows, in the order of the rows. */
  numbersOf(column: string): readonly number[] {
    return (this.#columns.get(column) ?? []).filter((number) => !Number.isNaN(number));
  }
}

/** A pseudo-random rank in [0, 1) of a row number (the finaliser of MurmurHash3). */
function rankOf(row: number): number {
  let hash = (row ^ 0x9e3779b9) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
