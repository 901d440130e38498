import { describe, expect, test } from 'vitest';
import { fitVolume, testVolume } from '../../../core/evaluate/charts/volume-model.ts';
import { createRandom } from './streams.ts';

describe('volume', () => {
  const windows = (dispersion: number, days: number, seed: number) => {
    const { gamma, poisson } = createRandom(seed);
    return Array.from({ length: days * 24 }, (_, i) => {
      const expected = i % 24 < 8 ? 20 : 300;
      const rate = dispersion === 0 ? 1 : gamma(1 / dispersion) * dispersion;
      return {
        cell: String(i % 24),
        day: Math.floor(i / 24),
        count: poisson(expected * rate),
        typical: expected,
        score: 0,
      };
    });
  };

  test('is Poisson where it is Poisson, and overdispersed where it is', () => {
    expect(fitVolume(windows(0, 28, 1), 400).dispersion).toBeLessThan(0.002);
    const { dispersion, cautiousDispersion } = fitVolume(windows(0.1, 28, 2), 400);
    expect(Math.abs(dispersion - 0.1)).toBeLessThan(0.02);
    expect(cautiousDispersion / dispersion).toBeGreaterThan(1.1);
  });

  test('has p-values that are not too small in health', () => {
    for (const dispersion of [0, 0.05, 0.3]) {
      let [small, count] = [0, 0];
      for (let seed = 1; seed <= 10; seed++) {
        const model = fitVolume(windows(dispersion, 28, seed), 300);
        for (const window of windows(dispersion, 40, 1000 + seed)) {
          if (testVolume(model, window.cell, window.count).pValue <= 0.01) small++;
          count++;
        }
      }
      expect(small / count, `dispersion ${dispersion}`).toBeLessThan(0.012);
      expect(small / count, `dispersion ${dispersion}`).toBeGreaterThan(0.001);
    }
  });

  test('knows nothing of a model that was never called', () => {
    const model = fitVolume(
      windows(0, 7, 1).map((window) => ({ ...window, count: 0, typical: 0 })),
      50,
    );
    expect(testVolume(model, '3', 5)).toMatchObject({ expected: 0, pValue: 1 });
  });
});
