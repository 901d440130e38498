import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BundleFacts, EvidenceRecord } from '../../core/audit/bundle-format.ts';
import { BundleError, type BundlePlace, openBundle, readBundleHeader } from '../../core/audit/bundle-reader.ts';
import { BundleWriter } from '../../core/audit/bundle-writer.ts';
import type { Cell } from '../../core/model/record-batch.ts';
import { type SampleLine, sampleBatch, sampleFacts, sampleKey, sampleLine } from './sample-batch.ts';

/** Writes lines cut into batches of the given sizes, the last one repeated. */
function writeBundle(
  lines: readonly SampleLine[],
  sizes: readonly number[] = [1_000],
  facts: BundleFacts = sampleFacts,
): Buffer {
  const writer = new BundleWriter(facts, sampleKey);
  const parts: Uint8Array[] = [];
  for (let start = 0, turn = 0; start < lines.length; turn += 1) {
    const size = sizes[Math.min(turn, sizes.length - 1)] ?? 1;
    const { batch, quarantined } = sampleBatch(lines.slice(start, start + size), start + 1);
    parts.push(...writer.add(batch, quarantined));
    start += size;
  }
  parts.push(...writer.finish(0));
  return Buffer.concat(parts);
}

function recordsOf(bundle: Uint8Array): EvidenceRecord[] {
  return openBundle(bundle, sampleKey).frames.flatMap((frame) => (frame.kind === 'records' ? frame.records : []));
}

function placeOfFailure(bytes: Uint8Array, key = sampleKey): BundlePlace | 'opened' {
  try {
    openBundle(bytes, key);
    return 'opened';
  } catch (error) {
    if (error instanceof BundleError) return error.place;
    throw error;
  }
}

/** 0 the header, 1 and on the frames, the last the trailer. */
function splitBundle(bundle: Uint8Array): Buffer[] {
  return Buffer.from(bundle)
    .toString()
    .split(/(?<=\n)/)
    .map((line) => Buffer.from(line));
}

const cell: fc.Arbitrary<Cell> = fc.oneof(
  fc.double(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom<Cell>(
    null,
    undefined,
    true,
    -0,
    '__proto__',
    '\ud800',
    { opaque: 'array', size: 3 },
    { opaque: 'binary', size: 0 },
  ),
);
const cells = fc
  .dictionary(fc.constantFrom('age', 'income', '__proto__', 'constructor', 'é'), cell, { maxKeys: 4 })
  .map((members) => Object.entries(members));
const line: fc.Arbitrary<SampleLine> = fc.record({
  eventId: fc.string(),
  time: fc.integer({ min: Date.UTC(2026, 2, 10, 4, 59), max: Date.UTC(2026, 2, 10, 6, 1) }),
  version: fc.constantFrom('v1', 'v2', '__proto__'),
  rows: fc.array(fc.oneof(cells, fc.constant('quarantined' as const)), { maxLength: 4 }),
});

describe('a bundle', () => {
  test('gives back all that was put in', () => {
    const lines: SampleLine[] = [
      sampleLine(0, [
        ['age', 41.5],
        ['income', null],
        ['__proto__', 'x'],
        ['image', { opaque: 'binary', size: 9 }],
      ]),
      { eventId: 'request', time: Date.UTC(2026, 2, 10, 6), rows: [] },
      {
        ...sampleLine(2),
        rows: [
          [['age', -0]],
          'quarantined',
          [
            ['age', Number.NaN],
            ['late', undefined],
          ],
        ],
      },
    ];
    const bundle = writeBundle(lines);
    const { header, source, frames, trailer } = openBundle(bundle, sampleKey);
    const { source: _, ...clear } = sampleFacts;
    expect(header).toEqual({ ...clear, schema: 'tidewatch.bundle/1', day: '2026-03-10' });
    expect(readBundleHeader(bundle)).toEqual(header);
    expect(source).toEqual(sampleFacts.source);
    expect(trailer).toMatchObject({
      frames: 3,
      records: 3,
      requests: 1,
      quarantined: 1,
      duplicates: 0,
      firstHour: '2026-03-10T05',
      lastHour: '2026-03-10T06',
    });
    expect(frames.map((frame) => (frame.kind === 'records' ? frame.hour : frame.quarantined))).toEqual([
      '2026-03-10T05',
      '2026-03-10T06',
      [{ reason: 'not-a-number', line: 3, offset: 300, length: 99, row: 1 }],
    ]);
    const [first, second, third] = recordsOf(bundle);
    const invocation = {
      eventId: 'event-0',
      time: lines[0]?.time,
      variant: 'AllTraffic',
      version: 'v1',
      line: 1,
      offset: 100,
      length: 99,
    };
    expect(first).toMatchObject({ invocation, row: 0 });
    expect(first?.cells).toEqual([
      ['input', '__proto__', 'x'],
      ['input', 'age', 41.5],
      ['input', 'image', { opaque: 'binary', size: 9 }],
      ['input', 'income', null],
    ]);
    expect(second).toMatchObject({ invocation: { eventId: 'event-2' }, row: 0, cells: [['input', 'age', -0]] });
    expect(third).toMatchObject({ row: 2, cells: [['input', 'age', Number.NaN]] });
  });

  test('keeps what an invocation says beside its rows', () => {
    const invocation = {
      eventId: 'e',
      inferenceId: 'i',
      time: 5,
      variant: 'v',
      version: '1',
      status: 500,
      latencyMilliseconds: 12.25,
      route: '/score',
      line: 1,
      offset: 0,
      length: 10,
    };
    const writer = new BundleWriter({ ...sampleFacts, type: 'requests' }, sampleKey);
    const parts = [...writer.add({ invocations: [invocation], rows: [], columns: [] }, []), ...writer.finish(3)];
    const [record] = recordsOf(Buffer.concat(parts));
    expect(record).toMatchObject({ invocation, cells: [] });
    expect(record?.row).toBeUndefined();
    expect(openBundle(Buffer.concat(parts), sampleKey).trailer.duplicates).toBe(3);
  });

  test('of an empty object has a header and a trailer', () => {
    const bundle = writeBundle([]);
    expect(splitBundle(bundle)).toHaveLength(2);
    expect(openBundle(bundle, sampleKey).trailer).toMatchObject({
      frames: 0,
      records: 0,
      firstHour: null,
      lastHour: null,
    });
  });

  test('shows in clear neither values nor ids nor where it came from', () => {
    const canary = 'canary-8d1f';
    const facts = { ...sampleFacts, source: { ...sampleFacts.source, bucket: canary, key: canary, etag: canary } };
    const bundle = writeBundle([{ eventId: canary, time: 0, rows: [[[canary, canary]], 'quarantined'] }], [1], facts);
    const base64 = [0, 1, 2].map((shift) =>
      Buffer.from(' '.repeat(shift) + canary)
        .toString('base64url')
        .slice(shift + 1, -2),
    );
    for (const form of [canary, Buffer.from(canary).toString('hex'), ...base64])
      expect(bundle.includes(form)).toBe(false);
    expect(JSON.stringify(openBundle(bundle, sampleKey))).toContain(canary);
  });
});

describe('the bytes', () => {
  test('are the same for the same lines, however they are cut into batches', () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        (lines, sizes) => {
          expect(writeBundle(lines, sizes).equals(writeBundle(lines))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('give back every record and every quarantined row', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const bundle = writeBundle(lines, [7]);
        const expected = lines.flatMap(({ eventId, rows }, index) =>
          rows.length === 0
            ? [[index + 1, -1, eventId, '[]']]
            : rows.flatMap((row, place) =>
                row === 'quarantined' ? [] : [[index + 1, place, eventId, describeCells(row)]],
              ),
        );
        const seen = recordsOf(bundle)
          .map(({ invocation, row, cells: found }) => [
            invocation.line,
            row ?? -1,
            invocation.eventId,
            describeCells(found.map(([, name, value]) => [name, value] as const)),
          ])
          .sort(([a = 0, b = 0], [c = 0, d = 0]) => Number(a) - Number(c) || Number(b) - Number(d));
        expect(seen).toEqual(expected);
        expect(openBundle(bundle, sampleKey).trailer.quarantined).toBe(
          lines.flatMap(({ rows }) => rows).filter((row) => row === 'quarantined').length,
        );
      }),
      { numRuns: 60 },
    );
  });

  test('of different content never share a nonce', () => {
    const nonces = new Map<string, string>();
    for (const code of ['1', '2']) {
      for (const value of [1, 2]) {
        for (const text of splitBundle(writeBundle([sampleLine(0, [['age', value]])], [1], { ...sampleFacts, code }))) {
          const { nonce } = JSON.parse(text.toString());
          if (nonce === undefined) continue;
          expect(nonces.get(nonce) ?? text.toString()).toBe(text.toString());
          nonces.set(nonce, text.toString());
        }
      }
    }
    // Two headers, and a frame of its own under each header for each value: the same plaintext under another header too.
    expect(nonces.size).toBe(6);
  });

  test('come in frames of bounded size', () => {
    const large = Array.from({ length: 30 }, (_, index) => sampleLine(index, [['text', `${index} `.repeat(30_000)]]));
    const small = Array.from({ length: 600 }, (_, index) => sampleLine(index));
    expect(
      openBundle(writeBundle(small), sampleKey).frames.map((frame) => frame.kind === 'records' && frame.records.length),
    ).toEqual([256, 256, 88]);
    expect(openBundle(writeBundle(large), sampleKey).frames.length).toBeGreaterThan(2);
  });

  test('come early: a writer keeps only the unfinished frames', () => {
    const writer = new BundleWriter(sampleFacts, sampleKey);
    let written = 0;
    for (let start = 0; start < 5_000; start += 100) {
      const lines = Array.from({ length: 100 }, (_, index) => ({
        ...sampleLine(start + index),
        version: `v${(start + index) % 40}`,
      }));
      written += writer
        .add(sampleBatch(lines, start + 1).batch, [])
        .reduce((sum, part) => sum + part.toString().split('"tags"').length - 1, 0);
    }
    // 40 versions alternate and 16 frames may be open: almost every record closes a frame.
    expect(written).toBeGreaterThan(4_900);
  });
});

describe('a changed bundle', () => {
  const lines: SampleLine[] = [
    sampleLine(0),
    { ...sampleLine(1), time: Date.UTC(2026, 2, 10, 7), version: 'é' },
    { ...sampleLine(2), rows: ['quarantined', [['age', 1]]] },
  ];
  const bundle = writeBundle(lines);
  const parts = splitBundle(bundle);
  const places: BundlePlace[] = ['header', 0, 1, 2, 'trailer'];

  test('fails at the line whose byte was flipped', () => {
    expect(parts).toHaveLength(places.length);
    let start = 0;
    for (const [index, part] of parts.entries()) {
      for (let offset = 0; offset < part.length; offset += 1) {
        for (const flip of [1 << (offset % 8), 0x20]) {
          const changed = Buffer.from(bundle);
          changed[start + offset] = (changed[start + offset] ?? 0) ^ flip;
          // Without its newline the last frame is one line with the trailer.
          const joined = index === parts.length - 2 && offset === part.length - 1;
          expect(placeOfFailure(changed), `byte ${offset} of line ${index} by ${flip}`).toBe(
            joined ? 'trailer' : places[index],
          );
        }
      }
      start += part.length;
    }
  });

  test('fails at the line that says the same in another text', () => {
    for (const [index, place] of places.entries()) {
      const changed = parts.map((part, at) =>
        at === index ? Buffer.from(part.toString().replace(/,"/, ', "')) : part,
      );
      expect(placeOfFailure(Buffer.concat(changed))).toBe(place);
    }
  });

  test('fails where a line is cut out, repeated, swapped or added', () => {
    const join = (...indices: number[]) => Buffer.concat(indices.map((index) => parts[index] ?? Buffer.alloc(0)));
    expect(placeOfFailure(join(0, 1, 2, 3, 4))).toBe('opened');
    expect(placeOfFailure(join(0, 2, 3, 4))).toBe(0);
    expect(placeOfFailure(join(0, 1, 3, 2, 4))).toBe(1);
    expect(placeOfFailure(join(0, 1, 1, 2, 3, 4))).toBe(1);
    expect(placeOfFailure(join(0, 1, 2, 4))).toBe('trailer');
    expect(placeOfFailure(join(0, 1, 2, 3))).toBe('trailer');
    expect(placeOfFailure(join(0))).toBe('trailer');
    expect(placeOfFailure(join())).toBe('header');
    expect(placeOfFailure(join(0, 1, 2, 3, 4, 4))).toBe(3);
    expect(placeOfFailure(bundle.subarray(0, -1))).toBe('trailer');
    expect(placeOfFailure(bundle.subarray(0, -20))).toBe('trailer');
  });

  test('fails where a frame comes from another bundle under the same key', () => {
    const others = splitBundle(writeBundle(lines, [9], { ...sampleFacts, code: '0.2.0' }));
    for (const index of [1, 2, 3]) {
      const mixed = Buffer.concat(parts.map((part, place) => (place === index ? (others[index] ?? part) : part)));
      expect(placeOfFailure(mixed)).toBe(index - 1);
    }
  });

  test('does not open under another key', () => {
    expect(placeOfFailure(bundle, new Uint8Array(32))).toBe('header');
    expect(() => openBundle(bundle, new Uint8Array(16))).toThrow('expected 32 bytes, saw 16');
  });

  test('tells no content in its errors', () => {
    const text = bundle.toString().replace('"type":"inferences"', '"type":"inferences"}');
    expect(() => openBundle(Buffer.from(text), sampleKey)).toThrow(
      'bundle, header: expected a JSON object, saw text that is not JSON',
    );
  });
});

test('a writer is used once, with batches that hold together', () => {
  const writer = new BundleWriter(sampleFacts, sampleKey);
  const broken = { invocations: [], rows: [{ invocation: 0, row: 0 }], columns: [] };
  expect(() => writer.add(broken, [])).toThrow('row 0: expected one of 0 invocations, saw 0');
  writer.finish(0);
  expect(() => writer.add({ invocations: [], rows: [], columns: [] }, [])).toThrow('add after finish');
  expect(() => writer.finish(0)).toThrow('finish called twice');
});

/** Cells by name, absent ones left out, in one text whatever their order. */
function describeCells(row: readonly (readonly [string, Cell])[]): string {
  return JSON.stringify(
    row
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        typeof value === 'number' ? (Object.is(value, -0) ? '-0' : String(value)) : JSON.stringify(value),
      ])
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  );
}

describe('what an endpoint served', () => {
  const served = [
    [Date.UTC(2026, 2, 9), 'flights-7'],
    [Date.UTC(2026, 2, 10, 5), 'flights-8'],
  ] as const;
  const lines = [sampleLine(1)];

  test('stands in the header, and nowhere else is there a word of it', () => {
    const bundle = writeBundle(lines, [1], { ...sampleFacts, served });
    expect(openBundle(bundle, sampleKey).header.served).toEqual(served);
    expect(readBundleHeader(writeBundle(lines))).not.toHaveProperty('served');
    expect(openBundle(writeBundle(lines, [1], { ...sampleFacts, served: [] }), sampleKey).header.served).toEqual([]);
  });

  test.each([
    ['flights-8', 'flights-9'],
    [`[[${served[0][0]},`, `[[${served[0][0] + 1},`],
    ['"served":[[', '"served":[[1,"x"],['],
    ['"flights-7"]', '"flights-7",1]'],
    ['"flights-7"]', '7]'],
  ])('changed from %s to %s it does not open', (from, to) => {
    const text = writeBundle(lines, [1], { ...sampleFacts, served }).toString();
    expect(text).toContain(from);
    expect(placeOfFailure(Buffer.from(text.replace(from, to)))).toBe('header');
  });
});
