/** Bits of a chunk; a chunk is a signed integer held in a double, weighing 2^(32·index − 1074). */
const CHUNK_BITS = 32;
const CHUNK_RANGE = 2 ** CHUNK_BITS;
/** Bits −1074 … 1101: the largest double times 2^78, before the top chunk's own headroom. */
const CHUNKS = 68;
/** A chunk is exact below 2^53 and an addition adds less than 2^32, so carries can wait for 2^20 additions. */
const MAXIMUM_PENDING = 2 ** 20;
const FRACTION_BITS = 1074;
/** Hexadecimal digits after the point: 1074 bits and two zero bits. */
const FRACTION_DIGITS = 269;
/** Far above 2^1024 times any count of values, and well within the chunks. */
const INTEGER_DIGITS = 272;
const CANONICAL_TEXT = /^-?(?:0|[1-9a-f][0-9a-f]*)(?:\.[0-9a-f]*[1-9a-f])?$/;

/** Scratch to read the bits of a double; never holds a value between calls. */
const bits = new DataView(new ArrayBuffer(8));

/**
 * Exact sum of doubles: the same values give the same sum, to the bit, in any order, batching and tree of merges.
 *
 * A fixed-point superaccumulator over the whole range of doubles (Kulisch; Neal, "Fast exact summation using small
 * and large superaccumulators", arXiv 1505.05571). An addition touches three chunks and costs some ten nanoseconds.
 */
export class ExactSum {
  readonly #chunks = new Float64Array(CHUNKS);
  /** Additions since the carries were last propagated: every chunk is below (pending + 1)·2^32 in size. */
  #pending = 0;

  /** Adds a finite number. Throws RangeError on NaN and infinities. */
  add(x: number): void {
    if (!Number.isFinite(x)) throw new RangeError(`exact sum: expected a finite number, saw ${x}`);
    if (this.#pending >= MAXIMUM_PENDING) this.#propagateCarries();
    this.#pending++;
    bits.setFloat64(0, x);
    const head = bits.getUint32(0);
    const low = bits.getUint32(4);
    const exponent = (head >>> 20) & 0x7ff;
    const high = exponent === 0 ? head & 0xfffff : (head & 0xfffff) | 0x100000;
    const shift = exponent === 0 ? 0 : exponent - 1;
    const first = shift >>> 5;
    const within = shift & 31;
    const sign = head >>> 31 === 0 ? 1 : -1;
    const chunks = this.#chunks;
    if (within === 0) {
      this.#addToChunk(chunks, first, sign * low);
      this.#addToChunk(chunks, first + 1, sign * high);
    } else {
      const rest = CHUNK_BITS - within;
      this.#addToChunk(chunks, first, sign * ((low << within) >>> 0));
      this.#addToChunk(chunks, first + 1, sign * (((low >>> rest) | (high << within)) >>> 0));
      this.#addToChunk(chunks, first + 2, sign * (high >>> rest));
    }
  }

  /** Adds everything `other` has summed; `other` keeps its sum. */
  merge(other: ExactSum): void {
    if (this.#pending + other.#pending + 1 > MAXIMUM_PENDING) this.#propagateCarries();
    this.#pending += other.#pending + 1;
    const chunks = this.#chunks;
    for (let index = 0; index < CHUNKS; index++) this.#addToChunk(chunks, index, other.#chunks[index] ?? 0);
  }

  /**
   * The exact sum as a hexadecimal fixed-point number, for example `-1a.8` for −26.5: lower case, no leading zeros,
   * no trailing zeros after the point, `0` for nothing. Equal sums give equal texts.
   */
  toString(): string {
    const scaled = this.#toScaledInteger();
    const magnitude = scaled < 0n ? -scaled : scaled;
    const digits = (magnitude << 2n).toString(16).padStart(FRACTION_DIGITS + 1, '0');
    const integer = digits.slice(0, -FRACTION_DIGITS);
    const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, '');
    return `${scaled < 0n ? '-' : ''}${integer}${fraction === '' ? '' : `.${fraction}`}`;
  }

  /** Reads what `toString` writes; throws SyntaxError on any other text. */
  static parse(text: string): ExactSum {
    const [integer = '', fraction = ''] =
      text.length <= INTEGER_DIGITS + FRACTION_DIGITS + 2 && CANONICAL_TEXT.test(text)
        ? text.replace('-', '').split('.')
        : [];
    const lastDigit = fraction.length === FRACTION_DIGITS ? Number.parseInt(fraction.slice(-1), 16) : 0;
    if (
      integer === '' ||
      integer.length > INTEGER_DIGITS ||
      fraction.length > FRACTION_DIGITS ||
      lastDigit % 4 !== 0 ||
      text === '-0'
    ) {
      throw new SyntaxError(
        `exact sum: expected a canonical hexadecimal fixed-point number, saw ${JSON.stringify(text.slice(0, 40))}`,
      );
    }
    const result = new ExactSum();
    let rest = BigInt(`0x${integer}${fraction.padEnd(FRACTION_DIGITS, '0')}`) >> 2n;
    const sign = text.startsWith('-') ? -1 : 1;
    for (let index = 0; rest > 0n; index++) {
      result.#chunks[index] = sign * Number(rest & 0xffffffffn);
      rest >>= 32n;
    }
    return result;
  }

  /** The double nearest to the exact sum (ties to even); ±Infinity beyond the range of doubles. */
  value(): number {
    return roundRatio(this.#toScaledInteger(), 1n);
  }

  /** The double nearest to the exact sum divided by a whole `count` of at least 1; does not overflow where `value` would. */
  dividedBy(count: number): number {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new RangeError(`exact sum: expected a whole count of at least 1, saw ${count}`);
    }
    return roundRatio(this.#toScaledInteger(), BigInt(count));
  }

  #addToChunk(chunks: Float64Array, index: number, amount: number): void {
    chunks[index] = (chunks[index] ?? 0) + amount;
  }

  #propagateCarries(): void {
    const chunks = this.#chunks;
    let carry = 0;
    for (let index = 0; index < CHUNKS - 1; index++) {
      const total = (chunks[index] ?? 0) + carry;
      carry = Math.floor(total / CHUNK_RANGE);
      chunks[index] = total - carry * CHUNK_RANGE;
    }
    this.#addToChunk(chunks, CHUNKS - 1, carry);
    this.#pending = 0;
  }

  /** The sum times 2^1074. */
  #toScaledInteger(): bigint {
    let lowest = 0;
    while (lowest < CHUNKS && this.#chunks[lowest] === 0) lowest++;
    let result = 0n;
    for (let index = CHUNKS - 1; index >= lowest; index--) {
      result = (result << 32n) + BigInt(this.#chunks[index] ?? 0);
    }
    return result << BigInt(CHUNK_BITS * lowest);
  }
}

/** The double nearest to numerator / denominator · 2^−1074, ties to even. */
function roundRatio(numerator: bigint, denominator: bigint): number {
  if (numerator === 0n) return 0;
  const magnitude = numerator < 0n ? -numerator : numerator;
  // Three bits more than a double holds, and the remainder as a sticky bit, decide every rounding.
  const extraBits = Math.max(0, 56 + bitLength(denominator) - bitLength(magnitude));
  const dividend = magnitude << BigInt(extraBits);
  let quotient = (dividend / denominator) << 1n;
  if (dividend % denominator !== 0n) quotient |= 1n;
  const lowestExponent = -FRACTION_BITS - extraBits - 1;
  const exponent = Math.max(lowestExponent + bitLength(quotient) - 53, -FRACTION_BITS);
  const dropped = BigInt(exponent - lowestExponent);
  const half = 1n << (dropped - 1n);
  let rounded = quotient >> dropped;
  const remainder = quotient - (rounded << dropped);
  if (remainder > half || (remainder === half && (rounded & 1n) === 1n)) rounded += 1n;
  const result = exponent > 1023 ? Number.POSITIVE_INFINITY : Number(rounded) * 2 ** exponent;
  return numerator < 0n ? -result : result;
}

function bitLength(x: bigint): number {
  return x.toString(2).length;
}
