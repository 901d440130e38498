/**
 * First autocorrelation of a centred series, corrected for the downward bias of short series (Kendall 1954):
 * r + (1 + 3r)/pairs, within [−.99, .99]. `follows[t]` says whether value t comes directly after value t − 1.
 * 0 where there are fewer than 8 such pairs, or no variance.
 */
export function estimateAutoregression(values: readonly number[], follows: readonly boolean[]): number {
  let [products, squares, pairs] = [0, 0, 0];
  values.forEach((value, t) => {
    squares += value * value;
    if (t === 0 || !follows[t]) return;
    products += value * (values[t - 1] ?? 0);
    pairs++;
  });
  if (pairs < 8 || !(squares > 0)) return 0;
  const raw = (products / pairs) * (values.length / squares);
  const corrected = raw + (1 + 3 * raw) / pairs;
  return Math.min(0.99, Math.max(-0.99, corrected));
}

/**
 * How many times larger the variance of an EWMA becomes where its values follow an AR(1) process with that coefficient,
 * in (−1, 1): (1 + φ(1 − λ))/(1 − φ(1 − λ)).
 */
export function ewmaVarianceFactor(coefficient: number, lambda: number): number {
  const product = coefficient * (1 - lambda);
  return (1 + product) / (1 - product);
}

/** How many times larger the variance of a long mean becomes: (1 + φ)/(1 − φ). */
export function longRunVarianceFactor(coefficient: number): number {
  return (1 + coefficient) / (1 - coefficient);
}
