import { describe, expect, test } from 'vitest';
import { findShortStretch } from '../../core/stats/short-stretch.ts';

const stretch = { minutes: 5, maximumMinutes: 60, events: 5 };

describe('findShortStretch', () => {
  test('is the short length where traffic is dense', () => {
    const slots = Array.from({ length: 60 }, (_, minute) => [minute, 10] as const);
    expect(findShortStretch(slots, 60, stretch)).toBe(55);
  });
  test('goes back to the fifth newest event where traffic is sparse', () => {
    const slots = [5, 12, 20, 31, 40, 52].map((minute) => [minute, 1] as const);
    expect(findShortStretch(slots, 60, stretch)).toBe(12);
  });
  test('never goes beyond the long window', () => {
    expect(findShortStretch([[70, 2]], 100, stretch)).toBe(40);
    expect(findShortStretch([], 100, stretch)).toBe(40);
    expect(
      findShortStretch(
        [
          [39, 9],
          [70, 2],
        ],
        100,
        stretch,
      ),
    ).toBe(40);
  });
  test('does not look at what comes after its end', () => {
    expect(
      findShortStretch(
        [
          [10, 5],
          [61, 100],
        ],
        60,
        stretch,
      ),
    ).toBe(10);
  });
});
