import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateMetricAlarm, evaluationRange } from '../../core/alarm/metric-alarm.ts';
import type { MissingDataTreatment } from '../../core/model/alarm.ts';
import { end, period, plainAlarm } from './plain-alarm.ts';

const now = Date.UTC(2001, 2, 10, 12) + 42_000;

/** `0 - X - X`, newest last, as in the documentation's tables. */
function dataOf(points: string) {
  const symbols = points.split(' ');
  return symbols.flatMap((symbol, index) =>
    symbol === '-' ? [] : [{ time: end - (symbols.length - index) * period, value: symbol === 'X' ? 1 : 0 }],
  );
}

const treatments: readonly MissingDataTreatment[] = ['missing', 'ignore', 'breaching', 'notBreaching'];

describe('evaluateMetricAlarm', () => {
  test('reads complete periods alone, aligned to the epoch', () => {
    expect(evaluationRange(plainAlarm(), now)).toEqual({ from: end - 5 * period, to: end });
    const one = plainAlarm({ evaluationPeriods: 1, datapointsToAlarm: 1 });
    const running = [
      { time: end - 1, value: 0 },
      { time: end, value: 1 },
    ];
    expect(evaluateMetricAlarm(one, running, now, 'OK').value).toBe('OK');
    expect(evaluateMetricAlarm(one, running, end + period, 'OK').value).toBe('ALARM');
  });

  test.each([
    ['Maximum', 9],
    ['Minimum', 1],
    ['Average', 4],
  ] as const)('%s of a period', (statistic, threshold) => {
    const data = [9, 2, 1].map((value, index) => ({ time: end - period + index, value }));
    const one = plainAlarm({ statistic, evaluationPeriods: 1, datapointsToAlarm: 1, threshold });
    expect(evaluateMetricAlarm(one, data, now, 'OK').value).toBe('ALARM');
    expect(evaluateMetricAlarm({ ...one, threshold: threshold + 0.01 }, data, now, 'OK').value).toBe('OK');
  });

  test.each([
    ['GreaterThanThreshold', 'OK', 'ALARM', 'OK'],
    ['GreaterThanOrEqualToThreshold', 'ALARM', 'ALARM', 'OK'],
    ['LessThanThreshold', 'OK', 'OK', 'ALARM'],
    ['LessThanOrEqualToThreshold', 'ALARM', 'OK', 'ALARM'],
  ] as const)('%s at, above and below', (comparison, at, above, below) => {
    const one = plainAlarm({ comparison, evaluationPeriods: 1, datapointsToAlarm: 1, threshold: 5 });
    const evaluate = (value: number) => evaluateMetricAlarm(one, [{ time: end - 1, value }], now, 'OK').value;
    expect([evaluate(5), evaluate(6), evaluate(4)]).toEqual([at, above, below]);
  });

  test('leaves out what is not finite', () => {
    const data = [Number.NaN, Number.POSITIVE_INFINITY].map((value) => ({ time: end - 1, value }));
    expect(evaluateMetricAlarm(plainAlarm(), data, now, 'OK').value).toBe('INSUFFICIENT_DATA');
  });

  test('says why, with the values', () => {
    const { reason } = evaluateMetricAlarm(plainAlarm(), dataOf('- - X X X'), now, 'OK');
    expect(reason).toBe(
      'Threshold Crossed: 3 out of the last 3 datapoints [1 (2001-03-10T11:55:00Z), 1 (2001-03-10T11:50:00Z), ' +
        '1 (2001-03-10T11:45:00Z)] were greater than or equal to the threshold (1) (minimum 3 datapoints for OK -> ALARM transition).',
    );
  });

  test('at the beginning of a replay missing data retains the state', () => {
    const breaching = plainAlarm({ missingData: 'breaching' });
    expect(evaluateMetricAlarm(breaching, [], now, 'INSUFFICIENT_DATA', end - 2 * period).value).toBe(
      'INSUFFICIENT_DATA',
    );
    expect(evaluateMetricAlarm(breaching, dataOf('0'), now, 'INSUFFICIENT_DATA', end - 2 * period).value).toBe('OK');
    expect(evaluateMetricAlarm(breaching, [], now, 'INSUFFICIENT_DATA', end - 3 * period).value).toBe('ALARM');
  });

  const points = fc.array(fc.constantFrom('0', 'X', '-'), { minLength: 7, maxLength: 7 });
  const counts = fc.integer({ min: 1, max: 5 }).chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n })));

  test('with a full range, the newest N points decide whatever the treatment', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('0', 'X'), { minLength: 7, maxLength: 7 }), counts, (all, [n, m]) => {
        const expected = all.slice(-n).filter((point) => point === 'X').length >= m ? 'ALARM' : 'OK';
        for (const missingData of treatments) {
          const alarm = plainAlarm({ evaluationPeriods: n, datapointsToAlarm: m, missingData });
          expect(evaluateMetricAlarm(alarm, dataOf(all.join(' ')), now, 'OK').value).toBe(expected);
        }
      }),
    );
  });

  test('breaching is never milder than the others, and order of data does not matter', () => {
    fc.assert(
      fc.property(points, counts, (all, [n, m]) => {
        const data = dataOf(all.join(' '));
        const evaluate = (missingData: MissingDataTreatment, from = data) =>
          evaluateMetricAlarm(
            plainAlarm({ evaluationPeriods: n, datapointsToAlarm: m, missingData }),
            from,
            now,
            'INSUFFICIENT_DATA',
          ).value;
        const alarms = treatments.map((treatment) => evaluate(treatment) === 'ALARM');
        if (evaluate('notBreaching') === 'ALARM') expect(alarms).toEqual([true, true, true, true]);
        if (alarms[1]) expect(alarms[2]).toBe(true);
        expect(evaluate('ignore', [...data].reverse())).toBe(evaluate('ignore'));
      }),
    );
  });
});
