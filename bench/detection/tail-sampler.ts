import { addMultinomial, sampleGamma } from './count-samplers.ts';
import type { RandomSource } from './random-source.ts';

/** A sample with its weight: the weighted mean of anything is its expectation under the multinomial. */
export interface WeightedCounts {
  readonly counts: readonly number[];
  readonly weight: number;
}

/**
 * Importance sampling of the tail of a multinomial with equal shares. Half of the samples are the multinomial's own;
 * the others have shares drawn from a Dirichlet distribution, so that χ² statistics are about `inflation` times as
 * large. The likelihood ratio is exact and never above 2, whatever is estimated.
 */
export class TailSampler {
  readonly #random: RandomSource;
  readonly #bins: number;
  readonly #records: number;
  readonly #concentration: number;
  /** Σ of ln(concentration of one bin + i) and of all bins, i < k. */
  readonly #binTable: Float64Array;
  readonly #allTable: Float64Array;

  /** @param inflation above 1 */
  constructor(random: RandomSource, bins: number, records: number, inflation: number) {
    this.#random = random;
    this.#bins = bins;
    this.#records = records;
    this.#concentration = (records - inflation) / (inflation - 1);
    this.#binTable = sumLogarithms(this.#concentration / bins, records);
    this.#allTable = sumLogarithms(this.#concentration, records);
  }

  draw(): WeightedCounts {
    const counts = new Float64Array(this.#bins);
    addMultinomial(this.#random, this.#records, this.#drawShares(), counts, 0);
    // ln of the Dirichlet-multinomial density over the multinomial one.
    let logarithm = this.#records * Math.log(this.#bins) - (this.#allTable[this.#records] ?? 0);
    for (const count of counts) logarithm += this.#binTable[count] ?? 0;
    return { counts: [...counts], weight: 2 / (1 + Math.exp(logarithm)) };
  }

  #drawShares(): number[] {
    const bins = this.#bins;
    if (this.#random.uniform() < 0.5) return new Array<number>(bins).fill(1 / bins);
    const gammas = Array.from({ length: bins }, () => sampleGamma(this.#random, this.#concentration / bins));
    const total = gammas.reduce((sum, gamma) => sum + gamma, 0);
    return gammas.map((gamma) => gamma / total);
  }
}

function sumLogarithms(start: number, length: number): Float64Array {
  const sums = new Float64Array(length + 1);
  for (let i = 0; i < length; i++) sums[i + 1] = (sums[i] ?? 0) + Math.log(start + i);
  return sums;
}
