import { describe, expect, test } from 'vitest';
import { createElectricityMarket } from '../../bench/detection/electricity-market.ts';
import { judgeRecords } from '../../bench/detection/judge-records.ts';
import { shippedPolicy } from '../../bench/detection/shipped-policy.ts';
import { summariseWeeks } from '../../bench/detection/time-line.ts';
import { utcCalendar } from '../../core/model/calendar.ts';

const weekMilliseconds = 7 * 86_400_000;

describe('an electricity market whose neighbour opens after a year', () => {
  test('is quiet in the half year before, and the opening is found within a week', { timeout: 240_000 }, async () => {
    const market = createElectricityMarket('elec', 52, 1);
    const judged = await judgeRecords(market, {
      policy: shippedPolicy(),
      calendar: utcCalendar,
      windowSeconds: 1800,
      baselineEnd: market.start + 26 * weekMilliseconds,
    });
    const weeks = summariseWeeks(judged.windows);
    expect(weeks).toHaveLength(27);
    expect(weeks.slice(0, 26).filter(({ yellowWindows }) => yellowWindows > 0).length).toBeLessThanOrEqual(1);
    const found = judged.windows
      .filter(({ start }) => start >= market.opens)
      .flatMap(({ findings }) => findings.map(({ feature }) => feature));
    expect(new Set(found)).toEqual(new Set(['vicprice', 'vicdemand', 'transfer']));
  });
});
