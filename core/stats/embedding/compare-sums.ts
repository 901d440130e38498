import { pearsonTest } from '../pearson.ts';
import { poolNeighbours } from '../pooling.ts';
import { populationStabilityIndex } from '../population-stability-index.ts';
import { type EmbeddingSums, scoreUnits } from './embedding-sums.ts';
import type { EmbeddingUnits } from './projection.ts';
import type { QuadraticMeasure } from './quadratic-test.ts';

/** A part of a baseline and its share in what a window is compared with. */
export interface WeightedSums {
  readonly weight: number;
  readonly sums: EmbeddingSums;
}

/** What a window is compared with: a mix of parts of the baseline. */
export interface EmbeddingReference {
  /** Independent vectors that the mix is worth: 1/Σ(w²/n) over the parts. */
  readonly size: number;
  /** Mean score per main axis, and of the distance, in standard deviations. */
  readonly scoreMeans: readonly number[];
  readonly distanceMean: number;
  /** Share of vectors per bin of the distance. */
  readonly distanceShares: readonly number[];
}

/**
 * The mix of the baseline's parts, for example of its cells of the week in the shares that a window has them. Parts
 * without vectors and weights that are not positive take no part; the others' weights are made to sum to 1.
 */
export function mixReference(parts: readonly WeightedSums[]): EmbeddingReference {
  const usable = parts.filter(({ weight, sums }) => weight > 0 && sums.count > 0);
  const total = usable.reduce((sum, { weight }) => sum + weight, 0);
  const [first] = usable.length > 0 ? usable : parts;
  const average = (width: number, values: (sums: EmbeddingSums) => readonly number[], unit: number) => {
    const means = new Array<number>(width).fill(0);
    for (const { weight, sums } of usable) {
      const factor = weight / total / sums.count / unit;
      values(sums).forEach((value, index) => {
        means[index] = (means[index] ?? 0) + factor * value;
      });
    }
    return means;
  };
  const [distanceMean = 0] = average(1, ({ distanceSum }) => [distanceSum], scoreUnits);
  return {
    size:
      usable.length === 0 ? 0 : 1 / usable.reduce((sum, part) => sum + (part.weight / total) ** 2 / part.sums.count, 0),
    scoreMeans: average(first?.sums.scoreSums.length ?? 0, ({ scoreSums }) => scoreSums, scoreUnits),
    distanceMean,
    distanceShares: average(first?.sums.distances.length ?? 0, ({ distances }) => distances, 1),
  };
}

/** How a window differs from the reference; each measure is left out where it can't be taken. */
export interface EmbeddingDifference {
  /** 1/n + 1/m. */
  readonly scale: number;
  /** Change of the mean score per main axis, in standard deviations. */
  readonly scoreChanges: readonly number[];
  /** Change of the mean distance, in standard deviations. */
  readonly distanceChange: number;
  /** Σ w·(change)² over the axes. */
  readonly shift?: QuadraticMeasure | undefined;
  /** (change of the mean distance)². */
  readonly distance?: QuadraticMeasure | undefined;
  /** Pearson's X²·scale over the pooled bins of the distance. */
  readonly distanceBins?: QuadraticMeasure | undefined;
  /** The population stability index over the same bins. */
  readonly distanceIndex: number;
}

/**
 * Weight of an axis in the shift: its standard deviation in units of the largest. Plain T² weighs all axes alike and
 * spends most of its power on directions in which little happens; squared weights see hardly more than the first axis.
 */
export function axisWeights(units: EmbeddingUnits): readonly number[] {
  const largest = Math.max(...units.deviations);
  return units.deviations.map((deviation) => deviation / largest);
}

/** @throws {RangeError} on sums that were made with another projection. */
export function measureDifference(
  units: EmbeddingUnits,
  reference: EmbeddingReference,
  current: EmbeddingSums,
): EmbeddingDifference {
  checkShape(units, reference.scoreMeans.length, reference.distanceShares.length);
  checkShape(units, current.scoreSums.length, current.distances.length);
  const [n, m] = [reference.size, current.count];
  if (n <= 0 || m <= 0) {
    const scoreChanges = units.deviations.map(() => 0);
    return { scale: Number.POSITIVE_INFINITY, scoreChanges, distanceChange: 0, distanceIndex: 0 };
  }
  const scale = 1 / n + 1 / m;
  const scoreChanges = current.scoreSums.map((sum, axis) => sum / m / scoreUnits - (reference.scoreMeans[axis] ?? 0));
  const distanceChange = current.distanceSum / m / scoreUnits - reference.distanceMean;
  const weights = axisWeights(units);
  const squared = scoreChanges.reduce((sum, change, axis) => sum + (weights[axis] ?? 0) * change * change, 0);
  const noise = weights.map((weight) => ({ weight, degreesOfFreedom: 1 }));
  const single = [{ weight: 1, degreesOfFreedom: 1 }];
  return {
    scale,
    scoreChanges,
    distanceChange,
    ...(weights.length > 0 && { shift: { squared, scale, noise } }),
    ...(units.distanceDeviation > 0 && {
      distance: { squared: distanceChange * distanceChange, scale, noise: single },
    }),
    ...measureBins(
      reference.distanceShares.map((share) => share * n),
      current.distances,
      scale,
    ),
  };
}

function measureBins(
  baseline: readonly number[],
  current: readonly number[],
  scale: number,
): Pick<EmbeddingDifference, 'distanceBins' | 'distanceIndex'> {
  const groups = poolNeighbours(baseline, current);
  const pool = (row: readonly number[]) => groups.map((group) => group.reduce((sum, bin) => sum + (row[bin] ?? 0), 0));
  const [a, b] = [pool(baseline), pool(current)];
  const { statistic, degreesOfFreedom } = pearsonTest(a, b);
  if (degreesOfFreedom < 1) return { distanceIndex: 0 };
  return {
    distanceBins: { squared: statistic * scale, scale, noise: [{ weight: 1, degreesOfFreedom }] },
    distanceIndex: populationStabilityIndex(a, b),
  };
}

function checkShape(units: EmbeddingUnits, axes: number, bins: number): void {
  const [expectedAxes, expectedBins] = [units.deviations.length, units.distanceEdges.length + 1];
  if (axes !== expectedAxes || bins !== expectedBins) {
    throw new RangeError(
      `embedding sums: expected ${expectedAxes} axes and ${expectedBins} bins, saw ${axes} and ${bins}: another projection`,
    );
  }
}
