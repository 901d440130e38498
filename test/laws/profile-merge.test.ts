import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { Summary } from '../../core/model/profile.ts';
import type { QuarantineReason } from '../../core/model/quarantine.ts';
import type { Cell, RecordBatch } from '../../core/model/record-batch.ts';
import { maximumExtraColumns, moreColumns } from '../../core/profile/extra-columns.ts';
import { emptySummary, mergeSummaries } from '../../core/profile/merge.ts';
import { SummaryBuilder, type Watch } from '../../core/profile/summarise.ts';
import { batchOf, pickRows, validated } from '../profile/batches.ts';

const layout: Layout = {
  schema: 'tidewatch.layout/1',
  features: [
    ['__proto__', { kind: 'categorical', side: 'input', categories: ['__proto__', 'constructor', ' ', '😀'] }],
    ['amount', { kind: 'numeric', side: 'input', centre: 40, unit: 2, binEdges: [-100, 0, 200] }],
    ['tiny', { kind: 'numeric', side: 'output', centre: 1e15, unit: 0.25, binEdges: [] }],
    ['vector', { kind: 'opaque', side: 'input' }],
  ],
  leftOut: ['id'],
};

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: 1e15, max: 1e15 + 3 }),
  fc.constantFrom(0, -0, 40, 42, 5e-324, -5e-324, 2.2e-308, 1e308, -1e308, Number.MAX_VALUE, 1e15 + 0.125),
);
const absent = fc.constantFrom(null, undefined);
const numbers = fc.oneof({ weight: 6, arbitrary: number }, { weight: 1, arbitrary: absent });
const texts = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', ' ', '😀', 'toString', 'é', 'e\u0301'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
  fc.constantFrom('', null, undefined),
);
const opaque = fc.constantFrom({ opaque: 'array', size: 3 } as const, null, undefined);

interface Row {
  readonly cells: readonly [Cell, Cell, Cell, Cell];
  readonly time: number;
  readonly extra: string;
}

const row: fc.Arbitrary<Row> = fc.record({
  cells: fc.tuple(texts, numbers, numbers, opaque),
  time: fc.integer({ min: -90_000, max: 400_000 }),
  extra: fc.constantFrom('x1', 'x2', '__proto__2', moreColumns, 'y'.repeat(300)),
});
const rowsOfAll = fc.array(row, { maxLength: 25 });

const watch: Watch = {
  layout,
  indicators: [
    { slo: 'latency', classify: ({ line }) => (line % 3 === 0 ? 'bad' : line % 3 === 1 ? 'good' : 'not-valid') },
  ],
  required: ['amount', '__proto__'],
  ignored: new Set(['x2']),
  role: 'inferences',
};

function batchOfRows(rows: readonly Row[]): RecordBatch {
  const columns = layout.features.map(([name], index) => [name, rows.map(({ cells }) => cells[index])] as const);
  const extraNames = [...new Set(rows.map(({ extra }) => extra))];
  const extras = extraNames.map((name) => [name, rows.map(({ extra }) => (extra === name ? 1 : undefined))] as const);
  const batch = batchOf([...columns, ...extras], { times: rows.map(({ time }) => time) });
  return {
    ...batch,
    invocations: batch.invocations.map((invocation, index) => ({ ...invocation, latencyMilliseconds: index })),
  };
}

const reasons: readonly QuarantineReason[] = ['not-json', 'column-count', 'bad-time'];

/** What a fragment does with some of a batch's rows. */
function summarise(batch: RecordBatch, rows: readonly number[]): Summary {
  const builder = new SummaryBuilder(watch);
  for (const index of rows) {
    const invocation = batch.invocations[index];
    if (!invocation) continue;
    builder.addInvocation(invocation);
    const [reason] = reasons.slice(index % 7);
    const { time } = invocation;
    if (reason) builder.addQuarantined({ reason, line: 1, offset: 0, length: 1, seen: 'a', expected: 'b', time }, time);
    if (index % 5 === 0) builder.addDuplicates(index);
  }
  builder.addRows(batch, rows);
  return builder.finish();
}

/** Merges by a tree whose shape the choices give. */
function mergeTree(summaries: readonly Summary[], choices: readonly number[]): Summary {
  if (summaries.length < 2) return mergeSummaries(summaries);
  const cut = 1 + ((choices[0] ?? 0) % (summaries.length - 1));
  const sides = [summaries.slice(0, cut), summaries.slice(cut)];
  return mergeSummaries(sides.map((side) => mergeTree(side, choices.slice(1))));
}

describe('summaries', () => {
  test('merge to that of all records, byte for byte: any split, order, batching and tree', () => {
    fc.assert(
      fc.property(
        rowsOfAll.chain((rows) =>
          fc.record({
            rows: fc.constant(rows),
            order: fc.shuffledSubarray([...rows.keys()], { minLength: rows.length }),
            part: fc.array(fc.nat(5), { minLength: rows.length, maxLength: rows.length }),
            choices: fc.array(fc.nat(), { maxLength: 6 }),
          }),
        ),
        ({ rows, order, part, choices }) => {
          const batch = validated(batchOfRows(rows), layout);
          const whole = summarise(batch, [...rows.keys()]);
          const parts = [0, 1, 2, 3, 4, 5].map((wanted) => order.filter((index) => part[index] === wanted));
          // Each part is decoded into a batch of its own, with other columns present and in another order.
          const summaries = parts.map((indices) => summarise(batch, indices));
          const merged = mergeTree(summaries, choices);
          expect(canonicalJson(merged)).toBe(canonicalJson(whole));
          const ownBatches = mergeSummaries(parts.map((indices) => summariseRows(batch, indices)));
          expect(canonicalJson(ownBatches)).toBe(canonicalJson(summariseRows(batch, [...rows.keys()])));
        },
      ),
      { numRuns: 250 },
    );
  });

  test('of no records are neutral, and survive JSON', () => {
    fc.assert(
      fc.property(rowsOfAll, (rows) => {
        const batch = validated(batchOfRows(rows), layout);
        const summary = summarise(batch, [...rows.keys()]);
        const text = canonicalJson(summary);
        const none = summarise(batch, []);
        for (const list of [[summary], [emptySummary, summary], [summary, emptySummary], [none, summary, none]]) {
          expect(canonicalJson(mergeSummaries(list))).toBe(text);
        }
        const parsed: Summary = JSON.parse(text);
        expect(canonicalJson(parsed)).toBe(text);
        expect(canonicalJson(mergeSummaries([parsed, summary]))).toBe(
          canonicalJson(mergeSummaries([summary, summary])),
        );
      }),
      { numRuns: 150 },
    );
  });

  test('are not changed by being merged', () => {
    fc.assert(
      fc.property(rowsOfAll, rowsOfAll, (left, right) => {
        const [a, b] = [left, right].map((rows) => {
          const batch = validated(batchOfRows(rows), layout);
          return deepFreeze(summarise(batch, [...rows.keys()]));
        });
        if (!a || !b) throw new Error('expected two summaries');
        const before = [canonicalJson(a), canonicalJson(b)];
        mergeSummaries([a, b, a]);
        expect([canonicalJson(a), canonicalJson(b)]).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });

  test('keep the same unexpected columns in any order, however many there are', () => {
    const names = fc.uniqueArray(fc.integer({ min: 0, max: 3_000 }), { minLength: 90, maxLength: 700 });
    fc.assert(
      fc.property(names, fc.array(fc.nat(3), { minLength: 700, maxLength: 700 }), (numbers, part) => {
        const summaryOf = (chosen: readonly number[]) => {
          const builder = new SummaryBuilder({ ...watch, layout: { ...layout, features: [] } });
          for (const number of chosen) builder.addRows(batchOf([[`column ${number}`, [1]]]), [0]);
          return builder.finish();
        };
        const whole = summaryOf(numbers);
        const parts = [3, 1, 0, 2].map((wanted) => summaryOf(numbers.filter((_, index) => part[index] === wanted)));
        expect(canonicalJson(mergeSummaries(parts))).toBe(canonicalJson(whole));
        expect(canonicalJson(summaryOf(numbers.toReversed()))).toBe(canonicalJson(whole));
        expect(whole.extraColumns.filter(([name]) => name !== moreColumns)).toHaveLength(
          Math.min(numbers.length, maximumExtraColumns),
        );
        expect(whole.extraColumns.reduce((sum, [, rows]) => sum + rows, 0)).toBe(numbers.length);
      }),
      { numRuns: 40 },
    );
  });

  test('refuse a feature that was counted as two kinds', () => {
    const [numeric, opaque] = (['numeric', 'opaque'] as const).map((kind): Summary => {
      const feature =
        kind === 'numeric'
          ? ({ kind, count: 0, missing: 1, sum: '0', sumOfSquares: '0', buckets: [] } as const)
          : ({ kind, count: 1, missing: 0 } as const);
      return { ...emptySummary, features: [['amount', feature]] };
    });
    if (!numeric || !opaque) throw new Error('expected two summaries');
    expect(() => mergeSummaries([numeric, opaque])).toThrow('counted as numeric and as opaque');
  });
});

/** Rows alone, from a batch that holds only them. */
function summariseRows(batch: RecordBatch, indices: readonly number[]): Summary {
  const builder = new SummaryBuilder(watch);
  const picked = pickRows(batch, indices);
  const columns = picked.columns.filter(({ cells }) => cells.some((cell) => cell !== undefined)).toReversed();
  builder.addRows({ ...picked, columns }, [...indices.keys()]);
  return builder.finish();
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
