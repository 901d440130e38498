import { type WeightedTerm, weightedChiSquaredUpperTail } from './weighted-chi-squared.ts';

/** A squared difference between two sets, and what it is made of where nothing has changed. */
export interface QuadraticMeasure {
  /** At least 0; not divided by the scale. */
  readonly squared: number;
  /** 1/n + 1/m: the noise shrinks with it. */
  readonly scale: number;
  /** The noise in units of the scale: Σ weight·χ². */
  readonly noise: readonly WeightedTerm[];
}

/**
 * How far a measure wanders between windows although nothing is wrong: mean and variance of its part beyond the noise.
 * It does not shrink with the size of the window.
 */
export interface QuadraticWander {
  readonly mean: number;
  readonly variance: number;
}

export const noWander: QuadraticWander = { mean: 0, variance: 0 };

/** Directions that a wander is taken to have: between a single one, with the heaviest tail, and this many. */
const mostDirections = 3;

/**
 * P(a squared difference at least so large, if the true one is at most `floor`), given noise and wander. The wander is
 * taken to lie along the heaviest directions, and so is the floor: the cautious choice.
 */
export function quadraticUpperTail(measure: QuadraticMeasure, wander = noWander, floor = 0): number {
  return weightedChiSquaredUpperTail(measure.squared, nullTerms(measure, wander, floor));
}

/** What a measure is expected to be by noise alone. */
export function expectedNoise({ scale, noise }: QuadraticMeasure): number {
  return noise.reduce((sum, { weight, degreesOfFreedom }) => sum + scale * weight * degreesOfFreedom, 0);
}

function nullTerms({ scale, noise }: QuadraticMeasure, wander: QuadraticWander, floor: number): WeightedTerm[] {
  const sorted = noise
    .map(({ weight, degreesOfFreedom }) => ({ weight: weight * scale, degreesOfFreedom }))
    .sort((a, b) => b.weight - a.weight);
  const [heaviest, ...others] = sorted;
  if (!heaviest) return [];
  if (!(wander.mean > 0)) return [{ ...heaviest, offset: floor }, ...others];
  const total = sorted.reduce((sum, { degreesOfFreedom }) => sum + degreesOfFreedom, 0);
  const directions = Math.min(total, mostDirections, Math.max(1, (2 * wander.mean ** 2) / wander.variance));
  // Noise and wander along one direction add up before they are squared, so they share a term.
  return [
    { weight: heaviest.weight + wander.mean / directions, degreesOfFreedom: directions, offset: floor },
    ...withoutDirections(sorted, directions),
  ];
}

/** Takes degrees of freedom off, the heaviest first. */
function withoutDirections(terms: readonly WeightedTerm[], directions: number): WeightedTerm[] {
  let left = directions;
  return terms.flatMap((term) => {
    const taken = Math.min(left, term.degreesOfFreedom);
    left -= taken;
    const degreesOfFreedom = term.degreesOfFreedom - taken;
    return degreesOfFreedom > 1e-9 ? [{ weight: term.weight, degreesOfFreedom }] : [];
  });
}
