import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeCapture } from '../../core/decode/decode-capture.ts';
import { defaultLimits } from '../../core/decode/decode-plan.ts';
import { LineSplitter } from '../../core/decode/line-splitter.ts';
import {
  chunked,
  csv,
  decodeBytes,
  decodeChunks,
  decodeLines,
  json,
  planOf,
  reasons,
  sagemakerLine,
} from './capture-records.ts';

const record = (eventId: string, data = '1,2') => sagemakerLine({ input: csv(data), metadata: { eventId } });
const limited = (changes: Partial<typeof defaultLimits>) => planOf({ limits: { ...defaultLimits, ...changes } });
const ids = (whole: { invocations: readonly { eventId: string }[] }) => whole.invocations.map(({ eventId }) => eventId);
const many = (count: number) => Array.from({ length: count }, (_, index) => record(`e${index}`));

describe('lines', () => {
  it('tolerates byte order marks, CRLF, blank lines and a missing last newline', async () => {
    const text = `\ufeff${record('a')}\r\n\r\n  \n\ufeff${record('b')}\n${record('c')}`;
    const whole = await decodeBytes(Buffer.from(text), planOf());
    expect([ids(whole), whole.quarantined]).toEqual([['a', 'b', 'c'], []]);
    expect(whole.invocations.map(({ line }) => line)).toEqual([1, 4, 5]);
    const [, second] = whole.invocations;
    expect(
      Buffer.from(text)
        .subarray(second?.offset, (second?.offset ?? 0) + (second?.length ?? 0))
        .toString(),
    ).toBe(`\ufeff${record('b')}`);
  });

  it('decodes nothing of nothing', async () => {
    expect((await decodeBytes(new Uint8Array(0), planOf())).batches).toEqual([]);
    expect((await decodeBytes(Buffer.from('\n'), planOf())).batches).toEqual([]);
    expect((await decodeBytes(Buffer.from([0x1f]), planOf())).quarantined).toMatchObject([{ reason: 'truncated' }]);
  });

  it('quarantines bytes that are not UTF-8, and reads on', async () => {
    const bytes = Buffer.concat([
      Buffer.from([0x7b, 0xff, 0x0a]),
      Buffer.from(`${record('a')}\n`),
      Buffer.from([0xe2]),
    ]);
    const whole = await decodeBytes(bytes, planOf());
    expect([reasons(whole), ids(whole)]).toEqual([['not-json', 'truncated'], ['a']]);
  });

  it('quarantines a last line that was cut off', async () => {
    const text = `${record('a')}\n${record('b').slice(0, -1)}`;
    const whole = await decodeBytes(Buffer.from(text), planOf());
    expect(whole.quarantined).toMatchObject([{ reason: 'truncated', line: 2, offset: record('a').length + 1 }]);
  });

  it('skips over-long lines without keeping them', async () => {
    const length = record('a').length;
    const lines = [record('a'), record('b', '1'.repeat(100_000)), record('c'), 'x'.repeat(length + 1)];
    const whole = await decodeBytes(Buffer.from(lines.join('\n')), limited({ lineBytes: length }));
    expect([reasons(whole), ids(whole)]).toEqual([
      ['line-too-long', 'line-too-long'],
      ['a', 'c'],
    ]);
    expect(whole.quarantined[0]).toMatchObject({
      line: 2,
      length: lines[1]?.length,
      expected: `at most ${length} bytes`,
    });
  });

  it('keeps no byte of a line beyond the limit', () => {
    const splitter = new LineSplitter(1024);
    const chunk = new Uint8Array(1024 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 100; count += 1) expect([...splitter.push(chunk)]).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(chunk.length);
    expect(splitter.end()).toMatchObject({ length: 100 * chunk.length, bytes: undefined });
  });

  it('throws on what the source throws', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${record('a')}\n`);
      throw new Error('connection lost');
    }
    await expect(decodeChunks(failing(), planOf())).rejects.toThrow('connection lost');
  });
});

describe('batches', () => {
  it('hands on batches of whole lines', async () => {
    const whole = await decodeLines([...many(3), record('x', '1,2\n3,4\n5,6'), record('y')], planOf({ batchRows: 4 }));
    expect(whole.batches.map(({ batch }) => batch.rows.length)).toEqual([6, 1]);
  });

  it('starts a batch rather than have one name on both sides', async () => {
    const lines = [
      sagemakerLine({ input: json({ x: 1 }), output: json({ y: 2 }), metadata: { eventId: 'a' } }),
      sagemakerLine({ input: json({ y: 3 }), output: json({ z: 4 }), metadata: { eventId: 'b' } }),
    ];
    const { batches } = await decodeLines(lines, planOf());
    expect(batches.map(({ batch }) => batch.columns.map(({ name, side }) => `${side} ${name}`))).toEqual([
      ['input x', 'output y'],
      ['input y', 'output z'],
    ]);
  });

  it('lists input columns first, by first appearance, and leaves absent cells undefined', async () => {
    const lines = [
      sagemakerLine({ input: json({ b: 1 }), output: json({ p: 2 }), metadata: { eventId: 'a' } }),
      sagemakerLine({ input: json({ a: 3 }), metadata: { eventId: 'b' } }),
    ];
    expect((await decodeLines(lines, planOf())).batches[0]?.batch.columns).toEqual([
      { name: 'b', side: 'input', cells: [1, undefined] },
      { name: 'a', side: 'input', cells: [undefined, 3] },
      { name: 'p', side: 'output', cells: [2, undefined] },
    ]);
  });
});

describe('duplicates', () => {
  it('leaves out rows of an event id seen before in the object', async () => {
    const lines = [record('a', '1\n2'), record('b', '1'), record('a', '1\n2\n3'), record('b', '1')];
    const whole = await decodeLines(lines, planOf());
    expect(whole.places).toEqual([
      { line: 1, row: 0 },
      { line: 1, row: 1 },
      { line: 2, row: 0 },
      { line: 3, row: 2 },
    ]);
    expect(whole.duplicates.map(({ line, rows }) => [line, rows])).toEqual([
      [3, 2],
      [4, 1],
    ]);
    expect(whole.duplicates[0]).toMatchObject({ variant: 'AllTraffic', version: 'v1', time: Date.UTC(2026, 2, 1, 12) });
    expect(whole.invocations).toHaveLength(3);
  });

  it('does not take a quarantined line for the first appearance', async () => {
    const broken = sagemakerLine({ input: { ...json(1), data: '{' }, metadata: { eventId: 'a' } });
    const whole = await decodeLines([broken, record('a')], planOf());
    expect([whole.rows.length, whole.duplicates.length]).toEqual([1, 0]);
  });
});

describe('limits', () => {
  it('refuses deep nesting before parsing, in lines and payloads', async () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    const payload = (depth: number) => sagemakerLine({ input: { ...json(1), data: nested(depth) } });
    const lines = [nested(1_000_000), '{"a":'.repeat(400_000), payload(33), payload(32), '"[[["'];
    const whole = await decodeLines(lines, planOf());
    expect(reasons(whole)).toEqual(['too-deep', 'too-deep', 'too-deep', 'not-a-record']);
    expect(whole.rows).toHaveLength(1);
  });

  it('refuses too many columns', async () => {
    const wide = (count: number) => Array.from({ length: count }, (_, index) => index).join(',');
    const objects = Array.from({ length: 6 }, (_, index) => ({ [`c${index}`]: 1 }));
    const nested = { a: Object.fromEntries(objects.flatMap(Object.entries)) };
    const lines = [
      record('a', wide(5)),
      record('b', wide(6)),
      ...[objects, nested].map((value) => sagemakerLine({ input: json(value) })),
    ];
    const whole = await decodeLines(lines, limited({ columns: 5 }));
    expect([reasons(whole), ids(whole)]).toEqual([Array(3).fill('too-many-columns'), ['a']]);
  });

  it('refuses long names before they are repeated', async () => {
    const members = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`m${index}`, 1]));
    const whole = await decodeLines([sagemakerLine({ input: json({ ['n'.repeat(2_000_000)]: members }) })], planOf());
    expect(reasons(whole)).toEqual(['too-many-columns']);
  });

  it('refuses too many rows', async () => {
    const lines = [
      record('a', '1\n2\n3'),
      record('b', '1\n2\n3\n4'),
      sagemakerLine({ input: json([1, 2, 3, 4]), output: json([1, 2, 3, 4]) }),
      sagemakerLine({ input: { data: '1\n2\n3\n4', encoding: 'JSON', contentType: 'application/jsonlines' } }),
    ];
    const whole = await decodeLines(lines, limited({ rowsPerLine: 3 }));
    expect([reasons(whole), ids(whole)]).toEqual([Array(3).fill('too-many-rows'), ['a']]);
  });

  it('refuses sparse rows that would fill the memory, and splits batches that would', async () => {
    const sparse = Array.from({ length: 15_000 }, (_, index) => ({ [`c${index}`]: 1 }));
    expect(reasons(await decodeLines([sagemakerLine({ input: json(sparse) })], planOf()))).toEqual([
      'too-many-columns',
    ]);
    const lines = Array.from({ length: 10 }, (_, index) =>
      sagemakerLine({ input: json({ [`c${index}`]: 1 }), metadata: { eventId: `e${index}` } }),
    );
    const whole = await decodeLines(lines, limited({ cellsPerLine: 16 }));
    expect(whole.batches.map(({ batch }) => batch.rows.length)).toEqual([4, 4, 2]);
  });

  it('stops after the decompressed bytes allowed, compressed or not', async () => {
    const bytes = Buffer.from(many(100).join('\n'));
    const lineBytes = record('e10').length + 1;
    for (const object of [bytes, gzipSync(bytes)]) {
      const whole = await decodeBytes(object, limited({ decompressedBytes: 10 * lineBytes - 10 + 5 }));
      expect(ids(whole)).toHaveLength(10);
      expect(whole.quarantined).toMatchObject([
        { reason: 'too-large', line: 11, offset: 10 * lineBytes - 10, length: 5 },
      ]);
    }
  });

  it('stops a gzip bomb', async () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from(`${record('a')}\n`), Buffer.alloc(50_000_000)]));
    let read = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bomb.length; at += 1024) {
        read += 1;
        yield bomb.subarray(at, at + 1024);
      }
    }
    const whole = await decodeChunks(counted(), limited({ decompressedBytes: 1_000_000 }));
    expect([ids(whole), reasons(whole)]).toEqual([['a'], ['too-large']]);
    expect(read).toBeLessThan(40);
  });
});

describe('gzip', () => {
  const plain = Buffer.from(`${many(2000).join('\n')}\n`);
  const all = Array.from({ length: 2000 }, (_, index) => `e${index}`);

  it('reads members one after the other, padded or not', async () => {
    const half = plain.indexOf(10, plain.length / 2) + 1;
    const members = [gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half))];
    const padded = Buffer.concat([...members, Buffer.alloc(40_000)]);
    for (const bytes of [Buffer.concat(members), padded]) {
      const whole = await decodeBytes(bytes, planOf());
      expect([ids(whole), whole.quarantined]).toEqual([all, []]);
    }
  });

  it('keeps every line before the end of a cut object', async () => {
    const bytes = gzipSync(plain, { level: 1 });
    const whole = await decodeBytes(bytes.subarray(0, bytes.length - 4), planOf());
    expect(ids(whole)).toEqual(all);
    expect(whole.quarantined).toMatchObject([
      { reason: 'broken-gzip', line: 2001, length: 0, seen: 'gzip data that ends early' },
    ]);
  });

  it('keeps every line before the damage in a small object', async () => {
    const bytes = gzipSync(plain);
    expect(bytes.length).toBeLessThan(16 * 1024);
    bytes.writeUInt32LE(0, bytes.length - 8);
    const checksum = await decodeBytes(bytes, planOf());
    expect([ids(checksum), reasons(checksum)]).toEqual([all, ['broken-gzip']]);
    const garbage = await decodeBytes(Buffer.concat([gzipSync(plain), Buffer.from('garbage')]), planOf());
    expect([ids(garbage), reasons(garbage)]).toEqual([all, ['broken-gzip']]);
  });

  it('keeps the same lines before damage, however slowly they are taken', async () => {
    const bytes = Buffer.concat([gzipSync(Buffer.from(`${many(40_000).join('\n')}\n`)), Buffer.from('garbage')]);
    const fast = await decodeBytes(bytes, planOf({ batchRows: 1000 }));
    const slow: string[] = [];
    for await (const { batch } of decodeCapture(chunked(bytes), planOf({ batchRows: 1000 }))) {
      slow.push(...ids(batch));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(bytes.length).toBeGreaterThan(64 * 1024);
    expect(reasons(fast)).toEqual(['broken-gzip']);
    // At most 64 KiB of text before the damage are lost.
    expect(slow.length).toBeGreaterThan(40_000 - (64 * 1024) / record('e0').length - 1);
    expect(slow).toEqual(ids(fast));
  });

  it('reports damage after padding', async () => {
    const bytes = Buffer.concat([gzipSync(plain), Buffer.alloc(40_000), Buffer.from('garbage')]);
    const whole = await decodeBytes(bytes, planOf());
    expect([ids(whole), reasons(whole)]).toEqual([all, ['broken-gzip']]);
  });

  it('keeps a last line that is whole though the object breaks off after it', async () => {
    const bytes = gzipSync(Buffer.from(`${record('a')}\n${record('b')}`));
    const whole = await decodeBytes(bytes.subarray(0, -2), planOf());
    expect([ids(whole), reasons(whole)]).toEqual([['a', 'b'], ['broken-gzip']]);
  });

  it('reports an object that only begins like gzip', async () => {
    expect(reasons(await decodeBytes(Buffer.from([0x1f, 0x8b, 0x00, 0x00]), planOf()))).toEqual(['broken-gzip']);
    expect(reasons(await decodeBytes(Buffer.from([0x1f, 0x8b]), planOf()))).toEqual(['broken-gzip']);
  });

  it('lets its source go when the reader stops', async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield plain;
      } finally {
        closed = true;
      }
    }
    for await (const decoded of decodeCapture(endless(), planOf())) {
      expect(decoded.batch.rows).toHaveLength(256);
      break;
    }
    expect(closed).toBe(true);
    expect(ids(await decodeChunks(chunked(gzipSync(plain), [1, 1, 0, 7]), planOf()))).toEqual(all);
  });
});
