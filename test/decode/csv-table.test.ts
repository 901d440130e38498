import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type CsvTablePlan, decodeCsvTable } from '../../core/decode/csv-table.ts';
import { type Decoded, defaultLimits } from '../../core/decode/decode-plan.ts';
import { chunked } from './capture-records.ts';

const plan: CsvTablePlan = {
  predictions: [],
  variant: 'AllTraffic',
  version: 'v1',
  limits: defaultLimits,
  batchRows: 256,
};

async function decode(content: string | Uint8Array, changes: Partial<CsvTablePlan> = {}, sizes: number[] = []) {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const batches: Decoded[] = [];
  for await (const decoded of decodeCsvTable(chunked(bytes, sizes), { ...plan, ...changes })) batches.push(decoded);
  const columns = batches[0]?.batch.columns ?? [];
  return {
    names: columns.map(({ name }) => name),
    sides: columns.map(({ side }) => side),
    rows: batches.flatMap(({ batch }) => batch.rows.map((_, row) => batch.columns.map(({ cells }) => cells[row]))),
    invocations: batches.flatMap(({ batch }) => batch.invocations),
    quarantined: batches.flatMap(({ quarantined }) => quarantined),
    sizes: batches.map(({ batch }) => batch.rows.length),
  };
}

async function timesOf(...texts: string[]): Promise<(number | string)[]> {
  const content = `t,x\n${texts.map((text) => `"${text}",1\n`).join('')}`;
  const { invocations, quarantined } = await decode(content, { timeColumn: 't' });
  const placed = [...invocations.map(({ line, time }) => ({ line, value: time }))];
  const faulty = quarantined.map(({ line, reason }) => ({ line, value: reason }));
  return [...placed, ...faulty].toSorted((a, b) => a.line - b.line).map(({ value }) => value);
}

describe('a table', () => {
  it('is read as names and rows of text', async () => {
    const table = await decode('age,income,score\n39,7e4,0.2\n50,,0.9\n', { predictions: ['score'] });
    expect(table.names).toEqual(['age', 'income', 'score']);
    expect(table.sides).toEqual(['input', 'input', 'output']);
    expect(table.rows).toEqual([
      ['39', '7e4', '0.2'],
      ['50', '', '0.9'],
    ]);
    expect(table.invocations[1]).toEqual({
      eventId: 'row-2',
      time: 0,
      variant: 'AllTraffic',
      version: 'v1',
      line: 3,
      offset: 28,
      length: 7,
    });
    expect(table.quarantined).toEqual([]);
  });

  it('may quote its fields', async () => {
    const { names, rows, invocations, quarantined } = await decode(
      '"a","b, c","say ""hi"""\n"1","x,y","two\nlines"\n"","""",z\n"é","multi\n\n,\n""line""",end',
    );
    expect(names).toEqual(['a', 'b, c', 'say "hi"']);
    expect(rows).toEqual([
      ['1', 'x,y', 'two\nlines'],
      ['', '"', 'z'],
      ['é', 'multi\n\n,\n"line"', 'end'],
    ]);
    expect(invocations.map(({ line, offset, length }) => [line, offset, length])).toEqual([
      [2, 24, 21],
      [4, 46, 9],
      [5, 56, 28],
    ]);
    expect(quarantined).toEqual([]);
  });

  it('may come with a byte-order mark, carriage returns, blank lines and no newline at its end', async () => {
    const { names, rows } = await decode('\ufeffa,b\r\n1,2\r\n\r\n\n"3\r\n4",5');
    expect(names).toEqual(['a', 'b']);
    expect(rows).toEqual([
      ['1', '2'],
      ['3\n4', '5'],
    ]);
  });

  it('may be gzipped', async () => {
    expect((await decode(gzipSync('a,b\n1,2\n'))).rows).toEqual([['1', '2']]);
  });

  it('that breaks off in its gzip gives what was readable', async () => {
    const text = `a,b\n${Array.from({ length: 20_000 }, (_, row) => `${row},${(row * 7919) % 10_007}\n`).join('')}`;
    const zipped = gzipSync(text);
    const { rows, quarantined } = await decode(zipped.subarray(0, zipped.length - 2_000));
    expect(rows.length).toBeGreaterThan(10_000);
    expect(rows.every(([a, b]) => Number(b) === (Number(a) * 7919) % 10_007)).toBe(true);
    expect(quarantined.map(({ reason }) => reason)).toEqual(['broken-gzip']);
  });

  it('comes in batches', async () => {
    const content = `a\n${'1\n'.repeat(10)}`;
    expect((await decode(content, { batchRows: 4 })).sizes).toEqual([4, 4, 2]);
    const faulty = await decode(`a,b\n${'1\n'.repeat(10)}`, { batchRows: 4 });
    expect(faulty.quarantined).toHaveLength(10);
    expect(faulty.sizes).toEqual([0, 0, 0]);
  });

  it('names the index that pandas writes', async () => {
    expect((await decode(',a\n0,5\n')).names).toEqual(['index', 'a']);
  });

  it('keeps names that mean something to JavaScript', async () => {
    expect((await decode('__proto__,constructor, toString \n1,2,3\n')).names).toEqual([
      '__proto__',
      'constructor',
      'toString',
    ]);
  });

  it('may have a header and nothing else', async () => {
    expect((await decode('a,b\n')).rows).toEqual([]);
  });
});

describe('a row', () => {
  it('with another number of fields is quarantined where it stands', async () => {
    const { rows, quarantined } = await decode('a,b\n1,2\n3\n4,5,6\n7,8\n');
    expect(rows).toEqual([
      ['1', '2'],
      ['7', '8'],
    ]);
    expect(quarantined).toEqual([
      { reason: 'column-count', line: 3, offset: 8, length: 1, seen: '1 column', expected: '2 columns' },
      { reason: 'column-count', line: 4, offset: 10, length: 5, seen: '3 columns', expected: '2 columns' },
    ]);
  });

  it('with bytes that are no UTF-8 is quarantined', async () => {
    const { rows, quarantined } = await decode(
      Buffer.concat([Buffer.from('a,b\n1,'), Buffer.of(0xff), Buffer.from('\n2,3\n')]),
    );
    expect(rows).toEqual([['2', '3']]);
    expect(quarantined).toMatchObject([{ reason: 'bad-encoding', line: 2, offset: 4, length: 3 }]);
  });

  it('that is too long is quarantined', async () => {
    const limits = { ...defaultLimits, lineBytes: 100 };
    const { rows, quarantined } = await decode(`a,b\n1,${'x'.repeat(5_000)}\n2,3\n`, { limits }, [50, 700, 1]);
    expect(rows).toEqual([['2', '3']]);
    expect(quarantined).toMatchObject([{ reason: 'line-too-long', line: 2, offset: 4, length: 5_002 }]);
  });

  it('with a quote that is never closed costs its own line alone', async () => {
    const after = Array.from({ length: 50 }, (_, row) => `${row},"quoted ${row}"\n`).join('');
    const { rows, quarantined } = await decode(`a,b\n1,"open\n${after}`);
    expect(rows).toHaveLength(50);
    expect(rows[7]).toEqual(['7', 'quoted 7']);
    expect(quarantined).toMatchObject([{ reason: 'bad-encoding', line: 2, offset: 4, length: 7 }]);
  });

  it('with a quote that no later line closes costs its own line alone, whatever follows', async () => {
    const limits = { ...defaultLimits, lineBytes: 200 };
    const after = Array.from({ length: 200 }, (_, row) => `${row},plain\n`).join('');
    const { rows, quarantined } = await decode(`a,b\n1,"open\n${after}x,"two\nlines"\n`, { limits });
    expect(rows).toHaveLength(201);
    expect(rows.at(-1)).toEqual(['x', 'two\nlines']);
    expect(quarantined).toHaveLength(1);
  });

  it('may hold quotes within a field that is not quoted', async () => {
    const { rows, invocations } = await decode('size,n\n5" pipe,1\n6" pipe,2\na"b"c,3\n');
    expect(rows).toEqual([
      ['5" pipe', '1'],
      ['6" pipe', '2'],
      ['a"b"c', '3'],
    ]);
    expect(invocations.map(({ line }) => line)).toEqual([2, 3, 4]);
  });

  it('after row of quotes that open and never close is read in linear time', async () => {
    // Each line leaves a quote open in whatever state it begins.
    const { quarantined } = await decode(`a,b\n${'a","\n'.repeat(200_000)}`);
    expect(quarantined.length).toBeGreaterThan(0);
  });
});

describe('a header', () => {
  test.each([
    ['an empty file', '', 'expected a header with column names, saw no line with text'],
    ['blank lines', '\n\n\r\n', 'expected a header with column names, saw no line with text'],
    ['a name twice', 'a,b, a\n', 'line 1: expected each column once, saw "a" twice'],
    ['the index twice', ',index\n', 'line 1: expected each column once, saw "index" twice'],
    ['a column without a name', 'a,,c\n', 'line 1: expected a name for column 2, saw none'],
    ['bytes that are no text', 'a\ufffd', undefined],
  ])('of %s', async (_, content, message) => {
    const bytes = message ? Buffer.from(content) : Buffer.of(0x61, 0xff, 0xfe);
    const error = await decode(bytes).catch((caught: Error) => caught);
    expect(error).toMatchObject({
      name: 'CsvTableError',
      message: message ?? 'line 1: expected a header with column names, saw bytes that are no UTF-8',
    });
  });

  it('without the column of times is refused with the names it has', async () => {
    await expect(decode('a,b\n1,2\n', { timeColumn: 'when' })).rejects.toThrow(
      'line 1: expected a column "when", saw "a", "b"',
    );
    await expect(decode('a,b\n1,2\n', { predictions: ['score'] })).rejects.toThrow('expected a column "score"');
    const wide = Array.from({ length: 30 }, (_, index) => `c${index}`).join(',');
    await expect(decode(`${wide}\n`, { timeColumn: 'when' })).rejects.toThrow(/"c19" and 10 more$/);
  });

  it('of too many columns is refused at once', async () => {
    const wide = Array.from({ length: 300_000 }, (_, index) => index.toString(36)).join(',');
    await expect(decode(`${wide}\n`)).rejects.toThrow('line 1: expected at most 20000 columns, saw 300000');
  });
});

describe('a time', () => {
  it('is read in several forms, as UTC where it has no zone', async () => {
    const noon = Date.UTC(2026, 2, 1, 12);
    const forms = [
      '2026-03-01T12:00:00Z',
      '2026-03-01T12:00:00.000Z',
      '2026-03-01T14:00:00+02:00',
      '2026-03-01 12:00:00',
      '2026-03-01 12:00',
      '2026-03-01T12:00:00',
      ' 2026-03-01 12:00:00+00:00 ',
      String(noon),
    ];
    expect(await timesOf(...forms)).toEqual(forms.map(() => noon));
    expect(await timesOf('2026-03-01', '2026-03-01 00:00:00.125')).toEqual([
      Date.UTC(2026, 2, 1),
      Date.UTC(2026, 2, 1, 0, 0, 0, 125),
    ]);
  });

  it('that is none, or that only seems one, is quarantined', async () => {
    const forms = [
      '',
      'yesterday',
      '2026-02-30',
      '2026-13-01',
      '01/03/2026',
      '1772366400',
      '9999999999999999',
      '-1772366400000',
      '1e12',
    ];
    expect(await timesOf(...forms)).toEqual(forms.map(() => 'bad-time'));
  });

  it('is no feature', async () => {
    const { names, rows } = await decode('t,x\n2026-03-01,5\n', { timeColumn: 't' });
    expect(names).toEqual(['x']);
    expect(rows).toEqual([['5']]);
  });
});

const field = fc.oneof(
  fc.constantFrom(
    '',
    '1',
    'é',
    '"quoted"',
    '"with ""quotes"""',
    '"a,b"',
    '"two\nlines"',
    '"two\r\nlines"',
    '5" pipe',
    '😀',
  ),
  fc.constantFrom('"open', '"a"b', '"', '""', 'a"'),
);
const content = fc
  .tuple(fc.array(fc.array(field, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), fc.constantFrom('\n', '\r\n'))
  .map(([lines, newline]) => Buffer.from([['a', 'b'], ...lines].map((line) => line.join(',')).join(newline)));
const sizes = fc.array(fc.nat(9), { maxLength: 60 });

it('any chunking, gzipped or not, gives the same', async () => {
  const limits = { ...defaultLimits, lineBytes: 40 };
  await fc.assert(
    fc.asyncProperty(content, sizes, async (bytes, cuts) => {
      const whole = await decode(bytes, { limits });
      expect(await decode(bytes, { limits }, cuts)).toEqual(whole);
      expect(await decode(gzipSync(bytes), { limits }, cuts)).toEqual(whole);
    }),
    { numRuns: 300 },
  );
});

it('every line is accounted for, in order, and rows written by the book are read back', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'é'), maxLength: 6 });
  const rows = fc.array(fc.tuple(cell, cell), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(rows, fc.boolean(), async (table, crlf) => {
      const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
      const lines = [['a', 'b'], ...table].map((row) => row.map(quote).join(','));
      const newline = crlf ? '\r\n' : '\n';
      const read = await decode(lines.join(newline));
      expect(read.rows).toEqual(table.map((row) => [...row]));
      expect(read.quarantined).toEqual([]);
      const offsets = lines.slice(1).map((_, index) =>
        Buffer.byteLength(
          lines
            .slice(0, index + 1)
            .map((line) => line + newline)
            .join(''),
        ),
      );
      expect(read.invocations.map(({ offset }) => offset)).toEqual(offsets);
      expect(read.invocations.map(({ length }) => length)).toEqual(
        lines.slice(1).map((line) => Buffer.byteLength(line)),
      );
    }),
    { numRuns: 200 },
  );
});
