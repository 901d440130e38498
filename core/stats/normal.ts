import erfc from '@stdlib/math-base-special-erfc';

const HALF_LOG_TWO_PI = 0.9189385332046727;

/** P(Z ≥ z) of the standard normal distribution, accurate in relative terms down to 1e-300. */
export function normalUpperTail(z: number): number {
  if (Number.isNaN(z)) throw new RangeError('normal: expected a number, saw NaN');
  return 0.5 * erfc(z / Math.SQRT2);
}

/** ln P(Z ≥ z), also where the tail itself is below the smallest double. */
export function logNormalUpperTail(z: number): number {
  if (z < 0) return Math.log1p(-normalUpperTail(-z));
  if (!(z >= 10)) return Math.log(normalUpperTail(z));
  if (z === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY;
  return -0.5 * z * z - HALF_LOG_TWO_PI - Math.log(inverseMillsRatio(z));
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
    const logTail = logNormalUpperTail(z);
    const slope = Math.exp(-0.5 * z * z - HALF_LOG_TWO_PI - logTail);
    const next = Math.max(0, z + (logTail - target) / slope);
    if (Math.abs(next - z) <= 2 * Number.EPSILON * z) return next;
    z = next;
  }
  return z;
}

/** Density over tail, for z ≥ 10: Laplace's continued fraction z + 1/(z + 2/(z + 3/(z + …))), from inside out. */
function inverseMillsRatio(z: number): number {
  let ratio = z;
  for (let k = 30; k >= 1; k--) ratio = z + k / ratio;
  return ratio;
}
