import type { EmbeddingComparison } from '../../core/evaluate/embedding/compare-embedding.ts';
import { compareEmbedding } from '../../core/evaluate/embedding/compare-embedding.ts';
import { type EmbeddingLayout, encodeFloats } from '../../core/model/embedding.ts';
import { chiSquaredUpperTail } from '../../core/stats/chi-squared.ts';
import { type EmbeddingReference, measureDifference, mixReference } from '../../core/stats/embedding/compare-sums.ts';
import { EmbeddingCounter, type EmbeddingSums } from '../../core/stats/embedding/embedding-sums.ts';
import { fitProjection } from '../../core/stats/embedding/fit-projection.ts';
import type { EmbeddingProjection } from '../../core/stats/embedding/projection.ts';
import { VectorSample } from '../../core/stats/embedding/vector-sample.ts';
import { type WeightedTerm, weightedChiSquaredUpperTail } from '../../core/stats/embedding/weighted-chi-squared.ts';
import { discrepancyTerms, FourierFeatures, matchedCumulantTail } from './fourier-discrepancy.ts';
import type { RandomSource } from './random-source.ts';
import { noShift, type Shift, type VectorSource } from './shifts.ts';

/** What is kept of a set of vectors for all methods. */
interface Kept {
  readonly sums: EmbeddingSums;
  readonly fourier: Float64Array;
}

/** p-values of one window, by method. */
export interface WindowPValues {
  /** What is shipped: the combined p-value, and its parts. */
  readonly shipped: number;
  readonly shift: number;
  readonly distance: number;
  readonly spread: number;
  /** Plain T² over the first 16 axes. */
  readonly t16: number;
  /** T² over 16 axes and the mean reconstruction error, Bonferroni over two. */
  readonly t16Distance: number;
  /** Random-Fourier discrepancy alone: three cumulants matched, and by saddle point. */
  readonly fourier: number;
  readonly fourierSaddle: number;
  /** T² over 16 axes, mean reconstruction error and Fourier, Bonferroni over three: the first design. */
  readonly t16DistanceFourier: number;
  /** What is shipped at four fifths of the level, and Fourier at the fifth. */
  readonly shippedFourier: number;
}

export const methods = [
  'shipped',
  'shift',
  'distance',
  'spread',
  't16',
  't16Distance',
  'fourier',
  'fourierSaddle',
  't16DistanceFourier',
  'shippedFourier',
] as const satisfies readonly (keyof WindowPValues)[];

/** A baseline of a source, and everything that windows are judged by. */
export class Contest {
  readonly #source: VectorSource;
  readonly #random: RandomSource;
  readonly #projection: EmbeddingProjection;
  readonly #layout: EmbeddingLayout;
  readonly #features: FourierFeatures | undefined;
  readonly #fourierTerms: readonly WeightedTerm[];
  readonly #baseline: Kept;
  readonly #reference: EmbeddingReference;
  readonly explainedShare: number;

  /**
   * @param size vectors of the baseline
   * @param fitted of these, the first so many are offered to the sample that the projection is fitted to
   * @param rivals false leaves the Fourier features out
   * @param heldOut false counts the vectors that the axes were fitted to into the reference, as one should not
   */
  constructor(
    source: VectorSource,
    random: RandomSource,
    { size, fitted, rivals, heldOut = true }: { size: number; fitted: number; rivals: boolean; heldOut?: boolean },
  ) {
    this.#source = source;
    this.#random = random;
    const sample = new VectorSample(fitted);
    const vectors = Array.from({ length: fitted }, () => noShift.draw(source, random));
    vectors.forEach((vector, row) => {
      sample.add(row, vector);
    });
    const { fitting, measuring } = sample.halves();
    const fit = fitProjection(
      fitting.map(({ vector }) => vector),
      measuring.map(({ vector }) => vector),
    );
    if (!fit) throw new RangeError(`contest: expected enough vectors to fit to, saw ${fitted}`);
    this.#projection = fit.projection;
    this.explainedShare = fit.explainedShare;
    this.#layout = layoutOf(fit.projection);
    this.#features = rivals ? new FourierFeatures(random, vectors) : undefined;
    const features = this.#features;
    this.#fourierTerms = features ? discrepancyTerms(vectors.slice(0, 5000).map((v) => features.featuresOf(v))) : [];
    const seen = new Set(fitting.map(({ row }) => row));
    const counted = heldOut ? vectors.filter((_, row) => !seen.has(row)) : vectors;
    let next = 0;
    this.#baseline = this.#keep(size, () => counted[next++] ?? noShift.draw(source, random));
    this.#reference = mixReference([{ weight: 1, sums: this.#baseline.sums }]);
  }

  judge(shift: Shift, size: number): WindowPValues {
    return this.#judge(this.#keep(size, () => shift.draw(this.#source, this.#random)));
  }

  /** The comparison that is shipped, for what it says beside p-values. */
  compare(shift: Shift, size: number): EmbeddingComparison {
    return this.#compare(this.#keep(size, () => shift.draw(this.#source, this.#random)).sums);
  }

  #compare(sums: EmbeddingSums): EmbeddingComparison {
    return compareEmbedding(this.#layout, this.#reference, sums, { minimumEffect: 0.02 });
  }

  #judge({ sums, fourier }: Kept): WindowPValues {
    const { tests, pValue } = this.#compare(sums);
    const { scale, scoreChanges } = measureDifference(this.#projection, this.#reference, sums);
    const first = scoreChanges.slice(0, 16);
    const t16 = chiSquaredUpperTail(first.reduce((sum, change) => sum + change * change, 0) / scale, first.length);
    let squared = 0;
    fourier.forEach((value, i) => {
      const baseline = (this.#baseline.fourier[i] ?? 0) / this.#baseline.sums.count;
      squared += (value / sums.count - baseline) ** 2;
    });
    const hasFourier = this.#fourierTerms.length > 0;
    const matched = hasFourier ? matchedCumulantTail(squared / scale, this.#fourierTerms) : 1;
    const saddle = hasFourier ? weightedChiSquaredUpperTail(squared / scale, this.#fourierTerms) : 1;
    const distance = tests.distance?.pValue ?? 1;
    return {
      shipped: pValue ?? 1,
      shift: tests.shift?.pValue ?? 1,
      distance,
      spread: tests.spread?.pValue ?? 1,
      t16,
      t16Distance: bonferroniOf(t16, distance),
      fourier: matched,
      fourierSaddle: saddle,
      t16DistanceFourier: bonferroniOf(t16, distance, saddle),
      shippedFourier: Math.min(1, (5 / 4) * (pValue ?? 1), 5 * saddle),
    };
  }

  #keep(size: number, next: () => ArrayLike<number>): Kept {
    const counter = new EmbeddingCounter(this.#projection);
    const fourier = new Float64Array(128);
    for (let record = 0; record < size; record++) {
      const vector = next();
      counter.addVector(vector);
      this.#features?.featuresOf(vector).forEach((value, i) => {
        fourier[i] = (fourier[i] ?? 0) + value;
      });
    }
    return { sums: counter.finish(), fourier };
  }
}

function bonferroniOf(...pValues: readonly number[]): number {
  return Math.min(1, pValues.length * Math.min(...pValues));
}

export function layoutOf(projection: EmbeddingProjection): EmbeddingLayout {
  const { dimensions, mean, axes, deviations, distanceMean, distanceDeviation, distanceEdges } = projection;
  return {
    kind: 'embedding',
    side: 'input',
    dimensions,
    mean: encodeFloats(mean),
    axes: encodeFloats(axes),
    deviations,
    distanceMean,
    distanceDeviation,
    distanceEdges,
  };
}
