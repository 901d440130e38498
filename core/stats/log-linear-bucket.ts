/** Scratch to read the bits of a double; never holds a value between calls. */
const bits = new DataView(new ArrayBuffer(8));

/** Bucket of the largest distances, where |v − centre|/unit + 1 overflows. */
const OVERFLOW_BUCKET = 1024 * 128;

/**
 * Log-linear bucket of a value: with u = |v − centre|/unit + 1, the binary exponent of u times 128 plus the top 7 bits
 * of its mantissa, so a bucket is at most 1/128 of u wide. Values at or above the centre get 0, 1, 2, …; values below
 * it −1, −2, …: indices ascend with the value. Total for every finite v; `centre` must be finite, `unit` positive and
 * finite. Distances too large for a double share the outermost buckets (±1024·128).
 */
export function bucketIndex(value: number, centre: number, unit: number): number {
  bits.setFloat64(0, Math.abs(value - centre) / unit + 1);
  const index = (bits.getUint32(0) >>> 13) - 1023 * 128;
  return value < centre ? -index - 1 : index;
}

/**
 * The values of a bucket: `bucketIndex(v, …) === index` exactly for the doubles v with lower ≤ v < upper. `upper` is
 * Infinity, and `lower` −Number.MAX_VALUE, where no finite double lies beyond; a bucket that no double falls into has
 * lower = upper. Neighbours meet: upper of one is lower of the next.
 */
export function bucketBounds(index: number, centre: number, unit: number): { lower: number; upper: number } {
  return { lower: smallestFrom(index, centre, unit), upper: smallestFrom(index + 1, centre, unit) };
}

/** Middle of a bucket by its definition, without regard to rounding; finite. */
export function bucketMidpoint(index: number, centre: number, unit: number): number {
  const magnitude = index >= 0 ? index : -index - 1;
  return clampToFinite(pointAt(index >= 0, (uAt(magnitude) + uAt(magnitude + 1)) / 2, centre, unit));
}

export function clampToFinite(x: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, x));
}

/** Smallest u of a magnitude. */
function uAt(magnitude: number): number {
  if (magnitude >= OVERFLOW_BUCKET) return Number.MAX_VALUE;
  const exponent = Math.floor(magnitude / 128);
  return 2 ** exponent * (1 + (magnitude - exponent * 128) / 128);
}

function pointAt(above: boolean, u: number, centre: number, unit: number): number {
  const distance = (u - 1) * unit;
  return above ? centre + distance : centre - distance;
}

/** The smallest double whose bucket is `index` or higher: −Number.MAX_VALUE if all are, Infinity if none is. */
function smallestFrom(index: number, centre: number, unit: number): number {
  if (index === 0) return centre;
  const reaches = (value: number) => bucketIndex(value, centre, unit) >= index;
  if (reaches(-Number.MAX_VALUE)) return -Number.MAX_VALUE;
  if (!reaches(Number.MAX_VALUE)) return Number.POSITIVE_INFINITY;
  // The definition gives a point some roundings away from the edge; bracket it, then halve down to neighbours.
  const u = index > 0 ? uAt(index) : uAt(-index);
  const guess = clampToFinite(pointAt(index > 0, u, centre, unit));
  const rounding = Math.max(
    Math.abs(guess) * Number.EPSILON,
    clampToFinite(u * unit) * Number.EPSILON,
    Number.MIN_VALUE,
  );
  let below = guess;
  for (let step = rounding; reaches(below); step *= 4) below = clampToFinite(guess - step);
  let from = guess;
  for (let step = rounding; !reaches(from); step *= 4) from = clampToFinite(guess + step);
  for (;;) {
    const middle = below / 2 + from / 2;
    if (middle <= below || middle >= from) return nextDoubles(below, from, reaches);
    if (reaches(middle)) from = middle;
    else below = middle;
  }
}

/** Halving subnormals loses their last bit: looks at what may still lie between two near doubles. */
function nextDoubles(below: number, from: number, reaches: (value: number) => boolean): number {
  const between = below + (from - below) / 2;
  return between > below && between < from && reaches(between) ? between : from;
}
