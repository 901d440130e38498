import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../core/contract/duration.ts';

describe('parseDuration', () => {
  test.each([
    ['100ms', 100],
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['30d', 2_592_000_000],
    ['0s', 0],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each([
    '',
    '1',
    'h',
    '1.5h',
    '-1h',
    '+1h',
    '1 h',
    ' 1h',
    '1H',
    '01h',
    '1e3s',
    '1w',
    '1h30m',
    '1h\n',
    '9999999999999ms',
    '999999999999d',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('reads what formatDuration writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_000_000_000 }), fc.constantFrom(1, 1000, 60_000), (count, unit) => {
        expect(parseDuration(formatDuration(count * unit))).toBe(count * unit);
      }),
    );
  });

  test('formatDuration picks the largest unit', () => {
    expect([3_600_000, 86_400_000, 90_000, 1500].map(formatDuration)).toEqual(['1h', '1d', '90s', '1500ms']);
  });
});
