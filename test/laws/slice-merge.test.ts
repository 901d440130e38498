import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { coarseBinsOf, placeCoarseBins } from '../../core/model/coarse-bins.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { Summary } from '../../core/model/profile.ts';
import type { Cell, RecordBatch } from '../../core/model/record-batch.ts';
import { sliceOf } from '../../core/model/slice.ts';
import { BinCounter } from '../../core/profile/bin-counter.ts';
import { mergeSummaries } from '../../core/profile/merge.ts';
import { SlicePlan } from '../../core/profile/slice-counter.ts';
import { SummaryBuilder } from '../../core/profile/summarise.ts';
import { addCountRuns } from '../../core/stats/count-runs.ts';
import { batchOf, pickRows, validated } from '../profile/batches.ts';

const layout: Layout = {
  schema: 'tidewatch.layout/1',
  features: [
    ['__proto__', { kind: 'categorical', side: 'input', categories: ['__proto__', 'constructor', 'EU'] }],
    ['amount', { kind: 'numeric', side: 'input', centre: 40, unit: 2, binEdges: [-100, 0, 200] }],
    ['ignored', { kind: 'numeric', side: 'input', centre: 0, unit: 1, binEdges: [0] }],
    ['vector', { kind: 'opaque', side: 'input' }],
  ],
  leftOut: ['free text'],
};

const slices = [
  sliceOf('__proto__', '__proto__'),
  sliceOf('__proto__', 'constructor'),
  sliceOf('__proto__', 'never'),
  sliceOf('amount', 42),
  sliceOf('ignored', 7),
  sliceOf('free text', true),
  sliceOf('not there', 'EU'),
];
const ignored = new Set(['ignored']);
const plan = new SlicePlan(layout, slices, ignored);

const row = fc.tuple(
  fc.constantFrom('__proto__', 'constructor', 'EU', 'new', '', null, undefined),
  fc.constantFrom(42, -1e308, 1e308, 40, 5e-324, null, undefined),
  fc.constantFrom<Cell[]>(7, '7', 'not a number', null),
  fc.constantFrom<Cell[]>({ opaque: 'array', size: 3 }, null, undefined),
  fc.constantFrom<Cell[]>(true, 'true', 'false', 'x', null),
);
type Row = readonly [Cell, Cell, Cell, Cell, Cell];

function batchOfRows(rows: readonly Row[]): RecordBatch {
  const names = [...layout.features.map(([name]) => name), 'free text'];
  const batch = batchOf(names.map((name, index) => [name, rows.map((cells) => cells[index])] as const));
  return validated(batch, { ...layout, features: layout.features.filter(([name]) => !ignored.has(name)) });
}

function summarise(batch: RecordBatch, rows: readonly number[]): Summary {
  const builder = new SummaryBuilder({
    layout,
    indicators: [],
    required: [],
    ignored,
    role: 'inferences',
    slices: plan,
  });
  builder.addRows(batch, rows);
  return builder.finish();
}

describe('slices of summaries', () => {
  test('merge to those of all records, byte for byte: any split, order and batching', () => {
    fc.assert(
      fc.property(
        fc
          .array(row, { maxLength: 40 })
          .chain((rows) =>
            fc.tuple(
              fc.constant(rows),
              fc.shuffledSubarray([...rows.keys()], { minLength: rows.length }),
              fc.array(fc.nat(3), { minLength: rows.length, maxLength: rows.length }),
            ),
          ),
        ([rows, order, part]) => {
          const batch = batchOfRows(rows);
          const whole = summarise(batch, [...rows.keys()]);
          const parts = [0, 1, 2, 3].map((wanted) => order.filter((index) => part[index] === wanted));
          const together = mergeSummaries(parts.map((indices) => summarise(batch, indices)));
          expect(canonicalJson(together.slices ?? [])).toBe(canonicalJson(whole.slices ?? []));
          const apart = mergeSummaries(
            parts.toReversed().map((indices) => summarise(pickRows(batch, indices), [...indices.keys()])),
          );
          expect(canonicalJson(apart)).toBe(canonicalJson(whole));
          expect(canonicalJson(mergeSummaries([mergeSummaries([apart]), summarise(batch, [])]))).toBe(
            canonicalJson(whole),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  test('count the records that have the value, feature by feature', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
        const batch = batchOfRows(rows);
        const found = new Map(summarise(batch, [...rows.keys()]).slices);
        const { offsets, bins } = placeCoarseBins(layout);
        for (const { name, column, value } of slices) {
          const cells = batch.columns.find((each) => each.name === column)?.cells ?? [];
          const inside = [...rows.keys()].filter(
            (index) => cells[index] !== null && cells[index] !== undefined && String(cells[index]) === value,
          );
          expect(found.get(name)?.records ?? 0).toBe(inside.length);
          if (inside.length === 0) {
            expect(found.has(name)).toBe(false);
            continue;
          }
          const counter = new BinCounter(layout, 1e6);
          counter.add(pickRows(batch, inside), () => 'all');
          const counted = counter.counts();
          const counts = new Float64Array(bins);
          addCountRuns(found.get(name)?.counts ?? '', counts);
          layout.features.forEach(([feature, its], position) => {
            const offset = offsets[position] ?? 0;
            const here = [...counts.subarray(offset, offset + coarseBinsOf(its))];
            expect(here).toEqual(ignored.has(feature) ? here.map(() => 0) : counted(feature)[0]);
          });
        }
      }),
      { numRuns: 200 },
    );
  });

  test('are absent where none has a record, or none is asked for', () => {
    const batch = batchOfRows([['EU', 1, 1, null, 'x']]);
    expect('slices' in summarise(batch, [0])).toBe(false);
    expect('slices' in mergeSummaries([summarise(batch, [0]), summarise(batch, [0])])).toBe(false);
  });
});
