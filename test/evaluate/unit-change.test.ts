import { expect, test } from 'vitest';
import { recogniseUnitChange } from '../../core/evaluate/unit-change.ts';

const before = [70, 81, 95] as const;

function side(quartiles: readonly number[], count = 1000) {
  const probabilities = [0.25, 0.5, 0.75];
  return { count, missing: 0, quantiles: quartiles.map((value, index) => [probabilities[index] ?? 0, value] as const) };
}

test.each([
  ['miles to kilometres', (value: number) => value * 1.609344],
  ['kilometres to miles', (value: number) => value / 1.609344],
  ['feet to metres', (value: number) => value * 0.3048],
  ['units to thousandths', (value: number) => value * 1000],
  ['hundredths to units', (value: number) => value / 100],
  ['Celsius to Fahrenheit', (value: number) => value * 1.8 + 32],
  ['Fahrenheit to Celsius', (value: number) => (value - 32) / 1.8],
])('%s', (meaning, convert) => {
  const after = before.map((value, index) => convert(value) * (1 + 0.004 * (index - 1)));
  expect(recogniseUnitChange(side(before), side(after))?.meaning).toBe(meaning);
});

test.each([
  ['nothing changed', [70, 81, 95]],
  ['a shift', [90, 101, 115]],
  ['a factor that is no unit', [91, 105.3, 123.5]],
  ['a wider spread alone', [53, 81, 120]],
  ['a constant', [5, 5, 5]],
])('%s is no conversion', (_, after) => {
  expect(recogniseUnitChange(side(before), side(after))).toBeUndefined();
});

test('a constant baseline, an empty window or no quantiles name nothing', () => {
  expect(recogniseUnitChange(side([5, 5, 5]), side([500, 500, 500]))).toBeUndefined();
  expect(recogniseUnitChange(side(before), side([], 0))).toBeUndefined();
});
