import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EndpointDescription, EndpointRecord } from '../../core/model/endpoint.ts';
import {
  emptyEndpointRecord,
  nameModels,
  observeEndpoint,
  servedShares,
  versionServedAt,
  versionsServed,
} from '../../core/serving/endpoint-record.ts';

const minute = 60_000;
const day = 86_400_000;
const start = Date.UTC(2026, 2, 2);
const at = (minutes: number) => start + minutes * minute;

type Look = readonly [minutes: number, described: EndpointDescription | undefined];

function settled(config: string, modified: number): EndpointDescription {
  return { config, isSettled: true, modified: at(modified) };
}

function changing(config: string, since: number): EndpointDescription {
  return { config, isSettled: false, modified: at(since), changingSince: at(since) };
}

function observe(looks: readonly Look[], before: EndpointRecord = emptyEndpointRecord): EndpointRecord {
  return looks.reduce((record, [minutes, described]) => observeEndpoint(record, described, at(minutes)), before);
}

const spellsOf = ({ spells }: EndpointRecord) =>
  spells.map(({ config, began, since }) => [config, (began - start) / minute, (since - start) / minute]);

describe('what answers', () => {
  test('is what answered before, until the endpoint says that it was changed', () => {
    const record = observe([
      [0, settled('A', -100)],
      [1, settled('A', -100)],
      [3, changing('A', 2)],
      [4, changing('A', 2)],
      [9, settled('B', 8)],
      [10, settled('B', 8)],
    ]);
    expect(spellsOf(record)).toEqual([
      ['A', -100, -100],
      ['B', 2, 8],
    ]);
    expect(record.looked).toBe(at(10));
  });

  test('is not what an update names before it is over', () => {
    const record = observe([
      [0, settled('A', -100)],
      [1, { config: 'B', isSettled: false, modified: at(1) }],
    ]);
    expect(spellsOf(record)).toEqual([['A', -100, -100]]);
    expect(record.changing).toBe(at(1));
  });

  test('does not change where instances are added', () => {
    const scaling = { config: 'A', isSettled: false, modified: at(5) };
    const record = observe([
      [0, settled('A', -100)],
      [5, scaling],
      [6, settled('A', 6)],
    ]);
    expect(spellsOf(record)).toEqual([['A', -100, -100]]);
    expect(record.changing).toBeUndefined();
  });

  test('answers anew after an update that was given up, and after a time in which nobody looked', () => {
    const given = observe([
      [0, settled('A', -100)],
      [3, changing('A', 2)],
      [9, settled('A', 8)],
    ]);
    expect(spellsOf(given).at(-1)).toEqual(['A', 2, 8]);
    expect(spellsOf(observe([[60, settled('A', 50)]], given)).at(-1)).toEqual(['A', 9, 50]);
    expect(spellsOf(observe([[60, settled('A', 8)]], given))).toHaveLength(2);
  });

  test('is a change that began before the first look', () => {
    const record = observe([
      [0, changing('A', -5)],
      [1, settled('B', 1)],
    ]);
    expect(spellsOf(record)).toEqual([
      ['A', -5, -5],
      ['B', -5, 1],
    ]);
  });

  test('is nothing once the endpoint is gone, and nothing is known of one that never was', () => {
    const record = observe([
      [0, settled('A', -100)],
      [1, undefined],
      [30, settled('A', 20)],
    ]);
    expect(spellsOf(record).at(-1)).toEqual(['A', 1, 20]);
    expect(observe([[0, undefined]])).toEqual({ spells: [], looked: at(0) });
  });

  test('is kept as long as captures of it may come', () => {
    const looks = Array.from(
      { length: 30 },
      (_, index): Look => [index * 1440, settled(`C${index}`, index * 1440 - 1)],
    );
    const configs = observe(looks).spells.map(({ config }) => config);
    expect(configs.slice(0, 2)).toEqual(['C20', 'C21']);
    expect(configs).toHaveLength(10);
    const many = Array.from({ length: 90 }, (_, index): Look => [index, settled(`C${index}`, index)]);
    expect(observe(many).spells).toHaveLength(50);
  });
});

test('a look that was overtaken by a later one notes nothing', () => {
  const record = observe([[5, settled('A', 0)]]);
  expect(observe([[5, settled('B', 5)]], record)).toBe(record);
  expect(observe([[4, settled('B', 4)]], record)).toBe(record);
});

test('versions are the models of the variant, or else the configurations', () => {
  let record = observe([[0, settled('A', -10)]]);
  record = nameModels(record, [
    ['stable', 'credit-7'],
    ['canary', 'credit-8'],
  ]);
  record = observe([[9, settled('B', 8)]], record);
  record = nameModels(record, [['stable', 'credit-7']]);
  expect(versionsServed(record, 'stable')).toEqual([[at(-10), 'credit-7']]);
  const canary = versionsServed(record, 'canary');
  expect(canary).toEqual([
    [at(-10), 'credit-8'],
    [at(8), 'B'],
  ]);
  expect([-99, -10, 7.9, 8, 99].map((minutes) => versionServedAt(canary, at(minutes)))).toEqual([
    'credit-8',
    'credit-8',
    'credit-8',
    'B',
    'B',
  ]);
  expect(versionServedAt([], start)).toBeUndefined();
});

test('what was said of a time that had been looked at is never said otherwise', () => {
  const described = fc.option(
    fc.record({
      config: fc.constantFrom('A', 'B', 'C'),
      isSettled: fc.boolean(),
      // Also earlier than the last look, and later than now: clocks differ.
      modified: fc.integer({ min: -50, max: 700 }).map(at),
      changingSince: fc.option(fc.integer({ min: -50, max: 700 }).map(at), { nil: undefined }),
    }),
    { nil: undefined },
  );
  const looks = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), described), { minLength: 2, maxLength: 15 });
  fc.assert(
    fc.property(looks, (steps) => {
      let now = 0;
      let record = emptyEndpointRecord;
      const said = new Map<number, string>();
      for (const [pause, what] of steps) {
        now += pause;
        record = observeEndpoint(record, what, at(now));
        const versions = versionsServed(record, 'main');
        for (let minutes = -60; minutes <= now; minutes++) {
          const version = versionServedAt(versions, at(minutes));
          if (said.has(minutes)) expect(version).toBe(said.get(minutes));
          if (version !== undefined) said.set(minutes, version);
        }
        const ascending = record.spells.map(({ since }) => since);
        expect(ascending).toEqual([...new Set(ascending)].sort((a, b) => a - b));
        for (const { began, since } of record.spells) expect(began).toBeLessThanOrEqual(since);
      }
    }),
  );
});

describe('a window', () => {
  const record = observe([
    [0, settled('A', -100)],
    [21, changing('A', 20)],
    [31, settled('B', 30)],
    [59, settled('B', 30)],
  ]);
  const shares = (from: number, to: number, of = record) =>
    servedShares(of, { start: at(from), end: at(to) }).map(({ spell, share }) => [spell.config, share]);

  test('is shared by what answered in it; a change is nobody’s', () => {
    expect(shares(10, 50)).toEqual([
      ['A', 0.25],
      ['B', 0.5],
    ]);
    expect(shares(0, 20)).toEqual([['A', 1]]);
    expect(shares(20, 30)).toEqual([
      ['A', 0],
      ['B', 0],
    ]);
    expect(shares(30, 59)).toEqual([['B', 1]]);
  });

  test('that nobody has looked at as a whole is known in part, or not at all', () => {
    expect(shares(49, 69)).toEqual([['B', 0.5]]);
    expect(shares(60, 70)).toEqual([]);
    expect(shares(-200, -100)).toEqual([]);
    expect(shares(-110, -90)).toEqual([['A', 0.5]]);
  });

  test('names a configuration once that went on after an update was given up', () => {
    const given = observe([
      [0, settled('A', -day / minute)],
      [21, changing('A', 20)],
      [31, settled('A', 30)],
      [60, settled('A', 30)],
    ]);
    expect(shares(0, 60, given)).toEqual([['A', expect.closeTo(50 / 60)]]);
  });
});
