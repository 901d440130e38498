import { expect, test } from 'vitest';
import type { AvailabilitySloPolicy, LatencySloPolicy } from '../../core/model/policy.ts';
import type { MinuteSlot } from '../../core/model/profile.ts';
import { burnRate } from '../../core/slo/burn-rate.ts';
import { classifyRequest } from '../../core/slo/classify-request.ts';
import { countPeriod, errorBudgetRemaining } from '../../core/slo/error-budget.ts';
import { judgeSlos, pageBurnRate } from '../../core/slo/judge-slos.ts';
import { sumHours } from '../../core/slo/minute-slots.ts';
import { findWatermark } from '../../core/slo/watermark.ts';

const fast: LatencySloPolicy = {
  kind: 'latency',
  name: 'fast',
  thresholdMilliseconds: 100,
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
  [{ kind: 'completeness', name: 'complete', objective: 0.9 }, { status: 200, latencyMilliseconds: 3 }, 'not-valid'],
] as const)('%o: %o is %s', (slo, request, outcome) => {
  expect(classifyRequest(slo, request)).toBe(outcome);
});

test('the burn rate counts exactly the minutes asked for', () => {
  const slots = [slot(9, 100, 100), slot(10, 100, 1), slot(11, 100, 2), slot(12, 100, 100)];
  expect(burnRate(slots, fast, 12, 2).rate).toBeCloseTo(15, 9);
  expect(burnRate(slots, fast, 12, 2)).toMatchObject({ good: 197, valid: 200 });
  expect(burnRate(slots, fast, 9, 5)).toEqual({ good: 0, valid: 0, rate: undefined });
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

function judgeHour(
  bad: (minutesLeft: number) => number,
  perMinute: number,
  slo: LatencySloPolicy | AvailabilitySloPolicy = fast,
) {
  const slots = Array.from({ length: 60 }, (_, index) => slot(index, perMinute, bad(60 - index), slo.name));
  return judgeSlos([slo], { hours: [], slots, slotsFrom: 0 }, 60)[0];
}

test('an objective breaks where both windows burn', () => {
  expect(judgeHour((left) => (left <= 5 ? 20 : 0), 20)).toMatchObject({ broken: true, good: 1100, valid: 1200 });
  expect(judgeHour((left) => (left > 5 && left < 30 ? 20 : 0), 20)).toMatchObject({ broken: false });
  expect(judgeHour((left) => (left <= 5 && left % 2 === 0 ? 1 : 0), 20)).toMatchObject({ broken: false });
  expect(judgeHour(() => 0, 0)).toMatchObject({ broken: false, burnRateLong: undefined, errorBudgetRemaining: 1 });
});

test.each([
  [10, 3],
  [50, 4],
  [100, 4],
  [500, 8],
])('at %i requests an hour the guard asks for %i bad ones', (requests, needed) => {
  const judgeBad = (bad: number) =>
    judgeSlos([fast], { hours: [], slots: [slot(0, requests - bad, 0), slot(59, bad, bad)], slotsFrom: 0 }, 60)[0];
  expect(judgeBad(needed - 1)?.broken).toBe(false);
  expect(judgeBad(needed)?.broken).toBe(true);
});

test('wide budgets page before everything fails', () => {
  expect(pageBurnRate({ name: 'a', objective: 0.999 })).toBe(14.4);
  expect(pageBurnRate({ name: 'a', objective: 0.9 })).toBeCloseTo(5, 9);
  expect(pageBurnRate({ name: 'a', objective: 0.4 })).toBe(1);
  const loose = { ...fast, objective: 0.9 };
  expect(judgeHour(() => 11, 20, loose)?.broken).toBe(true);
  expect(judgeHour(() => 9, 20, loose)?.broken).toBe(false);
});

test('completeness is not counted from requests', () => {
  expect(
    judgeSlos([{ kind: 'completeness', name: 'c', objective: 0.9 }], { hours: [], slots: [], slotsFrom: 0 }, 60),
  ).toEqual([]);
});
