import type { RandomSource } from './random-source.ts';
import { TailSampler } from './tail-sampler.ts';

/** How often a p-value is at or below a level where nothing has changed. */
export interface MeasuredSize {
  readonly level: number;
  /** Estimate of P(p ≤ level), over the level: 1 is right, below 1 conservative. */
  readonly ratio: number;
  /** Standard error of the ratio. */
  readonly standardError: number;
}

/** Levels, and how much larger χ² statistics are made so that they are reached in about half of the samples. */
const designs: readonly (readonly [level: number, inflation: number])[] = [
  [0.05, 1.9],
  [0.01, 2.4],
  [1e-4, 3.7],
  [1e-6, 5],
];

/**
 * Measures a test's size by importance sampling.
 * @param bins equally likely under the null
 * @param test gives the p-values of some windows' counts at once
 */
export function measureSize(
  random: RandomSource,
  bins: number,
  records: number,
  samples: number,
  test: (windows: readonly (readonly number[])[]) => readonly number[],
): readonly MeasuredSize[] {
  return designs.map(([level, inflation]) => {
    const sampler = new TailSampler(random.fork(String(level)), bins, records, inflation);
    const drawn = Array.from({ length: samples }, () => sampler.draw());
    const pValues = test(drawn.map(({ counts }) => counts));
    let [sum, squares] = [0, 0];
    for (const [index, { weight }] of drawn.entries()) {
      if ((pValues[index] ?? 1) > level) continue;
      sum += weight;
      squares += weight * weight;
    }
    const mean = sum / samples;
    const standardError = Math.sqrt(Math.max(0, squares / samples - mean * mean) / samples);
    return { level, ratio: mean / level, standardError: standardError / level };
  });
}
