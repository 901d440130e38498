import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashListObject, nextSegment, parseSegment } from '../../core/audit/hash-list.ts';
import { findings, sampleLog, segmentKey, verifySample } from './sample-log.ts';

function flip(bytes: Uint8Array | undefined, offset: number, bits: number): Uint8Array {
  const changed = Buffer.from(bytes ?? []);
  changed[offset] = (changed[offset] ?? 0) ^ bits;
  return changed;
}

function take<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key);
  if (value === undefined) throw new Error(`expected ${key}`);
  return value;
}

describe('an honest log', () => {
  test('of any shape raises no alarm', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 8 }), async (sizes) => {
        const log = sampleLog(sizes);
        const report = await verifySample(log, { trustedHead: log.head, unlisted: 'problem' });
        const entries = sizes.reduce((sum, size) => sum + size, 0);
        expect(report).toMatchObject({
          ok: true,
          segments: sizes.length,
          entries,
          head: log.head,
          rollbackChecked: true,
        });
        expect(report.checkedBytes).toBe([...log.objects.values()].reduce((sum, body) => sum + body.length, 0));
      }),
      { numRuns: 200 },
    );
  });

  test('still verifies against every head that it once had', async () => {
    const log = sampleLog([2, 1, 3]);
    for (const earlier of [[], [2], [2, 1]]) {
      const { head } = sampleLog(earlier);
      expect(await verifySample(log, { trustedHead: head })).toMatchObject({ ok: true, rollbackChecked: true });
    }
  });

  test('says when rollback was not checked, and what waits for the sequencer', async () => {
    const log = sampleLog([2]);
    log.objects.set('bundles/new', Buffer.from('x'));
    expect(await verifySample(log)).toMatchObject({
      ok: true,
      rollbackChecked: false,
      pending: { count: 1, keys: ['bundles/new'] },
    });
  });
});

describe('changed evidence', () => {
  test('is found at its index, whichever byte it is', async () => {
    const log = sampleLog([2, 2]);
    for (const [index, [key, body]] of [...log.objects].entries()) {
      for (let offset = 0; offset < body.length; offset += 1) {
        log.objects.set(key, flip(body, offset, 1 << (offset % 8)));
        expect(findings(await verifySample(log))).toEqual([`changed ${index}`]);
      }
      log.objects.set(key, body.subarray(0, -1));
      expect(findings(await verifySample(log))).toEqual([`changed ${index}`]);
      log.objects.set(key, body);
    }
  });

  test('deleted, slipped in, swapped, unreadable', async () => {
    const log = sampleLog([2, 2]);
    const bodies = [...log.objects.values()];
    log.objects.delete('bundles/flights/1');
    expect(findings(await verifySample(log))).toEqual(['missing 1']);
    log.objects.set('bundles/flights/1', bodies[1] ?? Buffer.alloc(0));
    log.objects.set('bundles/flights/2', bodies[3] ?? Buffer.alloc(0));
    log.objects.set('bundles/flights/3', bodies[2] ?? Buffer.alloc(0));
    expect(findings(await verifySample(log))).toEqual(['changed 2', 'changed 3']);
    const inserted = sampleLog([2]);
    inserted.objects.set('bundles/forged', Buffer.from('x'));
    const report = await verifySample(inserted, { unlisted: 'problem' });
    expect(report.problems).toEqual([
      { kind: 'unlisted', key: 'bundles/forged', message: 'bundles/forged: expected an entry in the log, saw none' },
    ]);
    const broken = await verifySample(inserted, {
      readObject: async () => {
        throw new Error('access denied');
      },
    });
    expect(findings(broken)).toEqual(['unreadable 0', 'unreadable 1']);
  });
});

describe('a changed log', () => {
  test('is found whichever byte of whichever segment it is', async () => {
    const log = sampleLog([2, 1, 2]);
    const firsts = [0, 2, 3];
    for (const [place, [key, bytes]] of [...log.segments].entries()) {
      for (let offset = 0; offset < bytes.length; offset += 1) {
        log.segments.set(key, flip(bytes, offset, 1 << (offset % 8)));
        const report = await verifySample(log);
        expect(report.ok, `segment ${place}, byte ${offset}`).toBe(false);
        const [lowest = -1] = report.problems.map(({ index = -1 }) => index).sort((a, b) => a - b);
        const last = firsts[place + 1] ?? 5;
        // Found in the segment itself, or as the break at the next one.
        expect(lowest === -1 || (lowest >= (firsts[place] ?? 0) && lowest <= last), `${findings(report)}`).toBe(true);
      }
      log.segments.set(key, bytes);
    }
  });

  test('cut out, cut short, swapped, renamed', async () => {
    const log = sampleLog([2, 2, 2]);
    const [first, second, third] = [0, 2, 4].map((index) => take(log.segments, segmentKey(index)));
    if (first === undefined || second === undefined || third === undefined) return;

    log.segments.delete(segmentKey(2));
    expect(findings(await verifySample(log))).toEqual(['gap 2']);
    log.segments.delete(segmentKey(4));
    expect(await verifySample(log)).toMatchObject({ ok: true, rollbackChecked: false, pending: { count: 4 } });
    expect(findings(await verifySample(log, { trustedHead: log.head }))).toEqual(['rolled-back 2']);
    expect(findings(await verifySample(log, { unlisted: 'problem' }))).toEqual(Array(4).fill('unlisted'));

    log.segments.set(segmentKey(2), third).set(segmentKey(4), second);
    expect(findings(await verifySample(log))).toEqual(['misplaced 4', 'gap 2', 'misplaced 2', 'fork 2']);
    log.segments.set(segmentKey(2), second).set(segmentKey(4), third).delete(segmentKey(0));
    expect(findings(await verifySample(log))).toEqual(['gap 0']);
    log.segments.clear();
    expect(findings(await verifySample(log, { trustedHead: log.head }))).toEqual(['rolled-back 0']);
  });

  test('rewritten from some point on', async () => {
    const log = sampleLog([2, 2]);
    const first = take(log.segments, segmentKey(0));
    const forged = nextSegment(first, [hashListObject('bundles/flights/0', take(log.objects, 'bundles/flights/0'))]);
    log.segments.set(segmentKey(2), forged.bytes);
    expect(findings(await verifySample(log))).toEqual(['listed-twice 2']);
    expect(findings(await verifySample(log, { trustedHead: log.head }))).toEqual(['listed-twice 2', 'rolled-back 3']);

    const other = sampleLog([2, 2], 'another environment');
    expect(findings(await verifySample(other))).toEqual([]);
    expect(findings(await verifySample(other, { trustedHead: log.head }))).toEqual(['diverged 2']);
    const mixed = { ...other, segments: new Map(other.segments).set(segmentKey(0), first) };
    expect(findings(await verifySample(mixed))).toEqual(['changed 0', 'changed 1', 'broken-chain 2']);
  });

  test('that passes a trusted count inside a segment has diverged', async () => {
    const log = sampleLog([3]);
    expect(findings(await verifySample(log, { trustedHead: sampleLog([2]).head }))).toEqual(['diverged 2']);
  });

  test('forked: a second segment for the same indices', async () => {
    const log = sampleLog([2, 1]);
    const fork = nextSegment(take(log.segments, segmentKey(0)), [hashListObject('bundles/x', Buffer.from('x'))]);
    log.segments.set(`${segmentKey(2)}-fork`, fork.bytes);
    expect(findings(await verifySample(log))).toEqual(['misplaced 2', 'fork 2']);
    expect(findings(await verifySample(log, { segmentKey: undefined }))).toEqual(['fork 2']);
  });

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '{"schema":"tidewatch.hashes/1","first":0,"previous":null,"entries":[\n\n]}\n',
    '{"schema":"tidewatch.hashes/2","first":0,"previous":null,"entries":[]}',
    '{"schema":"tidewatch.hashes/1","first":-1,"previous":null,"entries":[{"__proto__":1}]}',
    '\ufeff{}',
    '\u0000',
  ])('%j is no segment', async (text) => {
    const log = sampleLog([1]);
    log.segments.set(segmentKey(1), Buffer.from(text));
    expect(findings(await verifySample(log))).toEqual(['malformed 1']);
  });

  test('many problems are counted, the first thousand told', async () => {
    const log = sampleLog([1_500]);
    log.objects.clear();
    const report = await verifySample(log);
    expect(report.problemCount).toBe(1_500);
    expect(report.problems).toHaveLength(1_000);
  });
});

test('a segment follows the one before it and is read strictly', () => {
  const one = nextSegment(undefined, [hashListObject('a', Buffer.from('x'))]);
  const two = nextSegment(one.bytes, [
    hashListObject('b', Buffer.from('y')),
    hashListObject('__proto__', Buffer.alloc(0)),
  ]);
  expect(parseSegment(one.bytes)).toMatchObject({ first: 0, previous: null });
  expect(parseSegment(two.bytes)).toMatchObject({ first: 1, previous: one.head.sha256 });
  expect(two.head.count).toBe(3);
  expect(parseSegment(two.bytes).entries.map(({ index, key, bytes }) => [index, key, bytes])).toEqual([
    [1, 'b', 1],
    [2, '__proto__', 0],
  ]);
  expect(() => nextSegment(undefined, [])).toThrow('expected at least one entry');
  expect(() => nextSegment(Buffer.from('{}'), [hashListObject('a', Buffer.from('x'))])).toThrow(
    'schema: expected text',
  );
  expect(() => parseSegment(Buffer.from(`${Buffer.from(one.bytes)} `))).toThrow('its text is not the one');
});
