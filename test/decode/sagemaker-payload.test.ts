import { describe, expect, it } from 'vitest';
import type { DecodePlan } from '../../core/decode/decode-plan.ts';
import {
  csv,
  decodeLines,
  json,
  planOf,
  type RecordOptions,
  reasons,
  type SideOptions,
  sagemakerLine,
  schemaPlan,
} from './capture-records.ts';

const decode = (record: RecordOptions, plan: DecodePlan = planOf()) => decodeLines([sagemakerLine(record)], plan);

/** Rows of a record with nothing quarantined. */
async function rowsOf(record: RecordOptions, plan?: DecodePlan) {
  const whole = await decode(record, plan);
  expect(whole.quarantined).toEqual([]);
  return whole.rows.map((row) => row.map(([name, cell]) => [name, cell]));
}

const two = [
  [
    ['age', '39'],
    ['income', '7'],
  ],
  [
    ['age', '50'],
    ['income', '8'],
  ],
];
const ageIncome = schemaPlan(['age', 'income']);

describe('CSV payloads', () => {
  it.each(['39,7\n50,8', '39,7\n50,8\n', '39,7\r\n50,8\r\n', '39,7\n\n50,8\n'])(
    'reads the rows of %j',
    async (data) => {
      expect(await rowsOf({ input: csv(data) }, ageIncome)).toEqual(two);
    },
  );

  it('invents names where there is no schema', async () => {
    expect(await rowsOf({ input: csv('1,2'), output: csv('3') })).toEqual([
      [
        ['column_1', '1'],
        ['column_2', '2'],
        ['prediction', '3'],
      ],
    ]);
  });

  it('reads quoted commas, quotes and newlines', async () => {
    const input = csv('"Doe, ""JJ""",x\r\n"a\nb",y\n');
    expect(await rowsOf({ input }, schemaPlan(['name', 'code']))).toEqual([
      [
        ['name', 'Doe, "JJ"'],
        ['code', 'x'],
      ],
      [
        ['name', 'a\nb'],
        ['code', 'y'],
      ],
    ]);
  });

  it('ignores parameters and case of the content type', async () => {
    const input: SideOptions = { data: 'MzksNw==', encoding: 'BASE64', contentType: 'Text/CSV; charset=utf-8' };
    expect(await rowsOf({ input }, ageIncome)).toEqual(two.slice(0, 1));
  });

  it('reads a line of all predictions as one per row', async () => {
    const rows = await rowsOf({ input: csv('1,2\n3,4\n'), output: csv('0.1,0.9') }, schemaPlan(['a', 'b'], ['score']));
    expect(rows.map((row) => row.at(-1))).toEqual([
      ['score', '0.1'],
      ['score', '0.9'],
    ]);
  });

  it('quarantines a row with another number of columns, and only that row', async () => {
    const whole = await decode(
      { input: csv('1,2\n3\n4,5\n'), output: csv('6\n7\n8\n') },
      schemaPlan(['a', 'b'], ['p']),
    );
    expect(whole.places).toEqual([
      { line: 1, row: 0 },
      { line: 1, row: 2 },
    ]);
    expect(whole.quarantined).toMatchObject([
      { reason: 'column-count', line: 1, row: 1, seen: '1 column', expected: '2 columns', version: 'v1' },
    ]);
  });

  it('quarantines a row with another number of predictions', async () => {
    const whole = await decode({ input: csv('1'), output: csv('6,7') }, schemaPlan(['a'], ['p']));
    expect(whole.quarantined).toMatchObject([
      { reason: 'column-count', row: 0, seen: '2 columns', expected: '1 column' },
    ]);
  });

  it.each(['"open', '"a"b,1'])('quarantines the broken quoting of %j', async (data) => {
    expect(reasons(await decode({ input: csv(data) }))).toEqual(['bad-encoding']);
  });
});

describe('JSON payloads', () => {
  const numbers = [
    [
      ['age', 39],
      ['income', 7],
    ],
    [
      ['age', 50],
      ['income', 8],
    ],
  ];
  it.each([
    {
      instances: [
        [39, 7],
        [50, 8],
      ],
    },
    {
      inputs: [
        [39, 7],
        [50, 8],
      ],
    },
    {
      features: [
        [39, 7],
        [50, 8],
      ],
    },
    { instances: [{ features: [39, 7] }, { features: [50, 8] }] },
    {
      instances: [
        { age: 39, income: 7 },
        { age: 50, income: 8 },
      ],
    },
    [
      [39, 7],
      [50, 8],
    ],
    [
      { age: 39, income: 7 },
      { age: 50, income: 8 },
    ],
  ])('reads two rows of %j', async (value) => {
    expect(await rowsOf({ input: json(value) }, ageIncome)).toEqual(numbers);
  });

  it.each([{ features: [39, 7] }, [39, 7], [[39, 7]], { age: 39, income: 7 }])('reads one row of %j', async (value) => {
    expect(await rowsOf({ input: json(value) }, ageIncome)).toEqual(numbers.slice(0, 1));
  });

  it('flattens nested objects by dots and keeps nested arrays opaque', async () => {
    const input = json({ inputs: 'text', parameters: { top: { p: 0.9 }, stop: ['a', 'b'] }, flag: true, none: null });
    expect(await rowsOf({ input })).toEqual([
      [
        ['inputs', 'text'],
        ['parameters.top.p', 0.9],
        ['parameters.stop', { opaque: 'array', size: 2 }],
        ['flag', true],
        ['none', null],
      ],
    ]);
  });

  it('reads a list of texts as rows where the output has as many', async () => {
    const rows = await rowsOf({
      input: json(['a', 'b']),
      output: json([
        [0.1, 0.2],
        [0.3, 0.4],
      ]),
    });
    expect(rows).toEqual([
      [
        ['column_1', 'a'],
        ['prediction', 0.1],
        ['prediction_2', 0.2],
      ],
      [
        ['column_1', 'b'],
        ['prediction', 0.3],
        ['prediction_2', 0.4],
      ],
    ]);
  });

  it('reads a list of probabilities as one row where the input has one', async () => {
    expect(await rowsOf({ input: json({ x: 1 }), output: json([0.9, 0.1]) })).toEqual([
      [
        ['x', 1],
        ['prediction', 0.9],
        ['prediction_2', 0.1],
        ['confidence', 0.9],
        ['predicted', 'prediction'],
      ],
    ]);
  });

  it.each([{ predictions: [0.9, 0.1] }, [0.9, 0.1], { predictions: [[0.9], [0.1]] }, { outputs: [0.9, 0.1] }])(
    'reads the scalars of %j as one prediction per row',
    async (value) => {
      const rows = await rowsOf({ input: csv('1\n2'), output: json(value) }, schemaPlan(['x'], ['score']));
      expect(rows).toEqual([
        [
          ['x', '1'],
          ['score', 0.9],
        ],
        [
          ['x', '2'],
          ['score', 0.1],
        ],
      ]);
    },
  );

  it('pairs two flat lists of the same length, and reads one row where they differ', async () => {
    expect(await rowsOf({ input: json([1, 2]), output: json([3, 4]) })).toHaveLength(2);
    expect(await rowsOf({ input: json([1, 2, 3]), output: json([3, 4]) })).toHaveLength(1);
  });

  it('lets the names settle flat lists that stand alone', async () => {
    expect(await rowsOf({ input: json([1, 2]) })).toHaveLength(1);
    expect(await rowsOf({ input: json([1, 2]) }, schemaPlan(['x']))).toHaveLength(2);
    expect(await rowsOf({ input: json({ instances: [1, 2] }) }, schemaPlan(['a', 'b']))).toHaveLength(1);
    expect(await rowsOf({ output: json([1, 2]) })).toHaveLength(2);
    expect(await rowsOf({ output: json([1, 2]) }, schemaPlan(undefined, ['a', 'b']))).toHaveLength(1);
  });

  it('keeps the names of output objects and prefixes those of inputs', async () => {
    const whole = await decode({
      input: json({ instances: [{ score: 1, 'output.score': 2 }] }),
      output: json({ predictions: [{ score: 0.5, predicted_label: 1 }] }),
    });
    expect(whole.rows[0]).toEqual([
      ['score', 1],
      ['output.score', 2],
      ['output.output.score', 0.5],
      ['predicted_label', 1],
    ]);
    expect(whole.sides.get('output.output.score')).toBe('output');
  });

  it('prefixes an output named like an input of the schema, though the line lacks that input', async () => {
    expect(await rowsOf({ output: json({ age: 1 }) }, ageIncome)).toEqual([[['output.age', 1]]]);
  });

  it('reads single values', async () => {
    expect(await rowsOf({ input: json('hello'), output: json(5) })).toEqual([
      [
        ['column_1', 'hello'],
        ['prediction', 5],
      ],
    ]);
  });

  it('reads no rows of empty lists', async () => {
    const whole = await decode({ input: json({ instances: [] }), output: json({ predictions: [] }) });
    expect([whole.rows.length, whole.invocations.length, whole.quarantined.length]).toEqual([0, 1, 0]);
  });

  it('reads JSON Lines', async () => {
    const contentType = 'application/jsonlines';
    const input: SideOptions = { data: '{"features":[39,7]}\n{"features":[50,8]}', encoding: 'JSON', contentType };
    const output: SideOptions = { data: '{"score":0.9}\n{"score":0.5}\n', encoding: 'JSON', contentType };
    const rows = await rowsOf({ input, output }, ageIncome);
    expect(rows.map((row) => row.map(([, cell]) => cell))).toEqual([
      [39, 7, 0.9],
      [50, 8, 0.5],
    ]);
  });

  it('reads JSON and JSON Lines without a content type', async () => {
    const output: SideOptions = { data: '{"score":0.9}\n{"score":0.5}\n', encoding: 'JSON', contentType: null };
    expect(await rowsOf({ output })).toHaveLength(2);
    expect(await rowsOf({ output: { ...output, data: '{"score":\n0.9}' } })).toHaveLength(1);
  });

  it('reads the constants that Python writes, but not inside text', async () => {
    const data = '{"a":NaN,"b":-Infinity,"c":"NaN \\" Infinity","d":Infinity}';
    expect(await rowsOf({ input: { data, encoding: 'JSON', contentType: 'application/json' } })).toEqual([
      [
        ['a', null],
        ['b', -Infinity],
        ['c', 'NaN " Infinity'],
        ['d', Infinity],
      ],
    ]);
  });

  it('quarantines what is not JSON', async () => {
    expect(reasons(await decode({ input: { ...json(1), data: '{"a":' } }))).toEqual(['bad-encoding']);
  });

  it('makes text with lone surrogates well-formed, names included', async () => {
    expect(await rowsOf({ input: json({ 'a\ud800': 'b\udfff' }) })).toEqual([[['a\ufffd', 'b\ufffd']]]);
  });
});

describe('BASE64 payloads', () => {
  const base64 = (text: string, contentType: string | null): SideOptions => ({
    data: Buffer.from(text).toString('base64'),
    encoding: 'BASE64',
    contentType,
  });

  it('describes binary payloads by size', async () => {
    const rows = await rowsOf({ input: base64('\u0089PNG', 'image/png'), output: base64('abc', null) });
    expect(rows).toEqual([
      [
        ['payload', { opaque: 'binary', size: 5 }],
        ['payload_output', { opaque: 'binary', size: 3 }],
      ],
    ]);
  });

  it('parses text by its content type', async () => {
    expect(await rowsOf({ input: base64('{"a":1}', 'application/json') })).toEqual([[['a', 1]]]);
    expect(await rowsOf({ input: base64('{"a":1}\n{"a":2}', 'application/x-jsonlines') })).toHaveLength(2);
    expect(await rowsOf({ input: base64('1,2', 'text/plain'), output: base64('ok', 'text/plain') })).toEqual([
      [
        ['text', '1,2'],
        ['output.text', 'ok'],
      ],
    ]);
  });

  it('quarantines bad base64, bad UTF-8 and unknown encodings', async () => {
    const side = { contentType: 'text/csv' };
    expect(reasons(await decode({ input: { ...side, data: '@@@@', encoding: 'BASE64' } }))).toEqual(['bad-encoding']);
    expect(reasons(await decode({ input: { ...side, data: '/w==', encoding: 'BASE64' } }))).toEqual(['bad-encoding']);
    expect(reasons(await decode({ input: { ...side, data: 'a', encoding: 'EBCDIC' } }))).toEqual(['bad-encoding']);
  });
});

describe('sides', () => {
  it('takes either side alone, and quarantines neither', async () => {
    expect(await rowsOf({ input: csv('1') })).toHaveLength(1);
    expect(await rowsOf({ output: csv('1') })).toHaveLength(1);
    expect(reasons(await decode({}))).toEqual(['no-payload']);
  });

  it('quarantines a line whose sides have different numbers of rows', async () => {
    const whole = await decode({ input: csv('1\n2\n3'), output: csv('1\n2') });
    expect(whole.rows).toEqual([]);
    expect(whole.quarantined).toMatchObject([
      { reason: 'side-mismatch', line: 1, seen: '2 output rows', expected: '3 output rows' },
    ]);
    expect(whole.quarantined[0]?.row).toBeUndefined();
  });

  it('treats keys that name parts of prototypes as any other', async () => {
    const data = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"hasOwnProperty":3}';
    expect(await rowsOf({ input: { ...json(0), data } })).toEqual([
      [
        ['__proto__.polluted', 1],
        ['constructor.prototype.polluted', 2],
        ['hasOwnProperty', 3],
      ],
    ]);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(reasons(await decodeLines(['{"__proto__":{"eventMetadata":{"eventId":"e"}}}'], planOf()))).toEqual([
      'not-a-record',
    ]);
  });
});
