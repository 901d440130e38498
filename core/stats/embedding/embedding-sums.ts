import {
  createProjectedVector,
  distanceBin,
  distanceScore,
  type EmbeddingProjection,
  projectVector,
} from './projection.ts';

/**
 * What is kept of a set of vectors: whole numbers only, so that sets add up to the bit in any order and grouping, and
 * can be subtracted again.
 */
export interface EmbeddingSums {
  /** Usable vectors: all that the sums are of. */
  readonly count: number;
  /** Records without a vector. */
  readonly missing: number;
  /** Vectors of another length, not finite, all zeros, or too long to be measured. */
  readonly invalid: number;
  /** Per main axis Σ of the scores, each rounded to a whole number of 2^−16 standard deviations. */
  readonly scoreSums: readonly number[];
  /** Σ of the distances from the space of the main axes, centred and scaled by the baseline's, rounded likewise. */
  readonly distanceSum: number;
  /** Usable vectors per bin of that distance. */
  readonly distances: readonly number[];
}

/** Units of a score sum per standard deviation. */
export const scoreUnits = 65_536;

/** Up to this many vectors no sum of scores can leave the whole numbers of a double: 6·2^16·2^34 < 2^53. */
export const maximumVectors = 2 ** 34;

/** Adds vectors up, one by one. */
export class EmbeddingCounter {
  readonly #projection: EmbeddingProjection;
  readonly #projected;
  readonly #scoreSums: Float64Array;
  readonly #distances: Float64Array;
  #distanceSum = 0;
  #count = 0;
  #missing = 0;
  #invalid = 0;

  constructor(projection: EmbeddingProjection) {
    this.#projection = projection;
    this.#projected = createProjectedVector(projection);
    this.#scoreSums = new Float64Array(projection.deviations.length);
    this.#distances = new Float64Array(projection.distanceEdges.length + 1);
  }

  /** Counts a record's vector; null and undefined are missing, everything unusable is invalid. Never throws. */
  addVector(vector: ArrayLike<unknown> | null | undefined): void {
    if (vector === null || vector === undefined) {
      this.#missing++;
      return;
    }
    if (!projectVector(this.#projection, vector, this.#projected)) {
      this.#invalid++;
      return;
    }
    this.#count++;
    const { scores, distance } = this.#projected;
    for (let axis = 0; axis < scores.length; axis++) {
      this.#scoreSums[axis] = (this.#scoreSums[axis] ?? 0) + Math.round((scores[axis] ?? 0) * scoreUnits);
    }
    this.#distanceSum += Math.round(distanceScore(this.#projection, distance) * scoreUnits);
    const bin = distanceBin(this.#projection.distanceEdges, distance);
    this.#distances[bin] = (this.#distances[bin] ?? 0) + 1;
  }

  /** @throws {RangeError} beyond `maximumVectors`. */
  finish(): EmbeddingSums {
    return checkCount({
      count: this.#count,
      missing: this.#missing,
      invalid: this.#invalid,
      // Adding 0 turns −0, which JSON can't say, into 0.
      scoreSums: Array.from(this.#scoreSums, (sum) => sum + 0),
      distanceSum: this.#distanceSum + 0,
      distances: Array.from(this.#distances),
    });
  }
}

/** The sums of nothing, for a projection with so many axes and bins. */
export function emptySums(axes: number, bins: number): EmbeddingSums {
  return {
    count: 0,
    missing: 0,
    invalid: 0,
    scoreSums: new Array<number>(axes).fill(0),
    distanceSum: 0,
    distances: new Array<number>(bins).fill(0),
  };
}

/**
 * The sums of both sets together; exact, so any order and grouping gives the same.
 * @throws {RangeError} on sums made with another projection, and beyond `maximumVectors`.
 */
export function mergeEmbeddings(a: EmbeddingSums, b: EmbeddingSums): EmbeddingSums {
  return combine(a, b, 1);
}

/** The sums of `whole` without `part`, which must be a part of it. @throws {RangeError} where it can't be. */
export function subtractEmbeddings(whole: EmbeddingSums, part: EmbeddingSums): EmbeddingSums {
  const rest = combine(whole, part, -1);
  if (rest.count < 0 || rest.missing < 0 || rest.invalid < 0 || rest.distances.some((count) => count < 0)) {
    throw new RangeError(`embedding sums: expected a part of ${whole.count} vectors, saw ${part.count} others`);
  }
  return rest;
}

/**
 * The sums as one row of whole numbers, so that whatever adds up or subtracts rows of counts can carry them:
 * missing, invalid, the sum of distances, the sums of scores, the bins of the distance. `count` is the bins' total.
 */
export function flattenSums(sums: EmbeddingSums): number[] {
  return [sums.missing, sums.invalid, sums.distanceSum, ...sums.scoreSums, ...sums.distances];
}

/** Reads what `flattenSums` writes, for a projection with so many axes. @throws {RangeError} on a row too short. */
export function unflattenSums(row: ArrayLike<number>, axes: number): EmbeddingSums {
  const [missing = 0, invalid = 0, distanceSum = 0, ...rest] = Array.from(row);
  const distances = rest.slice(axes);
  if (distances.length === 0) {
    throw new RangeError(`embedding sums: expected a row of more than ${axes + 3} numbers, saw ${row.length}`);
  }
  const count = distances.reduce((sum, bin) => sum + bin, 0);
  return checkCount({ count, missing, invalid, scoreSums: rest.slice(0, axes), distanceSum, distances });
}

function combine(a: EmbeddingSums, b: EmbeddingSums, sign: 1 | -1): EmbeddingSums {
  const add = (x: readonly number[], y: readonly number[], what: string) => {
    if (x.length !== y.length) {
      throw new RangeError(`embedding sums: expected ${x.length} ${what}, saw ${y.length}: another projection`);
    }
    return x.map((value, index) => value + sign * (y[index] ?? 0) + 0);
  };
  return checkCount({
    count: a.count + sign * b.count,
    missing: a.missing + sign * b.missing,
    invalid: a.invalid + sign * b.invalid,
    scoreSums: add(a.scoreSums, b.scoreSums, 'axes'),
    distanceSum: a.distanceSum + sign * b.distanceSum + 0,
    distances: add(a.distances, b.distances, 'bins'),
  });
}

function checkCount(sums: EmbeddingSums): EmbeddingSums {
  if (sums.count > maximumVectors) {
    throw new RangeError(`embedding sums: expected at most ${maximumVectors} vectors, saw ${sums.count}`);
  }
  return sums;
}
