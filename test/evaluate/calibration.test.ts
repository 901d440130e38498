import { describe, expect, test } from 'vitest';
import { calibrate, type LearnedWindows } from '../../core/evaluate/calibration.ts';
import { StretchReader } from '../../core/evaluate/stretch-reader.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import { baselineOf, type Design, type DrawnWindow, drawWindows, Follower, firstHour, hour } from './drawn-windows.ts';
import { plainPolicy } from './synthetic-model.ts';

const options = { windowSeconds: 3600, calendar: utcCalendar };
const small: Design = { features: 3, hours: 24 * 28, recordsPerHour: 60 };

function learnedOf(windows: readonly DrawnWindow[]): LearnedWindows {
  return {
    starts: windows.map(({ start }) => start),
    counts: [0, 1, 2].map((feature) => windows.map(({ counts }) => counts[feature] ?? [])),
  };
}

describe('what a baseline is good enough for', () => {
  test.each([
    [24 * 28, 'cells', /^cells: the same .* of weekdays or of weekends \(UTC\); .* 28 days of baseline$/],
    [24 * 7, 'cells', /^cells: the same .* of weekdays or of weekends \(UTC\); .* 7 days of baseline$/],
    [24 * 6, 'wander', /^no cells; .* 6 days of baseline$/],
    [24 * 3, 'wander', /^no cells; .* 3 days of baseline$/],
    [24 * 2, 'uncalibrated', /^uncalibrated: 2 days of baseline tell too little .* provisional below a PSI of 0\.5$/],
    [23, 'uncalibrated', /^uncalibrated: .* are not known, .* provisional below a PSI of 2$/],
  ] as const)('%d hours: %s', (hours, kind, description) => {
    const calibration = calibrate(baselineOf(drawWindows({ ...small, hours }, 1)), options);
    expect(calibration.kind).toBe(kind);
    expect(calibration.description).toMatch(description);
    expect(calibration.features).toHaveLength(3);
    for (const { shares, plan } of calibration.features) {
      const rows = shares.length / plan.bins;
      for (let row = 0; row < rows; row++) {
        const sum = shares.subarray(row * plan.bins, (row + 1) * plan.bins).reduce((total, share) => total + share, 0);
        expect(sum).toBeCloseTo(1, 9);
      }
    }
  });

  test('a baseline without times, or of windows of another width, is uncalibrated', () => {
    const windows = drawWindows(small, 1);
    expect(calibrate(baselineOf(windows, false), options).kind).toBe('uncalibrated');
    expect(calibrate(baselineOf(windows), { ...options, windowSeconds: 1800 }).kind).toBe('uncalibrated');
  });

  test.each([
    [14, 'cells'],
    [13, 'uncalibrated'],
  ] as const)('%d windows of a day: %s', (days, kind) => {
    const { time, ...baseline } = baselineOf(drawWindows({ ...small, hours: days }, 1));
    const windows = Array.from({ length: days }, (_, day) => {
      return [new Date(firstHour + day * 24 * hour).toISOString(), small.recordsPerHour] as const;
    });
    const daily = { ...baseline, ...(time && { time: { ...time, windowSeconds: 86_400, windows } }) };
    const calibration = calibrate(daily, { ...options, windowSeconds: 86_400 });
    expect(calibration.kind).toBe(kind);
    expect(calibration.groups.size).toBe(kind === 'cells' ? 2 : 1);
  });

  test('a week in which no hour comes twice tells no hours apart, and days by the whole', () => {
    const all = drawWindows({ ...small, hours: 24 * 9, recordsPerHour: 500, wander: 0.3 }, 3);
    // Three windows a day, at other hours every day.
    const windows = all.filter((_, at) => Math.floor((at % 24) / 3) === Math.floor(at / 24) % 8).slice(0, 24);
    const calibration = calibrate(baselineOf(windows), options);
    expect(calibration).toMatchObject({ kind: 'wander', groups: { size: 1 } });
    for (const { wander } of calibration.features) expect(wander[0]?.shares.variance).toBeGreaterThan(0.01);
  });

  test('the calendar may change without a new baseline', () => {
    const baseline = baselineOf(drawWindows({ ...small, recordsPerHour: 500, features: 1 }, 1));
    const days = [[new Date(firstHour).toISOString().slice(0, 10), 'weekend']] as const;
    const plain = calibrate(baseline, options);
    const holiday = calibrate(baseline, { ...options, calendar: { timeZone: 'UTC', days } });
    const recordsOf = (calibration: typeof plain) =>
      calibration.features[0]?.records[calibration.groups.indexOf('12|weekend') ?? -1];
    expect(recordsOf(plain)).toBe(8 * 500);
    expect(recordsOf(holiday)).toBe(9 * 500);
  });
});

describe('wander', () => {
  const deviations = (design: Partial<Design>, seed: number) => {
    const windows = drawWindows({ features: 12, hours: 24 * 28, recordsPerHour: 150, swing: 0.3, ...design }, seed);
    const calibration = calibrate(baselineOf(windows), options);
    return calibration.scales.map((_, index) => {
      const sorted = calibration.features
        .map(({ wander }) => Math.sqrt(wander[index]?.shares.variance ?? 0))
        .sort((a, b) => a - b);
      return sorted[6] ?? 0;
    });
  };

  test('where means move by .15σ from day to day every scale up to the day says so; longer ones average it', () => {
    const [first = 0, , , eight = 0, day = 0, threeDays = 0, week = 0] = deviations({ wander: 0.15 }, 2);
    for (const deviation of [first, eight, day]) {
      expect(deviation).toBeGreaterThan(0.12);
      expect(deviation).toBeLessThan(0.18);
    }
    expect(threeDays).toBeLessThan(0.8 * day);
    expect(week).toBeLessThan(0.6 * day);
    expect(week).toBeGreaterThan(0.35 * day);
  });

  test('a season is no wander, and nothing moves where nothing does', () => {
    for (const deviation of deviations({}, 3)) expect(deviation).toBeLessThan(0.03);
  });

  test('without cells a season is wander', () => {
    const windows = drawWindows({ features: 3, hours: 24 * 6, recordsPerHour: 150, swing: 0.3 }, 4);
    const [feature] = calibrate(baselineOf(windows), options).features;
    expect(Math.sqrt(feature?.wander[0]?.shares.variance ?? 0)).toBeGreaterThan(0.1);
  });
});

describe('windows learned live', () => {
  const table = baselineOf(drawWindows({ ...small, hours: 100 }, 5), false);
  const live = drawWindows({ ...small, hours: 24 * 8, wander: 0.3 }, 6);
  const learnedWindows = learnedOf(live);

  test('teach a training table its wander, and leave its shares alone', () => {
    const before = calibrate(table, options);
    const after = calibrate(table, { ...options, learnedWindows });
    expect(after.kind).toBe('learned');
    expect(after.description).toContain('8 days of live windows');
    expect(after.features[0]?.wander[0]?.shares.variance).toBeGreaterThan(0.03);
    const last = (row: Float64Array | undefined) => [...(row ?? [])].slice(-11);
    expect(last(after.features[0]?.shares)).toEqual(last(before.features[0]?.shares));
  });

  test('teach a training table the swing of the day, once they are a week', () => {
    const design = { ...small, recordsPerHour: 500, swing: 0.5 };
    const seasonal = drawWindows({ ...design, hours: 24 * 8 }, 6);
    const learn = (hours: number) =>
      calibrate(baselineOf(drawWindows({ ...design, hours: 24 * 28 }, 6), false), {
        ...options,
        learnedWindows: learnedOf(seasonal.slice(0, hours)),
      });
    const [few, week] = [learn(24 * 6), learn(24 * 8)];
    expect(few.description).toMatch(/^no cells; .* 6 days of live windows$/);
    expect(week.description).toMatch(
      /^cells: the same hour of weekdays or of weekends \(UTC\), as live windows .* 8 days of live windows$/,
    );
    // Without hours their swing is wander: a PSI of half the squared amplitude.
    const wanderOf = ({ features }: typeof few) => features[0]?.wander[0]?.shares.variance ?? 0;
    expect(wanderOf(few)).toBeGreaterThan(0.08);
    expect(wanderOf(week)).toBeLessThan(0.01);
    for (const feature of week.features) {
      const { bins } = feature.plan;
      const rowOf = (row: number) => [...feature.shares.subarray(row * bins, (row + 1) * bins)];
      const total = rowOf(feature.records.length - 1);
      expect(feature).toMatchObject({ usesCells: true, leansOn: 24 * 28 * 500 });
      // The hours differ, and their mean over the live windows is the table.
      const rows = Array.from({ length: week.groups.size }, (_, row) => rowOf(row));
      const spread = rows.map((row) => Math.abs((row[0] ?? 0) - (total[0] ?? 0)));
      expect(Math.max(...spread)).toBeGreaterThan(0.03);
      const live = feature.records.slice(0, -1);
      const all = live.reduce((sum, records) => sum + records, 0);
      total.forEach((share, bin) => {
        const mean = rows.reduce((sum, row, at) => sum + ((live[at] ?? 0) / all) * (row[bin] ?? 0), 0);
        expect(mean).toBeCloseTo(share, 3);
      });
    }
  });

  test('lend their hours to a baseline kept by the day as to one without times', () => {
    const design = { ...small, recordsPerHour: 500, swing: 0.5 };
    const learnedWindows = learnedOf(drawWindows({ ...design, hours: 24 * 8 }, 6));
    const windows = drawWindows({ ...design, hours: 24 * 28 }, 6);
    const timed = baselineOf(windows);
    const days = Array.from({ length: 28 }, (_, at) => [new Date(firstHour + at * 24 * hour).toISOString(), 12_000]);
    const byDay = { ...timed, time: timed.time && { ...timed.time, windowSeconds: 86_400, windows: days as never } };
    const sharesOf = (baseline: typeof timed) =>
      calibrate(baseline, { ...options, learnedWindows }).features.map(({ shares }) => [...shares]);
    expect(sharesOf(byDay)).toEqual(sharesOf(baselineOf(windows, false)));
  });

  test('make what is expected of a small table no surer than the table is', () => {
    const design = { ...small, recordsPerHour: 500, swing: 0.5 };
    const seasonal = drawWindows({ ...design, hours: 24 * 8 }, 6);
    const table = baselineOf(drawWindows({ ...design, hours: 2 }, 6), false);
    const calibration = calibrate(table, { ...options, learnedWindows: learnedOf(seasonal) });
    const follower = new Follower(table, calibration, plainPolicy);
    for (const window of seasonal.slice(0, 168)) follower.add(window);
    const reader = new StretchReader(calibration, { minimumRecords: 0, effectLevel: 1 });
    const sizes = follower.stretches().map((stretch) => {
      reader.open(stretch);
      for (const feature of calibration.features) reader.load(feature, stretch.counts[0] ?? []);
      return reader.effectiveSize;
    });
    // 1,000 rows of a table, and two windows of 500 records for each hour of a weekend.
    expect(sizes[0]).toBeCloseTo(500, 6);
    expect(sizes.at(-1)).toBeGreaterThan(980);
    expect(sizes.at(-1)).toBeLessThan(1000);
  });

  test('tell the hours that a baseline of a day lacks, from the hours that it has', () => {
    const design = { ...small, recordsPerHour: 500, swing: 0.5 };
    const seasonal = drawWindows({ ...design, hours: 24 * 8 }, 6);
    // The same stream's first morning: not a mean of the day.
    const morning = baselineOf(drawWindows({ ...design, hours: 30 }, 6));
    const calibration = calibrate(morning, { ...options, learnedWindows: learnedOf(seasonal) });
    const own = calibrate(baselineOf(seasonal), options);
    const lowest = ({ features, groups }: typeof own, cell: string) => {
      const row = groups.indexOf(cell) ?? -1;
      return features.map(({ shares, plan }) => shares[row * plan.bins] ?? 0);
    };
    for (const cell of ['03|weekday', '15|weekday', '21|weekday']) {
      const expected = lowest(own, cell);
      lowest(calibration, cell).forEach((share, feature) => {
        expect(Math.abs(share - (expected[feature] ?? 0))).toBeLessThan(0.025);
      });
    }
  });

  test('teach a baseline of two days its wander once they are three, more of it as the baseline itself wanders', () => {
    const brief = baselineOf(drawWindows({ ...small, hours: 48 }, 5));
    const learn = (baseline: typeof brief, windows: number) => {
      const counts = learnedWindows.counts.map((rows) => rows.slice(0, windows));
      const starts = learnedWindows.starts.slice(0, windows);
      return calibrate(baseline, { ...options, learnedWindows: { starts, counts } });
    };
    expect(learn(brief, 24)).toMatchObject({ kind: 'uncalibrated', days: 2 });
    const after = learn(brief, 24 * 8);
    expect(after.kind).toBe('learned');
    const variance = ({ features }: typeof after) => features[0]?.wander[0]?.shares.variance ?? 0;
    const days = 2 - 1 / 24;
    expect(variance(after) / variance(learn(table, 24 * 8))).toBeCloseTo(1 + 1 / days, 9);
  });

  test('are the baseline of the features they replace', () => {
    const replaces = new Set(['feature 001']);
    const { features } = calibrate(table, { ...options, learnedWindows: { ...learnedWindows, replaces } });
    const records = (index: number) => features[index]?.records.at(-1);
    expect(records(0)).toBe(100 * 60);
    expect(records(1)).toBe(24 * 8 * 60);
    expect(features[1]?.usesCells).toBe(true);
    // Also where the other features have a baseline with times.
    const timed = calibrate(baselineOf(drawWindows(small, 7)), {
      ...options,
      learnedWindows: { ...learnedWindows, replaces },
    });
    expect(timed.kind).toBe('cells');
    expect(timed.features.map((feature) => feature.records.at(-1))).toEqual([24 * 28 * 60, 24 * 8 * 60, 24 * 28 * 60]);
  });

  test('are not used while they are too few, and refused where they do not fit', () => {
    const few = {
      starts: learnedWindows.starts.slice(0, 23),
      counts: learnedWindows.counts.map((rows) => rows.slice(0, 23)),
    };
    expect(calibrate(table, { ...options, learnedWindows: few }).kind).toBe('uncalibrated');
    const short = { ...learnedWindows, counts: learnedWindows.counts.slice(1) };
    expect(() => calibrate(table, { ...options, learnedWindows: short })).toThrow(/learned windows/);
    const disordered = { ...learnedWindows, starts: learnedWindows.starts.toReversed() };
    expect(() => calibrate(table, { ...options, learnedWindows: disordered })).toThrow(/ascending/);
  });
});

test('empty windows and features without values are no obstacle', () => {
  const windows = drawWindows({ ...small, hours: 24 * 7 }, 8).map((window, index) => ({
    ...window,
    counts: window.counts.map((row, feature) => (feature === 0 || index % 5 === 0 ? row.map(() => 0) : row)),
    records: index % 5 === 0 ? 0 : window.records,
  }));
  const calibration = calibrate(baselineOf(windows), options);
  const numbers = calibration.features.flatMap(({ shares, wander }) => [
    ...shares,
    ...wander.flatMap((scale) => Object.values(scale).flatMap(({ variance, uncertainty }) => [variance, uncertainty])),
  ]);
  expect(numbers.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
  expect(hour).toBe(3_600_000);
});
