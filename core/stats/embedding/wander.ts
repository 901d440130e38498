import { chiSquaredQuantile } from '../chi-squared.ts';
import { expectedNoise, noWander, type QuadraticMeasure, type QuadraticWander } from './quadratic-test.ts';

/** Fewer windows than this can't show how far a measure wanders. */
const minimumWanderWindows = 12;

/**
 * The wander of a measure, from baseline windows each compared with the rest of the baseline: mean and variance of what
 * they differ by beyond noise. The mean is taken at the upper end of what so many days can tell: with d of them it is
 * multiplied by d/χ²_d(.05). Undefined with fewer than `minimumWanderWindows` measures.
 * @param days independent stretches that the windows come from: days, or the windows themselves where they are longer
 */
export function estimateWander(measures: readonly QuadraticMeasure[], days: number): QuadraticWander | undefined {
  if (measures.length < minimumWanderWindows) return undefined;
  const excesses = measures.map((measure) => measure.squared - expectedNoise(measure));
  const mean = average(excesses);
  if (!(mean > 0)) return noWander;
  const spread = average(excesses.map((excess) => (excess - mean) ** 2));
  const byNoise = average(measures.map((measure) => noiseVariance(measure, mean)));
  // Between three directions and one: χ² with so many degrees of freedom.
  const variance = Math.min(2 * mean ** 2, Math.max((2 / 3) * mean ** 2, spread - byNoise));
  const caution = days / chiSquaredQuantile(0.05, Math.max(1, days));
  return { mean: mean * caution, variance: variance * caution ** 2 };
}

function noiseVariance({ scale, noise }: QuadraticMeasure, wander: number): number {
  const heaviest = Math.max(...noise.map(({ weight }) => weight));
  const own = noise.reduce(
    (sum, { weight, degreesOfFreedom }) => sum + 2 * degreesOfFreedom * (scale * weight) ** 2,
    0,
  );
  return own + 4 * scale * heaviest * wander;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
