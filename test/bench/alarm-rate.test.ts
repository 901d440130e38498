import { describe, expect, test } from 'vitest';
import { alarmRate, EpisodeCounter } from '../../bench/detection/alarm-rate.ts';

describe('alarm rates', () => {
  test('no alarm in thirty weeks bounds the rate by 3/30', () => {
    const { perModelWeek, upper95 } = alarmRate(new Array<number>(15).fill(0), 2);
    expect(perModelWeek).toBe(0);
    expect(upper95).toBeCloseTo(-Math.log(0.05) / 30, 9);
  });

  test('the bound is the exact one of a Poisson mean', () => {
    // 5 events: 0.5·χ² quantile(.95, 12) = 10.513
    expect(alarmRate([1, 1, 1, 1, 1, 0, 0, 0], 1).upper95 * 8).toBeCloseTo(10.513, 3);
  });

  test('alarms that come in crowds are known less well', () => {
    const spread = alarmRate([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], 1);
    const crowded = alarmRate([8, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1);
    expect(crowded.perModelWeek).toBe(spread.perModelWeek);
    expect(crowded.upper95).toBeGreaterThan(spread.upper95);
  });

  test('without a model nothing is known', () => {
    expect(alarmRate([], 2)).toEqual({ perModelWeek: 0, upper95: Number.POSITIVE_INFINITY });
  });

  test('episodes are unbroken runs', () => {
    const counter = new EpisodeCounter();
    for (const inAlarm of [false, true, true, false, true]) counter.add(inAlarm);
    expect([counter.episodes, counter.alarmWindows]).toEqual([2, 3]);
  });
});
