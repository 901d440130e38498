import { describe, expect, test } from 'vitest';
import { recogniseUnitChange } from '../../core/evaluate/unit-change.ts';
import type { FeatureStatistics } from '../../core/model/verdict.ts';
import { createRandom, drawNormal } from './synthetic-model.ts';

const quartiles = [0.25, 0.5, 0.75] as const;
const all = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const;
const before = [70, 81, 95] as const;

function side(values: readonly number[], count = 1000): FeatureStatistics {
  const probabilities = values.length === 3 ? quartiles : all;
  return { count, missing: 0, quantiles: values.map((value, index) => [probabilities[index] ?? 0, value] as const) };
}

function describeSample(values: readonly number[]): FeatureStatistics {
  const sorted = values.toSorted((a, b) => a - b);
  return side(
    all.map((p) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? 0),
    sorted.length,
  );
}

test.each([
  ['miles to kilometres', (value: number) => value * 1.609344],
  ['kilometres to miles', (value: number) => value / 1.609344],
  ['feet to metres', (value: number) => value * 0.3048],
  ['units to thousandths, or seconds to milliseconds', (value: number) => value * 1000],
  ['hundredths to units, or per cent to shares', (value: number) => value / 100],
  ['shares to basis points', (value: number) => value * 10_000],
  ['minutes to seconds, or hours to minutes', (value: number) => value * 60],
  ['Celsius to Fahrenheit', (value: number) => value * 1.8 + 32],
  ['Fahrenheit to Celsius', (value: number) => (value - 32) / 1.8],
  ['Celsius to Kelvin', (value: number) => value + 273.15],
])('%s', (meaning, convert) => {
  const after = before.map((value, index) => convert(value) * (1 + 0.004 * (index - 1)));
  expect(recogniseUnitChange(side(before), side(after))?.meaning).toBe(meaning);
  expect(recogniseUnitChange(side(before), side(before.map(convert)))?.meaning).toBe(meaning);
});

const random = createRandom(11);
const samples: readonly (readonly [name: string, draw: () => number])[] = [
  ['normal, far from zero', () => 20 + 5 * drawNormal(random)],
  ['lognormal', () => Math.exp(3 + drawNormal(random))],
  ['exponential', () => -40 * Math.log(1 - random())],
  ['skewed shares', () => random() ** 3],
];

describe.each(samples)('samples of a %s feature', (name, draw) => {
  const baseline = describeSample(Array.from({ length: 20_000 }, draw));
  const width = baselineWidth(baseline);

  test.each([
    ['units to hundredths, or shares to per cent', (value: number) => value * 100],
    ['thousandths to units, or milliseconds to seconds', (value: number) => value / 1000],
    ['Celsius to Fahrenheit', (value: number) => value * 1.8 + 32],
    [name === 'skewed shares' ? 'shares to the rest of them' : 'numbers to their negatives', negate(name)],
  ])('are recognised after %s, and never as another', (meaning, convert) => {
    const meanings = Array.from({ length: 20 }, () => {
      const current = describeSample(Array.from({ length: 2000 }, () => convert(draw())));
      return recogniseUnitChange(baseline, current)?.meaning;
    });
    expect(meanings.filter((found) => found === meaning).length).toBeGreaterThanOrEqual(16);
    expect(meanings.filter((found) => found !== undefined && found !== meaning)).toEqual([]);
  });

  const drifts: readonly (readonly [string, number, (share: number) => (value: number) => number])[] = [
    ['shifts', 0.01, (share) => (value) => value + width * (0.3 + 1.7 * share)],
    ['another group', 0.03, (share) => (value) => (random() < 0.15 + 0.5 * share ? draw() + 3 * width : value)],
    ['zeros for missing values', 0.01, (share) => (value) => (random() < 0.2 + 0.6 * share ? 0 : value)],
    // Near 1.609 nobody can tell growth from kilometres.
    ['growth by 15 to 40 %', 0.15, (share) => (value) => value * (1.15 + 0.25 * share)],
  ];
  test.each(drifts)('name hardly anything after drifts that are no conversions: %s', (_, most, drift) => {
    let named = 0;
    for (let index = 0; index < 100; index++) {
      const change = drift(random());
      const current = describeSample(Array.from({ length: 400 }, () => change(draw())));
      if (recogniseUnitChange(baseline, current)) named++;
    }
    expect(named / 100).toBeLessThanOrEqual(most);
  });

  test('name nothing where nothing has changed', () => {
    for (let index = 0; index < 100; index++) {
      const current = describeSample(Array.from({ length: 200 }, draw));
      expect(recogniseUnitChange(baseline, current)).toBeUndefined();
    }
  });
});

function negate(name: string): (value: number) => number {
  return name === 'skewed shares' ? (value) => 1 - value : (value) => -value;
}

function baselineWidth({ quantiles = [] }: FeatureStatistics): number {
  const known = new Map(quantiles);
  return (known.get(0.75) ?? 0) - (known.get(0.25) ?? 0);
}

test('the natural logarithm and that of one more are one family', () => {
  const draw = () => Math.exp(6 + drawNormal(random));
  const baseline = describeSample(Array.from({ length: 20_000 }, draw));
  const current = describeSample(Array.from({ length: 1000 }, () => Math.log(draw())));
  expect(recogniseUnitChange(baseline, current)?.meaning).toMatch(/logarithms/);
  expect(recogniseUnitChange(baseline, current)?.factor).toBeUndefined();
});

test.each([
  ['nothing changed', [70, 81, 95]],
  ['a shift', [90, 101, 115]],
  ['a factor that is no unit', [91, 105.3, 123.5]],
  ['a wider spread alone', [53, 81, 120]],
  ['a constant', [5, 5, 5]],
  ['infinite values', [Number.NEGATIVE_INFINITY, 81, Number.POSITIVE_INFINITY]],
  ['no numbers', [Number.NaN, Number.NaN, Number.NaN]],
])('%s is no conversion', (_, after) => {
  expect(recogniseUnitChange(side(before), side(after))).toBeUndefined();
});

test('a constant baseline, an empty window or no quantiles name nothing', () => {
  expect(recogniseUnitChange(side([5, 5, 5]), side([500, 500, 500]))).toBeUndefined();
  expect(recogniseUnitChange(side(before), side([], 0))).toBeUndefined();
  expect(recogniseUnitChange({ count: 10, missing: 0 }, side(before))).toBeUndefined();
});

test('values near the largest number name nothing and break nothing', () => {
  const huge = side([1e307, 2e307, 3e307]);
  expect(recogniseUnitChange(huge, side([1e308, 1.2e308, 1.7e308]))).toBeUndefined();
});
