import { describe, expect, it } from 'vitest';
import { validateBatch } from '../../core/decode/validate.ts';
import type { FeatureLayout, Layout, NamedFeatureLayout } from '../../core/model/layout.ts';
import type { Cell, RecordBatch } from '../../core/model/record-batch.ts';

const numeric: FeatureLayout = { kind: 'numeric', side: 'input', centre: 0, unit: 1, binEdges: [] };
const categorical: FeatureLayout = { kind: 'categorical', side: 'input', categories: ['a'] };
const opaque: FeatureLayout = { kind: 'opaque', side: 'input' };

const layoutOf = (...features: readonly NamedFeatureLayout[]): Layout => ({
  schema: 'tidewatch.layout/1',
  features,
  leftOut: [],
});

/** A batch of one invocation per row. */
function batchOf(columns: Readonly<Record<string, readonly Cell[]>>, versions: readonly string[] = []): RecordBatch {
  const count = Object.values(columns)[0]?.length ?? 0;
  const rows = Array.from({ length: count }, (_, index) => index);
  return {
    invocations: rows.map((index) => ({
      eventId: `e${index}`,
      time: 1000 + index,
      variant: 'AllTraffic',
      version: versions[index] ?? 'v1',
      line: index + 1,
      offset: index * 100,
      length: 99,
    })),
    rows: rows.map((invocation) => ({ invocation, row: 7 })),
    columns: Object.entries(columns).map(([name, cells]) => ({ name, side: 'input', cells })),
  };
}

function validateCells(layout: FeatureLayout, cells: readonly Cell[]) {
  const { batch, quarantined } = validateBatch(batchOf({ x: cells }), () => layoutOf(['x', layout]));
  return { cells: batch.columns[0]?.cells, reasons: quarantined.map(({ reason }) => reason) };
}

describe('numeric columns', () => {
  it.each<[Cell, number | null | undefined]>([
    [1.5, 1.5],
    [-0, 0],
    ['-0', 0],
    [' 12 ', 12],
    ['+1.', 1],
    ['.5', 0.5],
    ['-1.5e-3', -0.0015],
    ['1E2', 100],
    [true, 1],
    [false, 0],
    [null, null],
    [Number.NaN, null],
    ['', null],
    ['  ', null],
    ['NaN', null],
    ['nan', null],
    [' NA ', null],
    ['N/A', null],
    ['null', null],
    ['None', null],
    [undefined, undefined],
  ])('reads %j as %j', (cell, expected) => {
    const { cells, reasons } = validateCells(numeric, [cell]);
    expect([cells, reasons]).toEqual([[expected], []]);
    expect(Object.is(cells?.[0], -0)).toBe(false);
  });

  it.each<[Cell, string]>([
    ['abc', 'not-a-number'],
    ['0x10', 'not-a-number'],
    ['1,5', 'not-a-number'],
    ['1e', 'not-a-number'],
    ['.', 'not-a-number'],
    ['1 2', 'not-a-number'],
    ['1_000', 'not-a-number'],
    ['true', 'not-a-number'],
    ['١', 'not-a-number'],
    ['undefined', 'not-a-number'],
    [{ opaque: 'array', size: 2 }, 'not-a-number'],
    [{ opaque: 'binary', size: 2 }, 'not-a-number'],
    ['1e400', 'not-finite'],
    ['-Infinity', 'not-finite'],
    ['inf', 'not-finite'],
    [Number.POSITIVE_INFINITY, 'not-finite'],
    [Number.NEGATIVE_INFINITY, 'not-finite'],
  ])('quarantines the row of %j as %s', (cell, reason) => {
    expect(validateCells(numeric, [1, cell, 2])).toEqual({ cells: [1, 2], reasons: [reason] });
  });

  it('takes linear time on hostile text', () => {
    // Anything worse than linear runs into the test's time limit.
    const cells = [`${'1'.repeat(2_000_000)}x`, `${' '.repeat(2_000_000)}x`, `1e${'1'.repeat(2_000_000)}x`];
    expect(validateCells(numeric, cells).reasons).toEqual(cells.map(() => 'not-a-number'));
  });
});

describe('categorical columns', () => {
  it.each<[Cell, string | null | undefined]>([
    ['EU', 'EU'],
    [' EU ', ' EU '],
    ['NA', 'NA'],
    ['null', 'null'],
    ['', null],
    [null, null],
    [Number.NaN, null],
    [7, '7'],
    [-0, '0'],
    [1e21, '1e+21'],
    [true, 'true'],
    [false, 'false'],
    [undefined, undefined],
  ])('reads %j as %j', (cell, expected) => {
    expect(validateCells(categorical, [cell])).toEqual({ cells: [expected], reasons: [] });
  });

  it('quarantines what is no text', () => {
    expect(validateCells(categorical, ['a', { opaque: 'array', size: 2 }, Number.POSITIVE_INFINITY])).toEqual({
      cells: ['a'],
      reasons: ['not-text', 'not-finite'],
    });
  });
});

describe('batches', () => {
  it('leaves opaque columns and those without a layout as they are', () => {
    const cells: readonly Cell[] = ['abc', { opaque: 'array', size: 2 }, Number.POSITIVE_INFINITY];
    const batch = batchOf({ known: cells, constructor: cells, x: cells });
    expect(validateBatch(batch, () => layoutOf(['known', opaque]))).toEqual({ batch, quarantined: [] });
    expect(validateBatch(batch, () => undefined)).toEqual({ batch, quarantined: [] });
  });

  it('removes a faulty row once, from every column, and says where it stood without its content', () => {
    const batch = batchOf({ x: ['1', 'secret', '3'], y: ['4', 'secret', 'secret'], z: [7, 8, 9] });
    const { batch: valid, quarantined } = validateBatch(batch, () => layoutOf(['x', numeric], ['y', numeric]));
    expect(valid.columns.map(({ cells }) => cells)).toEqual([[1], [4], [7]]);
    expect(valid.rows).toEqual([{ invocation: 0, row: 7 }]);
    expect(valid.invocations).toHaveLength(3);
    expect(quarantined).toMatchObject([
      { reason: 'not-a-number', column: 'x', line: 2, offset: 100, length: 99, row: 7, time: 1001, version: 'v1' },
      { reason: 'not-a-number', column: 'y', line: 3 },
    ]);
    expect(JSON.stringify(quarantined)).not.toContain('secret');
    expect(batch.columns[0]?.cells).toEqual(['1', 'secret', '3']);
  });

  it("reads each row by its own version's layout", () => {
    const batch = batchOf({ x: ['1', '1', '1'] }, ['v1', 'v2', 'v3']);
    const layouts = new Map([
      ['v1', layoutOf(['x', numeric])],
      ['v2', layoutOf(['x', categorical])],
    ]);
    expect(validateBatch(batch, (version) => layouts.get(version)).batch.columns[0]?.cells).toEqual([1, '1', '1']);
  });
});
