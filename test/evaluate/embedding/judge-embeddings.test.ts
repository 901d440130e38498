import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calibrate } from '../../../core/evaluate/calibration.ts';
import { calibrateEmbeddings, referenceOf } from '../../../core/evaluate/embedding/calibrate-embeddings.ts';
import {
  type EmbeddingRows,
  extendEmbeddings,
  trailingEmbeddings,
} from '../../../core/evaluate/embedding/embedding-trail.ts';
import {
  embeddingLevelShare,
  fewestVectors,
  judgeEmbeddings,
} from '../../../core/evaluate/embedding/judge-embeddings.ts';
import { extendTrail, trailingCounts } from '../../../core/evaluate/trail.ts';
import type { Baseline } from '../../../core/model/baseline.ts';
import { utcCalendar } from '../../../core/model/calendar.ts';
import type { EmbeddingSummary } from '../../../core/model/embedding.ts';
import type { Layout } from '../../../core/model/layout.ts';
import type { DriftPolicy } from '../../../core/model/policy.ts';
import type { Summary } from '../../../core/model/profile.ts';
import type { Trail } from '../../../core/model/trailing-counts.ts';
import { emptySummary } from '../../../core/profile/merge.ts';
import { flattenSums, mergeEmbeddings } from '../../../core/stats/embedding/embedding-sums.ts';
import { textPolicy } from '../../pipeline/embedding-world.ts';
import { seededUniform } from '../../stats/reference.ts';
import { layout as frame, summaryOf, VectorMaker } from './made-comparison.ts';

const hour = 3_600_000;
const start = Date.UTC(2026, 0, 5);
const layout: Layout = { schema: 'tidewatch.layout/1', features: [['text', frame]], leftOut: [] };
const scales = [1, 2, 4, 8, 24];

function windowSummary(sums: EmbeddingSummary): Summary {
  const counted = sums.count + sums.missing + sums.invalid;
  return {
    ...emptySummary,
    records: { ...emptySummary.records, captured: counted, counted },
    features: [['text', sums]],
  };
}

interface Judged extends Trail {
  readonly embeddings: EmbeddingRows;
}

function extend(previous: Judged | undefined, index: number, summary: Summary): Judged {
  const embeddings = extendEmbeddings(previous?.embeddings, summary, layout);
  if (!embeddings) throw new Error('expected sums');
  const cell = `${String(index % 24).padStart(2, '0')}|weekday`;
  return { ...extendTrail(previous, { start: start + index * hour }, summary, layout, cell), embeddings };
}

/** A baseline of hours in which `make` draws the vectors of each. */
function baselineOf(hours: number, make: (hour: number) => EmbeddingSummary): Baseline {
  const windows = Array.from({ length: hours }, (_, index) => make(index));
  const total = windows.reduce<EmbeddingSummary>(
    (sum, each) => ({ kind: 'embedding', ...mergeEmbeddings(sum, each) }),
    summaryOf([]),
  );
  const starts = windows.map((_, index) => new Date(start - (hours - index) * hour).toISOString());
  const rows = windows.map(({ count, missing, invalid }) => [count, missing + invalid]);
  return {
    schema: 'tidewatch.baseline/1',
    sha256: '',
    layout,
    layoutId: '',
    records: total.count,
    quarantined: 0,
    features: [
      [
        'text',
        {
          kind: 'embedding',
          summary: total,
          distinct: 0,
          singletons: 0,
          rare: 0,
          embeddingWindows: windows.map(flattenSums),
          binCounts: { windows: rows, cells: [] },
        },
      ],
    ],
    time: {
      first: starts[0] ?? '',
      last: starts.at(-1) ?? '',
      windowSeconds: 3600,
      windows: starts.map((each, index) => [each, windows[index]?.count ?? 0]),
      cells: [],
      longestGapSeconds: 60,
    },
    notes: [],
  };
}

const options = { windowSeconds: 3600, calendar: utcCalendar, scales };

test('a stretch is the sum of its windows, to the bit', () => {
  const window = fc.array(fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 24, maxLength: 24 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.array(window, { minLength: 1, maxLength: 10 }), (windows) => {
      const sums = windows.map(summaryOf);
      const trails: Judged[] = [];
      sums.forEach((each, index) => {
        trails.push(extend(trails.at(-1), index, windowSummary(each)));
      });
      const now = trails.at(-1);
      if (!now) return;
      const stretches = trailingCounts(now, trails, scales, hour);
      for (const { scale, sums: found } of trailingEmbeddings(now.embeddings, trails, stretches, layout)) {
        const { kind: _, ...expected } = sums
          .slice(-scale)
          .reduce((a, b) => ({ kind: 'embedding', ...mergeEmbeddings(a, b) }));
        expect(found.get('text')).toEqual(expected);
      }
    }),
    { seed: 4, numRuns: 50 },
  );
});

test('hours are compared with the same hours of the baseline', () => {
  // By day one kind of text, by night another: for the baseline as a whole either is drift.
  const [axis = 1] = frame.deviations;
  const bytes = Buffer.from(frame.axes, 'base64');
  const byNight = (vector: number[]) => vector.map((value, k) => value + axis * bytes.readFloatLE(4 * k));
  const own = new VectorMaker(91);
  const isNight = (index: number) => ((index % 24) + 24) % 24 < 8;
  const draw = (index: number, count: number) => summaryOf(own.many(count, isNight(index) ? byNight : (v) => v));
  const baseline = baselineOf(28 * 24, (index) => draw(index, 40));
  const calibration = calibrate(baseline, options);
  expect(calibration.kind).toBe('cells');
  const [embedding] = calibrateEmbeddings(baseline, calibration, { calendar: utcCalendar });
  if (!embedding) throw new Error('expected an embedding');
  const night = referenceOf(embedding, [['03|weekday', 100]], calibration.groups);
  const noon = referenceOf(embedding, [['12|weekday', 100]], calibration.groups);
  expect((night.scoreMeans[0] ?? 0) - (noon.scoreMeans[0] ?? 0)).toBeGreaterThan(0.8);
  const both = referenceOf(
    embedding,
    [
      ['03|weekday', 50],
      ['12|weekday', 50],
    ],
    calibration.groups,
  );
  expect(both.scoreMeans[0]).toBeCloseTo(((night.scoreMeans[0] ?? 0) + (noon.scoreMeans[0] ?? 0)) / 2, 9);
});

describe('the level', () => {
  test('of drift is shared with the other features', () => {
    expect(embeddingLevelShare(10, 0)).toBe(0);
    expect(embeddingLevelShare(1, 1)).toBe(0.5);
    expect(embeddingLevelShare(9, 1)).toBe(0.1);
  });
});

describe('windows that follow one another', () => {
  const own = new VectorMaker(95);
  const baseline = baselineOf(5 * 24, () => summaryOf(own.many(60)));
  const calibration = calibrate(baseline, options);
  const embeddings = calibrateEmbeddings(baseline, calibration, { calendar: utcCalendar });
  const { policy } = textPolicy();

  function judge(windows: readonly EmbeddingSummary[], level: number, drift: Partial<DriftPolicy> = {}) {
    const asked = { ...policy, drift: { ...policy.drift, ...drift } };
    const trails: Judged[] = [];
    return windows.map((sums, index) => {
      const now = extend(trails.at(-1), index, windowSummary(sums));
      trails.push(now);
      const counts = trailingCounts(now, trails, scales, hour);
      const stretches = trailingEmbeddings(now.embeddings, trails, counts, layout);
      return judgeEmbeddings({ policy: asked, embeddings, stretches, calibration, level })[0];
    });
  }

  test('are flagged in health no more often than the level says, without any floor', () => {
    const fresh = new VectorMaker(96);
    const noFloor = { ...policy, drift: { ...policy.drift, minimumEffect: 0 } };
    let rejected = 0;
    const runs = 300;
    for (let run = 0; run < runs; run++) {
      const now = extend(undefined, run, windowSummary(summaryOf(fresh.many(120))));
      const counts = trailingCounts(now, [], [1], hour);
      const stretches = trailingEmbeddings(now.embeddings, [], counts, layout);
      const [judged] = judgeEmbeddings({ policy: noFloor, embeddings, stretches, calibration, level: 0.05 });
      if (judged?.drifted) rejected++;
    }
    // Four standard errors of 300 runs at .05 are .05.
    expect(rejected / runs).toBeLessThan(0.1);
  });

  test('show a drift while it lasts, and not for as long as a stretch remembers it', () => {
    const fresh = new VectorMaker(97);
    const strange = () => summaryOf(Array.from({ length: 400 }, () => fresh.next(1)));
    const usual = () => summaryOf(fresh.many(400));
    const windows = [usual(), usual(), strange(), strange(), strange(), ...Array.from({ length: 12 }, usual)];
    const judged = judge(windows, 1e-5);
    expect(judged.slice(0, 2).map((each) => each?.drifted)).toEqual([false, false]);
    expect(judged.slice(2, 5).map((each) => each?.drifted)).toEqual([true, true, true]);
    expect(judged.at(-1)?.drifted).toBe(false);
    expect(judged.at(-1)?.verdict.scales.some(({ ended }) => ended)).toBe(true);
  });

  test('of too few usable vectors are not tested, however many records there are', () => {
    const strange = (count: number) => {
      const fresh = new VectorMaker(98);
      const without = new Array<null>(1000).fill(null);
      return summaryOf([...Array.from({ length: count }, () => fresh.next(1)), ...without]);
    };
    const [few] = judge([strange(fewestVectors - 1)], 1e-5);
    expect(few).toMatchObject({ qValue: null, drifted: false, verdict: { scales: [] } });
    expect(few?.finding).toBeUndefined();
    const [enough] = judge([strange(fewestVectors)], 1e-5);
    expect(enough?.drifted).toBe(true);
    expect(enough?.verdict.scales[0]?.vectors).toBe(fewestVectors);
    const [more] = judge([strange(fewestVectors)], 1e-5, { minimumRecords: fewestVectors + 1 });
    expect(more).toMatchObject({ qValue: null, drifted: false });
  });
});

test('a rare class far out is no drift where few records have a vector', () => {
  const own = new VectorMaker(101);
  const pick = seededUniform(102);
  const draw = (count: number) =>
    own.many(count, (vector) => (pick() < 0.005 ? vector.map((value) => value + 10) : vector));
  const baseline = baselineOf(5 * 24, () => summaryOf(draw(60)));
  const calibration = calibrate(baseline, options);
  const embeddings = calibrateEmbeddings(baseline, calibration, { calendar: utcCalendar });
  const { policy } = textPolicy();
  const judge = (vectors: number) => {
    const sums = summaryOf([...draw(vectors), ...new Array<null>(100 - vectors).fill(null)]);
    const now = extend(undefined, 0, windowSummary(sums));
    const stretches = trailingEmbeddings(now.embeddings, [], trailingCounts(now, [], [1], hour), layout);
    return judgeEmbeddings({ policy, embeddings, stretches, calibration, level: 1e-5 })[0];
  };
  // Were it tested, one vector would drift as often as it is of the rare class: in five of 1,000 windows.
  for (const vectors of [1, 5, 30, 100]) {
    const drifted = Array.from({ length: 1000 }, () => judge(vectors)).filter((judged) => judged?.drifted);
    expect(drifted, `${vectors} vectors`).toHaveLength(0);
  }
});

test('a baseline that nothing is known of in time flags large changes only', () => {
  const own = new VectorMaker(99);
  const timeless: Baseline = { ...baselineOf(1, () => summaryOf(own.many(4000))), time: undefined };
  const calibration = calibrate(timeless, options);
  expect(calibration.kind).toBe('uncalibrated');
  const embeddings = calibrateEmbeddings(timeless, calibration, { calendar: utcCalendar });
  const judge = (strangers: number, given = textPolicy().policy) => {
    const sums = summaryOf(Array.from({ length: 2000 }, () => own.next(strangers)));
    const now = extend(undefined, 0, windowSummary(sums));
    const counts = trailingCounts(now, [], [1], hour);
    const stretches = trailingEmbeddings(now.embeddings, [], counts, layout);
    return judgeEmbeddings({ policy: given, embeddings, stretches, calibration, level: 1e-5 })[0];
  };
  // 12 % of a new topic move the mean distance by less than the √.1 that count here.
  expect(judge(0.12)?.verdict.tests?.distance?.pValue).toBeLessThan(1e-5);
  expect(judge(0.12)?.drifted).toBe(false);
  expect(judge(0.5)?.drifted).toBe(true);
  // That the mean vector has moved by more than √.1 is told.
  const provisional = judge(0.25);
  expect(provisional).toMatchObject({ drifted: false, verdict: { scales: [{ drifted: false }] } });
  expect(provisional?.finding?.tier).toBe('green');
  expect(provisional?.finding?.message).toMatch(/; provisional: the baseline's ups and downs are not known yet$/);
  expect(judge(1)).toMatchObject({ drifted: true, finding: { tier: 'yellow' } });
  // Without a floor there is more to be said, and no more to be raised.
  const { policy } = textPolicy();
  const noFloor = { ...policy, drift: { ...policy.drift, minimumEffect: 0 } };
  expect(judge(0.12, noFloor)).toMatchObject({ drifted: false, finding: { tier: 'green' } });
  expect(judge(1, noFloor)).toMatchObject({ drifted: true, finding: { tier: 'yellow' } });
});
