import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { keepFollowedDays, measureEvidence } from '../../../core/evaluate/performance/outcome-evidence.ts';
import type { OutcomeDay, OutcomeDays } from '../../../core/model/outcome-days.ts';
import { logProportionEvidence } from '../../../core/stats/proportion-evidence.ts';
import { hoursToRed, seededUniform } from './streams.ts';

const today = 20_000;
const days: fc.Arbitrary<OutcomeDays> = fc
  .uniqueArray(fc.tuple(fc.integer({ min: today - 120, max: today }), fc.nat(40), fc.nat(40)), {
    maxLength: 40,
    selector: ([day]) => day,
  })
  .map((rows) => rows.sort(([a], [b]) => a - b).map(([day, good, bad]): OutcomeDay => [day, good, good + bad]));

describe('evidence of outcomes', () => {
  it('is that of the plain test where nothing went before', () => {
    const evidence = measureEvidence([[today, 75, 100]], today, 0.85);
    expect(evidence.logEvidence).toBeCloseTo(logProportionEvidence(75, 100, 0.85), 12);
    expect(evidence).toMatchObject({ sinceDay: today, successes: 75, trials: 100 });
    expect(measureEvidence([], today, 0.85)).toEqual({ logEvidence: 0, successes: 0, trials: 0 });
  });

  it('is the mean over the restarts of a period', () => {
    const first = Math.floor(today / 28) * 28;
    const rows: OutcomeDay[] = Array.from({ length: 56 }, (_, index) => [first - 56 + index, 95, 100]);
    const outcomes: OutcomeDays = [...rows, [first, 70, 100], [first + 1, 75, 100]];
    const restarts = [logProportionEvidence(145, 200, 0.85), logProportionEvidence(75, 100, 0.85)].map(Math.exp);
    const mean = (restarts.reduce((sum, value) => sum + value, 0) + 26) / 28;
    expect(measureEvidence(outcomes, first + 1, 0.85).logEvidence).toBeCloseTo(Math.log(mean), 10);
  });

  it('is the same for the outcomes that are kept', () => {
    fc.assert(
      fc.property(days, (outcomes) => {
        const evidence = measureEvidence(outcomes, today, 0.7);
        expect(Number.isNaN(evidence.logEvidence)).toBe(false);
        const kept = keepFollowedDays(outcomes, today);
        expect(kept.length).toBeLessThanOrEqual(84);
        expect(measureEvidence(kept, today, 0.7).logEvidence).toBe(kept.length === 0 ? 0 : evidence.logEvidence);
      }),
    );
  });

  it('survives JSON', () => {
    fc.assert(
      fc.property(days, (outcomes) => {
        const read: OutcomeDays = JSON.parse(JSON.stringify(outcomes));
        expect(measureEvidence(read, today, 0.9)).toEqual(measureEvidence(outcomes, today, 0.9));
      }),
    );
  });

  it('refuses days out of order and counts that are none', () => {
    for (const bad of [
      [[today + 1, 0, 1]],
      [
        [today, 0, 1],
        [today - 1, 0, 1],
      ],
      [[today, 2, 1]],
      [[today, 0.5, 1]],
      [[Number.NaN, 0, 1]],
      [[today, -1, 1]],
    ] as const) {
      expect(() => measureEvidence(bad, today, 0.85)).toThrow(RangeError);
    }
  });
});

const medianOf = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

test('after four healthy weeks a fall from .92 to .80 is seen within 72 hours', () => {
  const uniform = seededUniform(21);
  const stream = { perHour: 20, healthyHours: 28 * 24 + 12, healthyRate: 0.92, rate: 0.8, hours: 300 };
  const delays = Array.from({ length: 60 }, (_, run) =>
    hoursToRed({ ...stream, firstDay: 20_000 + ((run * 5) % 28) }, uniform),
  );
  expect(medianOf(delays)).toBeLessThanOrEqual(78);
  expect(medianOf(delays)).toBeGreaterThan(40);
});

test('a rate that is too low from the start is seen as by the plain test', () => {
  const uniform = seededUniform(22);
  const stream = { perHour: 20, healthyHours: 0, healthyRate: 0, rate: 0.75, hours: 100 };
  const delays = Array.from({ length: 60 }, (_, run) =>
    hoursToRed({ ...stream, firstDay: 20_000 + (run % 28) }, uniform),
  );
  expect(medianOf(delays)).toBeLessThanOrEqual(16);
});

test('at the very objective, looked at each hour, next to no week is red', () => {
  const uniform = seededUniform(23);
  const stream = { perHour: 20, healthyHours: 0, healthyRate: 0, rate: 0.85, hours: 168 };
  const reds = Array.from({ length: 200 }, (_, run) =>
    hoursToRed({ ...stream, firstDay: 20_000 + (run % 28) }, uniform),
  );
  expect(reds.filter(Number.isFinite).length).toBeLessThanOrEqual(3);
});
