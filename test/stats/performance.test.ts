import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type CalibrationSums, expectedCalibrationError } from '../../core/stats/calibration-error.ts';
import { fitCalibration, stepOf } from '../../core/stats/calibration-steps.ts';
import { isotonicRegression, type ScoredGroup } from '../../core/stats/isotonic-regression.ts';
import { logMean, logProportionEvidence } from '../../core/stats/proportion-evidence.ts';
import { seededUniform } from './reference.ts';

interface Reference {
  readonly evidence: readonly { trials: number; successes: number; atLeast: number; logEvidence: number }[];
  readonly isotonic: readonly { scores: number[]; records: number[]; positives: number[]; fitted: number[] }[];
}

const path = new URL('../fixtures/performance/reference.json', import.meta.url);
const reference: Reference = JSON.parse(readFileSync(path, 'utf8'));

function expectClose(actual: number | undefined, expected: number, relative = 1e-9): void {
  expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(
    relative * Math.max(Math.abs(expected), 1e-3),
  );
}

describe('evidence against a proportion', () => {
  it.each(reference.evidence)('of $successes of $trials against $atLeast', (row) => {
    expectClose(logProportionEvidence(row.successes, row.trials, row.atLeast), row.logEvidence);
  });

  it('equals the oracles', () => {
    const oracles = [
      [50, 40, -1.493087],
      [200, 150, 4.35885],
      [500, 400, 1.573981],
    ] as const;
    for (const [trials, successes, logEvidence] of oracles) {
      expect(logProportionEvidence(successes, trials, 0.85)).toBeCloseTo(logEvidence, 6);
    }
  });

  it('does not grow on average by a trial at the rate or above', () => {
    const trial = fc.record({
      trials: fc.nat(2_000),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      atLeast: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      above: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(trial, ({ trials, share, atLeast, above }) => {
        const successes = Math.round(trials * share);
        const rate = atLeast + above * (1 - atLeast);
        const before = logProportionEvidence(successes, trials, atLeast);
        const good = Math.exp(logProportionEvidence(successes + 1, trials + 1, atLeast) - before);
        const bad = Math.exp(logProportionEvidence(successes, trials + 1, atLeast) - before);
        const mean = rate * good + (1 - rate) * bad;
        expect(mean).toBeLessThanOrEqual(1 + 1e-9);
        expectClose(atLeast * good + (1 - atLeast) * bad, 1);
      }),
    );
  });

  it('is defined at the ends, and refuses what is none', () => {
    expect(logProportionEvidence(0, 0, 0.5)).toBe(0);
    expect(logProportionEvidence(0, 1e14, 0.5)).toBeGreaterThan(1e13);
    expect(logProportionEvidence(1e14, 1e14, 0.5)).toBeLessThan(0);
    expect(Number.isFinite(logProportionEvidence(3, 10, 5e-324))).toBe(true);
    expect(Number.isFinite(logProportionEvidence(3, 10, 1 - Number.EPSILON / 2))).toBe(true);
    for (const bad of [
      [2, 1, 0.5],
      [-1, 1, 0.5],
      [0.5, 1, 0.5],
      [0, 1, 0],
      [0, 1, 1],
      [0, 1, Number.NaN],
      [0, Infinity, 0.5],
    ] as const) {
      const [successes, trials, atLeast] = bad;
      expect(() => logProportionEvidence(successes, trials, atLeast)).toThrow(RangeError);
    }
  });

  it('averages in logarithms', () => {
    expect(logMean([])).toBe(Number.NEGATIVE_INFINITY);
    expectClose(logMean([0, Math.log(3)]), Math.log(2));
    expectClose(logMean([2000, 0]), 2000 - Math.log(2));
    expect(logMean([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY])).toBe(Number.NEGATIVE_INFINITY);
  });
});

const groupsOf = (row: Reference['isotonic'][number]): readonly ScoredGroup[] =>
  row.scores.map((score, index) => ({ score, records: row.records[index] ?? 0, positives: row.positives[index] ?? 0 }));

const groups = fc.array(
  fc
    .record({
      score: fc.double({ noNaN: true, noDefaultInfinity: true }),
      records: fc.nat(50),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ score, records, share }) => ({ score, records, positives: Math.floor(records * share) })),
  { maxLength: 60 },
);

describe('isotonic regression', () => {
  it.each(reference.isotonic)('equals scipy', (row) => {
    const blocks = isotonicRegression(groupsOf(row));
    for (const [index, score] of row.scores.entries()) {
      const block = blocks.find(({ firstScore, lastScore }) => firstScore <= score && score <= lastScore);
      expectClose(block && block.positives / block.records, row.fitted[index] ?? Number.NaN);
    }
  });

  it('keeps all records, rises, and does not depend on the order', () => {
    fc.assert(
      fc.property(groups, (given) => {
        const blocks = isotonicRegression(given);
        expect(isotonicRegression(given.toReversed())).toEqual(blocks);
        const total = (rows: readonly { records: number; positives: number }[]) => [
          rows.reduce((sum, { records }) => sum + records, 0),
          rows.reduce((sum, { positives }) => sum + positives, 0),
        ];
        expect(total(blocks)).toEqual(total(given));
        for (const [index, block] of blocks.entries()) {
          const before = blocks[index - 1];
          if (before === undefined) continue;
          expect(block.firstScore).toBeGreaterThan(before.lastScore);
          expect(block.positives / block.records).toBeGreaterThan(before.positives / before.records);
        }
      }),
    );
  });

  it('refuses what is no score and no count', () => {
    for (const bad of [
      { score: Number.NaN, records: 1, positives: 0 },
      { score: Number.POSITIVE_INFINITY, records: 1, positives: 0 },
      { score: 0, records: 1, positives: 2 },
      { score: 0, records: Number.NaN, positives: 0 },
    ]) {
      expect(() => isotonicRegression([bad])).toThrow(RangeError);
    }
  });
});

describe('calibration in steps', () => {
  it('has the threshold for an edge, rising edges, all records, and few steps', () => {
    const threshold = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined });
    fc.assert(
      fc.property(groups, threshold, (given, at) => {
        const map = fitCalibration(given, at);
        const records = given.reduce((sum, group) => sum + group.records, 0);
        if (map === undefined) {
          expect(records).toBe(0);
          return;
        }
        expect(map.steps.length).toBe(map.edges.length + 1);
        expect(map.steps.length).toBeLessThanOrEqual(50);
        expect(map.steps.reduce((sum, [count]) => sum + count, 0)).toBe(records);
        if (at !== undefined) expect(map.edges).toContain(at + 0);
        for (const [index, edge] of map.edges.entries())
          expect(edge).toBeGreaterThan(map.edges[index - 1] ?? -Infinity);
        const counted = map.steps.map(() => 0);
        for (const { score, records } of given) {
          const step = stepOf(map.edges, score);
          counted[step] = (counted[step] ?? 0) + records;
        }
        expect(counted).toEqual(map.steps.map(([count]) => count));
      }),
    );
  });

  it('stays small and quick with many labelled records', () => {
    const uniform = seededUniform(3);
    const given = Array.from({ length: 100_000 }, () => {
      const score = uniform();
      return { score, records: 1, positives: uniform() < score ? 1 : 0 };
    });
    const map = fitCalibration(given, 0.5);
    expect(map?.steps.length).toBe(50);
    for (const [index, [records, positives]] of (map?.steps ?? []).entries()) {
      const middle = ((map?.edges[index - 1] ?? 0) + (map?.edges[index] ?? 1)) / 2;
      expect(Math.abs(positives / records - middle)).toBeLessThan(0.05 + 2 / Math.sqrt(records));
    }
  });

  it('gives a side of the threshold without labels a step of its own', () => {
    const given = [{ score: 0.2, records: 100, positives: 30 }];
    expect(fitCalibration(given, 0.5)).toEqual({
      threshold: 0.5,
      edges: [0.5],
      steps: [
        [100, 30],
        [0, 0],
      ],
    });
    expect(fitCalibration(given, 0.1)).toEqual({
      threshold: 0.1,
      edges: [0.1],
      steps: [
        [0, 0],
        [100, 30],
      ],
    });
    expect(fitCalibration(given, undefined)).toEqual({ threshold: undefined, edges: [], steps: [[100, 30]] });
    expect(() => fitCalibration(given, Number.NaN)).toThrow(RangeError);
  });
});

describe('calibration error', () => {
  const unit = 2 ** 20;

  it('is the mean distance of what was said and what happened', () => {
    const sums: CalibrationSums = [
      [10, 10 * 0.25 * unit, 5],
      [0, 0, 0],
      [30, 30 * 0.75 * unit, 18],
    ];
    const error = expectedCalibrationError(sums);
    expect(error?.records).toBe(40);
    expectClose(error?.expected, (10 * 0.25 + 30 * 0.15) / 40);
    expectClose(error?.maximum, 0.25);
    expectClose(error?.bias, (10 * -0.25 + 30 * 0.15) / 40);
    expect(expectedCalibrationError([])).toBeUndefined();
    expect(expectedCalibrationError([[0, 0, 0]])).toBeUndefined();
  });

  test('of a calibrated model is what chance makes', () => {
    const uniform = seededUniform(5);
    let ratio = 0;
    for (let run = 0; run < 400; run++) {
      const bins = Array.from({ length: 20 }, (): [number, number, number] => [0, 0, 0]);
      for (let record = 0; record < 500; record++) {
        const score = uniform();
        const bin = bins[Math.floor(score * bins.length)] ?? [0, 0, 0];
        bin[0]++;
        bin[1] += Math.round(score * unit);
        if (uniform() < score) bin[2]++;
      }
      const error = expectedCalibrationError(bins);
      ratio += (error?.expected ?? 0) / (error?.byChance ?? 1) / 400;
    }
    expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
  });
});
