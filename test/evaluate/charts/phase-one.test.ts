import { describe, expect, test } from 'vitest';
import { choosePhaseOne, type SeenWindows } from '../../../core/evaluate/charts/phase-one.ts';
import type { WindowValue } from '../../../core/evaluate/charts/window-values.ts';
import type { Baseline } from '../../../core/model/baseline.ts';
import { utcCalendar } from '../../../core/model/calendar.ts';
import { Calibrations } from '../../../core/pipeline/calibrations.ts';
import type { StoredWindows } from '../../../core/pipeline/learned-windows.ts';
import { baselineOf, drawWindows } from '../drawn-windows.ts';
import { plainPolicy } from '../synthetic-model.ts';
import { createRandom, hour, monday } from './streams.ts';

const week = 168;
const options = { windowSeconds: 3600, calendar: utcCalendar, fewestWindows: week };
const seasonal = (at: number) => (Math.floor(at / 24) % 7 >= 5 ? 200 : 400) + (at % 24 >= 8 && at % 24 < 18 ? 300 : 0);

/** A baseline of so many hours before `monday`, that knows its missing values. */
function baselineFor(hours: number): Baseline {
  const drawn = drawWindows({ features: 1, hours, recordsPerHour: 20 }, 1);
  const baseline = baselineOf(drawn);
  const { time } = baseline;
  if (!time) throw new Error('expected times');
  const windows = time.windows.map(
    (_, at) => [new Date(monday + (at - hours) * hour).toISOString(), seasonal(at)] as const,
  );
  return { ...baseline, time: { ...time, windows } };
}

function liveWindows(hours: number, volume: (at: number) => number, missing = 0): SeenWindows {
  const { normal } = createRandom(7);
  const values = Array.from({ length: hours }, (_, at): readonly WindowValue[] => {
    const count = Math.round(volume(at) + Math.sqrt(volume(at)) * normal());
    return [
      { name: 'records', kind: 'count', value: count, weight: count },
      { name: 'missing values', kind: 'share', value: missing, weight: count },
      { name: 'mean of score', kind: 'mean', value: 1, weight: count },
    ];
  });
  return { starts: values.map((_, at) => monday + at * hour), values };
}

const lengths = (baseline: Baseline, live: SeenWindows) =>
  choosePhaseOne(baseline, live, options).map(({ name, phaseOne }) => [name, phaseOne.length]);

describe('the past of a chart', () => {
  test('is the baseline’s as soon as a day of live windows agrees with it', () => {
    const baseline = baselineFor(4 * week);
    expect(lengths(baseline, liveWindows(23, seasonal))).toEqual([]);
    expect(lengths(baseline, liveWindows(24, seasonal))).toEqual([
      ['records', 4 * week],
      ['missing values', 4 * week],
    ]);
    expect(lengths(baseline, liveWindows(week, seasonal))).toEqual([
      ['records', 4 * week],
      ['missing values', 4 * week],
      ['mean of score', week],
    ]);
    // As many of its own windows are worth more.
    expect(lengths(baseline, liveWindows(4 * week, seasonal))[0]).toEqual(['records', 4 * week]);
    expect(choosePhaseOne(baseline, liveWindows(4 * week, seasonal), options)[0]?.phaseOne[0]?.start).toBe(monday);
  });

  test('is the live windows’ where the baseline counted something else: a sample, a canary', () => {
    const baseline = baselineFor(4 * week);
    const canary = (at: number) => 0.1 * seasonal(at);
    expect(lengths(baseline, liveWindows(24, canary))).toEqual([['missing values', 4 * week]]);
    expect(lengths(baseline, liveWindows(week, canary))[0]).toEqual(['records', week]);
    expect(lengths(baseline, liveWindows(24, seasonal, 0.2))).toEqual([['records', 4 * week]]);
  });

  test('is no baseline of less than a week, of windows of another width, or without times', () => {
    expect(lengths(baselineFor(week - 24), liveWindows(24, seasonal))).toEqual([]);
    const baseline = baselineFor(4 * week);
    expect(choosePhaseOne(baseline, liveWindows(24, seasonal), { ...options, windowSeconds: 7200 })).toEqual([]);
    expect(lengths({ ...baseline, time: undefined }, liveWindows(24, seasonal))).toEqual([]);
  });
});

test('with four weeks of baseline the pipeline’s charts know habits after a day, and take their share of the budget', async () => {
  const baseline = baselineFor(4 * week);
  const live = liveWindows(24, seasonal);
  const stored: StoredWindows = {
    schema: 'tidewatch.learned/1',
    windows: 24,
    ...live,
    counts: baseline.layout.features.map(() => live.starts.map(() => [400, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
  };
  const policy = plainPolicy;
  const charted = { ...policy, drift: { ...policy.drift, chartAlarmsPerWeek: 0.015 } };
  const source = { key: 'learned', replacesOutputs: false, read: async () => stored };
  const prepared = await new Calibrations().prepare(charted, 'hash', baseline, source);
  const charts = prepared.chartsFor(1);
  expect(charts?.charts.map(({ name, windows }) => [name, windows])).toEqual([
    ['records', 4 * week],
    ['missing values', 4 * week],
  ]);
  expect(charts?.charts[0]?.habits?.areKnown).toBe(true);
  expect(prepared.chartsFor(2)?.runLength).toBeCloseTo(2 * (charts?.runLength ?? 0), 6);
});
