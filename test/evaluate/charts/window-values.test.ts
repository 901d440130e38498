import { expect, test } from 'vitest';
import { chooseMeans, valuesOfWindow } from '../../../core/evaluate/charts/window-values.ts';
import type { FeatureLayout, Layout, NumericLayout } from '../../../core/model/layout.ts';
import { createSummary, summariseCells } from '../synthetic-model.ts';

const output: NumericLayout = { kind: 'numeric', side: 'output', centre: 0, unit: 1, binEdges: [1] };

function layoutOf(outputs: readonly string[], others: readonly (readonly [string, FeatureLayout])[] = []): Layout {
  const features = [...outputs.map((name) => [name, output] as const), ...others];
  return { schema: 'tidewatch.layout/1', features: features.sort(([a], [b]) => (a < b ? -1 : 1)), leftOut: [] };
}

function namesOf(layout: Layout, value = 0.5): readonly string[] {
  const summaries = layout.features.map(
    ([name, feature]) => [name, summariseCells(feature, new Array<number>(20).fill(value))] as const,
  );
  return valuesOfWindow(createSummary(summaries), layout).map(({ name }) => name);
}

const classes = Array.from({ length: 30 }, (_, at) => `class_${String(at).padStart(2, '0')}`);

test('the means of up to twenty outputs are charted, those of inputs are not', () => {
  const input = { ...output, side: 'input' } as const;
  expect(namesOf(layoutOf(['score', 'amount'], [['age', input]]))).toEqual([
    'records',
    'missing values',
    'mean of amount',
    'mean of score',
  ]);
  expect(namesOf(layoutOf(classes.slice(0, 20)))).toHaveLength(22);
});

test.each(['confidence', 'output.confidence'])('of more the %s comes first', (confidence) => {
  const layout = layoutOf([...classes, confidence]);
  const names = namesOf(layout);
  expect(names).toContain(`mean of ${confidence}`);
  expect(names).toHaveLength(22);
  const { charted, others } = chooseMeans(layout);
  expect([...charted]).toEqual([confidence, ...classes.slice(0, 19)]);
  expect(others).toEqual(classes.slice(19));
});

test('a mean that is not known is left out', () => {
  const far = layoutOf(['score']);
  expect(namesOf(far, 1e200)).toContain('mean of score');
  const features = [['score', { ...output, centre: 1e308 }]] as const;
  expect(namesOf({ ...far, features }, -1e308)).not.toContain('mean of score');
});
