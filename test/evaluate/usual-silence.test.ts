import { describe, expect, test } from 'vitest';
import { createRandomSource, type RandomSource } from '../../bench/detection/random-source.ts';
import { judgeLive } from '../../core/evaluate/judge-live.ts';
import { usualGapSeconds } from '../../core/evaluate/usual-silence.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import { cellOf } from '../../core/profile/build-baseline.ts';
import { countSilence } from '../../core/profile/silence-cells.ts';
import { plainPolicy } from './synthetic-model.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** A Monday. */
const monday = Date.UTC(2026, 2, 2);
type Time = NonNullable<Baseline['time']>;

/** Minutes with records, of so many days from `monday` on. */
type Traffic = (random: RandomSource, days: number) => readonly number[];

function isWeekend(dayNumber: number): boolean {
  return dayNumber % 7 >= 5;
}

/** Calls a minute by the hour of the day; every day is busier or quieter than others. */
function callsOf(ratesOf: (dayNumber: number, minuteOfDay: number) => number, deviation: number, clump = 1): Traffic {
  return (random, days) => {
    const active = new Set<number>();
    for (let at = 0; at < days; at++) {
      const factor = Math.exp(deviation * random.normal());
      for (let of = 0; of < 1440; of++) {
        if (random.uniform() >= -Math.expm1(-factor * ratesOf(at, of))) continue;
        // A clump goes on for some minutes.
        let length = 1;
        while (random.uniform() < 1 - 1 / clump) length++;
        for (let next = 0; next < length; next++) active.add(at * 1440 + of + next);
      }
    }
    return [...active].sort((a, b) => a - b).map((each) => monday / minute + each);
  };
}

/** Weekdays from about eight to about six, 600 calls an hour; somebody comes in early or stays late. */
const officeHours: Traffic = (random, days) => {
  const ends = Array.from({ length: days }, () => [480 + 20 * random.normal(), 1080 + 20 * random.normal()] as const);
  return callsOf((at, of) => {
    const [open, close] = ends[at] ?? [0, 0];
    return !isWeekend(at) && of >= open && of < close ? 10 : 0;
  }, 0.2)(random, days);
};
const steady = callsOf((_, of) => 1 + 0.5 * Math.sin((2 * Math.PI * of) / 1440), 0.1);
const sparse = callsOf(() => 0.05, 0.1);
const clumped = callsOf((at, of) => (of >= 480 && of < 1200 && !isWeekend(at) ? 0.2 : 0.03), 0.3, 4);

function timeOf(minutes: readonly number[], days: number): Time {
  const gaps = minutes.slice(1).map((each, at) => each - (minutes[at] ?? 0));
  return {
    first: new Date(monday).toISOString(),
    last: new Date(monday + days * day).toISOString(),
    windowSeconds: 3600,
    windows: [],
    cells: [],
    longestGapSeconds: 60 * Math.max(...gaps),
    silences: countSilence(new Set(minutes), cellOf),
  };
}

/** Is no record since then red at that time? */
function isRed(time: Time, since: number, now: number): boolean {
  const { findings } = judgeLive({
    policy: { ...plainPolicy, captureDelaySeconds: 0 },
    slots: [],
    now,
    endMinute: now / minute,
    longestGapSeconds: usualGapSeconds(time, since),
    invocations: undefined,
    slos: [],
    lastRecordTime: since,
    monitoringSince: monday - day,
  });
  return findings.some(({ kind, tier }) => kind === 'silence' && tier === 'red');
}

function delayMinutes(time: Time, since: number): number {
  for (let waited = 1; waited < 20_000; waited++) if (isRed(time, since, since + waited * minute)) return waited;
  return Number.POSITIVE_INFINITY;
}

describe('silence after four weeks of baseline', () => {
  const traffic = [
    ['office hours', officeHours, 45],
    ['steady', steady, 40],
    ['sparse', sparse, 480],
    ['clumped', clumped, 150],
  ] as const;
  for (const [name, draw, longestDelay] of traffic) {
    test(`of ${name} traffic is no false red in 60 weeks, and is noticed`, () => {
      let reds = 0;
      const delays: number[] = [];
      for (let model = 0; model < 6; model++) {
        const minutes = draw(createRandomSource(`${name} ${model}`), 98);
        const border = monday / minute + 28 * 1440;
        const time = timeOf(
          minutes.filter((each) => each < border),
          28,
        );
        const live = minutes.filter((each) => each >= border);
        live.forEach((each, at) => {
          const next = live[at + 1] ?? each;
          if (next - each > 9 && isRed(time, each * minute, next * minute)) reds++;
        });
        // It stops on a Wednesday at noon.
        delays.push(delayMinutes(time, monday + (30 * 24 + 12) * hour));
      }
      expect(reds).toBe(0);
      expect(Math.max(...delays)).toBeLessThanOrEqual(longestDelay);
    });
  }

  test('that begins when the office closes is judged by the longest, weekends and all', () => {
    const time = timeOf(officeHours(createRandomSource('friday'), 28), 28);
    const friday = monday + (4 * 24 + 17.9) * hour;
    expect(usualGapSeconds(time, friday)).toBe(time.longestGapSeconds);
    expect(time.longestGapSeconds).toBeGreaterThan(60 * 3600);
    // Clocks are changed: an hour earlier is as good.
    expect(isRed(time, friday - hour, friday + 2.5 * day)).toBe(false);
  });
});

test('without hours of the week, or with less than two weeks of them, twice the longest of all is allowed', () => {
  const minutes = steady(createRandomSource('short'), 10);
  const time = timeOf(minutes, 10);
  const noon = monday + 12 * hour;
  expect(usualGapSeconds(time, noon)).toBe(time.longestGapSeconds);
  const long = timeOf(officeHours(createRandomSource('long'), 28), 28);
  expect(usualGapSeconds(long, noon)).toBeLessThan(0.01 * long.longestGapSeconds);
  expect(usualGapSeconds({ ...long, silences: undefined }, noon)).toBe(long.longestGapSeconds);
  expect(usualGapSeconds(long, undefined)).toBe(long.longestGapSeconds);
  // At night nobody ever stopped calling.
  expect(usualGapSeconds(long, monday + 3 * hour)).toBe(long.longestGapSeconds);
});

test('silent minutes are counted in their own hour, a silence in the one it begins in', () => {
  const nine = monday / minute + 9 * 60;
  expect(countSilence(new Set([nine + 61, nine, nine + 1, nine + 58]), cellOf)).toEqual([
    { cell: '09|weekday', silentMinutes: 57, wakeUps: 1, longestGapSeconds: 57 * 60 },
    { cell: '10|weekday', silentMinutes: 1, wakeUps: 1, longestGapSeconds: 0 },
  ]);
  expect(countSilence(new Set(), cellOf)).toEqual([]);
});
