import { expect, test } from 'vitest';
import { evaluateWindow } from '../../core/evaluate/evaluate-window.ts';
import { tierValue } from '../../core/model/verdict.ts';
import {
  createBaseline,
  createInput,
  createRandom,
  createSummary,
  createZipf,
  drawNormal,
  type LearntFeature,
  learnCategorical,
  learnNumeric,
  plainPolicy,
  summariseCells,
} from './synthetic-model.ts';

const columns: readonly (readonly [string, (random: () => number) => number | string | null])[] = [
  ['normal', drawNormal],
  ['normal with holes', (random) => (random() < 0.03 ? null : drawNormal(random))],
  ['almost complete', (random) => (random() < 0.0005 ? null : 50 + drawNormal(random))],
  ['log-normal', (random) => Math.exp(1.5 * drawNormal(random))],
  // Infinite variance: the largest of a window is often far beyond the largest of the baseline.
  ['Pareto', (random) => (1 - random()) ** (-1 / 0.8)],
  ['Cauchy', (random) => Math.tan(Math.PI * (random() - 0.5))],
  ['uniform', (random) => random()],
  ['small integers', (random) => Math.floor(random() * 6)],
  ['mostly zero', (random) => (random() < 0.9 ? 0 : random())],
  ['constant', () => 5],
  ['rare spike', (random) => (random() < 0.002 ? 1000 : 1)],
  ['binary', (random) => (random() < 0.5 ? 'yes' : 'no')],
  ['rare binary', (random) => (random() < 0.01 ? 'fraud' : 'fine')],
  ['ten categories', (random) => `c${Math.floor(random() * 10)}`],
  ['Zipf 1.1', (random) => `z${zipfFlat(random)}`],
  ['Zipf 1.5', (random) => `z${zipfSteep(random)}`],
  ['Zipf with holes', (random) => (random() < 0.1 ? null : `z${zipfSteep(random)}`)],
  ['mixture', (random) => (random() < 0.5 ? -3 : 3) + 0.1 * drawNormal(random)],
  ['exponential', (random) => -Math.log(1 - random())],
  ['rounded money', (random) => Math.round(Math.exp(10 + drawNormal(random)) / 100) * 100],
];
const zipfFlat = createZipf(20_000, 1.1);
const zipfSteep = createZipf(20_000, 1.5);

function learn(name: string, cells: readonly (number | string | null)[]): LearntFeature {
  const isText = cells.some((cell) => typeof cell === 'string');
  const learnt = isText
    ? learnCategorical(cells.filter((cell) => typeof cell !== 'number'))
    : learnNumeric(cells.filter((cell) => typeof cell !== 'string'));
  return [name, learnt];
}

function draw(random: () => number, rows: number) {
  return columns.map(([name, next]) => [name, Array.from({ length: rows }, () => next(random))] as const);
}

function simulateQuietWindows(rows: number, windows: number, level: number, minimumEffect: number) {
  const random = createRandom(rows + windows);
  const baseline = createBaseline(draw(random, 10_000).map(([name, cells]) => learn(name, cells)));
  const drift = { ...plainPolicy.drift, level, minimumEffect };
  const policy = { ...plainPolicy, drift };
  const kinds: string[] = [];
  let alarmed = 0;
  for (let window = 0; window < windows; window++) {
    const cells = new Map(draw(random, rows));
    const summary = createSummary(
      baseline.layout.features.map(([name, layout]) => [name, summariseCells(layout, cells.get(name) ?? [])] as const),
    );
    const verdict = evaluateWindow(createInput(baseline, summary, { policy }));
    const raised = verdict.findings.filter(({ tier }) => tierValue[tier] > 0);
    kinds.push(...raised.map(({ id }) => id));
    if (raised.length > 0) alarmed++;
  }
  return { alarmed, kinds };
}

test('200 windows of 20 features in which nothing changed raise nothing at the default rule', () => {
  expect(simulateQuietWindows(300, 200, plainPolicy.drift.level, 0.02)).toEqual({ alarmed: 0, kinds: [] });
});

test('without an effect floor the windows that alarm stay within the level of the rule', () => {
  // 100 windows at level 0.05: at most 5 are expected; 14 or more would have a probability under 0.001.
  expect(simulateQuietWindows(300, 100, 0.05, 0).alarmed).toBeLessThan(14);
});
