import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeBins } from '../../core/evaluate/bin-sentence.ts';
import {
  formatBeside,
  formatBound,
  formatCount,
  formatNumber,
  formatProbabilityOf,
  formatShare,
  formatShareBeside,
  formatShareBound,
} from '../../core/evaluate/number-text.ts';
import type { CategoricalLayout } from '../../core/model/layout.ts';

test('a probability too small for a number is below one', () => {
  expect(formatProbabilityOf('q', 0.0312)).toBe('q = 0.031');
  expect(formatProbabilityOf('q', 2e-6)).toBe('q = 2e-6');
  expect(formatProbabilityOf('q', 0)).toBe('q < 1e-300');
});

test('numbers are grouped, and have as many digits as are asked for', () => {
  expect(
    [0, 0.1234, 12.345, 999.5, 12_345.6, -1234.5, 1e-4, 1.26e-5, 1e15].map((value) => formatNumber(value)),
  ).toEqual(['0', '0.123', '12.3', '1,000', '12,346', '-1,235', '1e-4', '1.3e-5', '1e15']);
  expect(formatNumber(12_345.678, 7)).toBe('12,345.68');
  expect(formatNumber(48.1322, 5)).toBe('48.132');
  expect(formatNumber(0.000_123_45, 5)).toBe('1.234e-4');
});

test('one is not many', () => {
  expect([formatCount(0, 'vector'), formatCount(1, 'vector'), formatCount(1200, 'vector')]).toEqual([
    '0 vectors',
    '1 vector',
    '1,200 vectors',
  ]);
});

describe('shares', () => {
  test('a share near one has the digits of its rest', () => {
    expect([0.996, 0.9951, 0.9989, 0.9995, 0.8456, 0.8549, 0.845, 0.9, 1].map((share) => formatShare(share))).toEqual([
      '99.6 %',
      '99.51 %',
      '99.89 %',
      '99.95 %',
      '85 %',
      '85 %',
      '85 %',
      '90 %',
      '100 %',
    ]);
    expect([0, 0.004, 0.0234, 0.314, 0.5, 1.5].map((share) => formatShare(share))).toEqual([
      '0 %',
      '0.4 %',
      '2.3 %',
      '31 %',
      '50 %',
      '150 %',
    ]);
  });

  test('a share that is not all is never said to be all', () => {
    fc.assert(fc.property(fc.double({ min: 0.5, max: 1 - 1e-12 }), (share) => formatShare(share) !== '100 %'));
  });

  test('a value beside its bound shows on which side of it it lies', () => {
    expect(formatShareBeside(0.8456, 0.85)).toBe('84.6 %');
    expect(formatShareBeside(0.8456, 0.9)).toBe('85 %');
    expect(formatShareBeside(0.8546, 0.854)).toBe('85.5 %');
    expect(formatShareBeside(0.9959, 0.996)).toBe('99.59 %');
    expect([0.996, 0.855, 1 - 0.9995, 0.57].map(formatShareBound)).toEqual(['99.6 %', '85.5 %', '0.05 %', '57 %']);
    expect([formatBeside(10.04, 10), formatBeside(12, 10), formatBound(10)]).toEqual(['10.04', '12', '10']);
    const percent = (text: string) => Number(text.replace(' %', ''));
    const thousandth = fc.integer({ min: 0, max: 100_000 }).map((count) => count / 100_000);
    fc.assert(
      fc.property(thousandth, thousandth, (share, bound) => {
        const difference = percent(formatShareBeside(share, bound)) - percent(formatShareBound(bound));
        expect(Math.sign(difference)).toBe(Math.sign(share - bound));
      }),
    );
  });
});

test('new categories are told as such, and a category of that name as itself', () => {
  const layout: CategoricalLayout = { kind: 'categorical', side: 'input', categories: [] };
  const options = { layout, areDeciles: false, byHours: false };
  const counts = { missing: false, baseline: [500, 500], current: [440, 560] };
  expect(describeBins({ ...counts, categories: ['a', '(other)'] }, options)).toBe(
    '56 % of records are in categories the baseline does not know, in the baseline 50 %',
  );
  expect(describeBins({ ...counts, categories: ['(other)', '((other))'] }, options)).toContain('does not know');
  const known = { ...counts, baseline: [440, 560], current: [560, 440] };
  expect(describeBins({ ...known, categories: ['(other)', '((other))'] }, options)).toBe(
    '56 % of records are now "(other)", in the baseline 44 %',
  );
});
