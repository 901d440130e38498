import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addMultinomial, sampleBinomial, sampleGamma, samplePoisson } from '../../bench/detection/count-samplers.ts';
import { createRandomSource } from '../../bench/detection/random-source.ts';
import { chiSquaredUpperTail } from '../../core/stats/chi-squared.ts';
import { logBinomialDensity, logPoissonDensity } from '../../core/stats/log-density.ts';

/** χ² p-value of whole numbers drawn against their exact probabilities; classes below ten expected are pooled. */
function goodnessOfFit(draws: readonly number[], probability: (value: number) => number): number {
  const counts = new Map<number, number>();
  for (const draw of draws) counts.set(draw, (counts.get(draw) ?? 0) + 1);
  let [statistic, classes, rest, restExpected] = [0, 0, draws.length, draws.length];
  for (let value = 0; value <= Math.max(...draws) + 1; value++) {
    const expected = draws.length * probability(value);
    if (expected < 10) continue;
    const observed = counts.get(value) ?? 0;
    statistic += (observed - expected) ** 2 / expected;
    classes++;
    rest -= observed;
    restExpected -= expected;
  }
  if (restExpected > 10) {
    statistic += (rest - restExpected) ** 2 / restExpected;
    classes++;
  }
  return chiSquaredUpperTail(statistic, classes - 1);
}

const draws = 40_000;

describe('samplers', () => {
  test.each([
    [8, 0.3],
    [500, 0.01],
    [500, 0.1],
    [500, 0.93],
    [10_000, 0.4],
  ])('binomial(%d, %d) fits its probabilities', (trials, probability) => {
    const random = createRandomSource(`binomial ${trials} ${probability}`);
    const sample = Array.from({ length: draws }, () => sampleBinomial(random, trials, probability));
    const fit = goodnessOfFit(sample, (k) => (k > trials ? 0 : Math.exp(logBinomialDensity(k, trials, probability))));
    expect(fit).toBeGreaterThan(1e-4);
  });

  test.each([0.5, 20, 300])('Poisson(%d) fits its probabilities', (mean) => {
    const random = createRandomSource(`poisson ${mean}`);
    const sample = Array.from({ length: draws }, () => samplePoisson(random, mean));
    expect(goodnessOfFit(sample, (k) => Math.exp(logPoissonDensity(k, mean)))).toBeGreaterThan(1e-4);
  });

  test.each([0.4, 3])('gamma of shape %d has its mean and variance', (shape) => {
    const random = createRandomSource(`gamma ${shape}`);
    const sample = Array.from({ length: draws }, () => sampleGamma(random, shape));
    const mean = sample.reduce((sum, value) => sum + value, 0) / draws;
    const variance = sample.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws;
    expect(Math.abs(mean - shape)).toBeLessThan(5 * Math.sqrt(shape / draws));
    expect(variance / shape).toBeGreaterThan(0.93);
    expect(variance / shape).toBeLessThan(1.07);
  });

  test('a multinomial sample adds up, stays whole and adds to what is there', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.nat(5_000),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }),
        (seed, trials, weights) => {
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          fc.pre(total > 0);
          const counts = new Float64Array(weights.length + 2).fill(1);
          const shares = weights.map((weight) => weight / total);
          addMultinomial(createRandomSource(seed), trials, shares, counts, 1);
          expect([counts[0], counts.at(-1)]).toEqual([1, 1]);
          expect(counts.every((count) => Number.isSafeInteger(count) && count >= 1)).toBe(true);
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(trials + counts.length);
        },
      ),
    );
  });

  test('the same seed gives the same numbers, another label others', () => {
    const take = (label: string) => {
      const random = createRandomSource('seed').fork(label);
      return Array.from({ length: 4 }, () => random.uniform());
    };
    expect(take('a')).toEqual(take('a'));
    expect(take('a')).not.toEqual(take('b'));
  });
});
