import { deviance, logBinomialKernel } from './log-density.ts';
import { logNormalUpperTail } from './normal.ts';

/**
 * Regularised incomplete beta function I_x(a, b), P(X ≤ x) for X beta(a, b), with a relative error below 1e-9 in either
 * tail, for a and b from 1e-4 to 1e15. Own code, for logarithms of tails below the smallest double and for large
 * parameters. A continued fraction; where both parameters are above 1e9, Temme's
 * uniform expansion. `complement` is 1 − x where the caller knows it better.
 */

const LARGEST_SUMMED = 1e9;
const LARGEST_PARAMETER = 1e15;

/** I_x(a, b) = P(X ≤ x). */
export function lowerBeta(x: number, a: number, b: number, complement = 1 - x): number {
  const { below, logTail } = logSmallerSide(x, a, b, complement);
  return below ? Math.exp(logTail) : -Math.expm1(logTail);
}

/** 1 − I_x(a, b) = P(X ≥ x). */
export function upperBeta(x: number, a: number, b: number, complement = 1 - x): number {
  return lowerBeta(complement, b, a, x);
}

/** ln I_x(a, b), also where it is below the smallest double. */
export function logLowerBeta(x: number, a: number, b: number, complement = 1 - x): number {
  const { below, logTail } = logSmallerSide(x, a, b, complement);
  return below ? logTail : logOfRest(logTail);
}

/**
 * ln I_x(a, b) from ln x, for x so small (below 1e-100) that I_x(a, b) = x^a/(a·B(a, b)) to the last bit. x itself may be
 * below the smallest double.
 */
export function logLowerBetaNearZero(logX: number, a: number, b: number): number {
  checkParameters(a, b);
  return Math.min(0, a * logX - Math.log(a) - logCompleteBeta(a, b));
}

/** ln B(a, b). */
export function logCompleteBeta(a: number, b: number): number {
  checkParameters(a, b);
  const n = a + b;
  const logPeak = a * Math.log(a / n) + b * Math.log(b / n);
  return logPeak - (logBinomialKernel(a, b, a / n, b / n) + Math.log(a) + Math.log(b) - Math.log(n));
}

/** ln of P(X ≤ x) where x lies below about the mean, else of P(X ≥ x). */
function logSmallerSide(x: number, a: number, b: number, complement: number): { below: boolean; logTail: number } {
  checkParameters(a, b);
  if (!(x >= 0 && complement >= 0 && x <= 1 && complement <= 1)) {
    throw new RangeError(`incomplete beta: expected x in [0, 1], saw ${x}`);
  }
  if (x === 0) return { below: true, logTail: Number.NEGATIVE_INFINITY };
  if (complement === 0) return { below: false, logTail: Number.NEGATIVE_INFINITY };
  const below = x * (b + 1) <= complement * (a + 1);
  const logTail = below ? logLowerSide(x, a, b, complement) : logLowerSide(complement, b, a, x);
  return { below, logTail: Math.min(0, logTail) };
}

function logLowerSide(x: number, a: number, b: number, complement: number): number {
  if (x < 1e-200) return logLowerBetaNearZero(Math.log(x), a, b);
  if (Math.min(a, b) > LARGEST_SUMMED) return logUniformTail(x, a, b, complement);
  // x^a·(1 − x)^b/(a·B(a, b))
  const logFront = logBinomialKernel(a, b, x, complement) + Math.log(b) - Math.log(a + b);
  return logFront + Math.log(continuedFraction(x, a, b, complement));
}

/**
 * a times the continued fraction 1/(β₀ + α₁/(β₁ + α₂/(β₂ + …))), the even part of the usual one. Written in
 * a·(1 − x) − b·x, the distance from the mean, it doesn't cancel where a or b is large (DiDonato and Morris, 1992).
 */
function continuedFraction(x: number, a: number, b: number, complement: number): number {
  const distance = a * complement - b * x;
  const beta = (n: number) =>
    n + (n * (b - n) * x) / (a + 2 * n - 1) + ((a + n) / (a + 2 * n + 1)) * (distance + 1 + n * (1 + complement));
  let c = Number.POSITIVE_INFINITY;
  let d = (a + 1) / (a * (distance + 1));
  let fraction = d;
  // Converges within some √max(a, b) steps; the bound is only there so that no input can hang.
  for (let n = 1; n < 1e8; n++) {
    const alpha = ((a + n - 1) / (a + 2 * n - 1)) * ((a + b + n - 1) / (a + 2 * n - 1)) * n * (b - n) * x * x;
    const next = beta(n);
    c = next + alpha / c;
    d = 1 / (next + alpha * d);
    const factor = c * d;
    fraction *= factor;
    if (Math.abs(factor - 1) < 3e-16) break;
  }
  return a * fraction;
}

/** The normal tail of √(2·deviance) and one correction term, for x below about the mean. */
function logUniformTail(x: number, a: number, b: number, complement: number): number {
  if (a * complement < b * x) return logOfRest(logUniformTail(complement, b, a, x));
  const n = a + b;
  const z = Math.sqrt(2 * (deviance(a, n * x) + deviance(b, n * complement)));
  // (mean − x) in units of the standard deviation a beta variable would have at its mean.
  const distance = Math.abs((a * complement - b * x) / n) * Math.sqrt(n / ((a / n) * (b / n)));
  const logDensity = -0.5 * z * z - 0.5 * Math.log(2 * Math.PI);
  // So far out the normal tail and the correction would cancel.
  if (z > 1e3) return logDensity - Math.log(distance);
  const atMean = (b - a) / (3 * Math.sqrt(n) * Math.sqrt(a) * Math.sqrt(b));
  const correction = z < 1 ? atMean : 1 / distance - 1 / z;
  const logTail = logNormalUpperTail(z);
  return logTail + Math.log1p(correction * Math.exp(logDensity - logTail));
}

/** ln(1 − e^logTail), without loss at either end. */
function logOfRest(logTail: number): number {
  return logTail > -Math.LN2 ? Math.log(-Math.expm1(logTail)) : Math.log1p(-Math.exp(logTail));
}

function checkParameters(a: number, b: number): void {
  for (const parameter of [a, b]) {
    if (!(parameter > 0 && parameter <= LARGEST_PARAMETER)) {
      throw new RangeError(
        `incomplete beta: expected parameters above 0 and at most ${LARGEST_PARAMETER}, saw ${parameter}`,
      );
    }
  }
}
