import { logBinomialDensity, logPoissonDensity } from './log-density.ts';
import { sortSample, visitSteps } from './raw-sample.ts';

/** Up to this product of the sample sizes the distribution is computed exactly (some 20 ms). */
const LARGEST_EXACT_PRODUCT = 4e6;
/** Up to this n·d (half the matrix's size) the one-sample distribution is computed from Durbin's matrix (some 20 ms). */
const LARGEST_MATRIX_HALF = 40;

export interface KolmogorovSmirnovTest {
  /** Largest difference of the two empirical distributions, in [0, 1]. */
  readonly statistic: number;
  /** P(a statistic at least this large | one distribution). */
  readonly pValue: number;
  readonly method: 'exact' | 'asymptotic';
}

export interface KolmogorovSmirnovOptions {
  /**
   * What equal values mean for the exact p-value. `conditional`: it is the share of the orders of this very pooled
   * sample, ties and all (R's `ks.test(exact = TRUE)`); right with ties. `ignored`: as if there were none (scipy's
   * `ks_2samp(method="exact")`, and so the tools built on it); too large with ties. The same where all values differ.
   * @default 'conditional'
   */
  readonly ties?: 'conditional' | 'ignored' | undefined;
  /** @default - exact while n·m ≤ 4·10⁶ */
  readonly method?: 'exact' | 'asymptotic' | undefined;
}

/**
 * Two-sample, two-sided Kolmogorov–Smirnov test on raw samples, for samples of sizes n, m. The p-value is
 * - exact: by counting lattice paths, n·m steps;
 * - asymptotic: the one-sample distribution at n·m/(n + m), rounded, as scipy's `asymp`; with ties it is conservative.
 * An empty sample gives statistic 0, p-value 1. Throws RangeError on NaN.
 */
export function kolmogorovSmirnovTest(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { ties = 'conditional', method }: KolmogorovSmirnovOptions = {},
): KolmogorovSmirnovTest {
  const [n, m] = [x.length, y.length];
  if (n === 0 || m === 0) return { statistic: 0, pValue: 1, method: 'exact' };
  const { largest, tieEnds } = comparePooled(sortSample(x), sortSample(y));
  const statistic = largest / (n * m);
  if (method === 'exact' || (method === undefined && n * m <= LARGEST_EXACT_PRODUCT)) {
    if (ties === 'ignored') tieEnds.fill(1);
    return { statistic, pValue: exactUpperTail(n, m, largest, tieEnds), method: 'exact' };
  }
  const size = Math.max(1, Math.round((n / (n + m)) * m));
  return { statistic, pValue: kolmogorovUpperTail(statistic, size), method: 'asymptotic' };
}

/**
 * P(D ≥ d) of the two-sided one-sample Kolmogorov–Smirnov statistic for a sample of size n (Simard and L'Ecuyer,
 * "Computing the two-sided Kolmogorov–Smirnov distribution", 2011). n·d² > 4: twice Smirnov's one-sided tail. Otherwise
 * Durbin's matrix (Marsaglia, Tsang and Wang 2003) for n·d ≤ 40: both with a relative error below 1e-9. Otherwise
 * Smirnov's tail again from n·d² = 2.2, and Pelz and Good's expansion below, with a relative error below 3e-6.
 */
export function kolmogorovUpperTail(d: number, n: number): number {
  if (!(Number.isSafeInteger(n) && n >= 1))
    throw new RangeError(`kolmogorov: expected a whole size of at least 1, saw ${n}`);
  if (Number.isNaN(d)) throw new RangeError('kolmogorov: expected a statistic, saw NaN');
  if (d <= 0.5 / n) return 1;
  if (d >= 1) return 0;
  const isExactMatrix = n * d <= LARGEST_MATRIX_HALF;
  if (d >= 0.5 || n * d * d > (isExactMatrix ? 4 : 2.2)) return Math.min(1, 2 * smirnovUpperTail(d, n));
  const cumulative = isExactMatrix ? durbinMatrixCumulative(d, n) : pelzGoodCumulative(d, n);
  return Math.min(1, Math.max(0, 1 - cumulative));
}

/** One-sided P(D⁺ ≥ d): Smirnov's and Dwass's sum d·Σ C(n,j)·(1 − d − j/n)^(n−j)·(d + j/n)^(j−1). */
function smirnovUpperTail(d: number, n: number): number {
  let sum = 0;
  for (let j = 0; j <= Math.floor(n * (1 - d)); j++) {
    const share = d + j / n;
    if (share >= 1) break;
    sum += Math.exp(logBinomialDensity(j, n, share)) / share;
  }
  return d * sum;
}

/** P(D < d) as an entry of the n-th power of a matrix of size 2⌈n·d⌉ − 1. */
function durbinMatrixCumulative(d: number, n: number): number {
  const k = Math.floor(n * d) + 1;
  const size = 2 * k - 1;
  const h = k - n * d;
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) matrix[i * size + j] = i - j + 1 >= 0 ? 1 : 0;
  }
  const subtract = (i: number, j: number, amount: number) => {
    matrix[i * size + j] = (matrix[i * size + j] ?? 0) - amount;
  };
  for (let i = 0; i < size; i++) {
    subtract(i, 0, h ** (i + 1));
    subtract(size - 1, i, h ** (size - i));
  }
  if (2 * h > 1) matrix[(size - 1) * size] = (matrix[(size - 1) * size] ?? 0) + (2 * h - 1) ** size;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let factorial = 1;
      for (let g = 2; g <= i - j + 1; g++) factorial *= g;
      matrix[i * size + j] = (matrix[i * size + j] ?? 0) / factorial;
    }
  }
  // Each factor is divided by e so that the power stays in range; n!·eⁿ/nⁿ is 1 over the Poisson(n) density at n.
  const scaled = matrix.map((value) => value / Math.E);
  const centre = matrixPower(scaled, size, n)[(k - 1) * size + k - 1] ?? 0;
  return centre / Math.exp(logPoissonDensity(n, n));
}

function matrixPower(matrix: Float64Array, size: number, exponent: number): Float64Array {
  if (exponent === 1) return matrix;
  const half = matrixPower(matrix, size, Math.floor(exponent / 2));
  const square = multiplyMatrices(half, half, size);
  return exponent % 2 === 0 ? square : multiplyMatrices(square, matrix, size);
}

function multiplyMatrices(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const product = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = a[i * size + k] ?? 0;
      for (let j = 0; j < size; j++) {
        product[i * size + j] = (product[i * size + j] ?? 0) + factor * (b[k * size + j] ?? 0);
      }
    }
  }
  return product;
}

/** P(D < d) to order n^−3/2 (Pelz and Good, "Approximating the lower tail-areas of the Kolmogorov–Smirnov one-sample statistic", 1976). */
function pelzGoodCumulative(d: number, n: number): number {
  const z = Math.sqrt(n) * d;
  const z2 = z * z;
  const z4 = z2 * z2;
  const z6 = z4 * z2;
  const pi2 = Math.PI ** 2;
  const root = Math.sqrt(Math.PI / 2);
  let [order0, order1, order2, order3] = [0, 0, 0, 0];
  let [extra2, extra3] = [0, 0];
  for (let k = Math.ceil((16 * z) / Math.PI) + 1; k > 0; k--) {
    const odd2 = pi2 * (k - 0.5) ** 2;
    const weight = Math.exp(-odd2 / (2 * z2));
    order0 += weight;
    order1 += weight * (odd2 - z2);
    order2 += weight * (6 * z6 + 2 * z4 + odd2 * (2 * z4 - 5 * z2) + odd2 * odd2 * (1 - 2 * z2));
    order3 +=
      weight *
      (-30 * z6 -
        90 * z4 * z4 +
        odd2 * (135 * z4 - 96 * z6) +
        odd2 * odd2 * (212 * z4 - 60 * z2) +
        odd2 ** 3 * (5 - 30 * z2));
    const whole2 = pi2 * k * k;
    const wholeWeight = Math.exp(-whole2 / (2 * z2));
    extra2 += whole2 * wholeWeight;
    extra3 += whole2 * (3 * z2 - whole2) * wholeWeight;
  }
  return (
    2 * root * (order0 / z + order1 / (6 * z4 * Math.sqrt(n))) +
    (2 * root * (order2 / (72 * z6 * z) - extra2 / (36 * z2 * z))) / n +
    (2 * root * (order3 / (6480 * z6 * z4) + extra3 / (216 * z6))) / n ** 1.5
  );
}

/** The statistic times n·m, a whole number, and for each pooled rank whether a group of equal values ends there. */
function comparePooled(x: Float64Array, y: Float64Array): { largest: number; tieEnds: Uint8Array } {
  const [n, m] = [x.length, y.length];
  const tieEnds = new Uint8Array(n + m + 1);
  let largest = 0;
  visitSteps(x, y, (_value, i, j) => {
    tieEnds[i + j] = 1;
    largest = Math.max(largest, Math.abs(i * m - j * n));
  });
  return { largest, tieEnds };
}

/**
 * Share of the orders of the pooled sample whose statistic reaches `largest`. Walks the lattice of (values of x, values
 * of y) seen so far; outside[j] is the share of the paths to (i, j) that have left the band. Only positive terms, so
 * small tails are accurate too.
 */
function exactUpperTail(n: number, m: number, largest: number, tieEnds: Uint8Array): number {
  const outside = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      if (tieEnds[i + j] === 1 && Math.abs(i * m - j * n) >= largest) {
        outside[j] = 1;
      } else if (i + j === 0) {
        outside[j] = 0;
      } else {
        const fromLeft = i === 0 ? 0 : i * (outside[j] ?? 0);
        const fromBelow = j === 0 ? 0 : j * (outside[j - 1] ?? 0);
        outside[j] = (fromLeft + fromBelow) / (i + j);
      }
    }
  }
  return Math.min(1, outside[m] ?? 1);
}
