import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addCountRuns, encodeCountPairs, encodeCountRuns, visitCountRuns } from '../../core/stats/count-runs.ts';

const counts = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(1e9)), { maxLength: 60 });

describe('counts as runs', () => {
  test('read back as they were', () => {
    fc.assert(
      fc.property(counts, (values) => {
        const into = new Float64Array(values.length);
        addCountRuns(encodeCountRuns(values), into);
        expect([...into]).toEqual(values);
      }),
    );
  });

  test('of an array and of its pairs are one text', () => {
    fc.assert(
      fc.property(counts, (values) => {
        const pairs = values.flatMap((count, position) => (count > 0 ? [[position, count] as const] : []));
        expect(encodeCountPairs(pairs)).toBe(encodeCountRuns(values));
      }),
    );
  });

  test('add up, and subtract', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const into = new Float64Array(60);
        addCountRuns(encodeCountRuns(a), into);
        addCountRuns(encodeCountRuns(b), into);
        expect([...into]).toEqual([...into.keys()].map((at) => (a[at] ?? 0) + (b[at] ?? 0)));
        addCountRuns(encodeCountRuns(b), into, -1);
        expect([...into]).toEqual([...into.keys()].map((at) => a[at] ?? 0));
      }),
    );
  });

  test('look like this', () => {
    expect(encodeCountRuns([])).toBe('');
    expect(encodeCountRuns([0, 0, 3, 1, 0, 4])).toBe('2:3,1;5:4');
    expect(encodeCountRuns([Number.MAX_SAFE_INTEGER])).toBe('0:9007199254740991');
  });

  test.each([
    '1',
    ':1',
    '1:',
    '1:2;',
    ';1:2',
    '1:2,,3',
    '1:-2',
    '1:0',
    '1:2.5',
    '1:2;3',
    'a:1',
    '1:2:3',
    '1:99999999999999999999',
    ' 1:2',
  ])('refuse %j', (text) => {
    expect(() => visitCountRuns(text, () => undefined)).toThrow(/^count runs: expected position:count/);
  });

  test('refuse a position outside the array', () => {
    expect(() => addCountRuns('3:1', new Float64Array(3))).toThrow('expected positions below 3, saw 3');
  });
});
