import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { coarseBinsOf, placeCoarseBins } from '../../core/model/coarse-bins.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { Summary } from '../../core/model/profile.ts';
import type { Cell, RecordBatch } from '../../core/model/record-batch.ts';
import { BinCounter } from '../../core/profile/bin-counter.ts';
import { CallerPlan, keptCallerShare, missedCallerShare } from '../../core/profile/caller-counter.ts';
import { mergeSummaries } from '../../core/profile/merge.ts';
import { SummaryBuilder } from '../../core/profile/summarise.ts';
import { addCountRuns } from '../../core/stats/count-runs.ts';
import { batchOf, pickRows, validated } from '../profile/batches.ts';

const layout: Layout = {
  schema: 'tidewatch.layout/1',
  features: [
    ['amount', { kind: 'numeric', side: 'input', centre: 40, unit: 2, binEdges: [-100, 0, 200] }],
    ['kind', { kind: 'categorical', side: 'input', categories: ['__proto__', 'constructor'] }],
  ],
  leftOut: [],
};
const nameOf = (caller: string) => `<${caller}>`;
const plan = new CallerPlan(layout, new Set(), 'client', nameOf);

const callers = ['__proto__', 'constructor', 'batch', '7', ...Array.from({ length: 30 }, (_, at) => `user ${at}`)];
const row: fc.Arbitrary<Row> = fc.record({
  client: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('__proto__', 'batch', 7, true, null, undefined, '') },
    { weight: 2, arbitrary: fc.constantFrom(...callers) },
  ),
  amount: fc.constantFrom(-1e308, 0, 40, 42, 1e308, null),
  kind: fc.constantFrom('__proto__', 'constructor', 'new', null, undefined),
});
interface Row {
  readonly client: Cell;
  readonly amount: Cell;
  readonly kind: Cell;
}

function batchOfRows(rows: readonly Row[]): RecordBatch {
  const batch = batchOf([
    ['amount', rows.map(({ amount }) => amount)],
    ['kind', rows.map(({ kind }) => kind)],
    ['client', rows.map(({ client }) => client)],
  ]);
  return validated(batch, layout);
}

function summarise(batches: readonly RecordBatch[]): Summary {
  const builder = new SummaryBuilder({
    layout,
    indicators: [],
    required: [],
    ignored: new Set(),
    role: 'inferences',
    callers: plan,
  });
  for (const batch of batches) builder.addRows(batch, [...batch.rows.keys()]);
  return builder.finish();
}

function textOf(client: Cell): string {
  return client === null || client === undefined || typeof client === 'object' ? '' : String(client);
}

/** The coarse counts of some rows, feature after feature. */
function countRows(batch: RecordBatch, rows: readonly number[]): readonly number[] {
  const counter = new BinCounter(layout, 1e6);
  counter.add(pickRows(batch, rows), () => 'all');
  const counted = counter.counts();
  return layout.features.flatMap(([name, feature]) => counted(name)[0] ?? Array(coarseBinsOf(feature)).fill(0));
}

const parted = fc
  .array(row, { maxLength: 60 })
  .chain((rows) =>
    fc.tuple(
      fc.constant(rows),
      fc.array(fc.nat(4), { minLength: rows.length, maxLength: rows.length }),
      fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
      fc.nat(4),
    ),
  );

function partsOf(rows: readonly Row[], part: readonly number[]): readonly (readonly Row[])[] {
  return [0, 1, 2, 3, 4].map((wanted) => rows.filter((_, index) => part[index] === wanted));
}

describe('callers of summaries', () => {
  test('are those with 3 % of a fragment, with the counts of all their records', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const batch = batchOfRows(rows);
        const found = new Map(summarise([batch]).callers);
        const { bins } = placeCoarseBins(layout);
        for (const caller of callers) {
          const own = [...rows.keys()].filter((index) => textOf(rows[index]?.client) === caller);
          const isKept = own.length > 0 && own.length >= keptCallerShare * rows.length;
          expect(found.has(nameOf(caller))).toBe(isKept);
          if (!isKept) continue;
          expect(found.get(nameOf(caller))?.records).toBe(own.length);
          const counts = new Float64Array(bins);
          addCountRuns(found.get(nameOf(caller))?.counts ?? '', counts);
          expect([...counts]).toEqual(countRows(batch, own));
        }
        expect(found.has(nameOf(''))).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test('do not depend on how rows are batched', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), fc.nat(60), (rows, cut) => {
        const apart = [rows.slice(0, cut), rows.slice(cut)].map(batchOfRows);
        expect(canonicalJson(summarise(apart))).toBe(canonicalJson(summarise([batchOfRows(rows)])));
      }),
      { numRuns: 100 },
    );
  });

  test('merge to the same in every order and grouping, and survive JSON', () => {
    fc.assert(
      fc.property(parted, ([rows, part, order, cut]) => {
        const summaries = partsOf(rows, part).map((own) => summarise([batchOfRows(own)]));
        const merged = canonicalJson(mergeSummaries(summaries));
        const shuffled = order.flatMap((index) => summaries[index] ?? []);
        expect(canonicalJson(mergeSummaries(shuffled))).toBe(merged);
        const grouped = [mergeSummaries(shuffled.slice(0, cut)), mergeSummaries(shuffled.slice(cut))];
        expect(canonicalJson(mergeSummaries(grouped))).toBe(merged);
        const parsed: Summary[] = JSON.parse(canonicalJson(summaries));
        expect(canonicalJson(mergeSummaries(parsed))).toBe(merged);
      }),
      { numRuns: 200 },
    );
  });

  test('merged are those of all records at once, but for less than 3.3 % of the records', () => {
    fc.assert(
      fc.property(parted, ([rows, part]) => {
        const merged = new Map(mergeSummaries(partsOf(rows, part).map((own) => summarise([batchOfRows(own)]))).callers);
        for (const caller of callers) {
          const all = rows.filter(({ client }) => textOf(client) === caller).length;
          const kept = merged.get(nameOf(caller))?.records ?? 0;
          expect(kept).toBeLessThanOrEqual(all);
          expect(all - kept).toBeLessThanOrEqual((keptCallerShare + missedCallerShare) * rows.length);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('are absent where none is large, or callers are not told apart', () => {
    const rows = Array.from({ length: 40 }, (_, at) => ({ client: `user ${at}`, amount: 1, kind: 'new' }));
    expect('callers' in summarise([batchOfRows(rows)])).toBe(false);
    expect('callers' in mergeSummaries([summarise([batchOfRows(rows)])])).toBe(false);
  });
});

test('of many callers the large ones lack less than .3 % of the records, however they hide', () => {
  // Each call of the large caller is followed by several of callers that never come again.
  const rows = Array.from({ length: 6_000 }, (_, at) => ({
    client: at % 6 === 5 && at > 2_000 ? 'late' : at % 3 === 0 ? 'steady' : `user ${at}`,
    amount: 1,
    kind: 'new',
  }));
  const batches = Array.from({ length: 24 }, (_, at) => batchOfRows(rows.slice(at * 250, (at + 1) * 250)));
  const { callers: found } = summarise(batches);
  expect(found?.map(([caller]) => caller)).toEqual(['<late>', '<steady>']);
  for (const [name, { records }] of found ?? []) {
    const all = rows.filter(({ client }) => nameOf(client) === name).length;
    expect(records).toBeLessThanOrEqual(all);
    expect(all - records).toBeLessThan(missedCallerShare * rows.length);
  }
});

test('a capture that names its caller goes before the column', () => {
  const batch = batchOfRows(Array.from({ length: 5 }, () => ({ client: 'column', amount: 1, kind: 'new' })));
  const named = { ...batch, invocations: batch.invocations.map((each) => ({ ...each, caller: 'field' })) };
  expect(summarise([named]).callers?.map(([caller]) => caller)).toEqual(['<field>']);
  expect(summarise([batch]).callers?.map(([caller]) => caller)).toEqual(['<column>']);
});
