import { expect, test } from 'vitest';
import { evaluateWindow } from '../../core/evaluate/evaluate-window.ts';
import type { WindowInput } from '../../core/evaluate/window-verdict.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import type { Summary } from '../../core/model/profile.ts';
import {
  createBaseline,
  createInput,
  createRandom,
  createSummary,
  drawNormal,
  learnCategorical,
  learnNumeric,
  noRecords,
  plainPolicy,
  summariseCells,
} from './synthetic-model.ts';

const random = createRandom(11);
const ages = Array.from({ length: 5000 }, () => 40 + 8 * drawNormal(random));
const [ageLayout, ageBaseline] = learnNumeric(ages);
const baseline = createBaseline([['age', [ageLayout, ageBaseline]]]);

function judge(cells: readonly (number | null)[], rest: Partial<Summary> = {}, overrides: Partial<WindowInput> = {}) {
  const summary = createSummary([['age', summariseCells(ageLayout, cells)]], rest);
  return evaluateWindow(createInput(baseline, summary, overrides));
}

function tiers(verdict: ReturnType<typeof judge>) {
  return verdict.findings.map(({ id, tier }) => `${id} ${tier}`);
}

const quiet = ages.slice(0, 500);

function quarantining(reasons: Summary['quarantine'], counted: number): Partial<Summary> {
  const quarantined = reasons.reduce((sum, [, count]) => sum + count, 0);
  return { quarantine: reasons, records: { ...noRecords, captured: counted + quarantined, counted, quarantined } };
}

test('too few records: insufficient data with the minimum detectable effect, no score and no test', () => {
  const verdict = judge(ages.slice(0, 99).map((age) => age + 100));
  expect(tiers(verdict)).toEqual(['insufficient-data green']);
  expect(verdict.findings[0]?.message).toMatch(
    /^99 records, at least 100 are needed to judge drift; a typical feature would have to reach a PSI of [\d.]+ to be noticed$/,
  );
  expect(verdict.findings[0]?.evidence.minimumDetectableEffect).toBeGreaterThan(0.2);
  expect(verdict.features.age).toMatchObject({ scores: {}, tests: {}, qValue: null, drifted: false });
  expect(tiers(judge(ages.slice(0, 100)))).toEqual([]);
});

test('an empty window is silence unless the source confirms it', () => {
  const empty = createSummary([], { records: noRecords });
  const judgeEmpty = (overrides: Partial<WindowInput>) =>
    judge([], empty, overrides).findings.find(({ id }) => id === 'silence');
  expect(judgeEmpty({})).toMatchObject({ tier: 'red', message: expect.stringContaining('calls may have been lost') });
  expect(judgeEmpty({ invocations: 12 })).toMatchObject({ tier: 'red', message: expect.stringContaining('12 calls') });
  expect(judgeEmpty({ invocations: 0 })).toMatchObject({ tier: 'green', message: expect.stringContaining('confirms') });
  expect(judgeEmpty({ mode: 'analysis' })).toBeUndefined();
  const logged = judge([], { ...empty, requests: { ...noRecords, captured: 7, counted: 7 } }, { invocations: 0 });
  expect(logged).toMatchObject({ tier: 'red', requests: { counted: 7 } });
  expect(judge(quiet, {}, { invocations: undefined }).tier).toBe('green');
});

test('a window shorter than the silence allowed is not a page', () => {
  const empty = createSummary([], { records: noRecords });
  const judgeEmpty = (silenceAfterSeconds: number, invocations?: number) =>
    judge([], empty, { policy: { ...plainPolicy, silenceAfterSeconds }, invocations });
  expect(judgeEmpty(7200)).toMatchObject({
    tier: 'green',
    findings: expect.arrayContaining([expect.objectContaining({ id: 'silence' })]),
  });
  expect(judgeEmpty(3600).tier).toBe('red');
  expect(judgeEmpty(7200, 12).tier).toBe('red');
});

test('a column without any value is one finding, red where the feature is required', () => {
  const nulls = quiet.map(() => null);
  const verdict = judge(nulls);
  expect(tiers(verdict)).toEqual(['missing-column:age yellow']);
  expect(verdict.findings[0]?.message).toBe('age: none of 500 records has a value; in the baseline 100 % had one');
  const required: ModelPolicy = {
    ...plainPolicy,
    features: [['age', { ignore: false, required: true, published: false }]],
  };
  expect(tiers(judge(nulls, {}, { policy: required }))).toEqual(['missing-column:age red']);
  expect(tiers(judge(quiet, {}, { policy: required }))).toEqual([]);
});

test('a column that no fragment counted is missing too, and one that was nearly empty before is not', () => {
  const absent = evaluateWindow(
    createInput(baseline, createSummary([], { records: { ...noRecords, captured: 500, counted: 500 } })),
  );
  expect(tiers(absent)).toEqual(['missing-column:age yellow']);
  const [layout, sparse] = learnNumeric(ages.map((age, row) => (row % 100 === 0 ? age : null)));
  const summary = createSummary([
    [
      'age',
      summariseCells(
        layout,
        quiet.map(() => null),
      ),
    ],
  ]);
  expect(evaluateWindow(createInput(createBaseline([['age', [layout, sparse]]]), summary)).findings).toEqual([]);
});

test('columns nobody knows are named, stray ones are not', () => {
  const extra = judge(quiet, {
    extraColumns: [
      ['income\u202e\n', 500],
      ['stray', 4],
    ],
  });
  expect(tiers(extra)).toEqual(['extra-column yellow']);
  expect(extra.findings[0]?.message).toBe('1 column that the baseline does not know in 500 records: income?? (100 %)');
  expect(tiers(judge(quiet, { extraColumns: [['stray', 4]] }))).toEqual([]);
});

test('values far outside the range are a finding, a few or near ones are not', () => {
  const far = judge(quiet.map((age, row) => (row < 10 ? 400 : age)));
  expect(tiers(far)).toEqual(['range:age yellow']);
  expect(far.findings[0]?.message).toMatch(
    /^age: 2 % of values \(10\) lie far above the baseline's range of [\d.]+ to [\d.]+, as far as 40\d; p = \S+$/,
  );
  expect(tiers(judge(quiet.map((age, row) => (row < 10 ? -400 : age))))).toEqual(['range:age yellow']);
  expect(tiers(judge(quiet.map((age, row) => (row < 3 ? 400 : age))))).toEqual([]);
  expect(tiers(judge(quiet.map((age, row) => (row < 10 ? 80 : age))))).toEqual([]);
});

test('outliers that chance explains, or that are under one in a hundred, are no finding', () => {
  const withOutliers = (rows: number, outliers: number) =>
    judge(ages.slice(0, rows).map((age, row) => (row < outliers ? 400 : age)));
  // Two of 100: 2·(100/5100)² is above the level of 1e-4.
  expect(tiers(withOutliers(100, 2))).toEqual([]);
  expect(tiers(withOutliers(100, 3))).toEqual(['range:age yellow']);
  expect(tiers(withOutliers(1000, 9))).toEqual([]);
  expect(tiers(withOutliers(1000, 10))).toEqual(['range:age yellow']);
});

test('a constant that is no longer one is out of its range', () => {
  const [layout, constant] = learnNumeric(new Array<number>(5000).fill(5));
  const values = Array.from({ length: 500 }, (_, row) => (row < 10 ? 6 : 5));
  const summary = createSummary([['age', summariseCells(layout, values)]]);
  const verdict = evaluateWindow(createInput(createBaseline([['age', [layout, constant]]]), summary));
  expect(tiers(verdict)).toContain('range:age yellow');
});

test('too many unreadable records are a finding, wrong types one of their own', () => {
  expect(tiers(judge(quiet, quarantining([['not-json', 20]], 500)))).toEqual(['quarantine yellow']);
  expect(tiers(judge(quiet, quarantining([['not-a-number', 20]], 500)))).toEqual(['type yellow']);
  const both = judge(
    quiet,
    quarantining(
      [
        ['not-a-number', 4],
        ['not-json', 4],
      ],
      500,
    ),
  );
  expect(tiers(both)).toEqual(['quarantine yellow']);
  expect(both.findings[0]?.message).toBe(
    '1.6 % of 508 captured records could not be read (4 not a number, 4 not json), 1 % are allowed',
  );
  expect(tiers(judge(quiet, quarantining([['not-json', 5]], 500)))).toEqual([]);
  expect(tiers(judge(ages.slice(0, 150), quarantining([['not-json', 4]], 150)))).toEqual([]);
});

test('without a baseline nothing is judged and the verdict says so; an unknown version is yellow', () => {
  const verdict = evaluateWindow(
    createInput(undefined, createSummary([], { records: { ...noRecords, captured: 9, counted: 9 } })),
  );
  expect(tiers(verdict)).toEqual(['no-baseline green']);
  expect(verdict.features).toEqual({});
  expect(tiers(judge(quiet, {}, { series: { variant: 'AllTraffic', version: 'w1' } }))).toEqual([
    'unknown-version yellow',
  ]);
  const literal = { ...plainPolicy, versions: [{ match: 'v7', predictions: [] }] };
  expect(tiers(judge(quiet, {}, { policy: literal }))).toEqual([]);
  expect(tiers(judge(quiet, {}, { policy: literal, series: { variant: 'a', version: 'v70' } }))).toEqual([
    'unknown-version yellow',
  ]);
});

test('records count as late what the caller says, and the rule stands in the verdict', () => {
  const verdict = judge(quiet, {}, { lateCounted: 3, revision: 2 });
  expect(verdict).toMatchObject({
    revision: 2,
    records: { captured: 500, counted: 500, late: 3 },
    window: { start: '2026-03-01T13:00:00.000Z', end: '2026-03-01T14:00:00.000Z' },
    rule: { level: 1e-4, minimumEffect: 0.02, effectLevel: 0.001, calibration: 'independent records, no cells' },
  });
});

test('a feature may be called __proto__ or constructor', () => {
  const [layout, learnt] = learnCategorical(Array.from({ length: 1000 }, (_, row) => `c${row % 3}`));
  const hostile = createBaseline([
    ['__proto__', [layout, learnt]],
    ['constructor', [layout, learnt]],
  ]);
  const summary = summariseCells(
    layout,
    Array.from({ length: 300 }, () => 'c1'),
  );
  const verdict = evaluateWindow(
    createInput(
      hostile,
      createSummary([
        ['__proto__', summary],
        ['constructor', summary],
      ]),
    ),
  );
  expect(Object.keys(verdict.features)).toEqual(['__proto__', 'constructor']);
  expect(Object.keys(JSON.parse(JSON.stringify(verdict)).features)).toEqual(['__proto__', 'constructor']);
  expect(verdict.findings.map(({ id }) => id)).toEqual(['drift:__proto__', 'drift:constructor']);
});
