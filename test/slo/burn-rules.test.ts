import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AvailabilitySloPolicy } from '../../core/model/policy.ts';
import type { MinuteSlot } from '../../core/model/profile.ts';
import type { Tier } from '../../core/model/verdict.ts';
import { countClusters } from '../../core/slo/burn-guard.ts';
import { burnRate } from '../../core/slo/burn-rate.ts';
import { burnRateOver, secondsToExhaustion } from '../../core/slo/error-budget.ts';
import { judgeSlos } from '../../core/slo/judge-slos.ts';
import { sumHours } from '../../core/slo/minute-slots.ts';

const up: AvailabilitySloPolicy = { kind: 'availability', name: 'up', objective: 0.999, periodSeconds: 30 * 86_400 };
const [hour, day] = [60, 1440];

function slot(minute: number, valid: number, bad: number): MinuteSlot {
  return { minute, rows: valid, requests: valid, schemaBreaks: 0, slis: [['up', valid - bad, valid]], missing: [] };
}

/** Minutes of so many requests, of which `badAt` fail; those older than three hours are known by their hourly sums. */
function judgeDays(minutes: number, perMinute: number, badAt: (ago: number) => number, inForce?: Tier) {
  const slots = Array.from({ length: minutes }, (_, minute) => slot(minute, perMinute, badAt(minutes - minute)));
  const slotsFrom = Math.max(0, Math.floor(minutes / hour) - 3);
  const history = {
    hours: sumHours(slots),
    slots: slots.filter(({ minute }) => minute >= slotsFrom * hour),
    slotsFrom,
  };
  return judgeSlos([up], history, minutes, new Map(inForce ? [['up', inForce]] : []))[0];
}

describe('each pair of windows rings at its own pace', () => {
  /** One failure in every so many minutes, of ten requests each: 1/(10 · gap) of all. */
  const every =
    (gap: number, from = 4 * day, to = 0) =>
    (ago: number) =>
      ago <= from && ago > to && ago % gap === 0 ? 1 : 0;

  test.each([
    ['14.4 times for an hour', every(5, hour), 'red', 60],
    ['8 times for six hours', every(12, 6 * hour), 'red', 360],
    ['4 times for a day', every(25, day), 'yellow', 1440],
    ['twice for three days', every(50, 3 * day), 'yellow', 4320],
  ])('%s', (_, badAt, tier, longMinutes) => {
    const verdict = judgeDays(4 * day, 10, badAt);
    expect(verdict?.burning).toMatchObject({ tier, longMinutes });
    expect(verdict?.broken).toBe(tier === 'red');
  });

  test('at the budgeted rate none does, nor at a little more of it that chance explains', () => {
    expect(judgeDays(4 * day, 10, every(100))?.burning).toBeUndefined();
    expect(judgeDays(4 * day, 10, every(85))?.burning).toBeUndefined();
  });

  test('what is over rings no more, however much it took', () => {
    expect(judgeDays(4 * day, 10, every(1, 3 * day, 7 * hour))?.burning).toBeUndefined();
    expect(judgeDays(4 * day, 10, every(1, 3 * day, 4 * hour))?.burning).toMatchObject({ longMinutes: 4320 });
    expect(judgeDays(4 * day, 10, every(1, day, hour))?.burning).toMatchObject({ tier: 'yellow', longMinutes: 1440 });
    expect(judgeDays(4 * day, 10, every(1, day, 20))?.burning).toMatchObject({ tier: 'red', longMinutes: 360 });
  });
});

test('what has rung goes on until it is over, and what has not does not begin by that', () => {
  // A matter of the last hour alone, of which the last five minutes were good.
  const little = (ago: number) => (ago > 6 && ago <= 12 && ago % 2 === 0 ? 3 : ago > 20 && ago <= 23 ? 1 : 0);
  expect(judgeDays(6 * hour, 10, little)?.burning?.tier).not.toBe('red');
  expect(judgeDays(6 * hour, 10, little, 'red')?.burning).toMatchObject({ tier: 'red', longMinutes: 60 });
  expect(judgeDays(6 * hour, 10, little, 'yellow')?.burning?.tier).not.toBe('red');
  expect(judgeDays(6 * hour, 10, () => 0, 'red')?.burning).toBeUndefined();
});

test('at the release level a service back at its budget is over', () => {
  const back = (ago: number) => (ago > day ? (ago % 40 === 0 ? 1 : 0) : ago % 100 === 0 ? 1 : 0);
  expect(judgeDays(4 * day + 1, 10, back, 'yellow')?.burning).toMatchObject({ tier: 'yellow' });
  const long = (ago: number) => (ago > 3 * day ? 1 : ago % 100 === 0 ? 1 : 0);
  expect(judgeDays(4 * day, 10, long, 'yellow')?.burning).toBeUndefined();
});

test('one outage rings a handful of times at most, though it comes and goes', () => {
  // One in six fails, ten requests an hour, for a day: a short window of five requests often holds no failure.
  let inForce: Tier = 'green';
  let [changes, changesWithout, before] = [0, 0, false];
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const slots: MinuteSlot[] = [];
  for (let minute = 0; minute < day; minute++) {
    if (minute % 6 === 0) slots.push(slot(minute, 1, random() < 1 / 6 ? 1 : 0));
    const judge = (tiers: ReadonlyMap<string, Tier>) =>
      judgeSlos([up], { hours: [], slots, slotsFrom: 0 }, minute + 1, tiers)[0]?.burning?.tier ?? 'green';
    const now = judge(new Map([['up', inForce]]));
    if ((now === 'red') !== (inForce === 'red')) changes++;
    inForce = now;
    const bare = judge(new Map()) === 'red';
    if (bare !== before) changesWithout++;
    before = bare;
  }
  expect(inForce).toBe('red');
  expect(changes).toBeLessThanOrEqual(5);
  expect(changesWithout).toBeGreaterThan(changes);
});

test('hours and minutes add up to what all minutes would give, clusters of hours counted each', () => {
  const failures = fc.array(fc.record({ minute: fc.nat(599), bad: fc.integer({ min: 1, max: 120 }) }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(failures, fc.integer({ min: 0, max: 9 }), (failed, slotsFrom) => {
      const byMinute = new Map(failed.map(({ minute, bad }) => [minute, bad]));
      const slots = Array.from({ length: 600 }, (_, minute) => slot(minute, 200, byMinute.get(minute) ?? 0));
      const history = { hours: sumHours(slots), slots, slotsFrom };
      const mixed = burnRateOver(history, up, 600, 600);
      const exact = burnRate(slots, up, 600, 600);
      expect(mixed).toMatchObject({ good: exact.good, valid: exact.valid });
      expect(mixed.clusters).toBeGreaterThanOrEqual(countClusters(slots, 'up', slotsFrom * 60, 600));
      // A cluster that the end of an hour cuts counts twice.
      expect(mixed.clusters).toBeGreaterThanOrEqual(exact.clusters);
      expect(mixed.clusters).toBeLessThanOrEqual(exact.clusters + 2 * slotsFrom);
    }),
    { numRuns: 200, seed: 20_260_301 },
  );
  // Sums of before clusters were counted: as few as that many failures can form.
  const old = { hours: [{ hour: 0, rows: 0, requests: 0, slis: [['up', 0, 120] as const] }], slots: [], slotsFrom: 1 };
  expect(burnRateOver(old, up, 60, 60)).toMatchObject({ clusters: 3, rate: expect.closeTo(1000, 6) });
});

test('how long the budget lasts', () => {
  const days = (count: number) => count * 86_400;
  const month = { periodSeconds: days(30), coveredSeconds: days(30) };
  expect(secondsToExhaustion({ ...month, remaining: 1 }, 1)).toBeCloseTo(days(30), 6);
  expect(secondsToExhaustion({ ...month, remaining: 0.5 }, 10)).toBeCloseTo(days(1.5), 6);
  expect(secondsToExhaustion({ ...month, remaining: 0 }, 10)).toBe(0);
  expect(secondsToExhaustion({ ...month, remaining: -3 }, 10)).toBe(0);
  // A day old, half of the day's budget spent: at twice the rate the other half lasts as long as the day did.
  const young = { periodSeconds: days(30), coveredSeconds: days(1), remaining: 0.5 };
  expect(secondsToExhaustion(young, 1.5)).toBeCloseTo(days(1), 6);
  // Slower than that, the period is full before: (30 − 0.5) days of budget at 1.01 times.
  expect(secondsToExhaustion(young, 1.01)).toBeCloseTo(days(29.5 / 1.01), 3);
  expect(secondsToExhaustion({ ...young, coveredSeconds: days(60) }, 2)).toBeCloseTo(days(7.5), 6);
});

test('a projection is stated only where the last six hours burn beyond chance', () => {
  const burn = judgeDays(2 * day, 10, (ago) => (ago <= 6 * hour && ago % 12 === 0 ? 1 : 0));
  expect(burn?.errorBudgetRemaining).toBeGreaterThan(-0.2);
  const spent = judgeDays(2 * day, 10, (ago) => (ago <= 6 * hour && ago % 8 === 0 ? 1 : 0));
  expect(spent).toMatchObject({ errorBudgetRemaining: expect.closeTo(1 - 45 / 28.8, 6) });
  expect(spent?.errorBudgetExhaustionSeconds).toBeUndefined();
  const burning = judgeDays(4 * day, 10, (ago) => (ago <= 6 * hour && ago % 12 === 0 ? 1 : 0));
  const remaining = 1 - 30 / 57.6;
  const rate = 30 / 3.6;
  expect(burning?.errorBudgetExhaustionSeconds).toBeCloseTo((remaining * 4 * 86_400) / (rate - 1), -1);
  expect(judgeDays(4 * day, 10, (ago) => (ago % 100 === 0 ? 1 : 0))?.errorBudgetExhaustionSeconds).toBeUndefined();
  expect(judgeDays(4 * day, 0, () => 0)).toMatchObject({ errorBudgetRemaining: 1, broken: false });
});
