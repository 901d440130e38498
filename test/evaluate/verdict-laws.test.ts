import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateWindow } from '../../core/evaluate/evaluate-window.ts';
import type { BaselineFeature } from '../../core/model/baseline.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import type { FeatureLayout } from '../../core/model/layout.ts';
import {
  createBaseline,
  createInput,
  createSummary,
  learnCategorical,
  learnNumeric,
  summariseCells,
} from './synthetic-model.ts';

const oddNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 1e308, 5),
  fc.integer({ min: -3, max: 3 }),
  fc.constant(null),
);
const oddText = fc.oneof(
  fc.constantFrom('a', 'b', '(other)', '(missing)', '__proto__', ''),
  fc.string(),
  fc.constant(null),
);

/** Few distinct values, many rows: what makes bins fill and tests run. */
function columnOf<T>(value: fc.Arbitrary<T>, rows: number): fc.Arbitrary<T[]> {
  return fc
    .tuple(
      fc.array(value, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 0, max: rows }),
      fc.integer({ min: 1, max: 7 }),
    )
    .map(([values, length, stride]) => Array.from({ length }, (_, row) => values[(row * stride) % values.length]))
    .map((cells) => cells.filter((cell) => cell !== undefined));
}

const pair = <T>(value: fc.Arbitrary<T>) => fc.tuple(columnOf(value, 600), columnOf(value, 400));

function judgePairs(
  numbers: readonly (readonly [readonly (number | null)[], readonly (number | null)[]])[],
  texts: readonly (readonly [readonly (string | null)[], readonly (string | null)[]])[],
) {
  const opaque: readonly [FeatureLayout, BaselineFeature] = [
    { kind: 'opaque', side: 'input' },
    { kind: 'opaque', summary: { kind: 'opaque', count: 40, missing: 2 }, distinct: 0, singletons: 0, rare: 0 },
  ];
  const learnt = [
    ...numbers.map(([before], index) => [`number ${index}`, learnNumeric(before)] as const),
    ['opaque', opaque] as const,
    ...texts.map(([before], index) => [`text ${index}`, learnCategorical(before, 1 + (index % 3))] as const),
  ];
  const currents = [...numbers.map(([, after]) => after), [1, null], ...texts.map(([, after]) => after)];
  const summary = createSummary(
    learnt.map(([name, [layout]], index) => [name, summariseCells(layout, currents[index] ?? [])] as const),
  );
  return evaluateWindow(createInput(createBaseline(learnt), summary));
}

test('a verdict holds no NaN and no infinity, says the same twice, and never repeats a finding', () => {
  fc.assert(
    fc.property(
      fc.array(pair(oddNumber), { maxLength: 4 }),
      fc.array(pair(oddText), { maxLength: 4 }),
      (numbers, texts) => {
        const verdict = judgePairs(numbers, texts);
        const text = canonicalJson(verdict);
        expect(canonicalJson(judgePairs(numbers, texts))).toBe(text);
        expect(new Set(verdict.findings.map(({ id }) => id)).size).toBe(verdict.findings.length);
        expect(verdict.findings.every(({ message }) => !/NaN|Infinity|undefined/.test(message))).toBe(true);
        for (const feature of Object.values(verdict.features)) {
          expect(feature.bins?.baseline.length).toBe(feature.bins?.current.length);
          if (feature.bins?.categories)
            expect(new Set(feature.bins.categories).size).toBe(feature.bins.baseline.length);
          if (feature.bins?.edges) {
            const values = feature.bins.baseline.length - (feature.bins.missing ? 1 : 0);
            expect(feature.bins.edges.length).toBe(Math.max(values - 1, 0));
            expect(feature.bins.edges).toEqual(feature.bins.edges.toSorted((a, b) => a - b));
          }
          if (feature.drifted) expect(feature.qValue).toBeLessThanOrEqual(verdict.rule.level);
        }
      },
    ),
    { numRuns: 150, seed: 20260301 },
  );
});
