/** A seeded stream of random numbers: the same seed gives the same numbers on every machine. */
export interface RandomSource {
  /** Uniform in (0, 1), never 0 and never 1. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** A new stream that shares nothing with this one; `label` tells the streams of one seed apart. */
  fork(label: string): RandomSource;
}

/** Chris Doty-Humphrey's sfc32: 128 bits of state, passes PractRand, a few nanoseconds a number. */
class SmallFastCounter implements RandomSource {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  #spareNormal: number | undefined;

  constructor(seed: string) {
    this.#seed = seed;
    const hash = hashText(seed);
    this.#a = hash();
    this.#b = hash();
    this.#c = hash();
    for (let i = 0; i < 16; i++) this.uniform();
  }

  uniform(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return ((sum >>> 0) + 0.5) / 4_294_967_296;
  }

  normal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spareNormal = y * factor;
      return x * factor;
    }
  }

  fork(label: string): RandomSource {
    return new SmallFastCounter(`${this.#seed}/${label}`);
  }
}

export function createRandomSource(seed: string): RandomSource {
  return new SmallFastCounter(seed);
}

/** xmur3: spreads a text over 32-bit words. */
function hashText(text: string): () => number {
  let state = 1_779_033_703 ^ text.length;
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), 3_432_918_353);
    state = (state << 13) | (state >>> 19);
  }
  return () => {
    state = Math.imul(state ^ (state >>> 16), 2_246_822_507);
    state = Math.imul(state ^ (state >>> 13), 3_266_489_909);
    state ^= state >>> 16;
    return state >>> 0;
  };
}
