import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chunked, csv, decodeBytes, decodeChunks, json, planOf, sagemakerLine } from '../decode/capture-records.ts';

/** Lines of all kinds: good, repeated, faulty by row, broken, blank, beyond ASCII. */
const line = fc.oneof(
  fc.integer({ min: 0, max: 9 }).map((id) => sagemakerLine({ input: csv('1,2\n3'), metadata: { eventId: `e${id}` } })),
  fc
    .uuid()
    .map((eventId) => sagemakerLine({ input: json({ 'größe 🌊': 'ß' }), output: csv('1'), metadata: { eventId } })),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('', '\r', '{"a":', '[[[[', '\ufeff'),
);

const object = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(([lines, newline, closed]) => Buffer.from(lines.join(newline) + (closed ? newline : '')));

const sizes = fc.array(fc.oneof(fc.constantFrom(0, 1, 2), fc.integer({ min: 0, max: 600 })), { maxLength: 40 });
const plan = planOf({ versions: [{ match: 'v1', columns: ['a', 'b'], predictions: [] }], batchRows: 4 });

it('any chunking of the bytes decodes to the same', async () => {
  await fc.assert(
    fc.asyncProperty(object, sizes, async (bytes, cuts) => {
      expect(await decodeChunks(chunked(bytes, cuts), plan)).toEqual(await decodeBytes(bytes, plan));
    }),
    { numRuns: 300 },
  );
});

it('a gzipped object decodes as itself, in any chunking, and so does a damaged one', async () => {
  await fc.assert(
    fc.asyncProperty(object, sizes, fc.nat(), async (bytes, cuts, place) => {
      const zipped = gzipSync(bytes);
      expect(await decodeChunks(chunked(zipped, cuts), plan)).toEqual(await decodeBytes(bytes, plan));
      const at = 2 + (place % (zipped.length - 2));
      zipped.writeUInt8(zipped.readUInt8(at) ^ 0x55, at);
      expect(await decodeChunks(chunked(zipped, cuts), plan)).toEqual(await decodeBytes(zipped, plan));
    }),
    { numRuns: 100 },
  );
});

it('lines are numbered and placed where they stand', async () => {
  await fc.assert(
    fc.asyncProperty(object, async (bytes) => {
      const starts = [0];
      for (const [index, byte] of bytes.entries()) if (byte === 0x0a) starts.push(index + 1);
      const { invocations, quarantined } = await decodeBytes(bytes, plan);
      for (const { line: number, offset, length } of [...invocations, ...quarantined]) {
        expect(offset).toBe(starts[number - 1]);
        const rest = bytes.subarray(offset + length, starts[number] ?? bytes.length).toString();
        expect(['', '\n', '\r', '\r\n']).toContain(rest);
      }
    }),
  );
});
