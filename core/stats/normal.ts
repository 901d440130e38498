import erfc from '@stdlib/math-base-special-erfc';

/** P(Z ≥ z) of the standard normal distribution, accurate in relative terms down to 1e-300. */
export function normalUpperTail(z: number): number {
  if (Number.isNaN(z)) throw new RangeError('normal: expected a number, saw NaN');
  return 0.5 * erfc(z / Math.SQRT2);
}

/** The z with P(Z ≤ z) = probability; ∓Infinity at 0 and 1. */
export function normalQuantile(probability: number): number {
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(`normal: expected a probability in [0, 1], saw ${probability}`);
  }
  return probability <= 0.5 ? -upperQuantile(probability) : upperQuantile(1 - probability);
}

/** The z with P(Z ≥ z) = tail; accurate for tiny tails, where 1 − tail is not. */
export function normalUpperQuantile(tail: number): number {
  return -normalQuantile(tail);
}

function upperQuantile(tail: number): number {
  if (tail === 0) return Number.POSITIVE_INFINITY;
  if (tail === 0.5) return 0;
  // Newton on the logarithm of the tail, which is concave: from any start it converges, quadratically at the end.
  const target = Math.log(tail);
  let z = Math.sqrt(Math.max(0, -2 * target - Math.log(2 * Math.PI) - 1));
  for (let step = 0; step < 60; step++) {
    const upperTail = normalUpperTail(z);
    const slope = Math.exp(-0.5 * z * z - 0.5 * Math.log(2 * Math.PI)) / upperTail;
    const next = Math.max(0, z + (Math.log(upperTail) - target) / slope);
    if (Math.abs(next - z) <= 2 * Number.EPSILON * z) return next;
    z = next;
  }
  return z;
}
