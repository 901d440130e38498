import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cohortOf,
  createQualityPolicy,
  dayName,
  firstDay,
  labelPolicy,
  runUneven,
} from '../../../bench/alerting/label-streams.ts';
import { judgeQuality, type QualityInput } from '../../../core/evaluate/performance/judge-quality.ts';
import {
  addBins,
  addCounts,
  areaUnderCurve,
  hoursOf,
  type QualityCounts,
  readQuality,
  shareOutcomes,
} from '../../../core/evaluate/performance/quality-counts.ts';
import { CohortCounter } from '../../../core/join/cohort-counter.ts';
import type { Cohort, QualityMeasure } from '../../../core/model/labels.ts';
import { betOnMean, logMeanEvidence } from '../../../core/stats/mean-evidence.ts';
import { logProportionEvidence } from '../../../core/stats/proportion-evidence.ts';
import { seededUniform } from './streams.ts';

const day = 86_400_000;

function judge(
  cohorts: readonly Cohort[],
  slo: Parameters<typeof createQualityPolicy>[0][number],
  changes: Partial<QualityInput> = {},
) {
  const now = firstDay + 10 * day;
  const policy = createQualityPolicy([{ labelsWithinSeconds: 2 * 86_400, ...slo }]);
  return judgeQuality({ policy, cohorts, ids: 0, matched: 0, now, calibrations: new Map(), ...changes });
}

const counts: fc.Arbitrary<QualityCounts> = fc.record({
  truePositives: fc.nat(50),
  falsePositives: fc.nat(50),
  falseNegatives: fc.nat(50),
  trueNegatives: fc.nat(50),
  openPredicted: fc.nat(50),
  openOthers: fc.nat(50),
});

describe('what waits counts as good', () => {
  test('so that a label that comes can only add to the evidence', () => {
    fc.assert(
      fc.property(
        counts,
        fc.constantFrom<QualityMeasure>('precision', 'recall', 'f1', 'accuracy'),
        fc.boolean(),
        (before, measure, isGood) => {
          const [waiting, outcome] =
            before.openPredicted > 0
              ? (['openPredicted', isGood ? 'truePositives' : 'falsePositives'] as const)
              : (['openOthers', isGood ? 'trueNegatives' : 'falseNegatives'] as const);
          fc.pre(before[waiting] > 0);
          const after = { ...before, [waiting]: before[waiting] - 1, [outcome]: before[outcome] + 1 };
          const [one, other] = [shareOutcomes(measure, before, 1), shareOutcomes(measure, after, 1)];
          if (!one || !other) throw new Error('expected a share');
          const evidence = ({ successes, trials }: typeof one) => logProportionEvidence(successes, trials, 0.85);
          expect(evidence(other)).toBeGreaterThanOrEqual(evidence(one) - 1e-9);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('as far as labels are expected', () => {
    const half = {
      truePositives: 30,
      falsePositives: 10,
      falseNegatives: 0,
      trueNegatives: 0,
      openPredicted: 60,
      openOthers: 0,
    };
    expect(shareOutcomes('precision', half, 1)).toEqual({ successes: 90, trials: 100 });
    expect(shareOutcomes('precision', half, 0.5)).toEqual({ successes: 40, trials: 50 });
    expect(shareOutcomes('precision', half, 0.1)).toEqual({ successes: 30, trials: 40 });
  });
});

test('measures are those of the records themselves', () => {
  const random = seededUniform(5);
  const records = Array.from({ length: 400 }, () => {
    const score = Math.fround(Math.round(random() * 100) / 100);
    return { score, predicted: score >= 0.5, label: random() < score ? 1 : 0 };
  });
  const counter = new CohortCounter('binary', { day: dayName(0), variant: 'a', version: 'b' });
  for (const { score, predicted, label } of records) {
    const record = { value: score, time: firstDay / 1000, predicted };
    counter.addRecord(record);
    counter.addOutcome(record, { id: 0, value: label, time: firstDay / 1000 + 10, order: 0, source: 0 }, 1);
  }
  const cohort = counter.finish();
  const read = (measure: QualityMeasure) => readQuality(measure, hoursOf(cohort), cohort.bins).value ?? Number.NaN;
  const count = (test: (record: (typeof records)[number]) => boolean) => records.filter(test).length;
  const right = count(({ predicted, label }) => predicted && label === 1);
  const precision = right / count(({ predicted }) => predicted);
  const recall = right / count(({ label }) => label === 1);
  expect(read('precision')).toBeCloseTo(precision, 12);
  expect(read('recall')).toBeCloseTo(recall, 12);
  expect(read('f1')).toBeCloseTo((2 * precision * recall) / (precision + recall), 12);
  expect(read('accuracy')).toBeCloseTo(count(({ predicted, label }) => predicted === (label === 1)) / 400, 12);
  let wins = 0;
  for (const a of records) {
    for (const b of records)
      if (a.label === 1 && b.label === 0) wins += a.score > b.score ? 1 : a.score === b.score ? 0.5 : 0;
  }
  const area = wins / count(({ label }) => label === 1) / count(({ label }) => label === 0);
  // Scores that a single rounds below a hundredth share a bin with those of the hundredth before.
  expect(read('auc')).toBeCloseTo(area, 2);
  expect(read('calibration')).toBeLessThan(0.1);
  expect(addBins([cohort.bins, cohort.bins])[0]?.[1]).toBe(2 * (cohort.bins[0]?.[1] ?? 0));
  expect(areaUnderCurve([[1, 5, 0, 5]])).toBeUndefined();
});

test('RMSE is that of exact sums', () => {
  const counter = new CohortCounter('regression', { day: dayName(0), variant: 'a', version: 'b' });
  for (const error of [1, 2, 3, 4]) {
    const record = { value: 10 + error, time: firstDay / 1000, predicted: true };
    counter.addRecord(record);
    counter.addOutcome(record, { id: 0, value: 10, time: firstDay / 1000, order: 0, source: 0 }, 1);
  }
  const cohort = counter.finish();
  expect(readQuality('rmse', hoursOf(cohort), []).value).toBeCloseTo(Math.sqrt(30 / 4), 12);
});

describe('tiers', () => {
  const bad = { truePositives: 70, falsePositives: 30 };

  test('matured records far below the objective are red, and the message says all', () => {
    const { findings, quality, tier } = judge(
      [cohortOf({ day: dayName(6), ...bad }), cohortOf({ day: dayName(9), ...bad })],
      {},
    );
    expect(tier).toBe('red');
    expect(quality).toMatchObject([
      { broken: true, matured: { records: 100, value: 0.7 }, provisional: { records: 100 }, labelMaturity: 0.5 },
    ]);
    expect(findings[0]?.message).toMatch(
      /^precision: precision is 70 %, at least 85 % is wanted; missed since about 2026-01-11: evidence 180 to 1 \(red from 100 to 1\); records of the 7 days whose labels had 2 days: 100 of 100 labelled \(95 %: .*\); newer records, provisional: 70 %, 100 of 100 labelled \(95 %: .*\)$/,
    );
  });

  test('objectives share the level of false alarms: two are asked for twice the evidence, and what is not tested for none', () => {
    const judgeAll = (slos: Parameters<typeof createQualityPolicy>[0], falsePositives = bad.falsePositives) => {
      const policy = createQualityPolicy(slos.map((slo) => ({ labelsWithinSeconds: 2 * 86_400, ...slo })));
      const cohorts = [cohortOf({ day: dayName(6), truePositives: 70, falsePositives })];
      const now = firstDay + 10 * day;
      return judgeQuality({ policy, cohorts, ids: 0, matched: 0, now, calibrations: new Map() });
    };
    const second = { name: 'other', bound: 0.1 };
    const unlike = { name: 'calibration', measure: 'calibration', bound: 0.1 } as const;
    // 180 to 1.
    expect(judgeAll([{}]).quality).toMatchObject([{ broken: true, redEvidence: 100 }]);
    expect(judgeAll([{}, unlike]).quality).toMatchObject([{ broken: true, redEvidence: 100 }, {}]);
    const shared = judgeAll([{}, second]);
    expect(shared.quality).toMatchObject([{ broken: false, redEvidence: 200 }, { broken: false }]);
    expect(shared.findings).toMatchObject([{ tier: 'yellow', evidence: { redEvidence: 200 } }]);
    expect(shared.findings[0]?.message).toContain(
      'probably missed since about 2026-01-11: evidence 180 to 1 (red from 200 to 1)',
    );
    expect(judgeAll([{}, second], 33).quality).toMatchObject([{ broken: true }, { broken: false }]);
  });

  test('records whose labels may still come are yellow at most, however bad', () => {
    const { findings, quality } = judge([cohortOf({ day: dayName(9), truePositives: 0, falsePositives: 500 })], {});
    expect(findings).toMatchObject([
      { tier: 'yellow', kind: 'quality', evidence: { value: null, provisionalValue: 0 } },
    ]);
    expect(quality[0]).toMatchObject({ broken: false, labelMaturity: 0, logEvidence: 0 });
    expect(findings[0]?.message).toMatch(
      /^precision: precision is 0 %, at least 85 % is wanted; probably missed since about 2026-01-14: evidence \S+ to 1 by all records so far, provisional \(red from 100 to 1 by records whose labels had their time\); newer records, provisional: 500 of 500 labelled \(95 %: 0 % to .* %\); records of the 7 days whose labels had 2 days: unknown, 0 of 0 labelled$/,
    );
  });

  test('a value is told from its bound by as many digits as that takes', () => {
    const judged = judge([cohortOf({ day: dayName(6), truePositives: 84_560, falsePositives: 15_440 })], {
      bound: 0.8551,
    });
    expect(judged.findings[0]?.message).toContain('precision is 85 %, at least 85.51 % is wanted');
    const near = judge([cohortOf({ day: dayName(6), truePositives: 845_600, falsePositives: 154_400 })], {
      bound: 0.85,
    });
    expect(near.findings[0]?.message).toContain('precision is 84.6 %, at least 85 % is wanted');
  });

  test('good records are green, and so are none', () => {
    expect(judge([cohortOf({ day: dayName(6), truePositives: 95, falsePositives: 5 })], {}).tier).toBe('green');
    expect(judge([], {})).toMatchObject({
      tier: 'green',
      coverage: null,
      quality: [{ matured: { records: 0, value: null } }],
    });
  });

  test('without labels nothing is red', () => {
    expect(judge([cohortOf({ day: dayName(6), openPredicted: 10_000 })], {})).toMatchObject({
      tier: 'green',
      coverage: 0,
    });
  });

  test('the area under the curve and the error are judged, too', () => {
    const bins: Cohort['bins'] = [
      [10, 200, 0, 110],
      [90, 200, 0, 90],
    ];
    const worse = cohortOf(
      { day: dayName(6), truePositives: 90, falsePositives: 110, falseNegatives: 110, trueNegatives: 90 },
      { bins },
    );
    expect(judge([worse], { measure: 'auc', bound: 0.7 }).tier).toBe('red');
    expect(judge([worse], { measure: 'auc', bound: 0.4 }).tier).toBe('green');
    const hours = Array.from({ length: 24 }, (_, hour) => {
      return {
        hour,
        predicted: 50,
        others: 0,
        truePositives: 50,
        falsePositives: 0,
        falseNegatives: 0,
        trueNegatives: 0,
        squaredErrors: 'c8',
      };
    });
    const regression = cohortOf({ day: dayName(6) }, { hours });
    expect(judge([regression], { measure: 'rmse', bound: 1 }).quality[0]?.matured.value).toBe(2);
    expect(judge([regression], { measure: 'rmse', bound: 1 }).tier).toBe('red');
    expect(judge([regression], { measure: 'rmse', bound: 2 }).tier).toBe('green');
  });

  test('miscalibrated scores are yellow, never red', () => {
    const bins: Cohort['bins'] = [[90, 1_000, 900 * 2 ** 20, 500]];
    const cohort = cohortOf({ day: dayName(6), truePositives: 500, falsePositives: 500 }, { bins });
    const missed = judge([cohort], { measure: 'calibration', bound: 0.1 });
    expect(missed).toMatchObject({ tier: 'yellow' });
    expect(missed.findings[0]?.message).toMatch(
      /^precision: calibration is 0\.4, at most 0\.1 is wanted; yellow by the value alone, which is not tested; /,
    );
    expect(judge([cohort], { measure: 'calibration', bound: 0.5 })).toMatchObject({ tier: 'green' });
  });
});

test('bets on a mean are an e-value: their expectation is at most 1 where it holds', () => {
  const random = seededUniform(9);
  const runs = 4_000;
  let mean = 0;
  let reached = 0;
  for (let run = 0; run < runs; run++) {
    // Exponential errors of exactly the mean that is allowed.
    const values = Array.from({ length: 48 }, () => -Math.log(1 - random()));
    const evidence = Math.exp(logMeanEvidence(betOnMean(values, 1)));
    mean += Math.min(evidence, 100) / runs;
    if (evidence >= 20) reached++;
  }
  expect(mean).toBeLessThan(1.1);
  expect(reached / runs).toBeLessThan(0.05);
  expect(logMeanEvidence(betOnMean(Array(48).fill(1.5), 1))).toBeGreaterThan(Math.log(100));
  expect(() => betOnMean([-1], 1)).toThrow(RangeError);
});

describe('labels that mature unevenly', () => {
  const stream = { perDay: 60, badAfterDays: 60, goodAfterDays: 300, days: 340, labelsWithinDays: 61, everyDays: 10 };

  test('bad outcomes after 60 days and good ones after 300 make no false red, where the labels by themselves would', () => {
    const outcomes = Array.from({ length: 8 }, (_, seed) =>
      runUneven({ ...stream, rateOf: () => 0.9 }, seededUniform(seed + 1)),
    );
    expect(outcomes.map(({ red }) => red)).toEqual(Array(8).fill(Number.POSITIVE_INFINITY));
    expect(outcomes.every(({ naiveRed }) => naiveRed < 80)).toBe(true);
  });

  test('a decline is seen as soon as its bad outcomes are known, not when the good ones are', () => {
    const rateOf = (at: number) => (at < 100 ? 0.92 : 0.7);
    const { red } = runUneven({ ...stream, rateOf }, seededUniform(3));
    expect(red).toBeGreaterThan(160);
    expect(red).toBeLessThan(185);
  });
});

describe('the labelling itself', () => {
  const policy = createQualityPolicy([{ labelsWithinSeconds: 86_400 }], { ...labelPolicy, sources: ['bureau'] });
  const cohorts = (
    of: (index: number, noise: number) => Partial<Cohort> & { readonly positives: number; readonly labelled?: number },
  ) => {
    const random = seededUniform(11);
    return Array.from({ length: 40 }, (_, index) => {
      const { positives, labelled = 200, ...rest } = of(index, random() - 0.5);
      const outcomes = { truePositives: positives, trueNegatives: labelled - positives, openOthers: 200 - labelled };
      return cohortOf(
        { day: dayName(index), ...outcomes },
        { lags: [[4, labelled]], sources: [[1, labelled]], ...rest },
      );
    });
  };
  const findingsOf = (list: readonly Cohort[], changes: Partial<QualityInput> = {}) =>
    judgeQuality({
      policy,
      cohorts: list,
      ids: 0,
      matched: 0,
      now: firstDay + 41 * day,
      calibrations: new Map(),
      ...changes,
    })
      .findings.filter(({ kind }) => kind === 'labelling')
      .map(({ id, tier }) => [id, tier]);

  test('nothing is found where it stays as it is', () => {
    expect(findingsOf(cohorts((_, noise) => ({ positives: 60 + Math.round(20 * noise) })))).toEqual([]);
  });

  test.each([
    ['base-rate', (isNew: boolean, noise: number) => ({ positives: (isNew ? 90 : 60) + Math.round(20 * noise) })],
    [
      'coverage',
      (isNew: boolean, noise: number) => ({ positives: 30, labelled: (isNew ? 100 : 180) + Math.round(20 * noise) }),
    ],
    [
      'lag',
      (isNew: boolean, noise: number) => ({
        positives: 60,
        lags: [
          [isNew ? 6 : 4, 150 + Math.round(20 * noise)],
          [5, 50],
        ] as const,
      }),
    ],
    [
      'source:bureau',
      (isNew: boolean, noise: number) => ({
        positives: 60,
        sources: [[1, (isNew ? 90 : 150) + Math.round(20 * noise)]] as const,
      }),
    ],
  ] as const)('a change of the %s is yellow', (figure, of) => {
    const found = findingsOf(cohorts((index, noise) => of(index >= 33, noise)));
    expect(found).toContainEqual([`labelling:${figure}`, 'yellow']);
  });

  test('its budget: days that wander by themselves are yellow in at most one week of fifty', () => {
    let found = 0;
    const runs = 300;
    const random = seededUniform(21);
    for (let run = 0; run < runs; run++) {
      const list = cohorts(() => ({ positives: 60 + Math.round(40 * (random() + random() + random() - 1.5)) }));
      if (findingsOf(list).length > 0) found++;
    }
    expect(found / runs).toBeLessThanOrEqual(0.02);
  });

  test('labels of which no id fits are told of', () => {
    expect(findingsOf([], { ids: 500, matched: 0 })).toEqual([['labelling:unknown-ids', 'yellow']]);
    expect(findingsOf([], { ids: 500, matched: 1 })).toEqual([]);
  });
});

test('counts add up', () => {
  fc.assert(
    fc.property(counts, counts, (a, b) => {
      expect(addCounts([a, b])).toEqual(addCounts([b, a, addCounts([])]));
    }),
  );
});
