import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { binCountsOf, extendTrail, trailBorders, trailingCounts, windowsOfTrails } from '../../core/evaluate/trail.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { Trail } from '../../core/model/trailing-counts.ts';
import { createSummary, learnCategorical, learnNumeric, summariseCells } from './synthetic-model.ts';

const hour = 3_600_000;
const start = Date.UTC(2026, 2, 2);
const layout: Layout = {
  schema: 'tidewatch.layout/1',
  features: [
    ['__proto__', { kind: 'numeric', side: 'input', centre: 0, unit: 1, binEdges: [10] }],
    ['kind', { kind: 'opaque', side: 'input' }],
  ],
  leftOut: [],
};

interface Judged {
  /** Hours since the start. */
  readonly at: number;
  readonly counts: readonly [readonly [number, number, number], readonly [number, number]];
}

function follow(windows: readonly Judged[]): Trail[] {
  const trails: Trail[] = [];
  for (const { at, counts } of windows) {
    const window = { start: start + at * hour };
    trails.push(extendTrail(trails.at(-1), window, counts, layout, cellOfWindow(window.start, utcCalendar)));
  }
  return trails;
}

const count = fc.integer({ min: 0, max: 1000 });
const judged = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 30 }), count, count, count), { minLength: 1, maxLength: 40 })
  .map((steps) => {
    let at = 0;
    return steps.map(([gap, a, b, missing]): Judged => {
      at += gap;
      return {
        at,
        counts: [
          [a, b, missing],
          [a + b, missing],
        ],
      };
    });
  });

describe('trails', () => {
  test('a stretch holds exactly the windows of its time slots, whatever the gaps', () => {
    fc.assert(
      fc.property(judged, (windows) => {
        const trails = follow(windows);
        const now = trails.at(-1);
        const last = windows.at(-1);
        if (!now || !last) return;
        const scales = [1, 2, 8, 24, 168];
        const borders = trailBorders(now.windowStart, scales, hour);
        // Only the trails that the borders ask for, in any order.
        const needed = borders.flatMap((border) => trails.findLast(({ windowStart }) => windowStart <= border) ?? []);
        trailingCounts(now, needed.toReversed(), scales, hour).forEach((stretch, index) => {
          const scale = scales[index] ?? 0;
          const inside = windows.filter(({ at }) => at > last.at - scale);
          const total = (pick: (window: Judged) => number) => inside.reduce((sum, window) => sum + pick(window), 0);
          expect(stretch).toMatchObject({ scale, windows: inside.length, end: start + (last.at + 1) * hour });
          expect(stretch.records).toBe(total(({ counts: [[a, b, missing]] }) => a + b + missing));
          expect(Array.from(stretch.counts[0] ?? [])).toEqual(
            [0, 1, 2].map((bin) => total(({ counts: [row] }) => row[bin] ?? 0)),
          );
          const byCell = new Map<string, number>();
          for (const {
            at,
            counts: [[a, b, missing]],
          } of inside) {
            const cell = cellOfWindow(start + at * hour, utcCalendar);
            byCell.set(cell, (byCell.get(cell) ?? 0) + a + b + missing);
          }
          const occupied = [...byCell].filter(([, records]) => records > 0).sort(([a], [b]) => (a < b ? -1 : 1));
          expect(stretch.cells).toEqual(occupied);
        });
      }),
      { numRuns: 100 },
    );
  });

  test('single windows are told apart again', () => {
    fc.assert(
      fc.property(judged, (windows) => {
        const shown = windowsOfTrails(follow(windows).toReversed());
        const occupied = windows.filter(({ counts: [row] }) => row.some((each) => each > 0));
        expect(shown.map((window) => [(window.start - start) / hour, Array.from(window.counts[0] ?? [])])).toEqual(
          occupied.map(({ at, counts: [row] }) => [at, [...row]]),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('windows out of order and counts that do not fit are refused', () => {
    const first = extendTrail(
      undefined,
      { start },
      [
        [1, 2, 3],
        [3, 3],
      ],
      layout,
      '00|weekday',
    );
    expect(() =>
      extendTrail(
        first,
        { start },
        [
          [1, 2, 3],
          [3, 3],
        ],
        layout,
        '00|weekday',
      ),
    ).toThrow(/starts after/);
    expect(() => extendTrail(first, { start: start + hour }, [[1, 2, 3]], layout, '00|weekday')).toThrow(/2 features/);
    expect(() =>
      extendTrail(
        first,
        { start: start + hour },
        [
          [1, 2],
          [3, 3],
        ],
        layout,
        '00|weekday',
      ),
    ).toThrow(/__proto__/);
  });

  test('a window is counted as a baseline counts its windows', () => {
    const [numbers] = learnNumeric(Array.from({ length: 1000 }, (_, row) => (row * 7919) % 1000));
    const cells = [3, 500, 500, null, 999];
    const bins = binCountsOf(summariseCells(numbers, cells), numbers);
    expect(bins).toHaveLength(numbers.binEdges.length + 2);
    expect(bins.at(-1)).toBe(1);
    expect(bins.reduce((sum, each) => sum + each, 0)).toBe(5);
    const [texts] = learnCategorical(['a', 'a', 'b'], 1);
    expect(binCountsOf(summariseCells(texts, ['b', 'b', 'new', null]), texts)).toEqual([0, 2, 1, 1]);
    expect(binCountsOf({ kind: 'opaque', count: 4, missing: 1 }, { kind: 'opaque', side: 'input' })).toEqual([4, 1]);
    // A summary of another kind has only its missing values; a feature nobody counted is missing throughout.
    expect(binCountsOf({ kind: 'opaque', count: 4, missing: 1 }, texts)).toEqual([0, 0, 0, 1]);
    const summary = createSummary([['kind', { kind: 'opaque', count: 4, missing: 1 }]]);
    expect(extendTrail(undefined, { start }, summary, layout, '00|weekday').counts).toEqual([
      [0, 0, 5],
      [4, 1],
    ]);
  });
});
