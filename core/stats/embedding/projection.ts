import { orthonormaliseRows } from './orthonormal.ts';

/** A fixed frame of the baseline's vectors: what later vectors are measured in. */
export interface EmbeddingProjection {
  /** Length of every vector. */
  readonly dimensions: number;
  readonly mean: Float64Array;
  /** Orthonormal main axes one after another, `deviations.length` × `dimensions`. */
  readonly axes: Float64Array;
  /** Standard deviation of the baseline's vectors along each axis; positive. */
  readonly deviations: readonly number[];
  /** Mean and standard deviation of the distance from the space of the main axes; the deviation may be 0. */
  readonly distanceMean: number;
  readonly distanceDeviation: number;
  /** Distances at which a bin begins, ascending; B edges make B + 1 bins. */
  readonly distanceEdges: readonly number[];
}

/** What is needed of a projection to compare sums made with it: its units, not its axes. */
export type EmbeddingUnits = Pick<
  EmbeddingProjection,
  'deviations' | 'distanceMean' | 'distanceDeviation' | 'distanceEdges'
>;

/** A projection as a layout keeps it: mean and axes in single precision. */
export interface StoredProjection extends EmbeddingUnits {
  readonly mean: ArrayLike<number>;
  /** Row-major, one row for each of `deviations`. */
  readonly axes: ArrayLike<number>;
}

/** Where a vector lies in the frame. */
export interface ProjectedVector {
  /** Position along each axis in standard deviations from the baseline's mean, within ±`scoreLimit`. */
  readonly scores: Float64Array;
  /** Distance from the space of the main axes (the reconstruction error's root), in the vector's own unit. */
  distance: number;
}

/**
 * Scores beyond this many standard deviations count as this many, so that the mean of a few hundred of them is nearly
 * normal far into the tail whatever the vectors are: at p = 4e-7 and 500 vectors a rare cluster far out would make the
 * true rate up to 400 times the nominal one, and with the limit it is 12 times at the worst rarity tried. A limit of 4 would make it 7,
 * and hide from the distance a third of the new topics that it finds now.
 */
export const scoreLimit = 6;

/** Squared distances below this share of the squared length are rounding, and count as 0. */
const roundingShare = 1e-12;

/**
 * Mean and axes as a layout stores them, in single precision: what a baseline is measured by must be what later vectors
 * are measured by. The axes are made orthonormal again after the rounding.
 */
export function roundFrame(
  mean: ArrayLike<number>,
  axes: ArrayLike<number>,
): Pick<EmbeddingProjection, 'dimensions' | 'mean' | 'axes'> {
  const rounded = Float64Array.from(Float32Array.from(axes));
  orthonormaliseRows(rounded, mean.length);
  return { dimensions: mean.length, mean: Float64Array.from(Float32Array.from(mean)), axes: rounded };
}

/** @throws {RangeError} on parts that do not fit together or are not finite: a layout that no fit has made */
export function createProjection(stored: StoredProjection): EmbeddingProjection {
  const { mean, axes, deviations, distanceMean, distanceDeviation, distanceEdges } = stored;
  const refuse = (what: string, seen: unknown): never => {
    throw new RangeError(`embedding projection: expected ${what}, saw ${String(seen)}`);
  };
  if (axes.length !== mean.length * deviations.length) {
    refuse(`${deviations.length} axes of ${mean.length} numbers`, `${axes.length} numbers`);
  }
  const badDeviation = deviations.find((value) => !(value > 0 && value < Number.POSITIVE_INFINITY));
  if (badDeviation !== undefined) refuse('positive finite deviations', badDeviation);
  if (!(distanceDeviation >= 0 && Number.isFinite(distanceDeviation) && Number.isFinite(distanceMean))) {
    refuse('a finite mean and deviation of the distance', `${distanceMean} and ${distanceDeviation}`);
  }
  distanceEdges.forEach((edge, index) => {
    const before = distanceEdges[index - 1] ?? Number.NEGATIVE_INFINITY;
    if (!(edge > before && Number.isFinite(edge))) refuse('ascending finite edges', `${before} and then ${edge}`);
  });
  return { ...roundFrame(mean, axes), deviations, distanceMean, distanceDeviation, distanceEdges };
}

export function createProjectedVector(projection: EmbeddingProjection): ProjectedVector {
  return { scores: new Float64Array(projection.deviations.length), distance: 0 };
}

/**
 * Measures a vector in the frame. False, with `result` undefined in meaning, for what is not a usable vector: another
 * length, a value that is not a finite number, only zeros, or a length too large for a double.
 */
export function projectVector(
  projection: EmbeddingProjection,
  vector: ArrayLike<unknown>,
  result: ProjectedVector,
): boolean {
  const { mean, axes, deviations } = projection;
  const { scores } = result;
  result.distance = scoresOf(mean, axes, vector, scores);
  if (result.distance < 0) return false;
  for (let axis = 0; axis < scores.length; axis++) {
    const standardised = (scores[axis] ?? 0) / (deviations[axis] ?? 1);
    scores[axis] = Math.min(scoreLimit, Math.max(-scoreLimit, standardised));
  }
  return true;
}

/** Whether `projectVector` can measure a vector: its length, and whether its numbers are numbers and not all zero. */
export function isUsableVector(mean: Float64Array, vector: ArrayLike<unknown> | null): boolean {
  if (vector === null || vector.length !== mean.length) return false;
  let squaredLength = 0;
  let isZero = true;
  for (let k = 0; k < mean.length; k++) {
    const value = vector[k];
    if (typeof value !== 'number') return false;
    if (value !== 0) isZero = false;
    const deviation = value - (mean[k] ?? 0);
    squaredLength += deviation * deviation;
  }
  return !isZero && squaredLength < Number.POSITIVE_INFINITY;
}

/**
 * A vector's positions along orthonormal axes, in its own unit, and its distance from the space they span.
 * @param scores takes the positions, one for each axis
 * @returns the distance; −1 for what is not a usable vector (see `projectVector`)
 */
export function scoresOf(
  mean: Float64Array,
  axes: Float64Array,
  vector: ArrayLike<unknown>,
  scores: Float64Array,
): number {
  const dimensions = mean.length;
  if (vector.length !== dimensions) return -1;
  const centred = scratch(dimensions);
  let squaredLength = 0;
  let isZero = true;
  for (let k = 0; k < dimensions; k++) {
    const value = vector[k];
    if (typeof value !== 'number') return -1;
    if (value !== 0) isZero = false;
    const deviation = value - (mean[k] ?? 0);
    centred[k] = deviation;
    squaredLength += deviation * deviation;
  }
  // NaN and infinities, and squares that overflow, all end here.
  if (isZero || !(squaredLength < Number.POSITIVE_INFINITY)) return -1;
  projectOntoAxes(axes, centred, scores);
  let squaredDistance = squaredLength;
  for (let axis = 0; axis < scores.length; axis++) squaredDistance -= (scores[axis] ?? 0) ** 2;
  return squaredDistance > roundingShare * squaredLength ? Math.sqrt(squaredDistance) : 0;
}

/** Dot products of a vector with each axis. Four at a time, because one sum alone waits for its own last addition. */
function projectOntoAxes(axes: Float64Array, centred: Float64Array, scores: Float64Array): void {
  const dimensions = centred.length;
  let axis = 0;
  for (; axis + 4 <= scores.length; axis += 4) {
    const first = axis * dimensions;
    const [second, third, fourth] = [first + dimensions, first + 2 * dimensions, first + 3 * dimensions];
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let k = 0; k < dimensions; k++) {
      const value = centred[k] ?? 0;
      a += (axes[first + k] ?? 0) * value;
      b += (axes[second + k] ?? 0) * value;
      c += (axes[third + k] ?? 0) * value;
      d += (axes[fourth + k] ?? 0) * value;
    }
    scores[axis] = a;
    scores[axis + 1] = b;
    scores[axis + 2] = c;
    scores[axis + 3] = d;
  }
  for (; axis < scores.length; axis++) {
    let score = 0;
    for (let k = 0; k < dimensions; k++) score += (axes[axis * dimensions + k] ?? 0) * (centred[k] ?? 0);
    scores[axis] = score;
  }
}

/** A distance in standard deviations from the baseline's mean, within ±`scoreLimit`; 0 where it never varied. */
export function distanceScore(projection: EmbeddingProjection, distance: number): number {
  const { distanceMean, distanceDeviation } = projection;
  if (distanceDeviation === 0) return 0;
  return Math.min(scoreLimit, Math.max(-scoreLimit, (distance - distanceMean) / distanceDeviation));
}

/** Position of the bin that a distance falls into: the number of edges at or below it. */
export function distanceBin(edges: readonly number[], distance: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] ?? 0) <= distance) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Kept between calls only to spare allocations: every value is written before it is read. */
let buffer = new Float64Array(0);

function scratch(dimensions: number): Float64Array {
  if (buffer.length < dimensions) buffer = new Float64Array(dimensions);
  return buffer.length === dimensions ? buffer : buffer.subarray(0, dimensions);
}
