import { describe, expect, test } from 'vitest';
import {
  estimateClumpSize,
  type SilenceModel,
  silenceLimitSeconds,
  silenceProbability,
} from '../../../core/evaluate/charts/silence-model.ts';
import { fitVolume, testVolume, type VolumeModel } from '../../../core/evaluate/charts/volume-model.ts';
import { expectRelative } from '../../stats/reference.ts';
import { createRandom, hour, monday } from './streams.ts';

function volumeOf(day: number, night: number, dispersion = 0): VolumeModel {
  const cells = Array.from({ length: 48 }, (_, i) => {
    const cell = `${String(i % 24).padStart(2, '0')}|${i < 24 ? 'weekday' : 'weekend'}`;
    return [cell, i % 24 >= 8 && i % 24 < 20 ? day : night, i < 24 ? 20 : 8] as const;
  });
  return { cells, overall: (day + night) / 2, dispersion, cautiousDispersion: dispersion };
}

function modelOf(volume: VolumeModel, clumpSize = 1): SilenceModel {
  return { windowSeconds: 3600, scheme: 'hour and day type', volume, clumpSize };
}

const noon = monday + 12 * hour;

describe('silence', () => {
  test('has the probability of the Poisson and the negative binomial law', () => {
    const minute = 60_000;
    expectRelative(silenceProbability(modelOf(volumeOf(60, 6)), noon, noon + 10 * minute), Math.exp(-10));
    expectRelative(silenceProbability(modelOf(volumeOf(60, 6), 5), noon, noon + 10 * minute), Math.exp(-2));
    expectRelative(silenceProbability(modelOf(volumeOf(60, 6, 0.5)), noon, noon + 10 * minute), 1 / 6 ** 2);
    // From half past seven to half past eight: half an hour of night, half an hour of day.
    const start = monday + 7.5 * hour;
    expectRelative(silenceProbability(modelOf(volumeOf(60, 6)), start, start + hour), Math.exp(-33));
    expect(silenceProbability(modelOf(volumeOf(60, 6)), noon, noon)).toBe(1);
  });

  test('is allowed to last longer at night, with clumps, and with overdispersion', () => {
    const limit = (model: SilenceModel, at: number) => silenceLimitSeconds(model, at, 0.01) ?? Number.NaN;
    const plain = modelOf(volumeOf(600, 20));
    const day = limit(plain, noon + 2 * hour);
    expect(day).toBe(300);
    expect(limit(plain, monday + 4 * hour)).toBeGreaterThan(2000);
    expect(limit(modelOf(volumeOf(600, 20), 20), noon + 2 * hour)).toBeGreaterThan(4 * day);
    expect(limit(modelOf(volumeOf(600, 20, 0.3)), noon + 2 * hour)).toBeGreaterThan(day);
    expect(silenceLimitSeconds(modelOf(volumeOf(0, 0)), noon, 0.01)).toBeUndefined();
  });

  test('of chance stays within its limit as often as promised', () => {
    // 40 clumps an hour day and night: silences longer than the limit for one a week come about once a week.
    const model = modelOf(volumeOf(80, 80), 2);
    const limit = silenceLimitSeconds(model, noon, 1) ?? Number.NaN;
    const { uniform } = createRandom(3);
    const weeks = 200;
    let [time, longer] = [0, 0];
    while (time < weeks * 604_800) {
      const gap = (-Math.log(1 - uniform()) * 3600) / 40;
      if (gap > limit) longer++;
      time += gap;
    }
    expect(longer / weeks).toBeLessThanOrEqual(1.15);
    expect(longer / weeks).toBeGreaterThan(0.01);
  });
});

describe('the size of clumps', () => {
  test('is read from the longest silence of the baseline', () => {
    const volume = volumeOf(600, 60, 0.1);
    expect(estimateClumpSize(volume, 3600, undefined)).toBeCloseTo(34, 9);
    expect(estimateClumpSize(volume, 3600, 120)).toBe(1);
    // 60 events an hour and 40 minutes of silence: they cannot all come alone.
    const size = estimateClumpSize(volume, 3600, 2400);
    expect(size).toBeGreaterThan(4);
    expect(size).toBeLessThan(20);
    expect(estimateClumpSize(volume, 3600, 4800)).toBeGreaterThan(size);
    for (const gap of [0, Number.NaN, -1]) expect(estimateClumpSize(volume, 3600, gap)).toBeCloseTo(34, 9);
  });
});

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
    expect(testVolume(model, '3', 5)).toEqual({ expected: 0, pValue: 1 });
  });
});
