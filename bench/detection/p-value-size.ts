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

/** Measures one test's size: `measureSizes`. */
export function measureSize(
  random: RandomSource,
  bins: number,
  records: number,
  samples: number,
  test: (windows: readonly (readonly number[])[]) => readonly number[],
): readonly MeasuredSize[] {
  return measureSizes(random, bins, records, samples, (windows) => [test(windows)])[0] ?? [];
}

/**
 * Measures the sizes of several tests of the same windows by importance sampling. Whatever the statistic, the estimates are
 * unbiased; they are the sharper the more the test looks at the same tail as Pearson's.
 * @param bins equally likely under the null
 * @param tests gives, per test, the p-values of some windows' counts at once
 * @returns per test its sizes, in the order of the levels
 */
export function measureSizes(
  random: RandomSource,
  bins: number,
  records: number,
  samples: number,
  tests: (windows: readonly (readonly number[])[]) => readonly (readonly number[])[],
): readonly (readonly MeasuredSize[])[] {
  const byLevel = designs.map(([level, inflation]) => {
    const sampler = new TailSampler(random.fork(String(level)), bins, records, inflation);
    const drawn = Array.from({ length: samples }, () => sampler.draw());
    return tests(drawn.map(({ counts }) => counts)).map((pValues): MeasuredSize => {
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
  });
  return (byLevel[0] ?? []).map((_, test) => byLevel.flatMap((sizes) => sizes[test] ?? []));
}
