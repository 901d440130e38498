import { describe, expect, test } from 'vitest';
import { joinQuality, judgeQuality, prepareQuality } from '../../core/evaluate/data-quality.ts';
import type { Finding } from '../../core/model/verdict.ts';
import {
  createBaseline,
  createRandom,
  createSummary,
  drawNormal,
  learnCategorical,
  learnNumeric,
  noRecords,
  summariseCells,
} from './synthetic-model.ts';
import {
  drawShares,
  type FeatureSource,
  harmlessSources,
  normalSource,
  singleSource,
  WindowedModel,
} from './windowed-model.ts';

const level = 3e-5;

function steady(rate: number, random: () => number): () => number {
  return () => Math.max(0, Math.round(rate + Math.sqrt(rate) * drawNormal(random)));
}

/** A model that has been watched for a while. */
function watched(sources: readonly FeatureSource[], rate: number, seed: number, windows = 30): WindowedModel {
  const model = new WindowedModel(sources, 28, steady(rate, createRandom(seed)));
  for (let window = 0; window < windows; window++) expect(model.judge(level)).toEqual([]);
  return model;
}

describe('nothing is found in', () => {
  test.each([
    [3, 1],
    [30, 2],
    [300, 3],
  ])('features that are constant, rare or slow by nature, %i records an hour', (rate, seed) => {
    const random = createRandom(seed);
    const model = new WindowedModel(harmlessSources(random), 28, steady(rate, random));
    for (let window = 0; window < 168; window++) expect(model.judge(level)).toEqual([]);
  });

  test('traffic that is a fifth at night and at weekends', () => {
    const random = createRandom(4);
    const model = new WindowedModel(harmlessSources(random), 28, ({ hour, weekend }) =>
      Math.round(200 * (1 + 0.8 * Math.sin((2 * Math.PI * (hour - 8)) / 24)) * (weekend ? 0.3 : 1) + 20 * random()),
    );
    for (let window = 0; window < 336; window++) expect(model.judge(level)).toEqual([]);
  });

  test('windows without records', () => {
    const model = watched([normalSource('age', createRandom(5))], 50, 5, 3);
    const window = { ...model.draw(), records: 0, counts: [new Float64Array(11)] };
    expect(model.judge(level, { window })).toEqual([]);
  });
});

test('a baseline of constant features is prepared in a moment, however many its windows', () => {
  const model = new WindowedModel(
    Array.from({ length: 10 }, (_, at) => singleSource(`constant ${at}`, 3, () => 1)),
    112,
    () => 4,
  );
  expect(prepareQuality(model.baseline).windows).toBe(2_688);
}, 3_000);

describe('a feature with a single value', () => {
  const random = createRandom(6);
  const isBroken = { value: false };
  const flag: FeatureSource = {
    name: 'flag',
    bins: 3,
    kind: 'categorical',
    draw: ({ records }) => (isBroken.value ? [records, 0, 0] : [...drawShares(random, records, [0.6, 0.4]), 0]),
  };

  test('is found as soon as chance no longer explains it', () => {
    isBroken.value = false;
    const model = watched([normalSource('age', random), flag], 30, 7);
    isBroken.value = true;
    const found = Array.from({ length: 5 }, () => model.judge(level).find(({ feature }) => feature === 'flag'));
    const first = found.findIndex((finding) => finding !== undefined);
    expect(first).toBeGreaterThanOrEqual(0);
    expect(first).toBeLessThan(3);
    expect(found.at(-1)).toMatchObject({ id: 'constant:flag', kind: 'constant', tier: 'yellow' });
    expect(found.at(-1)?.message).toMatch(
      /^flag: all \d+ values of the last 4 h are "c0", the baseline has 2 different ones; p = /,
    );
  });

  test('is no news where the baseline has windows of it, until it lasts longer', () => {
    const night: FeatureSource = {
      ...flag,
      draw: ({ hour, records }) =>
        hour < 3 || isBroken.value ? [records, 0, 0] : [...drawShares(random, records, [0.6, 0.4]), 0],
    };
    isBroken.value = false;
    const model = watched([normalSource('age', random), night], 200, 8, 24 * 7);
    isBroken.value = true;
    const drifted = new Set(['flag']);
    const hours = Array.from({ length: 24 }, () => model.judge(level, { drifted }).length);
    // Three hours are usual; of the stretches judged that of eight is the first of more than six.
    expect(hours.indexOf(1)).toBeGreaterThanOrEqual(3);
    expect(hours.indexOf(1)).toBeLessThan(9);
    expect(hours.at(-1)).toBe(1);
  });

  test('of numbers is told from several in one wide bucket', () => {
    const cells = Array.from({ length: 2_000 }, () => 100 + 10 * drawNormal(random));
    const learnt = learnNumeric(cells);
    const baseline = createBaseline([['amount', learnt]]);
    const judge = (values: readonly number[], drifted: readonly string[]) =>
      judgeQuality({
        baseline,
        reference: prepareQuality(baseline),
        summary: createSummary([['amount', summariseCells(learnt[0], values)]]),
        stretches: [],
        windowsOfTrail: [],
        drifted: new Set(drifted),
        ignored: new Set(),
        level,
      });
    const constant = Array.from({ length: 50 }, () => 1e6);
    const varied = Array.from({ length: 50 }, (_, index) => 1e6 + index);
    // A baseline without windows can't tell what is constant by nature: only what has drifted is named.
    expect(judge(constant, [])).toEqual([]);
    expect(judge(constant, ['amount'])[0]).toMatchObject({
      id: 'constant:amount',
      message: expect.stringMatching(/^amount: all 50 values are 1,000,000, the baseline has \d+ different ones$/),
      evidence: { chance: null, values: 50 },
    });
    expect(judge(varied, ['amount'])).toEqual([]);
    // Squares of these are no doubles: whether they are one value is not known.
    expect(
      judge(
        Array.from({ length: 50 }, (_, index) => (1 + (index % 2) / 1000) * 1e200),
        ['amount'],
      ),
    ).toEqual([]);
    expect(judge(constant.slice(0, 29), ['amount'])).toEqual([]);
  });

  test('of new categories is not one', () => {
    const learnt = learnCategorical(Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? 'a' : 'b')));
    const baseline = createBaseline([['job', learnt]]);
    const reference = prepareQuality(baseline);
    const judge = (value: string | null) =>
      judgeQuality({
        baseline,
        reference,
        summary: createSummary([['job', summariseCells(learnt[0], new Array<string | null>(60).fill(value))]]),
        stretches: [],
        windowsOfTrail: [],
        drifted: new Set(['job']),
        ignored: new Set(),
        level,
      }).map(({ id }) => id);
    expect(judge('a')).toEqual(['constant:job']);
    expect(judge('new')).toEqual([]);
    expect(judge(null)).toEqual([]);
  });
});

describe('a feature that has one value per window by nature', () => {
  test('is stale once it keeps it several times as long as ever', () => {
    const stopped = { at: Number.POSITIVE_INFINITY };
    const rate = singleSource('rate', 24, ({ window, hour, day }) =>
      window >= stopped.at ? 3 : (hour + 5 * day) % 24,
    );
    const model = watched([normalSource('age', createRandom(9)), rate], 20, 9, 48);
    stopped.at = 28 * 24 + 48;
    const found = Array.from({ length: 8 }, () => model.judge(level).find(({ kind }) => kind === 'stale'));
    const first = found.findIndex((finding) => finding !== undefined);
    expect(first).toBeGreaterThanOrEqual(1);
    expect(first).toBeLessThan(6);
    expect(found[first]).toMatchObject({ id: 'stale:rate', tier: 'yellow', feature: 'rate' });
    expect(found[first]?.message).toMatch(/^rate: has not changed for \d+ (min|h), since 2026-/);
  });
});

describe('windows with the same counts', () => {
  test('are found in one finding for all features', () => {
    const random = createRandom(10);
    const sources = [normalSource('age', random), normalSource('income', random), normalSource('debt', random, 0, 0)];
    const model = watched(sources, 400, 10);
    const window = model.draw();
    expect(model.judge(level, { window })).toEqual([]);
    const again = { ...window, start: window.start + 3_600_000 };
    const found = model.judge(level, { window: again });
    expect(found.map(({ id }) => id)).toEqual(['stale']);
    expect(found[0]?.message).toMatch(
      /^3 of 3 features: the last 2 windows have the very same counts \(\d+ records each\); p = /,
    );
  });

  test('are nothing where the baseline has them, too', () => {
    const parts = [0, 1, 2, 3, 4, 5, 6, 7];
    const daily: FeatureSource = { name: 'age', bins: 8, kind: 'numeric', draw: () => parts.map(() => 50) };
    const model = new WindowedModel([daily], 28, () => 400);
    for (let window = 0; window < 48; window++) expect(model.judge(level)).toEqual([]);
  });

  test('are nothing after a gap', () => {
    const model = watched([normalSource('age', createRandom(11))], 400, 11);
    const window = model.draw();
    model.judge(level, { window });
    expect(model.judge(level, { window: { ...window, start: window.start + 7_200_000 } })).toEqual([]);
  });
});

test('windows of another width say nothing of those judged', () => {
  const { baseline } = new WindowedModel([normalSource('age', createRandom(13))], 2, () => 50);
  expect(prepareQuality(baseline).windows).toBe(48);
  expect(prepareQuality(baseline, 3600).windows).toBe(48);
  expect(prepareQuality(baseline, 900).windows).toBe(0);
});

describe('repeated records', () => {
  const random = createRandom(12);
  const model = (duplicates: number) =>
    new WindowedModel([normalSource('age', random)], 28, steady(100, random), duplicates);
  const judge = (captured: number, duplicate: number, before = 0) =>
    model(before)
      .judge(level, { records: { captured, duplicate, counted: captured - duplicate } })
      .map(({ id }) => id);

  test('are found above the baseline, a floor and chance', () => {
    expect(judge(1_000, 30)).toEqual(['duplicate']);
    expect(judge(1_000, 9)).toEqual([]);
    expect(judge(100, 4)).toEqual([]);
    expect(judge(1_000, 30, 1_000)).toEqual([]);
    expect(judge(1_000, 100, 1_000)).toEqual(['duplicate']);
    expect(judge(0, 0)).toEqual([]);
    expect(judge(10, 20)).toEqual([]);
  });

  test('say how many', () => {
    const [finding] = model(0).judge(level, {
      records: { ...noRecords, captured: 1_000, duplicate: 200, counted: 800 },
    });
    expect(finding?.message).toMatch(
      /^20 % of 1,000 captured records repeat an earlier one \(same event id and row\), in the baseline 0 %; p < /,
    );
  });
});

test('what is constant or stale is not said to drift as well', () => {
  const finding = (kind: Finding['kind'], feature?: string): Finding => ({
    id: feature === undefined ? kind : `${kind}:${feature}`,
    tier: 'yellow',
    kind,
    ...(feature !== undefined && { feature }),
    message: '',
    evidence: {},
  });
  const drift = [finding('drift', 'a'), finding('range', 'a'), finding('missing', 'a'), finding('drift', 'b')];
  const ids = (quality: readonly Finding[]) => joinQuality(drift, quality).map(({ id }) => id);
  expect(ids([finding('constant', 'a')])).toEqual(['missing:a', 'drift:b', 'constant:a']);
  expect(ids([finding('stale', 'b')])).toEqual(['drift:a', 'range:a', 'missing:a', 'stale:b']);
  expect(ids([finding('stale'), finding('duplicate')])).toEqual([...drift.map(({ id }) => id), 'stale', 'duplicate']);
});
