import { expect, test } from 'vitest';
import { SummaryBuilder } from '../../core/profile/summarise.ts';
import { batchOf } from './batches.ts';

const minute = 60_000;

function countRows(completeness?: string) {
  const builder = new SummaryBuilder({
    layout: undefined,
    indicators: [],
    required: ['age', 'income'],
    completeness,
    ignored: new Set(),
    role: 'inferences',
  });
  const columns = [
    ['age', [1, null, '', 4, 5, 0]],
    ['income', [1, 2, undefined, '', 5, 0]],
    ['other', [null, null, null, null, null, null]],
  ] as const;
  const batch = batchOf(columns, { times: [0, 1, 2, 3, minute, minute + 1] });
  builder.addRows(batch, [0, 1, 2, 3, 4, 5]);
  const place = { line: 7, offset: 0, length: 1, seen: 'text', expected: 'a number', column: 'age' };
  builder.addQuarantined({ reason: 'not-a-number', ...place }, minute);
  return builder.finish().minutes;
}

test('a record counts once, and is good where no required feature lacks a value', () => {
  expect(countRows('complete')).toMatchObject([
    {
      minute: 0,
      rows: 4,
      slis: [['complete', 1, 4]],
      missing: [
        ['age', 2],
        ['income', 2],
      ],
    },
    // What could not be read is a break of the schema, and nothing else beside it.
    { minute: 1, rows: 2, schemaBreaks: 1, slis: [['complete', 2, 2]], missing: [] },
  ]);
});

test('nothing is counted without an objective', () => {
  expect(countRows().flatMap(({ slis }) => slis)).toEqual([]);
});
