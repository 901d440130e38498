/**
 * Logarithms of the Poisson, binomial and hypergeometric probabilities, accurate for counts up to 1e15: Loader's
 * saddle-point form ("Fast and accurate computation of binomial probabilities", 2000), which never subtracts large
 * logarithms of factorials.
 */

/** ½·ln 2π. */
export const halfLogTwoPi = 0.9189385332046727;

/** ln of Poisson(mean) at x ≥ 0; x need not be whole (then ln of e^−mean·mean^x/Γ(x+1)). */
export function logPoissonDensity(x: number, mean: number): number {
  if (mean === 0) return x === 0 ? 0 : Number.NEGATIVE_INFINITY;
  if (x === 0) return -mean;
  return -stirlingError(x) - deviance(x, mean) - halfLogTwoPi - 0.5 * Math.log(x);
}

/** ln P(X = k), X binomial(n, p); `complement` is 1 − p where the caller knows it better. */
export function logBinomialDensity(k: number, n: number, p: number, complement = 1 - p): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  if (p === 0) return k === 0 ? 0 : Number.NEGATIVE_INFINITY;
  if (complement === 0) return k === n ? 0 : Number.NEGATIVE_INFINITY;
  if (k === 0) return n * (p < 0.1 ? Math.log1p(-p) : Math.log(complement));
  if (k === n) return n * (p > 0.5 ? Math.log1p(-complement) : Math.log(p));
  return logBinomialKernel(k, n - k, p, complement);
}

/** ln of Γ(k + r + 1)/(Γ(k + 1)·Γ(r + 1))·p^k·complement^r, for k, r > 0 that need not be whole. */
export function logBinomialKernel(k: number, r: number, p: number, complement: number): number {
  const n = k + r;
  return (
    stirlingError(n) -
    stirlingError(k) -
    stirlingError(r) -
    deviance(k, n * p) -
    deviance(r, n * complement) +
    0.5 * (Math.log(n / k) - Math.log(r)) -
    halfLogTwoPi
  );
}

/** ln P(X = k), X the number of successes among `drawn` of a population. */
export function logHypergeometricDensity(k: number, drawn: number, successes: number, population: number): number {
  const failures = population - successes;
  const p = drawn / population;
  const complement = (population - drawn) / population;
  return (
    logBinomialDensity(k, successes, p, complement) +
    logBinomialDensity(drawn - k, failures, p, complement) -
    logBinomialDensity(drawn, population, p, complement)
  );
}

/** ln Γ(x + 1) − (x + ½)·ln x + x − ½·ln 2π, for x > 0. */
export function stirlingError(x: number): number {
  // The recurrence s(x) = s(x+1) + (x + ½)·ln(1 + 1/x) − 1 moves x to where the series is exact in double precision.
  let shifted = 0;
  let y = x;
  while (y < 16) {
    shifted += (y + 0.5) * Math.log1p(1 / y) - 1;
    y++;
  }
  const square = 1 / (y * y);
  const series =
    1 / 12 -
    square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188 - square * (691 / 360360)))));
  return shifted + series / y;
}

/** x·ln(x/mean) + mean − x ≥ 0, for x, mean > 0, without cancellation where x is near the mean. */
export function deviance(x: number, mean: number): number {
  const ratio = (x - mean) / (x + mean);
  if (Math.abs(ratio) >= 0.1) {
    const quotient = x / mean;
    const isRepresentable = quotient > 0 && quotient < Number.POSITIVE_INFINITY;
    return x * (isRepresentable ? Math.log(quotient) : Math.log(x) - Math.log(mean)) + mean - x;
  }
  let term = 2 * x * ratio;
  let sum = (x - mean) * ratio;
  for (let odd = 3; odd < 60; odd += 2) {
    term *= ratio * ratio;
    const next = sum + term / odd;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}
