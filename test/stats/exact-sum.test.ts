import { describe, expect, test } from 'vitest';
import { ExactSum } from '../../core/stats/exact-sum.ts';
import { momentsFromSums } from '../../core/stats/moments.ts';
import { expectRelative } from './reference.ts';

function sumOf(values: readonly number[]): ExactSum {
  const sum = new ExactSum();
  for (const value of values) sum.add(value);
  return sum;
}

describe('exact sum', () => {
  test.each<[number[], string, number]>([
    [[], '0', 0],
    [[0, -0], '0', 0],
    [[1, -1], '0', 0],
    [[-26.5], '-1a.8', -26.5],
    [[1e308, 1, -1e308], '1', 1],
    [[0.1, 0.2], '0.4cccccccccccce', 0.1 + 0.2],
    [[2 ** 53, 1, 1], '20000000000002', 2 ** 53 + 2],
    [[2 ** 53, 1], '20000000000001', 2 ** 53],
    [[2 ** 53 + 2, 1], '20000000000003', 2 ** 53 + 4],
    [[-1, 2 ** -1074], `-0.${'f'.repeat(268)}c`, -1],
  ])('%j is %s', (values, text, value) => {
    expect(sumOf(values).toString()).toBe(text);
    expect(sumOf(values).value()).toBe(value);
    expect(ExactSum.parse(text).toString()).toBe(text);
  });

  test('the least and the largest doubles', () => {
    for (const value of [Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** -1022]) {
      expect(sumOf([value]).value()).toBe(value);
      expect(ExactSum.parse(sumOf([value]).toString()).value()).toBe(value);
    }
    const twice = sumOf([Number.MAX_VALUE, Number.MAX_VALUE]);
    expect(twice.value()).toBe(Number.POSITIVE_INFINITY);
    expect(twice.dividedBy(2)).toBe(Number.MAX_VALUE);
    expect(sumOf([Number.MIN_VALUE]).dividedBy(2)).toBe(0);
    expect(sumOf([3 * Number.MIN_VALUE]).dividedBy(2)).toBe(2 * Number.MIN_VALUE);
  });

  test('carries of millions of additions and merges', () => {
    const sum = new ExactSum();
    const largest = 2 ** 53 - 1;
    for (let i = 0; i < 3_000_000; i++) sum.add(i % 3 === 0 ? -largest : largest);
    expect(sum.toString()).toBe((1_000_000n * BigInt(largest)).toString(16));
    for (let i = 0; i < 40; i++) sum.merge(sum);
    expect(sum.toString()).toBe(((1_000_000n * BigInt(largest)) << 40n).toString(16));
  });

  test('merging leaves the other alone', () => {
    const [a, b] = [sumOf([1.5]), sumOf([2.25])];
    a.merge(b);
    expect([a.value(), b.value()]).toEqual([3.75, 2.25]);
  });

  test('refuses what is not a finite number', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => new ExactSum().add(value)).toThrow(RangeError);
    }
    expect(() => new ExactSum().dividedBy(0)).toThrow('whole count of at least 1, saw 0');
  });

  test.each([
    '',
    '-',
    '-0',
    '+1',
    '01',
    '1.',
    '.8',
    '1.80',
    '0x1',
    'A',
    '1e5g',
    ' 1',
    '1\n',
    'NaN',
    'Infinity',
    '__proto__',
    '1.2.3',
    '--1',
    `0.${'0'.repeat(268)}2`,
    `0.${'0'.repeat(269)}8`,
    `1${'0'.repeat(272)}`,
    '1'.repeat(1_000_000),
  ])('refuses malformed text (%#)', (text) => {
    expect(() => ExactSum.parse(text)).toThrow(SyntaxError);
  });
});

describe('moments', () => {
  const momentsOf = (values: readonly number[], centre: number) =>
    momentsFromSums(
      values.length,
      centre,
      sumOf(values.map((value) => value - centre)),
      sumOf(values.map((value) => (value - centre) ** 2)),
    );

  test('mean and sample standard deviation', () => {
    const { mean, standardDeviation = 0 } = momentsOf([2, 4, 4, 4, 5, 5, 7, 9], 4.5);
    expect(mean).toBe(5);
    expectRelative(standardDeviation, Math.sqrt(32 / 7), 1e-15);
  });
  test('a large offset does not cost accuracy', () => {
    const { mean, standardDeviation = 0 } = momentsOf([1e9 + 1, 1e9 + 2, 1e9 + 3], 1e9);
    expect(mean).toBe(1e9 + 2);
    expectRelative(standardDeviation, 1, 1e-15);
  });
  test('few values', () => {
    expect(momentsOf([], 7)).toEqual({ mean: 7, standardDeviation: 0 });
    expect(momentsOf([9], 7)).toEqual({ mean: 9, standardDeviation: 0 });
    expect(momentsOf([9, 9, 9], 7)).toEqual({ mean: 9, standardDeviation: 0 });
  });
  test('squares beyond the range of doubles leave out what is not known', () => {
    const squares = sumOf([Number.MAX_VALUE, Number.MAX_VALUE]);
    expect(momentsFromSums(2, 0, sumOf([1e200, 3e200]), squares)).toEqual({
      mean: 2e200,
      standardDeviation: undefined,
    });
    const extreme = sumOf([-Number.MAX_VALUE, 0]);
    expect(momentsFromSums(2, 1e308, extreme, sumOf([Number.MAX_VALUE, 0]))).toEqual({
      mean: undefined,
      standardDeviation: undefined,
    });
    const { standardDeviation = 0 } = momentsOf([1e153, -1e153], 0);
    expectRelative(standardDeviation, Math.SQRT2 * 1e153, 1e-15);
    // The largest deviations from the largest centre below the limit are still exact.
    expect(2 ** 968.9 + Number.MAX_VALUE).toBe(Number.MAX_VALUE);
  });
});
