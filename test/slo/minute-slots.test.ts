import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MinuteSlot } from '../../core/model/profile.ts';
import { mergeMinuteSlots, sumHours } from '../../core/slo/minute-slots.ts';

const names = fc.constantFrom('__proto__', 'a', 'b', 'constructor');
const count = fc.integer({ min: 0, max: 1000 });
const byName = <T extends readonly [string, ...number[]]>(pairs: readonly T[]) =>
  pairs.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

const slotArbitrary: fc.Arbitrary<MinuteSlot> = fc.record({
  minute: fc.integer({ min: 0, max: 200 }),
  rows: count,
  requests: count,
  schemaBreaks: count,
  slis: fc
    .uniqueArray(fc.tuple(names, count, count), { selector: ([name]) => name })
    .map((slis) => byName(slis.map(([name, good, bad]) => [name, good, good + bad] as const))),
  missing: fc.uniqueArray(fc.tuple(names, fc.integer({ min: 1, max: 9 })), { selector: ([name]) => name }).map(byName),
});
const group = fc
  .uniqueArray(slotArbitrary, { selector: ({ minute }) => minute, maxLength: 8 })
  .map((slots) => slots.toSorted((a, b) => a.minute - b.minute));

test('merging does not depend on order or grouping, and nothing is lost', () => {
  fc.assert(
    fc.property(fc.array(group, { maxLength: 5 }), fc.nat(), (groups, turn) => {
      const merged = mergeMinuteSlots(groups);
      const cut = groups.length === 0 ? 0 : turn % groups.length;
      const turned = [...groups.slice(cut), ...groups.slice(0, cut)].toReversed();
      expect(mergeMinuteSlots(turned)).toEqual(merged);
      expect(mergeMinuteSlots([mergeMinuteSlots(groups.slice(0, cut)), mergeMinuteSlots(groups.slice(cut))])).toEqual(
        merged,
      );
      expect(merged.map(({ minute }) => minute)).toEqual(
        [...new Set(groups.flat().map(({ minute }) => minute))].sort((a, b) => a - b),
      );
      const rows = (slots: readonly { rows: number }[]) => slots.reduce((sum, slot) => sum + slot.rows, 0);
      expect(rows(merged)).toBe(rows(groups.flat()));
      expect(rows(sumHours(merged))).toBe(rows(merged));
      expect(sumHours(groups.flat())).toEqual(sumHours(merged));
    }),
    { numRuns: 300, seed: 20260301 },
  );
});

test('minutes and hours add up', () => {
  const slot = (minute: number, good: number, valid: number): MinuteSlot => ({
    minute,
    rows: valid,
    requests: valid,
    schemaBreaks: 1,
    slis: [['fast', good, valid]],
    missing: [['age', 2]],
  });
  const merged = mergeMinuteSlots([[slot(59, 1, 2), slot(60, 3, 4)], [slot(59, 5, 6)]]);
  expect(merged).toEqual([
    { minute: 59, rows: 8, requests: 8, schemaBreaks: 2, slis: [['fast', 6, 8]], missing: [['age', 4]] },
    { minute: 60, rows: 4, requests: 4, schemaBreaks: 1, slis: [['fast', 3, 4]], missing: [['age', 2]] },
  ]);
  expect(sumHours(merged)).toEqual([
    { hour: 0, rows: 8, requests: 8, slis: [['fast', 6, 8, 1]] },
    { hour: 1, rows: 4, requests: 4, slis: [['fast', 3, 4, 1]] },
  ]);
  expect(sumHours([slot(3, 4, 4)])[0]?.slis).toEqual([['fast', 4, 4]]);
});
