import type { RandomSource } from './random-source.ts';

/** Identifiers that are drawn one by one; the rest of a million are too rare to be kept by any baseline. */
const followed = 6_000;
const population = 1_000_000;

/** Draws identifiers whose share falls like rank^−exponent: rank from 0, or −1 for one of the rare ones. */
export class ZipfIdentifiers {
  readonly #cumulative: Float64Array;
  readonly #guide: Int32Array;

  constructor(exponent: number) {
    let total = 0;
    for (let rank = population; rank >= 1; rank--) total += rank ** -exponent;
    this.#cumulative = new Float64Array(followed);
    let below = 0;
    for (let rank = 0; rank < followed; rank++) {
      below += (rank + 1) ** -exponent / total;
      this.#cumulative[rank] = below;
    }
    // Where to start looking, by the first three digits of the uniform number.
    this.#guide = new Int32Array(1_001).fill(followed);
    let rank = 0;
    for (let step = 0; step <= 1_000; step++) {
      while (rank < followed && (this.#cumulative[rank] ?? 1) < step / 1_000) rank++;
      this.#guide[step] = rank;
    }
  }

  draw(random: RandomSource): number {
    const u = random.uniform();
    let rank = this.#guide[Math.floor(u * 1_000)] ?? followed;
    while (rank < followed && (this.#cumulative[rank] ?? 1) < u) rank++;
    return rank < followed ? rank : -1;
  }

  /** Counts of the followed identifiers, and last those of all rare ones. */
  count(random: RandomSource, records: number): Uint32Array {
    const counts = new Uint32Array(followed + 1);
    for (let record = 0; record < records; record++) {
      const rank = this.draw(random);
      const place = rank < 0 ? followed : rank;
      counts[place] = (counts[place] ?? 0) + 1;
    }
    return counts;
  }
}
