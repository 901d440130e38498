import { describe, expect, test } from 'vitest';
import { calibrate, type FeatureCalibration } from '../../core/evaluate/calibration.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { FeatureLayout } from '../../core/model/layout.ts';
import { firstHour, hour } from './drawn-windows.ts';
import { createBaseline } from './synthetic-model.ts';

const layout: FeatureLayout = { kind: 'categorical', side: 'input', categories: ['a', 'b', 'rare'] };
const rows = 100_000;
const hours = Array.from({ length: 24 * 7 }, (_, at) => at);

/** Counts of an hour: a, b, rare, unseen, missing. */
type Hour = readonly [a: number, b: number, rare: number, unseen: number, missing: number];

/** What is expected of a table whose columns have these shares, by hour, after a week of live hours. */
function lend(table: Hour, live: (at: number) => Hour) {
  const [a, b, rare, unseen, missing] = table.map((share) => share * rows) as unknown as Hour;
  const summary = {
    kind: 'categorical',
    count: rows - missing,
    missing,
    unseen,
    categories: [
      [0, a],
      [1, b],
      [2, rare],
    ],
  } as const;
  const baseline = createBaseline([
    ['kind', [layout, { kind: 'categorical', summary, distinct: 3, singletons: 0, rare: 0 }]],
  ]);
  const { features, groups } = calibrate(baseline, {
    windowSeconds: 3600,
    calendar: utcCalendar,
    learnedWindows: { starts: hours.map((at) => firstHour + at * hour), counts: [hours.map(live)] },
  });
  const feature = features[0] as FeatureCalibration;
  expect(feature).toMatchObject({ usesCells: true, leansOn: rows });
  const { bins } = feature.plan;
  const rowOf = (cell: string) => groups.indexOf(cell) ?? -1;
  return {
    sharesOf: (cell: string) => [...feature.shares.subarray(rowOf(cell) * bins, (rowOf(cell) + 1) * bins)],
    unseenOf: (cell: string) => feature.unseen[rowOf(cell)],
    recordsOf: (cell: string) => feature.records[rowOf(cell)] ?? 0,
  };
}

describe('what a table expects of the hours', () => {
  test('is the table, whatever single records of a rare category tell', () => {
    // On one Saturday at ten one record in 168,000 is of a category that the table has .4 % of.
    const { sharesOf } = lend([0.596, 0.4, 0.004, 0, 0], (at) => [600, 400, at === 5 * 24 + 10 ? 1 : 0, 0, 0]);
    for (const cell of ['10|weekend', '11|weekend', '10|weekday']) {
      expect(sharesOf(cell)[2]).toBeCloseTo(0.004, 3);
    }
  });

  test('is the table where hours differ by chance alone', () => {
    const { sharesOf } = lend([0.4, 0.6, 0, 0, 0], (at) => [500 + ((at * 37) % 41) - 20, 500, 0, 0, 0]);
    expect(sharesOf('03|weekday')[0]).toBeCloseTo(0.4, 3);
    expect(sharesOf('03|weekend')[0]).toBeCloseTo(0.4, 3);
  });

  test('varies as the live hours do, around the mean that the table has', () => {
    const isNight = (at: number) => at % 24 < 12;
    // Live twice as many of b by night as by day; the table has half as many of it.
    const { sharesOf, recordsOf } = lend([0.85, 0.15, 0, 0, 0], (at) =>
      isNight(at) ? [600, 400, 0, 0, 0] : [800, 200, 0, 0, 0],
    );
    const [night = 0, day = 0] = [sharesOf('03|weekday')[1], sharesOf('15|weekday')[1]];
    const oddsOf = (share: number) => share / (1 - share);
    expect(oddsOf(night) / oddsOf(day)).toBeCloseTo(oddsOf(0.4) / oddsOf(0.2), 1);
    expect((night + day) / 2).toBeCloseTo(0.15, 2);
    expect(recordsOf('03|weekday')).toBeLessThanOrEqual(5 * 1000);
    expect(recordsOf('03|weekday')).toBeGreaterThan(2000);
  });

  test('is nothing in hours that never have a value, be its values ever so rare', () => {
    const isOpen = (at: number) => at % 24 >= 8 && at % 24 < 18;
    const { sharesOf, unseenOf } = lend([0.2, 0.2, 0.003, 0.01, 0.587], (at) =>
      isOpen(at) ? [45, 45, 1, 2, 7] : [0, 0, 0, 0, 100],
    );
    expect(
      sharesOf('03|weekday')
        .slice(0, -1)
        .every((share) => share < 0.002),
    ).toBe(true);
    expect(unseenOf('03|weekday')).toBeLessThan(0.0002);
    expect(sharesOf('12|weekday').at(-1)).toBeLessThan(0.1);
    expect(unseenOf('12|weekday')).toBeCloseTo(0.024, 2);
  });

  test('has unseen values where the live hours have them', () => {
    const { unseenOf } = lend([0.5, 0.45, 0, 0.05, 0], (at) =>
      at % 24 < 12 ? [500, 500, 0, 0, 0] : [500, 400, 0, 100, 0],
    );
    expect(unseenOf('03|weekday')).toBeLessThan(0.001);
    expect(unseenOf('15|weekday')).toBeCloseTo(0.1, 2);
  });

  test('is worth fewer records where the table is far from what was learned', () => {
    const near = lend([0.99, 0.01, 0, 0, 0], (at) => (at % 24 < 12 ? [980, 20, 0, 0, 0] : [995, 5, 0, 0, 0]));
    const far = lend([0.5, 0.5, 0, 0, 0], (at) => (at % 24 < 12 ? [980, 20, 0, 0, 0] : [995, 5, 0, 0, 0]));
    expect(far.recordsOf('03|weekday')).toBeLessThan(near.recordsOf('03|weekday') / 4);
  });
});
