import { dot, orthonormaliseRows } from './orthonormal.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

/** Directions in which vectors vary most. */
export interface PrincipalAxes {
  readonly mean: Float64Array;
  /** Orthonormal axes one after another (row-major), by falling variance. */
  readonly axes: Float64Array;
  /** Variance of the vectors along each axis. */
  readonly variances: readonly number[];
  /** Mean squared distance of the vectors from their mean: the sum of the variances along all dimensions. */
  readonly totalVariance: number;
}

/** More axes than wanted are iterated, so that the wanted ones settle fast where variances lie close together. */
const extraAxes = 8;
const maximumIterations = 30;
/** Iteration ends when the variance that the axes hold grows by less than this share. */
const tolerance = 1e-6;
/** An axis with less than this share of the first one's variance is rounding. */
const negligibleShare = 1e-9;

/**
 * The principal axes of vectors of one length, by orthogonal iteration with a Rayleigh–Ritz step (Halko, Martinsson and
 * Tropp 2011, arXiv 0909.4061). Deterministic: the start is fixed. Costs about 40·vectors·dimensions·axes
 * multiplications. Gives fewer axes than wanted where the vectors vary in fewer directions.
 */
export function principalAxes(vectors: readonly ArrayLike<number>[], wanted: number): PrincipalAxes {
  const dimensions = vectors[0]?.length ?? 0;
  const mean = meanOf(vectors, dimensions);
  const centred = vectors.map((vector) => Float64Array.from(mean, (value, k) => (vector[k] ?? 0) - value));
  const totalVariance = centred.reduce((sum, row) => sum + dot(row, row), 0) / Math.max(1, centred.length);
  const none: PrincipalAxes = { mean, axes: new Float64Array(0), variances: [], totalVariance };
  const size = Math.min(wanted + extraAxes, dimensions, Math.max(0, centred.length - 1));
  if (size === 0 || wanted <= 0 || !(totalVariance > 0)) return none;

  let axes = startingAxes(size, dimensions);
  let held = 0;
  let variances: readonly number[] = [];
  for (let iteration = 0; iteration < maximumIterations; iteration++) {
    const image = applyCovariance(centred, axes, size);
    const eigen = symmetricEigen(gramMatrix(axes, image, size, dimensions));
    variances = eigen.values;
    axes = combineRows(eigen.vectors, image, dimensions);
    orthonormaliseRows(axes, dimensions);
    const now = variances.slice(0, wanted).reduce((sum, value) => sum + value, 0);
    const settled = now - held <= tolerance * now;
    held = now;
    if (settled && iteration > 0) break;
  }
  const largest = variances[0] ?? 0;
  const kept = variances.filter((value, i) => i < wanted && value > negligibleShare * largest && value > 0);
  return { mean, axes: axes.slice(0, kept.length * dimensions), variances: kept, totalVariance };
}

function meanOf(vectors: readonly ArrayLike<number>[], dimensions: number): Float64Array {
  const mean = new Float64Array(dimensions);
  vectors.forEach((vector, index) => {
    // A running mean: a sum of large numbers could overflow.
    for (let k = 0; k < dimensions; k++) {
      const old = mean[k] ?? 0;
      mean[k] = old + ((vector[k] ?? 0) - old) / (index + 1);
    }
  });
  return mean;
}

/** Pseudo-random rows: any fixed start that is not orthogonal to the axes will do. */
function startingAxes(size: number, dimensions: number): Float64Array {
  let state = 0x9e3779b9;
  const axes = Float64Array.from({ length: size * dimensions }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
  orthonormaliseRows(axes, dimensions);
  return axes;
}

/** Rows of `axes` times the covariance matrix, which is never formed. */
function applyCovariance(centred: readonly Float64Array[], axes: Float64Array, size: number): Float64Array {
  const image = new Float64Array(axes.length);
  const dimensions = axes.length / size;
  for (const row of centred) {
    for (let i = 0; i < size; i++) {
      const offset = i * dimensions;
      let score = 0;
      for (let k = 0; k < dimensions; k++) score += (axes[offset + k] ?? 0) * (row[k] ?? 0);
      score /= centred.length;
      for (let k = 0; k < dimensions; k++) image[offset + k] = (image[offset + k] ?? 0) + score * (row[k] ?? 0);
    }
  }
  return image;
}

function gramMatrix(a: Float64Array, b: Float64Array, size: number, dimensions: number): Float64Array[] {
  const row = (m: Float64Array, i: number) => m.subarray(i * dimensions, (i + 1) * dimensions);
  return Array.from({ length: size }, (_, i) =>
    // Symmetric but for rounding; the mean of both halves is symmetric to the bit.
    Float64Array.from({ length: size }, (_, j) => (dot(row(a, i), row(b, j)) + dot(row(a, j), row(b, i))) / 2),
  );
}

function combineRows(weights: readonly Float64Array[], rows: Float64Array, dimensions: number): Float64Array {
  const result = new Float64Array(weights.length * dimensions);
  weights.forEach((weight, i) => {
    weight.forEach((share, j) => {
      for (let k = 0; k < dimensions; k++) {
        result[i * dimensions + k] = (result[i * dimensions + k] ?? 0) + share * (rows[j * dimensions + k] ?? 0);
      }
    });
  });
  return result;
}
