import { describe, expect, test } from 'vitest';
import { calibrate } from '../../core/evaluate/calibration.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import { baselineOf, drawWindows, Follower } from './drawn-windows.ts';
import { plainPolicy } from './synthetic-model.ts';

const weeks = 24 * 28;
const policy: ModelPolicy = { ...plainPolicy, drift: { ...plainPolicy.drift, level: 0.1 / 1176 } };

/** Drift of the first of five features, by hour after the baseline. */
function driftedHours(shift: (hour: number) => number, live: number, seed: number): readonly number[] {
  const windows = drawWindows(
    {
      features: 5,
      recordsPerHour: 300,
      swing: 0.2,
      wander: 0.05,
      shift: (feature, at) => (feature === 0 && at >= weeks ? shift(at - weeks) : 0),
      hours: weeks + live,
    },
    seed,
  );
  const baseline = baselineOf(windows.slice(0, weeks));
  const calibration = calibrate(baseline, { windowSeconds: 3600, calendar: utcCalendar });
  const follower = new Follower(baseline, calibration, policy);
  return windows.slice(weeks).flatMap((window, hour) => (follower.judge(window).features[0]?.drifted ? [hour] : []));
}

describe('a drift that is over', () => {
  test('is taken back after a day, though the trailing week still holds it', () => {
    const hours = driftedHours((hour) => (hour >= 10 && hour < 14 ? 3 : 0), 80, 1);
    expect(hours).toContain(11);
    expect(hours).toContain(14);
    expect(Math.max(...hours)).toBeGreaterThan(16);
    // Four hours of drift leave the last 24 hours after hour 37.
    expect(Math.max(...hours)).toBeLessThanOrEqual(38);
  });

  test('is not one that lasts, large or small', () => {
    for (const size of [3, 0.6]) {
      const hours = driftedHours((hour) => (hour >= 10 ? size : 0), 60, 2);
      const first = hours[0] ?? Number.POSITIVE_INFINITY;
      expect(first).toBeLessThan(30);
      expect(hours).toEqual(Array.from({ length: 60 - first }, (_, index) => first + index));
    }
  });

  test('is not one that comes back every day', () => {
    const hours = driftedHours((hour) => (hour % 24 >= 9 && hour % 24 < 17 ? 2 : 0), 72, 3);
    const first = hours[0] ?? Number.POSITIVE_INFINITY;
    expect(first).toBeLessThan(12);
    expect(hours).toEqual(Array.from({ length: 72 - first }, (_, index) => first + index));
  });
});
