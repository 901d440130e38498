import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countTrials, type Ladder, searchSettings } from '../../../core/pipeline/backtest/suggest.ts';

const ladder = (setting: string, rungs: readonly number[], tier: 'yellow' | 'red' = 'red'): Ladder<number> => ({
  setting,
  tier,
  rungs,
});
const outcome = (pagesPerWeek: number, noticesPerWeek = 0) => ({ pagesPerWeek, noticesPerWeek });

test('of each ladder the mildest change that suffices is found', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 12 }), async (length, needed) => {
      const rungs = Array.from({ length }, (_, index) => index);
      const found = [ladder('a', rungs)];
      const trials = await searchSettings(found, { pagesPerWeek: 1 }, async ([change = 0]) =>
        outcome(change >= needed ? 1 : 2),
      );
      const mildest = trials.findLast(({ suffices }) => suffices)?.changes[0];
      expect(mildest).toBe(needed < length ? needed : undefined);
      expect(trials.length).toBeLessThanOrEqual(countTrials(found));
    }),
  );
});

test('where none suffices by itself all are tried together, by tier', async () => {
  const tried: (readonly number[])[] = [];
  const trials = await searchSettings(
    [ladder('a', [1, 2]), ladder('b', [10]), ladder('c', [100], 'yellow')],
    { pagesPerWeek: 0.5, noticesPerWeek: 1 },
    async (changes) => {
      tried.push(changes);
      return outcome(changes.length > 1 ? 0.5 : 1, changes.includes(100) ? 0 : 3);
    },
  );
  // The strongest of each alone: where it does not suffice, no milder one does.
  expect(tried).toEqual([[2], [10], [2, 10], [100]]);
  expect(trials.map(({ tier, suffices }) => [tier, suffices])).toEqual([
    ['red', false],
    ['red', false],
    ['red', true],
    ['yellow', true],
  ]);
});
