import { describe, expect, test } from 'vitest';
import { calibrate } from '../../core/evaluate/calibration.ts';
import { evaluateWindow } from '../../core/evaluate/evaluate-window.ts';
import { leaveOutOngoing } from '../../core/evaluate/ongoing-drift.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { Finding } from '../../core/model/verdict.ts';
import { baselineOf, type Design, type DrawnWindow, drawWindows, Follower, hour } from './drawn-windows.ts';
import { createInput, createSummary, numericFromBins, plainPolicy } from './synthetic-model.ts';

const policy: ModelPolicy = {
  ...plainPolicy,
  drift: { ...plainPolicy.drift, level: 0.1 / 1176 },
  features: [['feature 000', { ignore: false, required: true, published: false }]],
};

interface Story extends Partial<Design> {
  readonly days: number;
  readonly live: number;
  /** Whether the first feature has values in an hour; `live` hours begin at 0. */
  readonly hasValues: (hourOfDay: number, live: number) => boolean;
  readonly timed?: boolean;
  /** Live windows after which the wander is learned from them. */
  readonly learnsAfter?: number;
}

/** Judges the live hours of two features. @returns per hour what is not green. */
function follow({
  days,
  live,
  hasValues,
  timed = true,
  learnsAfter,
  ...design
}: Story): readonly (readonly Finding[])[] {
  const before = days * 24;
  const drawn = drawWindows({ features: 2, recordsPerHour: 120, ...design, hours: before + live }, 5);
  const windows = drawn.map((window, at) => emptyUnless(hasValues(at % 24, at - before), window));
  const baseline = baselineOf(windows.slice(0, before), timed);
  const options = { windowSeconds: 3600, calendar: utcCalendar };
  const first = windows.slice(before, before + (learnsAfter ?? 0));
  const counts = [0, 1].map((feature) => first.map((window) => window.counts[feature] ?? []));
  const learnedWindows = { starts: first.map(({ start }) => start), counts };
  const early = calibrate(baseline, options);
  const late =
    learnsAfter === undefined
      ? early
      : leaveOutOngoing(calibrate(baseline, { ...options, learnedWindows }), early, learnedWindows, {
          policy,
          baseline,
          calendar: utcCalendar,
        });
  const follower = new Follower(baseline, early, policy);
  return windows.slice(before).map((window, at) => {
    follower.add(window);
    const calibration = at < (learnsAfter ?? 0) ? early : late;
    const summary = createSummary(
      baseline.layout.features.map(([name], feature) => {
        const row = window.counts[feature] ?? [];
        return [name, numericFromBins(row.slice(0, 10), row[10])[1]] as const;
      }),
    );
    const context = { calibration, stretches: follower.stretches(), windowsOfTrail: [] };
    const times = { start: window.start, end: window.start + hour };
    const { findings } = evaluateWindow(createInput(baseline, summary, { policy, window: times, context }));
    return findings.filter(({ tier }) => tier !== 'green');
  });
}

function emptyUnless(hasValues: boolean, window: DrawnWindow): DrawnWindow {
  if (hasValues) return window;
  const [first = [], ...others] = window.counts;
  return { ...window, counts: [[...first.slice(0, -1).fill(0), window.records], ...others] };
}

const inOffice = (hourOfDay: number) => hourOfDay >= 8 && hourOfDay < 18;

describe('a feature of office hours', () => {
  test.each([28, 8, 4])('is not missing at night: %d days of baseline', (days) => {
    expect(follow({ days, live: 72, hasValues: inOffice }).flat()).toEqual([]);
  });

  test('is not missing at night where few records make the hours share a cell', () => {
    expect(follow({ days: 28, recordsPerHour: 6, live: 72, hasValues: inOffice }).flat()).toEqual([]);
  });

  test('is not missing at night once live windows have shown how it comes and goes', () => {
    const nights = follow({ days: 28, live: 96, hasValues: inOffice, timed: false, learnsAfter: 24 });
    expect(nights.slice(24).flat()).toEqual([]);
    // Before that a first night looks like drift, but nobody is paged.
    expect(nights.flat().filter(({ kind, tier }) => kind === 'missing-column' || tier === 'red')).toEqual([]);
  });

  test('is missed in the first hour that should have it', () => {
    const hours = follow({ days: 28, live: 48, hasValues: (at, live) => inOffice(at) && live < 20 });
    const first = hours.findIndex((findings) => findings.length > 0);
    expect(first).toBe(32);
    expect(hours[first]?.map(({ id, tier }) => [id, tier])).toEqual([['missing-column:feature 000', 'red']]);
    expect(hours[first]?.[0]?.message).toBe(
      'feature 000: none of 120 records has a value; usually 100 % have one; the feature is required',
    );
  });
});

describe('a column that is gone', () => {
  test.each([3, 20, 23])('from hour %i on is not taken for its own ups and downs when those are learned', (from) => {
    const hours = follow({ days: 28, live: 60, hasValues: (_, live) => live < from, timed: false, learnsAfter: 24 });
    expect(hours.slice(0, from).flat()).toEqual([]);
    expect(hours.slice(from).filter((findings) => findings.length === 0)).toEqual([]);
  });

  test('and back is learned', () => {
    const hasValues = (_: number, live: number) => live < 5 || live > 12;
    const hours = follow({ days: 28, live: 60, hasValues, timed: false, learnsAfter: 24 });
    expect(hours.slice(24).flat()).toEqual([]);
  });

  const lose = (days: number, timed: boolean) => {
    const wanders = { recordsPerHour: 200, wander: 0.15, missingShare: 0.02, missingWander: 0.006 };
    const hours = follow({ ...wanders, days, timed, live: 4, hasValues: (_, live) => live < 2 });
    return hours.map((findings) => findings.map(({ id }) => id));
  };
  const gone = ['missing-column:feature 000'];

  test.each([
    [28, true],
    [8, true],
    [4, true],
    [28, false],
  ])('is found in its first window: %d days of baseline, timed: %s', (days, timed) => {
    expect(lose(days, timed)).toEqual([[], [], gone, gone]);
  });

  test('is drift in its first window where two days tell little of how its values wander', () => {
    expect(lose(2, true)).toEqual([[], [], ['drift:feature 000'], gone]);
  });
});

test('an analysis misses a column only in more time than the baseline ever went without it', () => {
  const windows = drawWindows({ features: 1, recordsPerHour: 120, hours: 24 * 7 }, 6);
  const judge = (timed: boolean, hours: number) => {
    const baseline = baselineOf(
      windows.map((window, at) => emptyUnless(inOffice(at % 24), window)),
      timed,
    );
    const summary = createSummary([['feature 000', numericFromBins(new Array<number>(10).fill(0), 500)[1]]]);
    const times = { start: 0, end: hours * hour };
    const { findings } = evaluateWindow(createInput(baseline, summary, { policy, window: times, mode: 'analysis' }));
    return findings.map(({ kind, tier }) => [kind, tier]);
  };
  const gone = [['missing-column', 'red']];
  // From 18:00 to 8:00.
  expect(judge(true, 14)).toEqual([['missing', 'yellow']]);
  expect(judge(true, 15)).toEqual(gone);
  expect(judge(false, 14)).toEqual(gone);
});
