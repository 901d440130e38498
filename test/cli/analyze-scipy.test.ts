import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestResult, Verdict } from '../../core/model/verdict.ts';
import { type Finished, runTidewatch } from './tidewatch-process.ts';

interface Expected {
  readonly bins: { readonly baseline: readonly number[]; readonly current: readonly number[] };
  readonly missing: readonly [number, number];
  readonly populationStabilityIndex: number;
  readonly jensenShannonDistance: number;
  readonly tests: Readonly<Record<'pearson' | 'ranks' | 'effectFloor' | 'missing' | 'unseen', TestResult | undefined>>;
  readonly moments?: readonly [readonly [number, number], readonly [number, number]];
  readonly kolmogorovSmirnov?: number;
  readonly wasserstein?: number;
  readonly qValue: number;
}

const fixtures = fileURLToPath(new URL('../fixtures/cli', import.meta.url));
const fixture: { readonly features: Readonly<Record<string, Expected>> } = JSON.parse(
  readFileSync(join(fixtures, 'expected.json'), 'utf8'),
);

function expectClose(seen: number | null | undefined, expected: number) {
  if (typeof seen !== 'number') throw new Error(`expected ${expected}, saw ${seen}`);
  expect(Math.abs(seen - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected));
}

describe('analyze --json', () => {
  let done: Finished;
  let verdict: Verdict;

  beforeAll(async () => {
    const [baseline, current] = [join(fixtures, 'a.csv'), join(fixtures, 'b.csv')];
    done = await runTidewatch('analyze', '--baseline', baseline, '--current', current, '--json');
    verdict = JSON.parse(done.stdout);
  });

  test('prints the verdict alone, and says by its exit code that something was found', () => {
    expect(done).toMatchObject({ code: 1, stderr: '' });
    expect(done.stdout.startsWith('{\n')).toBe(true);
    expect(verdict).toMatchObject({ schema: 'tidewatch.verdict/1', mode: 'analysis', tier: 'yellow', revision: 0 });
    expect(verdict.records).toMatchObject({ captured: 1500, counted: 1500, quarantined: 0 });
    expect(verdict.findings.map(({ feature }) => feature)).toEqual(['plan', 'temperature', 'tenure']);
    expect(Object.keys(verdict.features)).toEqual(Object.keys(fixture.features));
  });

  test.each(Object.entries(fixture.features))(
    '%s: bins, scores, p-values and q are those of scipy',
    (name, expected) => {
      const feature = verdict.features[name];
      expect(feature?.bins).toMatchObject(expected.bins);
      expect([feature?.baseline.missing, feature?.current.missing]).toEqual(expected.missing);
      expectClose(feature?.scores.populationStabilityIndex, expected.populationStabilityIndex);
      expectClose(feature?.scores.jensenShannonDistance, expected.jensenShannonDistance);
      for (const kind of ['pearson', 'ranks', 'effectFloor', 'missing', 'unseen'] as const) {
        const [seen, wanted] = [feature?.tests[kind], expected.tests[kind]];
        expect(seen === undefined).toBe(wanted === undefined);
        if (!wanted) continue;
        expectClose(seen?.statistic, wanted.statistic);
        expectClose(seen?.pValue, wanted.pValue);
        expect(seen?.degreesOfFreedom).toBe(wanted.degreesOfFreedom);
      }
      expectClose(feature?.qValue, expected.qValue);
    },
  );

  test('moments are exact, and distances within what the buckets blur', () => {
    for (const [name, expected] of Object.entries(fixture.features)) {
      const feature = verdict.features[name];
      if (!expected.moments || !feature) continue;
      for (const [side, [mean, standardDeviation]] of [
        [feature.baseline, expected.moments[0]],
        [feature.current, expected.moments[1]],
      ] as const) {
        expectClose(side.mean, mean);
        expectClose(side.standardDeviation, standardDeviation);
      }
      expect(feature.scores.kolmogorovSmirnov).toBeCloseTo(expected.kolmogorovSmirnov ?? Number.NaN, 2);
      expect(feature.scores.wasserstein).toBeCloseTo(expected.wasserstein ?? Number.NaN, 2);
    }
  });
});
