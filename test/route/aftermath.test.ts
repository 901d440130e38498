import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DatedVerdict, judgeAftermath } from '../../core/route/aftermath.ts';

const hour = 3_600_000;
const scales = [1, 3, 7];
const iso = (hours: number) => new Date(hours * hour).toISOString();

/** A drift of one feature: in the windows from its beginning to its end, hours since the epoch. */
interface Drift {
  readonly feature: string;
  readonly began: number;
  readonly ended: number;
}

type Found = DatedVerdict['findings'][number];

/** The verdict of an hour as drifts leave it, where every stretch shows what any of its windows held. */
function verdictOf(end: number, drifts: readonly Drift[], more: readonly Partial<Found>[] = []): DatedVerdict {
  const stretches = drifts.map(({ feature, began, ended }) => {
    const seen = scales.map((scale) => ({ scale, drifted: began < end && ended > end - scale }));
    return { feature, began, scales: seen, isDrifted: seen.some(({ drifted }) => drifted) };
  });
  return {
    window: { start: iso(end - 1), end: iso(end) },
    findings: [
      ...stretches.flatMap(({ feature, began, isDrifted }) =>
        isDrifted ? finding({ feature, evidence: { onset: iso(began) } }) : [],
      ),
      ...more.map(finding),
    ],
    features: Object.fromEntries(stretches.map(({ feature, scales }) => [feature, { scales }])),
  };
}

function finding(given: Partial<Found>): Found {
  return { tier: 'yellow', evidence: {}, ...given };
}

// Red from 08:20 to 20:40.
const red = { from: 8 * hour + 1_200_000, to: 20 * hour + 2_400_000 };
const nulls: Drift = { feature: 'origin', began: 8, ended: 20 };
const aftermathAt = (end: number, drifts: readonly Drift[], more: readonly Partial<Found>[] = []) =>
  judgeAftermath([verdictOf(end, drifts, more)], red);

describe('the aftermath of a red', () => {
  test('is past once a window after it was judged, and no stretch after it shows it', () => {
    expect(aftermathAt(20, [nulls])).toBe('unclear');
    expect(aftermathAt(21, [nulls])).toBe('unclear');
    expect(aftermathAt(22, [nulls])).toBe('past');
    expect(aftermathAt(26, [nulls])).toBe('past');
  });

  test('is present where the newest windows alone still show it', () => {
    const lasting = { ...nulls, ended: 30 };
    expect(aftermathAt(21, [lasting])).toBe('unclear');
    expect(aftermathAt(22, [lasting])).toBe('present');
    // A drift too small for one window: as soon as three of them lie after the red.
    const small = { scales: scales.map((scale) => ({ scale, drifted: scale >= 3 })) };
    const seenAt = (end: number) => ({ ...verdictOf(end, [nulls]), features: { origin: small } });
    expect(judgeAftermath([seenAt(23)], red)).toBe('past');
    expect(judgeAftermath([seenAt(24)], red)).toBe('present');
  });

  test('is present where something else began, however large what is past', () => {
    expect(aftermathAt(24, [nulls, { feature: 'age', began: 23, ended: 24 }])).toBe('present');
    expect(judgeAftermath([verdictOf(24, [nulls]), verdictOf(24, [{ ...nulls, began: 23, ended: 24 }])], red)).toBe(
      'present',
    );
  });

  test('is unclear of what began long before, or does not say when', () => {
    expect(aftermathAt(23, [{ ...nulls, began: 6, ended: 20 }])).toBe('unclear');
    expect(aftermathAt(23, [{ ...nulls, began: 7, ended: 20 }])).toBe('past');
    for (const evidence of [{}, { onset: null }, { onset: 'yesterday' }, { onset: true }])
      expect(aftermathAt(23, [nulls], [{ evidence }])).toBe('unclear');
  });

  test('is unclear of slices, whose stretches are in no verdict, and of features that are in none', () => {
    const evidence = { onset: iso(8) };
    expect(aftermathAt(23, [nulls], [{ feature: 'origin', slice: 'EU', evidence }])).toBe('unclear');
    expect(aftermathAt(23, [nulls], [{ feature: '__proto__', evidence }])).toBe('unclear');
    expect(aftermathAt(23, [], [])).toBe('unclear');
  });

  test('does not look at what is green or red', () => {
    expect(aftermathAt(23, [nulls], [{ tier: 'green' }, { tier: 'red' }])).toBe('past');
  });

  test('laws: what goes on is never past, what is over is past for no longer than the longest stretch', () => {
    const times = fc.record({
      from: fc.integer({ min: 0, max: 20 }),
      length: fc.integer({ min: 1, max: 12 }),
      began: fc.integer({ min: 0, max: 40 }),
      lasted: fc.integer({ min: 1, max: 12 }),
      later: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(times, ({ from, length, began, lasted, later }) => {
        const to = from + length;
        const [drift, end] = [{ feature: 'origin', began, ended: began + lasted }, to + 1 + later];
        const verdict = verdictOf(end, [drift]);
        const aftermath = judgeAftermath([verdict], { from: from * hour, to: to * hour });
        const isOver = drift.ended <= to;
        if (began >= to || !isOver) expect(aftermath === 'past' && drift.ended >= end).toBe(false);
        if (aftermath === 'past') {
          // Nothing of it lies in the windows since the red that any stretch would show.
          expect(end - to).toBeLessThanOrEqual(Math.max(...scales) - 1);
          expect(began).toBeLessThan(to);
          expect(drift.ended).toBeLessThanOrEqual(Math.max(to, end - 1));
        }
        const isWithIt = began >= from - 2 && isOver && verdict.findings.length > 0;
        if (isWithIt) expect(aftermath).toBe('past');
      }),
      { numRuns: 2_000 },
    );
  });
});
