import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maximumClassColumns } from '../../core/decode/class-columns.ts';
import { decodeCsvTable } from '../../core/decode/csv-table.ts';
import { defaultLimits } from '../../core/decode/decode-plan.ts';
import { validateBatch } from '../../core/decode/validate.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { OutputKind } from '../../core/model/policy.ts';
import type { Cell } from '../../core/model/record-batch.ts';
import {
  chunked,
  csv,
  decodeLines,
  json,
  planOf,
  type RecordOptions,
  type SideOptions,
  sagemakerLine,
} from './capture-records.ts';

interface Outputs {
  readonly predictions?: readonly string[] | undefined;
  readonly output?: OutputKind | undefined;
}

function plan({ predictions = [], output }: Outputs = {}) {
  return planOf({ versions: [{ match: 'v1', predictions, output }] });
}

/** Cells by column of each row. */
async function rowsOf(record: RecordOptions, outputs?: Outputs) {
  const whole = await decodeLines([sagemakerLine(record)], plan(outputs));
  expect(whole.quarantined).toEqual([]);
  return whole.rows.map((row) => Object.fromEntries(row));
}

const catsAndDogs = { predictions: ['cat', 'dog'] };
const jsonLines = (data: string): SideOptions => ({ data, encoding: 'JSON', contentType: 'application/jsonlines' });

describe('scores of classes', () => {
  it.each<[string, SideOptions]>([
    ['rows of predictions', json({ predictions: [[0.25, 0.75]] })],
    ['a list of rows', json([[0.25, 0.75]])],
    ['a flat list', json({ predictions: [0.25, 0.75] })],
    ['JSON Lines of lists', jsonLines('[0.25,0.75]\n')],
    ['JSON Lines of objects', jsonLines('{"prediction":[0.25,0.75]}\n')],
    ['a named list', json({ probabilities: [0.25, 0.75] })],
    ['named values', json({ dog: 0.75, cat: 0.25 })],
    ['labels with scores', json({ labels: ['dog', 'cat'], scores: [0.75, 0.25] })],
    [
      'pairs of one row',
      json([
        [
          { label: 'dog', score: 0.75 },
          { label: 'cat', score: 0.25 },
        ],
      ]),
    ],
    [
      'pairs',
      json([
        { label: 'dog', score: 0.75 },
        { label: 'cat', score: 0.25 },
      ]),
    ],
  ])('are columns with what they say together: %s', async (_, output) => {
    const rows = await rowsOf({ input: json({ x: 1 }), output }, catsAndDogs);
    expect(rows).toEqual([{ x: 1, cat: 0.25, dog: 0.75, confidence: 0.75, predicted: 'dog' }]);
  });

  it('are read from CSV', async () => {
    const rows = await rowsOf({ output: csv('0.25,0.75\n0.9,0.1\n') }, catsAndDogs);
    expect(rows).toEqual([
      { cat: '0.25', dog: '0.75', confidence: 0.75, predicted: 'dog' },
      { cat: '0.9', dog: '0.1', confidence: 0.9, predicted: 'cat' },
    ]);
  });

  it('are named like other outputs without a schema', async () => {
    expect(await rowsOf({ output: json({ predictions: [[0.5, 0.2, 0.3]] }) })).toEqual([
      { prediction: 0.5, prediction_2: 0.2, prediction_3: 0.3, confidence: 0.5, predicted: 'prediction' },
    ]);
    expect(await rowsOf({ output: json({ id: 'a', probabilities: [0.1, 0.9] }) })).toEqual([
      { id: 'a', probabilities: 0.1, probabilities_2: 0.9, confidence: 0.9, predicted: 'probabilities_2' },
    ]);
  });

  it('are told from other numbers', async () => {
    expect(await rowsOf({ output: json({ predictions: [[0.5, 0.6]] }) })).toEqual([
      { prediction: 0.5, prediction_2: 0.6 },
    ]);
    expect(await rowsOf({ output: json({ predictions: [[-0.5, 1.5]] }) })).toEqual([
      { prediction: -0.5, prediction_2: 1.5 },
    ]);
    expect(await rowsOf({ output: json({ box: [12, 30, 44] }) })).toEqual([{ box: { opaque: 'array', size: 3 } }]);
    expect(await rowsOf({ output: json({ score: 0.4, threshold: 0.6 }) })).toEqual([{ score: 0.4, threshold: 0.6 }]);
    expect(
      await rowsOf({ output: json({ predictions: [[0.25, 0.75]] }) }, { ...catsAndDogs, output: 'values' }),
    ).toEqual([{ cat: 0.25, dog: 0.75 }]);
  });

  it('where declared need not add up, and raw ones have no confidence', async () => {
    const declared = { ...catsAndDogs, output: 'classes' } as const;
    expect(await rowsOf({ output: csv('0.6,0.7') }, declared)).toMatchObject([{ confidence: 0.7, predicted: 'dog' }]);
    expect(await rowsOf({ output: csv('-1.5,4') }, declared)).toMatchObject([{ confidence: null, predicted: 'dog' }]);
    expect(await rowsOf({ output: csv(',0.7') }, declared)).toMatchObject([{ confidence: null, predicted: null }]);
    expect(await rowsOf({ output: csv('0.5,0.5') }, declared)).toMatchObject([{ predicted: 'cat' }]);
  });

  it('give way to columns with the same names', async () => {
    const input = json({ confidence: 1 });
    const output = json({ predicted: 'x', scores: [0.25, 0.75] });
    expect(await rowsOf({ input, output })).toEqual([
      {
        confidence: 1,
        predicted: 'x',
        scores: 0.25,
        scores_2: 0.75,
        'output.confidence': 0.75,
        'output.predicted': 'scores_2',
      },
    ]);
  });

  it('beyond a hundred classes share a column', async () => {
    const scores = Array.from({ length: 1000 }, (_, index) => (index === 500 ? 0.5 : 0.5 / 999));
    const [row] = await rowsOf({ output: json({ predictions: [scores] }) });
    expect(Object.keys(row ?? {}).length).toBe(maximumClassColumns + 3);
    expect(row).toMatchObject({ confidence: 0.5, predicted: 'prediction_501' });
    expect(row?.other_classes).toBeCloseTo(0.5 + (899 * 0.5) / 999, 12);
  });

  it('are the same however often they stand in a line or a file', async () => {
    const row = fc.array(fc.nat(1000), { minLength: 2, maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), async (rows) => {
        const shares = rows.map(([a = 0]) => [a / 1000, 1 - a / 1000]);
        const together = await rowsOf({ output: json({ predictions: shares }) }, catsAndDogs);
        const alone = await Promise.all(
          shares.map((one) => rowsOf({ output: json({ predictions: [one] }) }, catsAndDogs)),
        );
        expect(together).toEqual(alone.flat());
        for (const [index, shown] of together.entries())
          expect(shown.confidence).toBe(Math.max(...(shares[index] ?? [])));
      }),
      { numRuns: 30 },
    );
  });
});

describe('a declared probability', () => {
  const declared = { predictions: ['score'], output: 'probability' } as const;
  it('is as sure as the likelier answer', async () => {
    expect(await rowsOf({ output: csv('0.2\n0.7\n1.5\nNaN\n') }, declared)).toEqual([
      { score: '0.2', confidence: 0.8 },
      { score: '0.7', confidence: 0.7 },
      { score: '1.5', confidence: null },
      { score: 'NaN', confidence: null },
    ]);
    expect(await rowsOf({ output: json({ score: 0.1, label: 0 }) }, declared)).toEqual([
      { score: 0.1, label: 0, confidence: 0.9 },
    ]);
    expect(await rowsOf({ output: csv('0.2') }, { predictions: ['score'] })).toEqual([{ score: '0.2' }]);
    expect(await rowsOf({ output: csv('0.2') }, { output: 'probability' })).toEqual([
      { prediction: '0.2', confidence: 0.8 },
    ]);
  });
});

describe('a CSV table', () => {
  async function decodeTable(content: string, outputs: Outputs, batchRows = 256) {
    const options = {
      variant: 'v',
      version: 'v1',
      limits: defaultLimits,
      batchRows,
      predictions: outputs.predictions ?? [],
    };
    const rows: Record<string, Cell>[] = [];
    for await (const { batch } of decodeCsvTable(chunked(Buffer.from(content)), {
      ...options,
      output: outputs.output,
    })) {
      for (const index of batch.rows.keys()) {
        const cells = batch.columns.map(({ name, cells }) => [name, cells[index]] as const);
        rows.push(Object.fromEntries(cells.filter(([, cell]) => cell !== undefined)));
      }
    }
    return rows;
  }

  it('has the same columns as captures, in batches of any size', async () => {
    const content = 'cat,x,dog\n0.25,1,0.75\n0.5,2,0.9\n0.9,3,0.1\n';
    const expected = [
      { cat: '0.25', x: '1', dog: '0.75', confidence: 0.75, predicted: 'dog' },
      { cat: '0.5', x: '2', dog: '0.9' },
      { cat: '0.9', x: '3', dog: '0.1', confidence: 0.9, predicted: 'cat' },
    ];
    for (const size of [1, 2, 256]) expect(await decodeTable(content, catsAndDogs, size)).toEqual(expected);
    expect(await decodeTable('score,confidence\n0.2,a\n', { predictions: ['score'], output: 'probability' })).toEqual([
      { score: '0.2', confidence: 'a', 'output.confidence': 0.8 },
    ]);
    expect(await decodeTable('x\n1\n', {})).toEqual([{ x: '1' }]);
  });
});

describe('a baseline made without derived columns', () => {
  it('does not see them', async () => {
    const record = sagemakerLine({ output: json({ predictions: [[0.25, 0.75]], extra: 1 }) });
    const { batches } = await decodeLines([record], plan(catsAndDogs));
    const side = 'output' as const;
    const number = { kind: 'numeric', side, centre: 0, unit: 1, binEdges: [] } as const;
    const layout: Layout = {
      schema: 'tidewatch.layout/1',
      features: [
        ['cat', number],
        ['confidence', number],
      ],
      leftOut: [],
    };
    const [batch] = batches;
    const names = batch && validateBatch(batch.batch, () => layout).batch.columns.map(({ name }) => name);
    expect(names).toEqual(['cat', 'dog', 'confidence']);
    const unknown = batch && validateBatch(batch.batch, () => undefined).batch.columns.map(({ name }) => name);
    expect(unknown).toEqual(['cat', 'dog', 'confidence', 'predicted']);
  });
});
