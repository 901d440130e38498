import { dot } from './orthonormal.ts';
import { principalAxes } from './principal-axes.ts';
import { type EmbeddingProjection, roundFrame, scoresOf } from './projection.ts';

/** Main axes kept at most. */
const maximumAxes = 32;
/** Fewer vectors than this in either half can't carry a projection. */
export const minimumVectorsPerHalf = 50;
/** An axis needs so many vectors to be found by. */
const vectorsPerAxis = 10;
/** Shares of the baseline below the edges of the distance: deciles, and two bins where strangers gather. */
const edgeProbabilities = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
/** Vectors longer than this many times the median are left out of the fit; they are counted all the same. */
const giantFactor = 100;
/** Distances this close together are one distance. */
const sameDistanceShare = 1e-9;
const smallestNormal = 2 ** -1022;

/** A fitted projection, and what to know of it. */
export interface FittedProjection {
  readonly projection: EmbeddingProjection;
  /** Share of the vectors' variance that lies along the main axes. */
  readonly explainedShare: number;
}

/**
 * Fits a projection: axes by one half of a sample, standard deviations and edges by the other, so that they hold for
 * vectors that the axes have not seen. Undefined where a half has fewer than `minimumVectorsPerHalf` vectors.
 * Vectors a hundred times longer than most take no part.
 * @param fitting vectors of one length, finite
 * @param measuring others of the same length
 */
export function fitProjection(
  fitting: readonly ArrayLike<number>[],
  measuring: readonly ArrayLike<number>[],
): FittedProjection | undefined {
  const [fit = [], measured = []] = withoutGiants(fitting, measuring);
  if (fit.length < minimumVectorsPerHalf || measured.length < minimumVectorsPerHalf) return undefined;
  // Half of the dimensions are left to the distance: without a rest it would say nothing.
  const mostByLength = Math.max(1, Math.floor((fit[0]?.length ?? 0) / 2));
  const wanted = Math.min(maximumAxes, mostByLength, Math.floor(fit.length / vectorsPerAxis));
  const { mean, axes, variances, totalVariance } = principalAxes(fit, wanted);
  const frame = roundFrame(mean, axes);
  const { deviations, distances } = measureFrame(frame, variances.length, measured);
  return {
    projection: {
      ...frame,
      deviations,
      ...momentsOf(distances),
      distanceEdges: chooseDistanceEdges(distances),
    },
    explainedShare: totalVariance > 0 ? variances.reduce((sum, value) => sum + value, 0) / totalVariance : 0,
  };
}

/** Without vectors absurdly longer than others: a single one would turn the first axis towards itself. */
function withoutGiants(...halves: readonly (readonly ArrayLike<number>[])[]): readonly ArrayLike<number>[][] {
  const lengths = halves.map((half) => half.map((vector) => Math.sqrt(dot(vector, vector))));
  const sorted = lengths.flat().sort((a, b) => a - b);
  const longest = giantFactor * (sorted[sorted.length >> 1] ?? 0);
  return halves.map((half, index) => half.filter((_, i) => (lengths[index]?.[i] ?? 0) <= longest));
}

/** Standard deviations of the scores, and the distances, of vectors that the axes were not fitted to. */
function measureFrame(
  { mean, axes }: Pick<EmbeddingProjection, 'mean' | 'axes'>,
  axisCount: number,
  measuring: readonly ArrayLike<number>[],
): { readonly deviations: readonly number[]; readonly distances: readonly number[] } {
  const scores = new Float64Array(axisCount);
  const means = new Float64Array(axisCount);
  const squares = new Float64Array(axisCount);
  const distances: number[] = [];
  for (const vector of measuring) {
    const distance = scoresOf(mean, axes, vector, scores);
    if (distance < 0) continue;
    distances.push(distance);
    // Welford's update.
    scores.forEach((score, axis) => {
      const before = score - (means[axis] ?? 0);
      means[axis] = (means[axis] ?? 0) + before / distances.length;
      squares[axis] = (squares[axis] ?? 0) + before * (score - (means[axis] ?? 0));
    });
  }
  const deviations = Array.from(squares, (square) => Math.sqrt(square / Math.max(1, distances.length - 1)));
  // An axis along which these do not vary at all says nothing; any positive unit will do.
  const fallback = Math.max(...deviations, smallestNormal);
  return { deviations: deviations.map((value) => (value > 0 ? value : fallback)), distances };
}

function momentsOf(distances: readonly number[]): { distanceMean: number; distanceDeviation: number } {
  let [mean, squares] = [0, 0];
  distances.forEach((distance, index) => {
    const before = distance - mean;
    mean += before / (index + 1);
    squares += before * (distance - mean);
  });
  const deviation = Math.sqrt(squares / Math.max(1, distances.length - 1));
  // What varies only by rounding does not vary.
  return { distanceMean: mean, distanceDeviation: deviation > sameDistanceShare * mean ? deviation : 0 };
}

/** Quantiles of the distances; around a distance that many share an edge on either side. */
function chooseDistanceEdges(distances: readonly number[]): number[] {
  const sorted = [...distances].sort((a, b) => a - b);
  const edges: number[] = [];
  for (const probability of edgeProbabilities) {
    const edge = sorted[Math.floor(probability * sorted.length)] ?? 0;
    const last = edges.at(-1);
    if (last === undefined || edge > last * (1 + sameDistanceShare)) edges.push(edge);
    // Closes the bin of a shared distance just above it, so that moving away from it shows.
    else if (last <= edge) edges.push(Math.max(edge * (1 + 2 * sameDistanceShare), smallestNormal));
  }
  return edges;
}
