import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareEmbedding } from '../../../core/evaluate/embedding/compare-embedding.ts';
import { detectableEmbedding } from '../../../core/evaluate/embedding/detectable-embedding.ts';
import {
  describeEmbeddingDrift,
  type EmbeddingCauseRule,
  findEmbeddingCauses,
} from '../../../core/evaluate/embedding/embedding-finding.ts';
import { canonicalJson } from '../../../core/model/canonical-json.ts';
import { mixReference } from '../../../core/stats/embedding/compare-sums.ts';
import { emptySums } from '../../../core/stats/embedding/embedding-sums.ts';
import { compare, layout, maker, reference, summaryOf, VectorMaker } from './made-comparison.ts';

const rule: EmbeddingCauseRule = {
  rejectedLevel: 8.5e-5,
  minimumEffect: 0.02,
  effectLevel: 0.001,
};

function findingOf(vectors: readonly (readonly unknown[] | null)[]) {
  const comparison = compare(vectors);
  const [first, ...others] = findEmbeddingCauses(comparison, rule);
  return (
    first &&
    describeEmbeddingDrift('text', comparison, [first, ...others], comparison.pValue ?? 1, { vectors: vectors.length })
  );
}

describe('healthy windows', () => {
  test('are rejected as often as the level says, by each test and by all together', () => {
    const fresh = new VectorMaker(31);
    const runs = 400;
    const rejected = new Map<string, number>();
    const count = (name: string, pValue: number) => {
      if (pValue <= 0.05) rejected.set(name, (rejected.get(name) ?? 0) + 1 / runs);
    };
    for (let run = 0; run < runs; run++) {
      const { tests, pValue } = compare(fresh.many(120));
      count('all', pValue ?? 0);
      for (const [name, result] of Object.entries(tests)) count(name, result.pValue);
    }
    // Four standard errors of 400 runs at .05 are .044.
    for (const name of ['shift', 'distance', 'spread']) {
      expect(rejected.get(name) ?? 0, name).toBeGreaterThan(0.01);
      expect(rejected.get(name) ?? 0, name).toBeLessThan(0.094);
    }
    expect(rejected.get('all') ?? 0).toBeLessThan(0.08);
  });
  test('give no cause', () => {
    expect(findEmbeddingCauses(compare(maker.many(500)), rule)).toEqual([]);
    expect(findingOf(maker.many(500))).toBeUndefined();
  });
});

describe('what is found, and how it is said', () => {
  test('a moved mean', () => {
    const [first = 0] = layout.deviations;
    const moved = maker.many(500, (vector) => vector.map((value, k) => (k === 0 ? value + first : value)));
    const finding = findingOf(moved);
    expect(finding?.kind).toBe('drift');
    expect(finding?.id).toBe('drift:text');
    expect(finding?.message).toMatch(
      /^text: the typical vector changed: the mean moved by [\d.]+ of the usual spread, ([\d.]+|all) of it in one direction \(main axis \d+\); .*q = .+, 500 vectors$/,
    );
    expect(finding?.evidence.causes).toContain('shift');
  });
  test('a new topic: vectors far from what the baseline knows', () => {
    const strangers = Array.from({ length: 500 }, () => maker.next(0.25));
    const { effects, pValue } = compare(strangers);
    expect(pValue).toBeLessThan(1e-6);
    expect(effects.farShare).toBeGreaterThan(2 * effects.baselineFarShare);
    expect(effects.baselineFarShare).toBeGreaterThan(0.03);
    expect(effects.baselineFarShare).toBeLessThan(0.08);
    expect(findingOf(strangers)?.message).toMatch(
      /\d % of vectors are unlike what is usual in the baseline \([\d.]+ % were\), all of them on average [\d.]+ of the usual spread farther from it;/,
    );
  });
  test('vectors drawn together: closer to the main axes', () => {
    const shrunk = maker.many(500, (vector) => vector.map((value) => value * 0.7));
    expect(findingOf(shrunk)?.message).toMatch(
      /\d % of vectors are unusually close to what is usual in the baseline \([\d.]+ % were\), all of them on average [\d.]+ of the usual spread nearer to it;/,
    );
  });
  test('a significant trifle is below the floor', () => {
    const comparison = compare(
      maker.many(20_000, (vector) => vector.map((value, k) => (k === 0 ? value + 0.09 : value))),
    );
    expect(comparison.tests.shift?.pValue).toBeLessThan(1e-6);
    expect(findEmbeddingCauses(comparison, rule)).toEqual([]);
    expect(findEmbeddingCauses(comparison, { ...rule, minimumEffect: 0 })).toContain('shift');
  });
  test('wander makes every p-value larger', () => {
    const vectors = maker.many(500, (vector) => vector.map((value) => value * 1.05 + 0.05));
    const wander = { mean: 0.05, variance: 0.003 };
    const plain = compare(vectors).tests;
    const corrected = compare(vectors, {
      minimumEffect: 0.02,
      wander: { shift: wander, distance: wander, distanceBins: wander },
    }).tests;
    for (const test of ['shift', 'distance', 'spread'] as const) {
      expect(corrected[test]?.pValue, test).toBeGreaterThan(plain[test]?.pValue ?? 1);
    }
  });
});

describe('nothing to compare', () => {
  const empty = emptySums(layout.deviations.length, layout.distanceEdges.length + 1);
  test('an empty window has no p-value', () => {
    const comparison = compare([]);
    expect(comparison.pValue).toBeNull();
    expect(comparison.tests).toEqual({});
    expect(findEmbeddingCauses(comparison, rule)).toEqual([]);
  });
  test('an empty baseline has none either', () => {
    const nothing = mixReference([{ weight: 1, sums: empty }]);
    expect(compareEmbedding(layout, nothing, summaryOf(maker.many(10)), { minimumEffect: 0 }).pValue).toBeNull();
  });
  test('nor has a window of broken vectors only', () => {
    expect(compare(new Array<null>(50).fill(null)).pValue).toBeNull();
  });
  test('one vector', () => {
    expect(compare(maker.many(1)).pValue).toBeGreaterThan(0.0001);
  });
});

test('whatever comes in, numbers come out', () => {
  const number = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1e308, -1e308, 5e-324, Number.NaN));
  const vector = fc.oneof(
    fc.constant(null),
    fc.array(number, { minLength: 24, maxLength: 24 }),
    fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 24, maxLength: 24 }),
  );
  fc.assert(
    fc.property(fc.array(vector, { maxLength: 40 }), (vectors) => {
      // Canonical JSON refuses NaN and infinities.
      const comparison = compare(vectors);
      canonicalJson(comparison);
      if (comparison.pValue === null) return;
      expect(comparison.pValue).toBeGreaterThanOrEqual(0);
      expect(comparison.pValue).toBeLessThanOrEqual(1);
      canonicalJson(describeEmbeddingDrift('x', comparison, ['shift', 'distance', 'spread'], 0, { vectors: 5 }));
    }),
    { seed: 9, numRuns: 100 },
  );
});

describe('what a window could have shown', () => {
  const design = { baselineSize: 50_000, currentSize: 500, level: 1e-5 };
  test('is found with power .8', () => {
    const { shift } = detectableEmbedding(layout, design);
    const small = detectableEmbedding(layout, { ...design, currentSize: 100 });
    expect(shift).toBeGreaterThan(0.2);
    expect(shift).toBeLessThan(0.4);
    expect(small.shift).toBeGreaterThan(shift ?? 1);
    // A topic at the farthest per cent is some 2.6 deviations out, and 5.2 standard errors of .045 must be seen.
    const share = detectableEmbedding(layout, design).newTopicShare ?? 0;
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.15);
    const simulated = new VectorMaker(41);
    const [axis = 1] = layout.deviations;
    const wanted = shift ?? 0;
    let found = 0;
    const step = shiftAlongFirstAxis(wanted * axis);
    for (let run = 0; run < 60; run++) {
      const { tests } = compareEmbedding(layout, reference, summaryOf(simulated.many(500, step)), { minimumEffect: 0 });
      // The baseline here has 6,000 vectors, not 50,000: the scale is 8 % larger.
      if ((tests.shift?.pValue ?? 1) <= 1e-5) found++;
    }
    expect(found / 60).toBeGreaterThan(0.5);
    expect(found / 60).toBeLessThan(0.95);
  });
  test('is less with wander, and nothing without records', () => {
    const wander = { mean: 0.02, variance: 0.0006 };
    const wandering = detectableEmbedding(layout, {
      ...design,
      wander: { shift: wander, distance: wander, distanceBins: wander },
    });
    expect(wandering.shift).toBeGreaterThan(detectableEmbedding(layout, design).shift ?? 1);
    expect(detectableEmbedding(layout, { ...design, currentSize: 0 })).toEqual({
      shift: null,
      distance: null,
      newTopicShare: null,
    });
    expect(detectableEmbedding({ ...layout, distanceDeviation: 0 }, design).newTopicShare).toBeNull();
  });
});

function shiftAlongFirstAxis(length: number): (vector: number[]) => number[] {
  const bytes = Buffer.from(layout.axes, 'base64');
  return (vector) => vector.map((value, k) => value + length * bytes.readFloatLE(4 * k));
}
