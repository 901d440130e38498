import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleBinomial } from '../../bench/detection/count-samplers.ts';
import { createRandomSource, type RandomSource } from '../../bench/detection/random-source.ts';
import {
  allowedShare,
  type CallerExpectation,
  callerCap,
  expectCallers,
  fewestCallerRecords,
  findCapped,
  weighWindow,
} from '../../core/evaluate/caller-caps.ts';
import { type CallerTrail, heldCallers, judgeCallers } from '../../core/evaluate/caller-trail.ts';
import { countsOfSummary } from '../../core/evaluate/trail.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import { placeCoarseBins } from '../../core/model/coarse-bins.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { Summary } from '../../core/model/profile.ts';
import { encodeCountPairs, encodeCountRuns } from '../../core/stats/count-runs.ts';
import { createSummary, noRecords } from './synthetic-model.ts';

const layout: Layout = {
  schema: 'tidewatch.layout/1',
  features: [
    ['amount', { kind: 'numeric', side: 'input', centre: 0, unit: 1, binEdges: [0, 64] }],
    ['ignored', { kind: 'numeric', side: 'input', centre: 0, unit: 1, binEdges: [0] }],
    ['kind', { kind: 'categorical', side: 'input', categories: ['a', 'b'] }],
  ],
  leftOut: [],
};
const { offsets, bins } = placeCoarseBins(layout);
const cell = '03|weekday';
const hour = 3_600_000;
const unknown: CallerExpectation = { expect: () => ({ share: 0, wander: 0 }) };

/** Counts of `amount` (below, middle, above, missing) and of `kind` (a, b, unseen, missing). */
interface Counts {
  readonly amount: readonly [number, number, number, number];
  readonly kind: readonly [number, number, number, number];
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** A window of callers that are told apart, and of others. The second feature is not counted. */
function windowOf(named: readonly (readonly [caller: string, counts: Counts])[], others: Counts): Summary {
  const total = (of: keyof Counts, bin: number) =>
    sum([others, ...named.map(([, counts]) => counts)].map((counts) => counts[of][bin] ?? 0));
  const [low, middle, high, missing] = [0, 1, 2, 3].map((bin) => total('amount', bin));
  const [a, b, unseen, none] = [0, 1, 2, 3].map((bin) => total('kind', bin));
  const pairs = (counts: readonly (number | undefined)[], keys: readonly number[]) =>
    counts.flatMap((count = 0, at) => (count > 0 ? [[keys[at] ?? 0, count] as const] : []));
  const records = sum([low, middle, high, missing].map((count) => count ?? 0));
  const summary = createSummary(
    [
      [
        'amount',
        {
          kind: 'numeric',
          count: records - (missing ?? 0),
          missing: missing ?? 0,
          sum: '0',
          sumOfSquares: '0',
          buckets: pairs([low, middle, high], [-64, 0, 64]),
        },
      ],
      [
        'kind',
        {
          kind: 'categorical',
          count: records - (none ?? 0),
          missing: none ?? 0,
          categories: pairs([a, b], [0, 1]),
          unseen: unseen ?? 0,
        },
      ],
    ],
    { records: { ...noRecords, captured: records, counted: records } },
  );
  return {
    ...summary,
    callers: named.map(([caller, counts]) => {
      const own = new Float64Array(bins);
      own.set(counts.amount, offsets[0] ?? 0);
      own.set(counts.kind, offsets[2] ?? 0);
      return [caller, { records: sum(counts.amount), counts: encodeCountRuns(own) }] as const;
    }),
  };
}

const counts = fc
  .tuple(fc.nat(200), fc.nat(200), fc.nat(200), fc.nat(20), fc.nat(100), fc.nat(100))
  .map(([low, middle, high, missing, x, y]): Counts => {
    const records = low + middle + high + missing;
    const a = Math.round((records * x) / 200);
    const b = Math.round((records * y) / 200);
    return { amount: [low, middle, high, missing], kind: [a, b, records - a - b, 0] };
  });
const anyWindow = fc.tuple(fc.array(counts, { maxLength: 5 }), counts).map(([named, others]) =>
  windowOf(
    named.map((own, at) => [`caller ${at}`, own]),
    others,
  ),
);

describe('caps', () => {
  test('leave no unknown caller more than a tenth of what is left, and take from nobody else', () => {
    fc.assert(
      fc.property(anyWindow, (summary) => {
        const capped = findCapped(summary, cell, unknown);
        const weighed = weighWindow(summary, layout, capped);
        const held = new Map(capped.map((each) => [each.caller, each.kept]));
        const named = (summary.callers ?? []).map(([, { records }]) => records);
        const others = summary.records.counted - sum(named.filter((records) => records >= fewestCallerRecords));
        for (const [caller, { records }] of summary.callers ?? []) {
          const kept = held.get(caller) ?? records;
          expect(kept).toBeLessThanOrEqual(records);
          // Ten records do no harm; whole records may round a share up. Where next to nothing would be left, nobody is held.
          const isLarge = records >= fewestCallerRecords && others >= 0.01 * summary.records.counted;
          if (isLarge) expect(kept).toBeLessThanOrEqual(callerCap * weighed.records + 1);
        }
        const before = countsOfSummary(summary, layout);
        weighed.counts.forEach((row, feature) => {
          expect(sum(row)).toBe(weighed.records);
          row.forEach((count, bin) => {
            expect(Number.isInteger(count) && count >= 0).toBe(true);
            expect(count).toBeLessThanOrEqual(before[feature]?.[bin] ?? 0);
          });
        });
      }),
      { numRuns: 300 },
    );
  });

  test('take the excess in proportion to the caller’s own counts', () => {
    const summary = windowOf([['batch', { amount: [0, 300, 600, 100], kind: [1000, 0, 0, 0] }]], {
      amount: [300, 300, 290, 10],
      kind: [400, 400, 100, 0],
    });
    const [batch] = findCapped(summary, cell, unknown);
    // 900 others are nine tenths of what is left.
    expect(batch).toMatchObject({ caller: 'batch', records: 1000, kept: 100, cap: 0.1, expectedShare: 0 });
    expect(batch?.share).toBeCloseTo(1000 / 1900, 12);
    const weighed = weighWindow(summary, layout, batch ? [batch] : []);
    expect(weighed.records).toBe(1000);
    expect(weighed.counts).toEqual([
      [300, 330, 350, 20],
      [0, 0, 1000],
      [500, 400, 100, 0],
    ]);
  });

  test('are the baseline’s share where that is more', () => {
    const summary = windowOf([['batch', { amount: [0, 600, 0, 0], kind: [600, 0, 0, 0] }]], {
      amount: [200, 200, 0, 0],
      kind: [200, 200, 0, 0],
    });
    const expecting = (share: number): CallerExpectation => ({
      expect: (caller) => ({ share: caller === 'batch' ? share : 0, wander: 0 }),
    });
    expect(findCapped(summary, cell, expecting(0.2))[0]?.kept).toBe(100);
    expect(findCapped(summary, cell, expecting(0.05))[0]?.kept).toBe(44);
    // Who sends most records anyway is what the model is for.
    expect(findCapped(summary, cell, expecting(0.55))).toEqual([]);
    // Half as much again as usual is none of anybody's business; more is.
    expect(findCapped(summary, cell, expecting(0.41))).toEqual([]);
    expect(findCapped(summary, cell, expecting(0.39))).toHaveLength(1);
  });

  test('measure a caller against what the larger ones leave', () => {
    const of = (count: number): Counts => ({ amount: [0, count, 0, 0], kind: [count, 0, 0, 0] });
    const named = [
      ['a', of(800)],
      ['b', of(95)],
      ['c', of(35)],
    ] as const;
    const capped = findCapped(windowOf(named, of(70)), cell, unknown);
    expect(capped.map(({ caller }) => caller)).toEqual(['a', 'b', 'c']);
    // 70 others are seven tenths of what is left.
    expect(capped.map(({ kept }) => kept)).toEqual([10, 10, 10]);
  });

  test('are not held where next to nothing would be left: a gateway that names itself is judged in full', () => {
    const of = (count: number): Counts => ({ amount: [0, count, 0, 0], kind: [count, 0, 0, 0] });
    expect(findCapped(windowOf([['gateway', of(1000)]], of(0)), cell, unknown)).toEqual([]);
    expect(findCapped(windowOf([['gateway', of(1000)]], of(5)), cell, unknown)).toEqual([]);
    expect(findCapped(windowOf([['gateway', of(1000)]], of(50)), cell, unknown)).toHaveLength(1);
    // Ten new callers share the traffic: most of it is left.
    const ten = windowOf(
      Array.from({ length: 10 }, (_, at) => [`new ${at}`, of(90 + 2 * at)] as const),
      of(0),
    );
    const kept = findCapped(ten, cell, unknown).reduce((left, { records, kept }) => left - records + kept, 990);
    expect(kept).toBeGreaterThan(700);
  });

  test('leave healthy callers alone, and hold any of them that takes over', () => {
    const random = createRandomSource('healthy callers');
    const windows = 2000;
    for (const shares of [[0.3], [0.15, 0.12, 0.08], [0.2, 0.2, 0.2], [0.333, 0.333, 0.333]]) {
      for (const records of [60, 500, 5000]) {
        const expectation = expectBaseline(random, shares, records, 0);
        let held = 0;
        for (let window = 0; window < windows; window++) {
          const summary = callersOf(drawCallers(random, shares, records));
          if (findCapped(summary, cell, expectation).length > 0) held++;
        }
        expect(held).toBeLessThanOrEqual(0.002 * windows);
        // Ten times as much as usual.
        const usual = drawCallers(random, shares, records);
        const [capped, ...others] = findCapped(
          callersOf(usual.map((count, at) => (at === 0 ? 10 * count : count))),
          cell,
          expectation,
        );
        expect(others).toEqual([]);
        expect(capped?.caller).toBe('caller 0');
        expect(Math.abs((capped?.kept ?? 0) / ((shares[0] ?? 0) * records) - 1)).toBeLessThan(
          records < 100 ? 0.8 : 0.25,
        );
      }
    }
  });

  test('allow for a share that goes up and down from day to day', () => {
    const random = createRandomSource('wandering callers');
    const expectation = expectBaseline(random, [0.25, 0.1], 500, 0.3);
    let held = 0;
    const windows = 2000;
    for (let window = 0; window < windows; window++) {
      const shares = wander(random, [0.25, 0.1], 0.3);
      if (findCapped(callersOf(drawCallers(random, shares, 500)), cell, expectation).length > 0) held++;
    }
    expect(held).toBeLessThanOrEqual(0.003 * windows);
    // A steady caller has no such allowance.
    const steady = expectBaseline(random, [0.25, 0.1], 500, 0);
    const allowed = [expectation, steady].map((each) => allowedShare(each.expect('caller 0', cell), 500));
    expect(allowed[0]).toBeGreaterThan(0.5);
    expect(allowed[1]).toBeLessThan(0.4);
  });

  test('spare small windows, and windows without large callers', () => {
    const few = windowOf([['one', { amount: [0, 9, 0, 0], kind: [9, 0, 0, 0] }]], {
      amount: [1, 0, 0, 0],
      kind: [1, 0, 0, 0],
    });
    expect(findCapped(few, cell, unknown)).toEqual([]);
    expect(findCapped(windowOf([], { amount: [9, 9, 9, 9], kind: [9, 9, 9, 9] }), cell, unknown)).toEqual([]);
    expect(findCapped(windowOf([], { amount: [0, 0, 0, 0], kind: [0, 0, 0, 0] }), cell, unknown)).toEqual([]);
  });
});

/** Records of each caller, those of nobody in particular last. */
function drawCallers(random: RandomSource, shares: readonly number[], records: number): readonly number[] {
  let [left, rest] = [records, 1];
  const counts = shares.map((share) => {
    const count = sampleBinomial(random, left, Math.min(1, share / rest));
    left -= count;
    rest -= share;
    return count;
  });
  return [...counts, left];
}

function callersOf(counts: readonly number[]): Summary {
  const of = (count: number): Counts => ({ amount: [0, count, 0, 0], kind: [count, 0, 0, 0] });
  return windowOf(
    counts.slice(0, -1).map((count, at) => [`caller ${at}`, of(count)]),
    of(counts.at(-1) ?? 0),
  );
}

/** Each caller's odds go up and down by a log-normal factor. */
function wander(random: RandomSource, shares: readonly number[], deviation: number): readonly number[] {
  const odds = shares.map((share) => share * Math.exp(deviation * random.normal()));
  const total = sum(odds) + 1 - sum(shares);
  return odds.map((each) => each / total);
}

/** What four weeks of such callers let expect, by the hour. */
function expectBaseline(
  random: RandomSource,
  shares: readonly number[],
  records: number,
  deviation: number,
): CallerExpectation {
  const windows = Array.from({ length: 672 }, () => drawCallers(random, wander(random, shares, deviation), records));
  const expectation = expectCallers(
    {
      schema: 'tidewatch.baseline/1',
      sha256: '',
      layout,
      layoutId: 'layout',
      quarantined: 0,
      features: [],
      notes: [],
      records: 672 * records,
      callers: {
        column: 'client',
        named: 0,
        known: shares.map((_, at) => {
          const counts = windows.map((window) => window[at] ?? 0);
          return [`caller ${at}`, { records: sum(counts), windows: encodeCountRuns(counts) }];
        }),
      },
      time: {
        first: '',
        last: '',
        windowSeconds: 3600,
        windows: windows.map((_, at) => [new Date(Date.UTC(2026, 0, 5) + at * hour).toISOString(), records]),
        cells: [],
        longestGapSeconds: 0,
      },
    },
    {
      kind: 'cells',
      groups: { size: 24, hours: 1, scheme: 'hours and weekends', indexOf: (of: string) => Number(of.slice(0, 2)) },
    },
    { timeZone: 'UTC', days: [] },
  );
  if (!expectation) throw new Error('expected callers in the baseline');
  return expectation;
}

describe('what is expected of callers', () => {
  const monday = Date.UTC(2026, 0, 5);
  const windows = Array.from({ length: 48 }, (_, at) => [new Date(monday + at * hour).toISOString(), 100] as const);
  const baseline: Pick<Baseline, 'callers' | 'time' | 'records'> = {
    records: 4800,
    callers: {
      column: 'client',
      named: 1500,
      known: [
        // At three o'clock of the first day alone.
        ['night', { records: 60, windows: encodeCountPairs([[3, 60]]) }],
        ['steady', { records: 1440, windows: encodeCountRuns(windows.map(() => 30)) }],
      ],
    },
    time: {
      first: '',
      last: '',
      windowSeconds: 3600,
      windows,
      cells: [],
      longestGapSeconds: 0,
    },
  };
  const whole: Baseline = {
    schema: 'tidewatch.baseline/1',
    sha256: '',
    layout,
    layoutId: 'layout',
    quarantined: 0,
    features: [],
    notes: [],
    ...baseline,
  };
  const calendar = { timeZone: 'UTC', days: [] };
  const byHour = {
    kind: 'cells',
    groups: { size: 24, hours: 1, scheme: 'hours and weekends', indexOf: (of: string) => Number(of.slice(0, 2)) },
  } as const;

  test('is their share at the hours compared with', () => {
    const expected = expectCallers(whole, byHour, calendar);
    expect(expected?.expect('night', '03|weekday').share).toBe(0.3);
    expect(expected?.expect('night', '04|weekday').share).toBe(0);
    expect(expected?.expect('steady', '04|weekend').share).toBe(0.3);
    expect(expected?.expect('nobody', '04|weekend').share).toBe(0);
  });

  test('is their share of the whole where hours are not told apart', () => {
    const learned = expectCallers(whole, { ...byHour, kind: 'learned' }, calendar);
    expect(learned?.expect('night', '03|weekday').share).toBe(60 / 4800);
    const { time: _, ...untimed } = whole;
    expect(expectCallers(untimed, byHour, calendar)?.expect('steady', cell).share).toBe(0.3);
    const { callers: __, ...nobody } = whole;
    expect(expectCallers(nobody, byHour, calendar)).toBeUndefined();
  });
});

describe('callers from window to window', () => {
  const usual: Counts = { amount: [100, 100, 100, 0], kind: [200, 100, 0, 0] };
  const burst: Counts = { amount: [0, 0, 900, 0], kind: [900, 0, 0, 0] };

  function judgeWindows(summaries: readonly Summary[]) {
    const trails: { windowStart: number; callers: CallerTrail }[] = [];
    return summaries.map((summary, at) => {
      const judged = judgeCallers({
        summary,
        layout,
        cell,
        expectation: unknown,
        start: at * hour,
        windowMilliseconds: hour,
        previous: trails.at(-1)?.callers,
        earlier: trails,
      });
      trails.push({ windowStart: at * hour, callers: judged.trail });
      return judged;
    });
  }

  test('a burst is held down and told of, and is no alarm', () => {
    const [first, second] = judgeWindows([windowOf([], usual), windowOf([['tester', burst]], usual)]);
    expect(first).toMatchObject({ weighed: undefined, findings: [] });
    expect(second?.weighed?.records).toBe(333);
    expect(second?.findings).toEqual([
      expect.objectContaining({
        id: 'caller:tester',
        kind: 'caller',
        tier: 'green',
        message:
          'caller tester sent 75 % of 1,200 records, 0 % in the baseline at these hours; its 900 records count as 33 of 333 where drift is judged',
      }),
    ]);
    const held = heldCallers([{ start: hour, records: 1200, capped: second?.trail.capped ?? [] }], 0, 2 * hour);
    expect(held).toEqual([{ caller: 'tester', share: 0.75, records: 900, kept: 33, windows: 1 }]);
    expect(heldCallers([{ start: hour, records: 1200, capped: second?.trail.capped ?? [] }], 0, hour)).toEqual([]);
  });

  test('who has sent most records for a day is judged like any other', () => {
    const judged = judgeWindows(Array.from({ length: 40 }, () => windowOf([['new', burst]], usual)));
    const first = judged.findIndex(({ weighed }) => weighed === undefined);
    expect(first).toBe(24);
    expect(judged.slice(first).every(({ weighed }) => weighed === undefined)).toBe(true);
    expect(judged.at(-1)?.findings[0]?.message).toContain('judged like any others');
    // A caller that stays below half of the records is held down for good.
    const less: Counts = { amount: [0, 0, 150, 0], kind: [150, 0, 0, 0] };
    const mild = judgeWindows(Array.from({ length: 60 }, () => windowOf([['crawler', less]], usual)));
    expect(mild.every(({ weighed }) => weighed !== undefined)).toBe(true);
  });
});
