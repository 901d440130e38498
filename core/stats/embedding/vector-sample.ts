/**
 * A bounded sample of vectors to fit a projection to, the same for the same rows. Each row has a pseudo-random rank of
 * its own, and rows below a threshold are kept; where they become too many, the threshold is halved.
 */
export class VectorSample {
  readonly #maximum: number;
  #kept: { readonly row: number; readonly rank: number; readonly vector: Float32Array }[] = [];
  #threshold = 1;

  /** @param maximum vectors kept at most; at least half as many are, where there are as many */
  constructor(maximum = 10_000) {
    if (!(Number.isSafeInteger(maximum) && maximum >= 2)) {
      throw new RangeError(`vector sample: expected a maximum of at least 2, saw ${maximum}`);
    }
    this.#maximum = maximum;
  }

  /** Offers the vector of a row; numbers that are not finite as a 32-bit float make it unusable and it is left out. */
  add(row: number, vector: ArrayLike<number>): void {
    const rank = rankOf(row);
    if (rank >= this.#threshold) return;
    const copy = Float32Array.from(vector);
    if (copy.length === 0 || !copy.every(Number.isFinite) || copy.every((value) => value === 0)) return;
    this.#kept.push({ row, rank, vector: copy });
    while (this.#kept.length > this.#maximum) {
      this.#threshold /= 2;
      this.#kept = this.#kept.filter((kept) => kept.rank < this.#threshold);
    }
  }

  /**
   * The sample in two halves, in the order of the rows' ranks: one to find the axes by, one to measure them with. A
   * projection fits the vectors that it was made of better than others: what it is judged by must not be among them.
   */
  halves(): VectorHalves {
    const length = mostFrequentLength(this.#kept.map(({ vector }) => vector.length));
    const usable = this.#kept
      .filter(({ vector }) => vector.length === length)
      .sort((a, b) => a.rank - b.rank || a.row - b.row);
    return {
      fitting: usable.filter((_, index) => index % 2 === 0),
      measuring: usable.filter((_, index) => index % 2 === 1),
    };
  }
}

/** Vectors to find axes by, and others to measure them with. */
export interface VectorHalves {
  readonly fitting: readonly SampledVector[];
  readonly measuring: readonly SampledVector[];
}

export interface SampledVector {
  readonly row: number;
  readonly vector: Float32Array;
}

function mostFrequentLength(lengths: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1);
  let [best, most] = [0, 0];
  for (const [length, count] of counts) {
    if (count > most || (count === most && length < best)) [best, most] = [length, count];
  }
  return best;
}

/** A pseudo-random rank in [0, 1) of a row number (the finaliser of MurmurHash3). */
function rankOf(row: number): number {
  let hash = (row ^ 0x5bd1e995) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
