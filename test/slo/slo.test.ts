import { expect, test } from 'vitest';
import type {
  AvailabilitySloPolicy,
  CompletenessSloPolicy,
  LatencySloPolicy,
  SloPolicy,
} from '../../core/model/policy.ts';
import type { MinuteSlot } from '../../core/model/profile.ts';
import { countClusters, probabilityWithinBudget } from '../../core/slo/burn-guard.ts';
import { burnRate } from '../../core/slo/burn-rate.ts';
import { burnRules, ruleBurnRate } from '../../core/slo/burn-rules.ts';
import { classifyRequest } from '../../core/slo/classify-request.ts';
import { countPeriod, errorBudgetRemaining } from '../../core/slo/error-budget.ts';
import { judgeSlos } from '../../core/slo/judge-slos.ts';
import { sumHours } from '../../core/slo/minute-slots.ts';
import { findWatermark } from '../../core/slo/watermark.ts';
import { binomialUpperTail } from '../../core/stats/binomial.ts';

const fast: LatencySloPolicy = {
  kind: 'latency',
  name: 'fast',
  thresholdMilliseconds: 100,
  objective: 0.999,
  periodSeconds: 30 * 86_400,
};
const complete: CompletenessSloPolicy = {
  kind: 'completeness',
  name: 'c',
  objective: 0.999,
  periodSeconds: 30 * 86_400,
};
const up: AvailabilitySloPolicy = { kind: 'availability', name: 'up', objective: 0.9995, periodSeconds: 30 * 86_400 };

function slot(minute: number, valid: number, bad: number, name = 'fast'): MinuteSlot {
  return { minute, rows: valid, requests: valid, schemaBreaks: 0, slis: [[name, valid - bad, valid]], missing: [] };
}

test.each([
  [fast, { latencyMilliseconds: 100, status: 200 }, 'good'],
  [fast, { latencyMilliseconds: 100.000001, status: 200 }, 'bad'],
  [fast, { latencyMilliseconds: 0 }, 'good'],
  [fast, { latencyMilliseconds: 5, status: 499 }, 'good'],
  [fast, { latencyMilliseconds: 5, status: 500 }, 'not-valid'],
  [fast, { status: 200 }, 'not-valid'],
  [fast, { latencyMilliseconds: Number.NaN }, 'not-valid'],
  [fast, { latencyMilliseconds: -1 }, 'not-valid'],
  [up, { status: 200 }, 'good'],
  [up, { status: 429 }, 'good'],
  [up, { status: 499 }, 'good'],
  [up, { status: 500, latencyMilliseconds: 3 }, 'bad'],
  [up, { status: 599 }, 'bad'],
  [up, { latencyMilliseconds: 3 }, 'not-valid'],
  [complete, { status: 200, latencyMilliseconds: 3 }, 'not-valid'],
] as const)('%o: %o is %s', (slo, request, outcome) => {
  expect(classifyRequest(slo, request)).toBe(outcome);
});

test('the burn rate counts exactly the minutes asked for', () => {
  const slots = [slot(9, 100, 100), slot(10, 100, 1), slot(11, 100, 2), slot(12, 100, 100)];
  expect(burnRate(slots, fast, 12, 2).rate).toBeCloseTo(15, 9);
  expect(burnRate(slots, fast, 12, 2)).toMatchObject({ good: 197, valid: 200 });
  expect(burnRate(slots, fast, 9, 5)).toEqual({ good: 0, valid: 0, clusters: 0, rate: undefined });
  expect(() => burnRate(slots, { name: 'all', objective: 1 }, 12, 2)).toThrow(
    'expected an objective between 0 and 1, saw 1',
  );
});

test('the watermark follows the data, but not into the future and not beyond the capture delay', () => {
  const now = 1000 * 60_000 + 30_000;
  expect(findWatermark([slot(997, 1, 0)], now, 600)).toBe(998);
  expect(findWatermark([slot(1000, 1, 0)], now, 600)).toBe(1001);
  expect(findWatermark([slot(999, 1, 0), slot(5000, 1, 0)], now, 600)).toBe(1000);
  expect(findWatermark([slot(900, 1, 0)], now, 600)).toBe(990);
  expect(findWatermark([], now, 600)).toBe(990);
});

test('the budget of a period comes from hourly sums and, after them, minute slots', () => {
  const old = [slot(0, 1000, 1), slot(30, 1000, 0), slot(60, 1000, 1)];
  const recent = [slot(120, 1000, 1), slot(150, 1000, 0)];
  const history = { hours: sumHours([...old, ...recent]), slots: [...old.slice(2), ...recent], slotsFrom: 2 };
  expect(countPeriod(history, 'fast', 180, 86_400)).toEqual({ good: 4997, valid: 5000 });
  expect(countPeriod(history, 'fast', 121, 86_400)).toEqual({ good: 3997, valid: 4000 });
  expect(countPeriod(history, 'fast', 180, 7200)).toEqual({ good: 2998, valid: 3000 });
  expect(countPeriod(history, 'other', 180, 86_400)).toEqual({ good: 0, valid: 0 });
});

test('the budget left: whole, half, spent, overspent', () => {
  expect(errorBudgetRemaining(fast, { good: 0, valid: 0 })).toBe(1);
  expect(errorBudgetRemaining(fast, { good: 1999, valid: 2000 })).toBeCloseTo(0.5, 9);
  expect(errorBudgetRemaining(fast, { good: 999, valid: 1000 })).toBeCloseTo(0, 9);
  expect(errorBudgetRemaining(fast, { good: 990, valid: 1000 })).toBeCloseTo(-9, 9);
});

function judgeHour(bad: (minutesLeft: number) => number, perMinute: number, slo: SloPolicy = fast) {
  const slots = Array.from({ length: 60 }, (_, index) => slot(index, perMinute, bad(60 - index), slo.name));
  return judgeSlos([slo], { hours: [], slots, slotsFrom: 0 }, 60)[0];
}

test('an objective breaks where both windows burn', () => {
  expect(judgeHour((left) => (left <= 5 ? 20 : 0), 20)).toMatchObject({ broken: true, good: 1100, valid: 1200 });
  expect(judgeHour((left) => (left > 30 && left < 55 ? 20 : 0), 20)).toMatchObject({ broken: false });
  expect(judgeHour((left) => (left <= 5 && left % 2 === 0 ? 1 : 0), 20)).toMatchObject({ broken: false });
  expect(judgeHour(() => 0, 0)).toMatchObject({ broken: false, burnRateLong: undefined, errorBudgetRemaining: 1 });
});

test.each([
  [10, 3],
  [50, 4],
  [100, 4],
  // 14.4 times the budgeted rate would be eight; within six hours, six times is enough.
  [500, 7],
])('at %i requests an hour the guard asks for %i bad ones', (requests, needed) => {
  // Each in minutes of its own, so that none is taken for another try of the one before.
  const judgeBad = (bad: number) => {
    const failures = Array.from({ length: bad }, (_, index) => slot(59 - 3 * index, 1, 1)).toReversed();
    return judgeSlos([fast], { hours: [], slots: [slot(0, requests - bad, 0), ...failures], slotsFrom: 0 }, 60)[0];
  };
  expect(judgeBad(needed - 1)?.broken).toBe(false);
  expect(judgeBad(needed)?.broken).toBe(true);
});

test('a caller that tries again and again is one failure, and a failing service is not', () => {
  const judge = (failures: readonly (readonly [minute: number, bad: number])[], perMinute: number) => {
    const failed = new Map(failures);
    const slots = Array.from({ length: 60 }, (_, minute) =>
      slot(minute, perMinute + (failed.get(minute) ?? 0), failed.get(minute) ?? 0),
    );
    return judgeSlos([fast], { hours: [], slots, slotsFrom: 0 }, 60)[0];
  };
  const burst = judge([[59, 20]], 8);
  expect(burst).toMatchObject({ broken: false });
  expect(burst?.burnRateLong).toBeGreaterThan(14.4);
  // Across the minute's end it is still one, and two within the hour are not yet beyond chance.
  expect(
    judge(
      [
        [30, 20],
        [58, 12],
        [59, 8],
      ],
      8,
    )?.broken,
  ).toBe(false);
  expect(
    judge(
      [
        [20, 20],
        [40, 20],
        [59, 20],
      ],
      8,
    )?.broken,
  ).toBe(true);
  // More than fifty at once are no single caller's.
  expect(judge([[59, 400]], 170)?.broken).toBe(true);
  expect(judge([[59, 50]], 8)?.broken).toBe(false);
});

test('the guard is the binomial tail where every failure is alone', () => {
  for (const [valid, clusters] of [
    [10, 3],
    [100, 4],
    [5000, 12],
  ] as const) {
    const guard = probabilityWithinBudget({ good: valid - clusters, valid }, clusters, 0.001);
    expect(guard).toBeCloseTo(binomialUpperTail(clusters, valid, 0.001), 15);
    expect(guard / binomialUpperTail(clusters, valid, 0.001)).toBeCloseTo(1, 9);
  }
  expect(probabilityWithinBudget({ good: 9, valid: 9 }, 0, 0.001)).toBe(1);
});

test('clusters are counted over the minutes asked for, whatever lies between', () => {
  const slots = [slot(1, 9, 9), slot(2, 9, 9), slot(3, 9, 9), slot(9, 120, 101), slot(10, 50, 0), slot(11, 5, 5)];
  expect(countClusters(slots, 'fast', 0, 60)).toBe(1 + 1 + 3 + 1);
  expect(countClusters(slots, 'fast', 2, 11)).toBe(1 + 3);
  expect(countClusters(slots, 'other', 0, 60)).toBe(0);
});

test('wide budgets page before everything fails', () => {
  const rates = (objective: number) => burnRules.map((rule) => ruleBurnRate(rule, { name: 'a', objective }));
  expect(rates(0.999)).toEqual([14.4, 6, 3, 1]);
  for (const [at, rate] of [5, 6 / 2.88, 3 / 2.88, 1].entries()) expect(rates(0.9)[at]).toBeCloseTo(rate, 9);
  expect(rates(0.4)).toEqual([1, 1, 1, 1]);
  const loose = { ...fast, objective: 0.9 };
  expect(judgeHour(() => 11, 20, loose)?.burning).toMatchObject({ tier: 'red', longMinutes: 60 });
  expect(judgeHour(() => 9, 20, loose)?.burning).toMatchObject({ tier: 'red', longMinutes: 360 });
  expect(judgeHour(() => 4, 20, loose)?.broken).toBe(false);
});

test('completeness has the budget, the burn rates and the projection of any other objective', () => {
  const judge = (slo: SloPolicy) => {
    const slots = Array.from({ length: 60 }, (_, minute) => slot(minute, 20, minute < 30 ? 0 : 2, slo.name));
    const hours = sumHours(Array.from({ length: 100 }, (_, hour) => slot(60 * (hour - 100), 2000, 0, slo.name)));
    const { name, kind, ...rest } = judgeSlos([slo], { hours, slots, slotsFrom: 0 }, 60)[0] ?? {};
    return rest;
  };
  expect(judge(complete)).toEqual(judge({ ...up, objective: complete.objective }));
  expect(judge(complete)).toMatchObject({
    good: 1140,
    valid: 1200,
    broken: true,
    errorBudgetRemaining: expect.closeTo(1 - 60 / 201.2, 9),
    errorBudgetExhaustionSeconds: expect.any(Number),
  });
});
