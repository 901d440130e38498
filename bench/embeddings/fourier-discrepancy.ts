import { symmetricEigen } from '../../core/stats/embedding/symmetric-eigen.ts';
import { type WeightedTerm, weightedChiSquaredUpperTail } from '../../core/stats/embedding/weighted-chi-squared.ts';
import type { RandomSource } from './random-source.ts';

/**
 * Maximum mean discrepancy by random Fourier features (Rahimi and Recht 2007; Sutherland and Schneider 2015): the rival
 * that the decision record measures. φ(x) = √(2/D)·[cos Wx, sin Wx], D/2 rows of W ~ N(0, 2·I/median‖x − y‖²).
 */
export class FourierFeatures {
  readonly #frequencies: readonly Float64Array[];

  /** @param features D, even */
  constructor(random: RandomSource, sample: readonly ArrayLike<number>[], features = 128) {
    const dimensions = sample[0]?.length ?? 0;
    const scale = Math.SQRT2 / medianDistance(sample);
    this.#frequencies = Array.from({ length: features / 2 }, () =>
      Float64Array.from({ length: dimensions }, () => scale * random.normal()),
    );
  }

  featuresOf(vector: ArrayLike<number>): Float64Array {
    const half = this.#frequencies.length;
    const result = new Float64Array(2 * half);
    const scale = 1 / Math.sqrt(half);
    this.#frequencies.forEach((frequency, i) => {
      let phase = 0;
      for (let k = 0; k < frequency.length; k++) phase += (frequency[k] ?? 0) * (vector[k] ?? 0);
      result[i] = scale * Math.cos(phase);
      result[half + i] = scale * Math.sin(phase);
    });
    return result;
  }
}

/** The null distribution of ‖difference of mean features‖²/s: a sum of χ² weighted by the features' eigenvalues. */
export function discrepancyTerms(features: readonly Float64Array[]): readonly WeightedTerm[] {
  const size = features[0]?.length ?? 0;
  const mean = new Float64Array(size);
  for (const row of features) {
    for (let i = 0; i < size; i++) mean[i] = (mean[i] ?? 0) + (row[i] ?? 0) / features.length;
  }
  const covariance = Array.from({ length: size }, () => new Float64Array(size));
  for (const row of features) {
    const centred = row.map((value, i) => value - (mean[i] ?? 0));
    covariance.forEach((target, i) => {
      const left = (centred[i] ?? 0) / (features.length - 1);
      for (let j = 0; j < size; j++) target[j] = (target[j] ?? 0) + left * (centred[j] ?? 0);
    });
  }
  return symmetricEigen(covariance)
    .values.filter((value) => value > 1e-12)
    .map((weight) => ({ weight, degreesOfFreedom: 1 }));
}

/** The first three cumulants matched by a scaled and moved χ². */
export function matchedCumulantTail(statistic: number, terms: readonly WeightedTerm[]): number {
  const power = (exponent: number) => terms.reduce((sum, { weight }) => sum + weight ** exponent, 0);
  const [c1, c2, c3] = [power(1), power(2), power(3)];
  const degreesOfFreedom = c2 ** 3 / c3 ** 2;
  const moved = (statistic - c1) * Math.sqrt(degreesOfFreedom / c2) + degreesOfFreedom;
  return weightedChiSquaredUpperTail(moved, [{ weight: 1, degreesOfFreedom }]);
}

function medianDistance(sample: readonly ArrayLike<number>[]): number {
  const distances: number[] = [];
  for (let i = 0; i + 1 < Math.min(sample.length, 2000); i += 2) {
    const [a, b] = [sample[i], sample[i + 1]];
    if (!a || !b) continue;
    let square = 0;
    for (let k = 0; k < a.length; k++) square += ((a[k] ?? 0) - (b[k] ?? 0)) ** 2;
    distances.push(Math.sqrt(square));
  }
  distances.sort((a, b) => a - b);
  return distances[distances.length >> 1] ?? 1;
}
