import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { evaluateWindow } from '../../core/evaluate/evaluate-window.ts';
import type { BaselineFeature } from '../../core/model/baseline.ts';
import type { FeatureLayout } from '../../core/model/layout.ts';
import type { FeatureSummary } from '../../core/model/profile.ts';
import { createBaseline, createInput, createSummary, describeNumeric, numericFromBins } from './synthetic-model.ts';

interface Case {
  readonly name: string;
  readonly kind: 'numeric' | 'categorical';
  readonly baseline: readonly number[];
  readonly current: readonly number[];
  readonly missing: readonly [number, number];
  readonly unseen?: readonly [number, number];
  readonly populationStabilityIndex: number;
  readonly jensenShannonDistance: number;
  readonly pearson: { readonly statistic: number; readonly degreesOfFreedom: number; readonly pValue: number };
  /** Of numeric features. */
  readonly ranksPValue?: number;
  readonly effectFloorPValue: number;
  readonly missingPValue: number;
  readonly unseenPValue?: number;
  readonly combinedPValue: number;
}

const fixture: { readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL('../fixtures/evaluate/feature-verdicts.json', import.meta.url), 'utf8'),
);

function categoricalSides(example: Case): readonly [FeatureLayout, BaselineFeature, FeatureSummary] {
  const categories = example.baseline.slice(0, -1).map((_, index) => `category ${index}`);
  const summarise = (counts: readonly number[]): FeatureSummary => ({
    kind: 'categorical',
    count: counts.reduce((sum, count) => sum + count, 0),
    missing: 0,
    categories: counts.slice(0, -1).map((count, index) => [index, count] as const),
    unseen: counts.at(-1) ?? 0,
  });
  const summary = summarise(example.baseline);
  const rare = example.unseen?.[0] ?? 0;
  return [
    { kind: 'categorical', side: 'input', categories },
    { kind: 'categorical', summary, distinct: 5, singletons: 0, rare },
    summarise(example.current),
  ];
}

function numericSides(example: Case): readonly [FeatureLayout, BaselineFeature, FeatureSummary] {
  const [layout, baseline] = numericFromBins(example.baseline, example.missing[0]);
  const [, current] = numericFromBins(example.current, example.missing[1]);
  return [layout, describeNumeric(layout, baseline), current];
}

function expectClose(seen: number | undefined, expected: number | undefined) {
  if (expected === undefined || seen === undefined) throw new Error(`expected ${expected}, saw ${seen}`);
  expect(Math.abs(seen - expected)).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(expected), Number.MIN_VALUE));
}

test.each(fixture.cases.map((example) => [example.name, example] as const))(
  '%s: the verdict agrees with scipy for the counts it prints',
  (_, example) => {
    const [layout, baseline, current] = example.kind === 'numeric' ? numericSides(example) : categoricalSides(example);
    const verdict = evaluateWindow(
      createInput(createBaseline([['income', [layout, baseline]]]), createSummary([['income', current]])),
    );
    const feature = verdict.features.income;
    const withMissing = example.missing[0] + example.missing[1] > 0;
    expect(feature?.bins).toMatchObject({
      missing: withMissing,
      baseline: withMissing ? [...example.baseline, example.missing[0]] : example.baseline,
      current: withMissing ? [...example.current, example.missing[1]] : example.current,
    });
    expectClose(feature?.scores.populationStabilityIndex, example.populationStabilityIndex);
    expectClose(feature?.scores.jensenShannonDistance, example.jensenShannonDistance);
    expectClose(feature?.tests.pearson?.statistic, example.pearson.statistic);
    expect(feature?.tests.pearson?.degreesOfFreedom).toBe(example.pearson.degreesOfFreedom);
    expectClose(feature?.tests.pearson?.pValue, example.pearson.pValue);
    expect(feature?.tests.ranks === undefined).toBe(example.ranksPValue === undefined);
    if (example.ranksPValue !== undefined) expectClose(feature?.tests.ranks?.pValue, example.ranksPValue);
    expectClose(feature?.tests.effectFloor?.pValue, example.effectFloorPValue);
    expectClose(feature?.tests.missing?.pValue, example.missingPValue);
    if (example.unseenPValue !== undefined) expectClose(feature?.tests.unseen?.pValue, example.unseenPValue);
    // One feature: its adjusted p-value is its combined one.
    expectClose(feature?.qValue ?? undefined, example.combinedPValue);
  },
);
