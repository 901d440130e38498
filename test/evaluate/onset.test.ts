import { describe, expect, test } from 'vitest';
import { calibrate } from '../../core/evaluate/calibration.ts';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { estimateOnset } from '../../core/evaluate/onset.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import { baselineOf, drawWindows, firstHour, hour } from './drawn-windows.ts';

const days = 24 * 28;
const live = 96;

/** The estimated onset of a shift of feature 0 that begins `after` live hours, in live hours. */
function estimate(after: number, shift: number, wander: number, seed: number) {
  const windows = drawWindows(
    {
      features: 4,
      hours: days + live,
      recordsPerHour: 300,
      swing: 0.3,
      wander,
      shift: (feature, at) => (feature === 0 && at >= days + after ? shift : 0),
    },
    seed,
  );
  const calibration = calibrate(baselineOf(windows.slice(0, days)), { windowSeconds: 3600, calendar: utcCalendar });
  const [feature] = calibration.features;
  const recent = windows
    .slice(days)
    .map(({ start, counts }) => ({ start, cell: cellOfWindow(start, utcCalendar), counts: counts[0] ?? [] }));
  if (!feature) throw new Error('expected a feature');
  const onset = estimateOnset(feature, calibration, recent);
  const toHours = (time: number) => (time - firstHour) / hour - days;
  return (
    onset && { ...onset, start: toHours(onset.start), earliest: toHours(onset.earliest), latest: toHours(onset.latest) }
  );
}

describe('the onset of a drift', () => {
  test('is found to within two hours, and its interval holds it', () => {
    for (const [seed, after] of [10, 50, 80].entries()) {
      const onset = estimate(after, 0.6, 0.05, seed + 1);
      expect(Math.abs((onset?.start ?? 0) - after)).toBeLessThanOrEqual(2);
      expect(onset?.earliest).toBeLessThanOrEqual(after);
      expect(onset?.latest).toBeGreaterThanOrEqual(after);
      expect(onset?.beforeFirst).toBe(false);
    }
  });

  test('lies before the first window where the change is older than all that is known', () => {
    expect(estimate(0, 0.6, 0.05, 7)).toMatchObject({ start: 0, beforeFirst: true });
  });

  test('no windows and no records have none', () => {
    const windows = drawWindows({ features: 1, hours: 48, recordsPerHour: 50 }, 1);
    const calibration = calibrate(baselineOf(windows), { windowSeconds: 3600, calendar: utcCalendar });
    const [feature] = calibration.features;
    if (!feature) throw new Error('expected a feature');
    expect(estimateOnset(feature, calibration, [])).toBeUndefined();
    const empty = { start: firstHour, cell: '00|weekday', counts: new Array<number>(11).fill(0) };
    expect(estimateOnset(feature, calibration, [empty, { ...empty, counts: [1, 2] }])).toBeUndefined();
  });
});
