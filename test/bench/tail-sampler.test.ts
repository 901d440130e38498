import { describe, expect, test } from 'vitest';
import { measureSize } from '../../bench/detection/p-value-size.ts';
import { createRandomSource } from '../../bench/detection/random-source.ts';
import { TailSampler } from '../../bench/detection/tail-sampler.ts';
import { binomialUpperTail } from '../../core/stats/binomial.ts';

describe('importance sampling of tails', () => {
  test('weights average to one and are never above two', () => {
    const sampler = new TailSampler(createRandomSource('weights'), 10, 500, 4);
    const weights = Array.from({ length: 20_000 }, () => sampler.draw().weight);
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
    expect(Math.max(...weights)).toBeLessThanOrEqual(2);
    expect(Math.abs(mean - 1)).toBeLessThan(0.03);
  });

  test('finds the exact tail of a fair coin, far beyond what plain sampling reaches', () => {
    const sampler = new TailSampler(createRandomSource('coin'), 2, 400, 25);
    const exact = binomialUpperTail(250, 400, 0.5);
    expect(exact).toBeLessThan(1e-6);
    let [sum, squares] = [0, 0];
    const draws = 20_000;
    for (let draw = 0; draw < draws; draw++) {
      const { counts, weight } = sampler.draw();
      if ((counts[0] ?? 0) < 250) continue;
      sum += weight;
      squares += weight * weight;
    }
    const standardError = Math.sqrt(squares) / draws;
    expect(Math.abs(sum / draws - exact)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.1 * exact);
  });

  test('a right p-value has a ratio of one, one that is twice too small a ratio above', () => {
    // Exact p-values of a discrete test: P(p ≤ level) is at most the level.
    const exact = (windows: readonly (readonly number[])[]) =>
      windows.map(([first = 0]) => Math.min(1, 2 * binomialUpperTail(Math.max(first, 500 - first), 500, 0.5)));
    const right = measureSize(createRandomSource('size'), 2, 500, 8_000, exact);
    expect(right.map(({ level }) => level)).toEqual([0.05, 0.01, 1e-4, 1e-6]);
    for (const { ratio, standardError } of right) {
      expect(ratio).toBeLessThan(1 + 4 * standardError);
      expect(ratio).toBeGreaterThan(0.5);
    }
    const halved = measureSize(createRandomSource('size'), 2, 500, 8_000, (windows) =>
      exact(windows).map((p) => p / 4),
    );
    for (const { ratio } of halved) expect(ratio).toBeGreaterThan(1.5);
  });
});
