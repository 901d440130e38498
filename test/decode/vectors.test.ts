import { describe, expect, test } from 'vitest';
import { decodeRecordFrame, RecordFrame } from '../../core/audit/record-frame.ts';
import { decodeCapture } from '../../core/decode/decode-capture.ts';
import { readVector } from '../../core/decode/validate.ts';
import type { VersionPolicy } from '../../core/model/policy.ts';
import type { Cell, RecordBatch } from '../../core/model/record-batch.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { chunked, csv, json, planOf, sagemakerLine } from './capture-records.ts';

const vector = [0.5, -1.25, 3];
const kept = { opaque: 'array', size: 3, values: vector };

async function batchOf(line: string, version: Partial<VersionPolicy>): Promise<RecordBatch> {
  const plan = planOf({ versions: [{ match: 'v1', predictions: [], embeddings: ['text'], ...version }] });
  for await (const { batch } of decodeCapture(chunked(Buffer.from(`${line}\n`)), plan)) return batch;
  throw new Error('expected a batch');
}

async function cellsOf(line: string, version: Partial<VersionPolicy> = {}): Promise<ReadonlyMap<string, Cell>> {
  const { columns } = await batchOf(line, version);
  return new Map(columns.map(({ name, cells }) => [name, cells[0]]));
}

describe('a list of numbers', () => {
  test('is kept under a name that holds vectors, and only there', async () => {
    const cells = await cellsOf(sagemakerLine({ input: json({ text: vector, other: vector }) }));
    expect(cells.get('text')).toEqual(kept);
    expect(cells.get('other')).toEqual({ opaque: 'array', size: 3 });
  });
  test('is kept inside an object, by its whole name', async () => {
    const line = sagemakerLine({ input: json({ a: { text: vector } }) });
    expect((await cellsOf(line, { embeddings: ['a.text'] })).get('a.text')).toEqual(kept);
    expect((await cellsOf(line)).get('a.text')).toEqual({ opaque: 'array', size: 3 });
  });
  test('is kept as one of several values in order', async () => {
    const cells = await cellsOf(sagemakerLine({ input: json([[7, vector]]) }), { columns: ['age', 'text'] });
    expect([...cells]).toEqual([
      ['age', 7],
      ['text', kept],
    ]);
  });
  test.each([
    ['a list of rows', { predictions: [vector] }],
    ['under its name', { text: vector }],
    ['a flat list', vector],
  ])('is the whole answer of a model of vectors: %s', async (_, body) => {
    const cells = await cellsOf(sagemakerLine({ input: json({ id: 'x' }), output: json(body) }), {
      predictions: ['text'],
    });
    expect(cells.get('text')).toEqual(kept);
    expect([...cells.keys()]).toEqual(['id', 'text']);
  });
  test('is read from a line of CSV that is one vector', async () => {
    const line = sagemakerLine({ input: csv('1'), output: csv('0.5,-1.25,3') });
    expect((await cellsOf(line, { columns: ['id'], predictions: ['text'] })).get('text')).toEqual(kept);
  });
  test('with anything but numbers is no vector', async () => {
    const cells = await cellsOf(sagemakerLine({ input: json({ text: [1, null, 'x'] }) }));
    expect(cells.get('text')).toEqual({ opaque: 'array', size: 3 });
  });
});

test.each<[Exclude<Cell, undefined>, unknown]>([
  [null, null],
  ['', null],
  [' NaN ', null],
  ['[0.5, -1.25, 3]', kept],
  ['[1e999]', { opaque: 'array', size: 1, values: [Number.POSITIVE_INFINITY] }],
  ['[[1]]', { opaque: 'array', size: 0 }],
  ['[1, "x"]', { opaque: 'array', size: 2 }],
  ['0.5 1.25', { opaque: 'array', size: 0 }],
  ['['.repeat(100_000), { opaque: 'array', size: 0 }],
  [3, { opaque: 'array', size: 0 }],
  [true, { opaque: 'array', size: 0 }],
  [
    { opaque: 'binary', size: 9 },
    { opaque: 'array', size: 0 },
  ],
])('a cell of a column of vectors: %#', (cell, expected) => {
  expect(readVector(cell)).toEqual(expected);
});

test('vectors are in the evidence as they were counted', async () => {
  const batch = await batchOf(sagemakerLine({ input: json({ text: vector }) }), {});
  const [invocation] = batch.invocations;
  if (!invocation) throw new Error('expected an invocation');
  const frame = new RecordFrame('12', 'AllTraffic', 'v1');
  frame.add('tag', invocation, batch.columns, 0, 0);
  const [record] = decodeRecordFrame(frame.encode(), 'AllTraffic', 'v1', ['tag']);
  expect(record?.cells).toEqual([['input', 'text', kept]]);
});

test('too few vectors of one length make no baseline of them, with a note', async () => {
  const lines = Array.from({ length: 150 }, (_, index) =>
    sagemakerLine({
      input: json({ text: Array.from({ length: 2 + (index % 3) }, (_, k) => Math.sin(index + k)), age: index % 40 }),
      metadata: { eventId: `e${index}` },
    }),
  );
  const plan = planOf({ versions: [{ match: 'v1', predictions: [], embeddings: ['text'] }] });
  const baseline = await createBaseline(
    { open: () => decodeCapture(chunked(Buffer.from(`${lines.join('\n')}\n`)), plan) },
    {
      windowSeconds: undefined,
      choose: (column) => ({ kind: column === 'text' ? 'embedding' : undefined, ignore: false }),
    },
  );
  expect(baseline.layout.leftOut).toEqual(['text']);
  expect(baseline.notes.join()).toContain(
    'text: left out, an embedding needs at least 100 lists of numbers of one length',
  );
});
