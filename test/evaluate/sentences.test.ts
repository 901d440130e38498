import { expect, test } from 'vitest';
import { describeBins } from '../../core/evaluate/bin-sentence.ts';
import { formatProbabilityOf } from '../../core/evaluate/number-text.ts';

test('a probability too small for a number is below one', () => {
  expect(formatProbabilityOf('q', 2e-6)).toBe('q = 2e-6');
  expect(formatProbabilityOf('q', 0)).toBe('q < 1e-300');
});

test('new categories are told as such, and a category of that name as itself', () => {
  const options = { areDeciles: false, byHours: false };
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
