import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupCells } from '../../core/evaluate/cell-groups.ts';
import { cellOfWindow, createCellReader } from '../../core/evaluate/cells.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import { chooseScales } from '../../core/model/scales.ts';
import { cellOf } from '../../core/profile/build-baseline.ts';

const berlin = { timeZone: 'Europe/Berlin', days: [] } as const;

describe('cells', () => {
  test('in UTC they are those that a baseline is counted by', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (time) => {
        expect(cellOfWindow(time, utcCalendar)).toBe(cellOf(time));
      }),
      { numRuns: 200 },
    );
  });

  test('a window belongs to the local hour it starts in, also across a change of clocks', () => {
    // Sunday 29 March 2026: 02:00 in Berlin becomes 03:00 at 01:00 UTC.
    expect(cellOfWindow(Date.UTC(2026, 2, 29, 0), berlin)).toBe('01|weekend');
    expect(cellOfWindow(Date.UTC(2026, 2, 29, 1), berlin)).toBe('03|weekend');
    // Sunday 25 October 2026: 02:00 comes twice.
    expect(cellOfWindow(Date.UTC(2026, 9, 25, 0), berlin)).toBe('02|weekend');
    expect(cellOfWindow(Date.UTC(2026, 9, 25, 1), berlin)).toBe('02|weekend');
    // Friday 23:30 UTC is Saturday in Berlin; India lies half an hour off.
    expect(cellOfWindow(Date.UTC(2026, 2, 6, 23, 30), berlin)).toBe('00|weekend');
    expect(cellOfWindow(Date.UTC(2026, 2, 6, 18, 15), { timeZone: 'Asia/Kolkata', days: [] })).toBe('23|weekday');
    expect(cellOfWindow(Date.UTC(2026, 2, 6, 18, 30), { timeZone: 'Asia/Kolkata', days: [] })).toBe('00|weekend');
  });

  test('a holiday is the kind of day that the calendar says, by its local date', () => {
    const days = [
      ['2026-12-25', 'weekend'],
      ['2026-12-27', 'weekday'],
    ] as const;
    expect(cellOfWindow(Date.UTC(2026, 11, 25, 9), { timeZone: 'UTC', days })).toBe('09|weekend');
    expect(cellOfWindow(Date.UTC(2026, 11, 27, 9), { timeZone: 'UTC', days })).toBe('09|weekday');
    expect(cellOfWindow(Date.UTC(2026, 11, 24, 23), { timeZone: 'Europe/Berlin', days })).toBe('00|weekend');
  });

  test('impossible times and time zones are refused', () => {
    for (const time of [Number.NaN, Number.POSITIVE_INFINITY, 9e15]) {
      expect(() => cellOfWindow(time, utcCalendar)).toThrow(RangeError);
    }
    expect(() => createCellReader({ timeZone: 'Mars/Olympus', days: [] })).toThrow(RangeError);
  });
});

describe('groups of cells', () => {
  const week = Array.from({ length: 168 }, (_, hour) => cellOf(Date.UTC(2026, 2, 2) + hour * 3_600_000));

  test('as fine as the scheme allows where traffic is dense', () => {
    const records = new Array<number>(168).fill(500);
    expect(groupCells(week, records, 'hours and weekends')).toMatchObject({ hours: 1, size: 48 });
    expect(groupCells(week, records, 'none')).toMatchObject({ size: 1 });
  });

  test('widened where traffic is thin, until a group holds 200 records; one group at the least', () => {
    expect(groupCells(week, new Array<number>(168).fill(10), 'hours and weekends')).toMatchObject({
      hours: 6,
      size: 8,
    });
    expect(groupCells(week, new Array<number>(168).fill(0), 'hours and weekends').size).toBe(2);
    expect(groupCells([], [], 'hours and weekends').size).toBe(0);
  });

  test('a cell that no window lies in has no group', () => {
    const weekdays = week.slice(0, 120);
    const groups = groupCells(weekdays, new Array<number>(120).fill(500), 'hours and weekends');
    expect(groups.indexOf('13|weekday')).toBeTypeOf('number');
    expect(groups.indexOf('13|weekend')).toBeUndefined();
  });
});

describe('scales', () => {
  test('an hourly model is judged from an hour to a week', () => {
    expect(chooseScales(3600)).toEqual([1, 2, 4, 8, 24, 72, 168]);
    expect(chooseScales(3600, 350)).toEqual([1, 2, 4, 8, 24, 72, 168, 672]);
  });

  test('other widths reach from one window to a week with few steps', () => {
    for (const seconds of [60, 300, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800]) {
      const scales = chooseScales(seconds);
      expect(scales[0]).toBe(1);
      expect((scales.at(-1) ?? 0) * seconds).toBe(604_800);
      expect(scales.length).toBeLessThanOrEqual(10);
      expect(scales).toEqual([...new Set(scales)].sort((a, b) => a - b));
    }
    for (const seconds of [0, -1, Number.NaN, 604_801]) expect(() => chooseScales(seconds)).toThrow(RangeError);
  });
});
