import { expect, test } from 'vitest';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import type { Cell } from '../../core/model/record-batch.ts';
import { batchOf, learn, learnColumns, type TestColumn } from './batches.ts';

function repeat(count: number, cellOf: (row: number) => Cell): Cell[] {
  return Array.from({ length: count }, (_, row) => cellOf(row));
}

/** Uniform in [0, 1), different for each row, in no order. */
function scatter(row: number): number {
  return (row * 0.6180339887498949) % 1;
}

function uuidOf(row: number): string {
  const hex = Math.floor(scatter(row) * 2 ** 48)
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-4000-8000-${hex}`;
}

async function kindsOf(columns: readonly TestColumn[], choose?: Record<string, 'numeric' | 'categorical' | 'ignore'>) {
  const baseline = await learnColumns(columns, {
    choose: (column) => {
      const choice = choose?.[column];
      return choice === 'ignore' ? { ignore: true } : { kind: choice, ignore: false };
    },
  });
  return {
    kinds: Object.fromEntries(baseline.features.map(([name, { kind }]) => [name, kind])),
    leftOut: baseline.layout.leftOut,
    notes: baseline.notes,
    baseline,
  };
}

test('kinds are inferred from the cells', async () => {
  const { kinds, leftOut } = await kindsOf([
    ['numbers', repeat(200, (row) => row % 7)],
    ['numeric texts', repeat(200, (row) => ` ${scatter(row)} `)],
    ['numbers with gaps', repeat(200, (row) => ['1', 'NA', 'null', ''][row % 4])],
    ['mostly numbers', repeat(200, (row) => (row % 25 === 0 ? 'unknown' : row % 9))],
    ['mostly texts', repeat(200, (row) => (row % 10 === 0 ? 5 : ['a', 'b'][row % 2]))],
    ['booleans', repeat(200, (row) => row % 3 === 0)],
    ['boolean texts', repeat(200, (row) => (row % 3 === 0 ? 'true' : 'false'))],
    ['arrays', repeat(200, () => ({ opaque: 'array', size: 3 }))],
  ]);
  expect(kinds).toEqual({
    numbers: 'numeric',
    'numeric texts': 'numeric',
    'numbers with gaps': 'numeric',
    'mostly numbers': 'numeric',
    'mostly texts': 'categorical',
    booleans: 'categorical',
    'boolean texts': 'categorical',
    arrays: 'opaque',
  });
  expect(leftOut).toEqual([]);
});

test('stray texts in a column of numbers cost their rows, which a note says', async () => {
  const { baseline, notes } = await kindsOf([['amount', repeat(200, (row) => (row % 25 === 0 ? 'unknown' : row % 9))]]);
  expect(baseline).toMatchObject({ records: 192, quarantined: 8 });
  expect(notes).toEqual(['amount: 8 of 200 values are no numbers; their rows are quarantined']);
});

test('infinities leave a column one of numbers, and cost their rows', async () => {
  const [share, words] = [repeat(200, (row) => (row % 10 === 0 ? Number.POSITIVE_INFINITY : scatter(row))), 200];
  const { kinds, leftOut, notes, baseline } = await kindsOf([
    ['ratio', share],
    ['text', repeat(words, (row) => (row % 10 === 0 ? ['-inf', 'Infinity'][(row / 10) % 2] : String(scatter(row))))],
    ['limit', repeat(words, (row) => ['low', 'high', 'inf'][row % 3])],
    ['endless', repeat(words, () => 'inf')],
  ]);
  expect(kinds).toEqual({ ratio: 'numeric', text: 'numeric', limit: 'categorical' });
  expect(leftOut).toEqual(['endless']);
  expect(notes).toEqual([
    'ratio: 20 of 200 values are infinite; their rows are quarantined',
    'text: 20 of 200 values are infinite; their rows are quarantined',
    'endless: left out, all its values are infinite',
  ]);
  expect(baseline).toMatchObject({ records: 180, quarantined: 20 });
  const features = new Map(baseline.features);
  expect(features.get('ratio')?.distinct).toBe(180);
  expect(baseline.layout.features.find(([name]) => name === 'limit')?.[1]).toMatchObject({
    categories: ['high', 'low', 'inf'].sort((a, b) => (a === 'inf' ? 1 : b === 'inf' ? -1 : 0)),
  });
});

test('a note says of which outputs the mean is not charted', async () => {
  const classes = Array.from({ length: 25 }, (_, at) => `class_${String(at + 10)}`);
  const batch = batchOf([...classes, 'confidence'].map((name, at) => [name, repeat(50, (row) => scatter(row + at))]));
  const notesOf = async (columns: number) => {
    const outputs = batch.columns.slice(-columns).map((column) => ({ ...column, side: 'output' as const }));
    return (await learn([{ ...batch, columns: outputs }])).notes;
  };
  expect(await notesOf(26)).toEqual([
    'means of 20 of 26 outputs are charted, at most 20; only their drift is judged of class_29, class_30, class_31, class_32, class_33 and 1 more',
  ]);
  expect(await notesOf(20)).toEqual([]);
});

test('what is inferred can be overruled', async () => {
  const columns: TestColumn[] = [
    ['code', repeat(300, (row) => row % 5)],
    ['customer', repeat(300, uuidOf)],
    ['sequence', repeat(300, (row) => row)],
    ['secret', repeat(300, () => 1)],
  ];
  const { kinds, leftOut, notes } = await kindsOf(columns, {
    code: 'categorical',
    customer: 'categorical',
    sequence: 'numeric',
    secret: 'ignore',
  });
  expect(kinds).toEqual({ code: 'categorical', customer: 'categorical', sequence: 'numeric' });
  expect(leftOut).toEqual(['secret']);
  expect(notes).toEqual(['secret: left out, ignored by the configuration']);
});

test('identifiers and free text are left out with a note', async () => {
  const { kinds, leftOut, notes } = await kindsOf([
    ['uuid', repeat(1000, uuidOf)],
    ['row number', repeat(1000, (row) => row + 17)],
    ['row number as text', repeat(1000, (row) => String(row + 17))],
    ['time', repeat(1000, (row) => 1_700_000_000_000 + row * 1_000)],
    ['comment', repeat(1000, (row) => `customer ${row} says hello ${scatter(row)}`)],
    ['customer', repeat(1000, (row) => `c${row % 3 === 0 ? 7 : row}`)],
    ['age', repeat(1000, (row) => row % 60)],
  ]);
  expect(kinds).toEqual({ age: 'numeric' });
  expect(leftOut).toEqual(['comment', 'customer', 'row number', 'row number as text', 'time', 'uuid']);
  expect(notes).toHaveLength(6);
  expect(notes.find((note) => note.startsWith('uuid'))).toBe(
    'uuid: left out, it looks like an identifier or free text (1000 distinct values; 100 % of rows hold one seen nowhere else)',
  );
  expect(notes).toContain('row number: left out, it grows row by row like a sequence number or a time');
});

test('measurements and codes are not taken for identifiers', async () => {
  const rows = 7_000;
  const { kinds, leftOut, baseline } = await kindsOf([
    ['all distinct', repeat(rows, (row) => scatter(row) * 1e4)],
    ['distinct and sorted', repeat(rows, (row) => Math.sqrt(row + 1) * 1.1)],
    ['integers, distinct, unordered', repeat(rows, (row) => (row * 3571) % 7001)],
    ['code', repeat(rows, (row) => `A${row % 12}`)],
    // 220 airports, the rarest of them seen a few times.
    ['airport', repeat(rows, (row) => `K${Math.floor(220 * scatter(row) ** 3)}`)],
    ['a few are unique', repeat(rows, (row) => (row % 8 === 0 ? `only ${row}` : 'common'))],
  ]);
  expect(leftOut).toEqual([]);
  expect(kinds).toMatchObject({ 'all distinct': 'numeric', airport: 'categorical', code: 'categorical' });
  const airport = baseline.features.find(([name]) => name === 'airport')?.[1];
  expect(airport?.distinct).toBe(220);
});

test('a category that says "no value" among numbers is one among texts', async () => {
  const { baseline } = await kindsOf([
    ['continent', repeat(300, (row) => ['NA', 'EU', 'None'][row % 3])],
    ['amount', repeat(300, (row) => ['NA', '4', '5'][row % 3])],
  ]);
  expect(Object.fromEntries(baseline.layout.features)).toMatchObject({
    continent: { kind: 'categorical', categories: ['EU', 'NA', 'None'] },
    amount: { kind: 'numeric' },
  });
  expect(Object.fromEntries(baseline.features)).toMatchObject({
    continent: { rare: 0, distinct: 3, summary: { count: 300, missing: 0, unseen: 0 } },
    amount: { summary: { count: 200, missing: 100 } },
  });
});

test('a category seen fewer than ten times is not in the file', async () => {
  const { baseline } = await kindsOf([
    [
      'purpose',
      [...repeat(500, (row) => ['car', 'home'][row % 2]), ...repeat(9, () => 'Jane Roe'), ...repeat(10, () => 'boat')],
    ],
    ['employer', repeat(519, (row) => (row < 100 ? `firm of ${row}` : 'bank'))],
  ]);
  const text = canonicalJson(baseline);
  expect(text).not.toContain('Jane Roe');
  expect(text).not.toContain('firm of');
  expect(text).toContain('"boat"');
  expect(Object.fromEntries(baseline.features)).toMatchObject({
    purpose: { rare: 9, distinct: 4, singletons: 0, summary: { count: 519, unseen: 9 } },
    employer: { rare: 100, distinct: 101, singletons: 100 },
  });
});

test('names and categories may be anything', async () => {
  const { baseline } = await kindsOf([
    ['__proto__', repeat(100, (row) => ['__proto__', 'constructor', '😀', ' '][row % 4])],
    ['constructor', repeat(100, (row) => row % 3)],
    ['größe 🌊', repeat(100, (row) => row % 4)],
  ]);
  expect(baseline.layout.features.map(([name]) => name)).toEqual(['__proto__', 'constructor', 'größe 🌊']);
  expect(baseline.layout.features[0]?.[1]).toEqual({
    kind: 'categorical',
    side: 'input',
    categories: [' ', '__proto__', 'constructor', '😀'],
  });
  expect(baseline.features[0]?.[1].summary).toMatchObject({ count: 100, missing: 0, unseen: 0 });
});

test('a column with more distinct values than are remembered is counted by its common ones when asked for', async () => {
  // Wide tables remember 256 values of each column.
  const columns: TestColumn[] = Array.from({ length: 8_000 }, (_, index) => [`flat ${index}`, [0, 1]]);
  const rows = 600;
  const { baseline, leftOut } = await kindsOf(
    [
      ...columns,
      ['user', repeat(rows, (row) => (row % 2 === 0 ? 'anonymous' : `user ${row}`))],
      ['session', repeat(rows, (row) => `session ${row}`)],
      ['plan', repeat(rows, (row) => (row % 600 < 290 ? `plan ${row}` : 'standard'))],
    ],
    { user: 'categorical' },
  );
  expect(leftOut).toEqual(['plan', 'session']);
  const user = baseline.features.find(([name]) => name === 'user')?.[1];
  expect(user).toMatchObject({ distinct: 256, rare: 300, summary: { count: 600, unseen: 300 } });
});
