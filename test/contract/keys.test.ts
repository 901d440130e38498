import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as keys from '../../core/contract/keys.ts';

const series = {
  model: 'credit-scoring',
  variant: 'AllTraffic',
  version: 'credit-v7',
  layout: '0123456789abcdef',
  windowSeconds: 3600,
};
const start = Date.UTC(2001, 1, 11);
const object = keys.objectId('captures', 'datacapture/e/v/2001/02/11/00/a.jsonl');

/** Names as a hostile payload would choose them, beside ordinary ones. */
const name = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
    fc.constantFrom(
      '../..',
      './',
      'a/../b',
      '//',
      '%2e%2e',
      '%2F',
      '__proto__',
      'constructor',
      '...',
      ' ',
      '\0',
      'é',
      '…',
    ),
  )
  .filter((value) => keys.isKeyName(value));
const layout = fc
  .oneof(name, fc.constantFrom('none', 'a-1', '-', '--2', '3'))
  .filter((value) => keys.isKeyName(`${value}-86400`));
const windowSeconds = fc.integer({ min: 1, max: 86_400 });
const anySeries = fc.record({ model: name, variant: name, version: name, layout, windowSeconds });
const anyStart = fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }).map((seconds) => seconds * 1000);
const hash = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 16, maxLength: 64 });
const day = anyStart.map(keys.dayKey);

function expectSafe(key: string, prefix: string): void {
  expect(key.startsWith(prefix)).toBe(true);
  expect(key).toMatch(/^[A-Za-z0-9._%/-]+$/);
  expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024);
  for (const segment of key.replace(/\/$/, '').split('/')) {
    expect(['', '.', '..']).not.toContain(segment);
    expect(segment.length).toBeLessThanOrEqual(255);
  }
}

describe('keys are those of the design', () => {
  test.each([
    [keys.fragmentPrefix(series), 'fragments/credit-scoring/AllTraffic/credit-v7/0123456789abcdef-3600/'],
    [
      keys.fragmentKey(series, start, object),
      `fragments/credit-scoring/AllTraffic/credit-v7/0123456789abcdef-3600/20010211T000000Z/${object}`,
    ],
    [
      keys.profileKey(series, start, object),
      `profiles/credit-scoring/AllTraffic/credit-v7/0123456789abcdef-3600/20010211T000000Z/${object}`,
    ],
    [keys.verdictKey(series, start, 2), 'verdicts/credit-scoring/AllTraffic/credit-v7/20010211T000000Z/000002.json'],
    [
      keys.liveVerdictKey(series, start / 60_000 + 5),
      'verdicts/credit-scoring/AllTraffic/credit-v7/live/20010211T000500Z.json',
    ],
    [keys.quarantineKey('m', object), `quarantine/m/${object}.json`],
    [keys.slisKey('m', '2001-02-11', object), `slis/m/2001-02-11/${object}`],
    [keys.bundleKey('m', '2001-02-11', object), `bundles/m/2001-02-11/${object}`],
    [keys.logSegmentKey(42), 'log/segments/000000000042.json'],
    [keys.fragmentPrefix({ ...series, version: '../v é' }).split('/')[3], '..%2Fv%20%C3%A9'],
  ])('%s', (key, expected) => {
    expect(key).toBe(expected);
  });

  test('an object id tells bucket and key apart', () => {
    expect(keys.objectId('a', 'b/c')).not.toBe(keys.objectId('a/b', 'c'));
    expect(object).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('parsing gives back what was formatted', () => {
  test('fragments, profiles and touches', () => {
    fc.assert(
      fc.property(anySeries, anyStart, hash, (of, windowStart, id) => {
        const fragment = keys.fragmentKey(of, windowStart, id);
        expectSafe(fragment, keys.fragmentWindowPrefix(of, windowStart));
        expect(keys.parseFragmentKey(fragment)).toEqual({ series: of, windowStart, objectId: id });
        const prefix = keys.fragmentWindowPrefix(of, windowStart);
        expectSafe(prefix, keys.fragmentPrefix(of));
        expectSafe(prefix, keys.modelFragmentPrefix(of.model));
        expect(keys.parseFragmentWindowPrefix(prefix)).toEqual({ series: of, windowStart });
        const profile = keys.profileKey(of, windowStart, id);
        expectSafe(profile, keys.profilePrefix(of));
        expect(keys.parseProfileKey(profile)).toEqual({ series: of, windowStart, fragmentSetHash: id });
      }),
    );
  });

  test('verdicts, closed and live', () => {
    fc.assert(
      fc.property(anySeries, anyStart, fc.nat(999_999), ({ model, variant, version }, windowStart, revision) => {
        const of = { model, variant, version };
        const closed = keys.verdictKey(of, windowStart, revision);
        expectSafe(closed, keys.verdictWindowPrefix(of, windowStart));
        expectSafe(closed, keys.modelVerdictPrefix(of.model));
        expect(keys.parseVerdictKey(closed)).toEqual({ series: of, windowStart, revision });
        expect(keys.parseLiveVerdictKey(closed)).toBeUndefined();
        const minute = Math.floor(windowStart / 60_000);
        const live = keys.liveVerdictKey(of, minute);
        expectSafe(live, keys.liveVerdictPrefix(of));
        expect(keys.parseLiveVerdictKey(live)).toEqual({ series: of, minute });
        expect(keys.parseVerdictKey(live)).toBeUndefined();
      }),
    );
  });

  test('evidence, SLIs and the log', () => {
    fc.assert(
      fc.property(name, day, hash, fc.nat(999_999_999), (model, of, id, index) => {
        expectSafe(keys.bundleKey(model, of, id), keys.bundlePrefix(model));
        expect(keys.parseBundleKey(keys.bundleKey(model, of, id))).toEqual({ model, day: of, objectId: id });
        expectSafe(keys.slisKey(model, of, id), keys.slisDayPrefix(model, of));
        expect(keys.parseSlisKey(keys.slisKey(model, of, id))).toEqual({ model, day: of, hash: id });
        expectSafe(keys.quarantineKey(model, id), keys.quarantinePrefix(model));
        expect(keys.parseLogSegmentKey(keys.logSegmentKey(index))).toBe(index);
      }),
    );
  });

  test('different names never share a key', () => {
    fc.assert(
      fc.property(anySeries, anySeries, (a, b) => {
        expect(keys.fragmentPrefix(a) === keys.fragmentPrefix(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  test('a foreign or damaged key is undefined, not an error', () => {
    const good = keys.fragmentKey(series, start, object);
    for (const key of [
      '',
      'fragments',
      good.replace('fragments', 'profiles'),
      `${good}/x`,
      good.replace('credit-v7', '..'),
      good.replace('-3600', ''),
      good.replace('-3600', '-'),
      good.replace('-3600', '-03600'),
      good.replace('-3600', '-0'),
      good.replace('-3600', '-1e3'),
      good.replace('-3600', '-86401'),
      good.replace('-3600', '%2D3600'),
      good.replace('credit-v7', '%2e%2e'),
      good.replace('credit-v7', 'credit%2Dv7'),
      good.replace('credit-v7', '%FF'),
      good.replace('20010211T000000Z', '20010231T000000Z'),
      good.replace(object, 'XYZ'),
    ]) {
      expect(keys.parseFragmentKey(key)).toBeUndefined();
    }
    for (const key of ['verdicts/m/v/1/20010211T000000Z/2.json', 'verdicts/m/v/1/20010211T000000Z/000002', 'x']) {
      expect(keys.parseVerdictKey(key)).toBeUndefined();
    }
    expect(keys.parseLogSegmentKey('log/segments/7.json')).toBeUndefined();
    expect(keys.parseLogSegmentKey('log/SEGMENTS/000000000007.json')).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(keys.parseFragmentKey(text) ?? keys.parseWindowKey(text)).toBeUndefined();
      }),
    );
  });
});

describe('order', () => {
  test('window keys and revisions sort as their numbers', () => {
    fc.assert(
      fc.property(anyStart, anyStart, fc.nat(999_999), fc.nat(999_999), (a, b, i, j) => {
        expect(Math.sign(a - b)).toBe(
          Math.sign(Buffer.compare(Buffer.from(keys.windowKey(a)), Buffer.from(keys.windowKey(b)))),
        );
        expect(keys.verdictKey(series, start, i) < keys.verdictKey(series, start, j)).toBe(i < j);
      }),
    );
  });
});

describe('refused', () => {
  test.each(['', '.', '..', '\ud800', 'x'.repeat(201), '/'.repeat(67), 'é'.repeat(34)])('the name %j', (bad) => {
    expect(keys.isKeyName(bad)).toBe(false);
    expect(() => keys.encodeSegment(bad)).toThrow(keys.KeyError);
    for (const part of ['model', 'variant', 'version', 'layout'] as const) {
      expect(() => keys.fragmentPrefix({ ...series, [part]: bad })).toThrow('storage key: name: saw');
    }
  });

  test('the longest name that fits is taken', () => {
    expect(keys.isKeyName('x'.repeat(200))).toBe(true);
    expect(keys.isKeyName('é'.repeat(33))).toBe(true);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1, 253_402_300_800_000, -62_167_219_201_000])(
    'the window %d',
    (bad) => {
      expect(() => keys.windowKey(bad)).toThrow('expected milliseconds since the epoch in whole seconds');
    },
  );

  test('other numbers, days and hashes', () => {
    for (const bad of [-1, 1.5, Number.NaN, 1_000_000])
      expect(() => keys.verdictKey(series, start, bad)).toThrow('revision');
    for (const bad of ['2001-02-30', '2001-2-3', '../2001-02', ''])
      expect(() => keys.bundleKey('m', bad, object)).toThrow('day');
    for (const bad of ['', '..', 'a/b', object.toUpperCase(), object.slice(0, 15)]) {
      expect(() => keys.fragmentKey(series, start, bad)).toThrow('object id');
    }
  });
});

test('keys of the join are read back, and no other key is taken for one', () => {
  fc.assert(
    fc.property(name, fc.constantFrom('index' as const, 'labels' as const), (model, side) => {
      const key = keys.joinPartKey(side, model, '2001-02-11', object);
      expect(keys.parseJoinPartKey(key)).toEqual({ side, model, day: '2001-02-11', objectId: object });
      expect(key.startsWith(keys.joinPartPrefix(side, model))).toBe(true);
      expect(keys.parseJoinPartKey(key.replace('/parts/', '/packs/'))).toBeUndefined();
      expect(keys.parseJoinPartKey(`${key}/x`)).toBeUndefined();
      const cohort = { day: '2001-02-11', variant: model, version: model };
      expect(keys.cohortKey(model, cohort, 7, object).startsWith(keys.cohortPrefix(model))).toBe(true);
    }),
  );
});
