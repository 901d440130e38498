import { expect, test } from 'vitest';
import { expectedUnseenRows } from '../../core/evaluate/expected-unseen.ts';
import { createRandom, createZipf, learnCategorical, summariseCells } from './synthetic-model.ts';

test.each([
  [1.1, 10],
  [1.5, 10],
  [1.1, 1],
  [1.5, 1],
  [1.3, 3],
])(
  'Zipf %f, categories kept from a count of %i: the expected unseen rows are what a new sample shows',
  (exponent, minimumCount) => {
    const random = createRandom(Math.round(exponent * 100) + minimumCount);
    const zipf = createZipf(50_000, exponent);
    const draw = () => Array.from({ length: 20_000 }, () => `id${zipf(random)}`);
    const [layout, baseline] = learnCategorical(draw(), minimumCount);
    const fresh = summariseCells(layout, draw());
    const unseen = fresh.kind === 'categorical' ? fresh.unseen : 0;
    const expected = expectedUnseenRows(baseline);
    expect(Math.abs(unseen - expected)).toBeLessThan(5 * Math.sqrt(2 * expected) + 0.02 * expected);
  },
);

test('nothing rare, nothing seen once: nothing unseen is expected', () => {
  const [, baseline] = learnCategorical(Array.from({ length: 1000 }, (_, row) => `c${row % 3}`));
  expect(expectedUnseenRows(baseline)).toBe(0);
});

test('rows at the very cut-off count beside the dropped ones, common categories do not', () => {
  const [, baseline] = learnCategorical([
    ...Array.from({ length: 12 }, (_, row) => `rare ${row}`),
    ...Array.from({ length: 30 }, (_, row) => `edge ${row % 3}`),
    ...Array.from({ length: 500 }, () => 'common'),
  ]);
  expect(expectedUnseenRows(baseline)).toBe(12 + 30);
  const [, common] = learnCategorical([...Array.from({ length: 100 }, (_, row) => `c${row % 2}`), 'rare']);
  expect(expectedUnseenRows(common)).toBe(1);
});
