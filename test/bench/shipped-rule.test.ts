import { describe, expect, test } from 'vitest';
import { requireScenario, runTask } from '../../bench/detection/bench-task.ts';
import { makeBaseline } from '../../bench/detection/counted-baseline.ts';
import { countedWindow, summariseCounts } from '../../bench/detection/counted-summary.ts';
import { ModelStream, type StreamOptions, type StreamWindow } from '../../bench/detection/model-stream.ts';
import { createRandomSource } from '../../bench/detection/random-source.ts';
import { type SeriesVerdict, ShippedModel, type ShippedRuleOptions } from '../../bench/detection/shipped-rule.ts';
import { countsOfSummary } from '../../core/evaluate/trail.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import type { Series } from '../../core/model/profile.ts';

const baselineHours = 72;

function open(name: string, options: StreamOptions = {}, rule: ShippedRuleOptions = {}, timed = true) {
  const stream = new ModelStream(requireScenario(name), createRandomSource('shipped'), { baselineHours, ...options });
  const windows = stream.drawBaseline();
  const baseline = makeBaseline(stream.features, windows, timed);
  const model = new ShippedModel(baseline, utcCalendar, rule);
  const counted = (series: Series, window: StreamWindow) => countedWindow(series, baseline.layout, window);
  return { stream, baseline, model, counted };
}

/** Of the next six hours the first four are healthy; by the sixth all of the ten features that changed are found. */
async function expectFoundAfterFour({ stream, model, counted }: ReturnType<typeof open>, series: Series) {
  const found: (readonly number[])[] = [];
  for (let hour = 0; hour < 6; hour++) {
    const [verdict] = await model.judge([counted(series, stream.next().stable)]);
    found.push(verdict?.raised.length ? verdict.drifted.map(({ feature }) => feature) : []);
  }
  expect(found.slice(0, 4)).toEqual([[], [], [], []]);
  expect(found[5]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

describe('drawn counts as what ingest counts', () => {
  test.each(['independent null', 'new ids', 'half missing'])('%s: a summary says the very counts', (name) => {
    const { stream, baseline } = open(name);
    const { stable } = stream.next();
    expect(countsOfSummary(summariseCounts(baseline.layout, stable), baseline.layout)).toEqual(stable.counts);
  });

  test('some features are missing more often than not', () => {
    const { stable } = open('half missing').stream.next();
    const shares = stable.counts.map((counts) => (counts.at(-1) ?? 0) / stable.records);
    expect(shares.filter((share) => share > 0.3)).toHaveLength(20);
    expect(Math.max(...shares)).toBeGreaterThan(0.8);
  });
});

describe('the shipped rule over drawn windows', () => {
  test('says the same whether or not verdicts are made of windows in which nothing was found', async () => {
    const drift = { from: baselineHours + 20, shift: 0.4, features: 5 };
    const judge = async (makesAllVerdicts: boolean) => {
      const { stream, model, counted } = open('independent null', { drift }, { makesAllVerdicts, learns: false });
      const series = model.openSeries();
      const verdicts: SeriesVerdict[] = [];
      for (let hour = 0; hour < 24; hour++)
        verdicts.push(...(await model.judge([counted(series, stream.next().stable)])));
      return verdicts;
    };
    const all = await judge(true);
    expect(await judge(false)).toEqual(all);
    expect(all.slice(0, 20).map(({ tier }) => tier)).toEqual(Array(20).fill('green'));
    expect(all.at(-1)?.tier).toBe('yellow');
    expect(new Set(all.at(-1)?.drifted.map(({ feature }) => feature))).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  test.each([
    [168, 'a week'],
    [336, 'two weeks'],
  ])('a baseline of %d hours that saw a weekend tells a shift from it: %s', async (hours) => {
    const drift = { from: hours + 4, shift: 0.55, features: 10 };
    const opened = open('season', { baselineHours: hours, drift });
    const series = opened.model.openSeries();
    await expectFoundAfterFour(opened, series);
  });

  test('a table without times tells a shift from the hours of the day, after a week of them', async () => {
    const drift = { from: baselineHours + 4 + 168, shift: 0.55, features: 10 };
    const opened = open('season', { baselineHours, drift }, {}, false);
    const { stream, baseline, model, counted } = opened;
    const series = model.openSeries();
    expect(baseline.time).toBeUndefined();
    for (let hour = 0; hour < 168; hour++) model.skip(counted(series, stream.next().stable));
    await expectFoundAfterFour(opened, series);
  });

  test('a canary is compared with the stable series of the same hour', async () => {
    const { stream, model, counted } = open('independent null');
    const [series, canary] = [model.openSeries(), model.openSeries('Canary')];
    const other = open('independent null', { drift: { from: 0, shift: 1, features: 5 } }).stream;
    const verdicts: (readonly SeriesVerdict[])[] = [];
    for (let hour = 0; hour < 2; hour++) {
      const [stable, moved] = [stream.next().stable, other.next().stable];
      const fewer = { ...moved, records: Math.max(...moved.counts.map((row) => row.reduce((a, b) => a + b, 0))) };
      // The larger of the two is the one that others are compared with.
      const doubled = {
        ...stable,
        records: 2 * stable.records,
        counts: stable.counts.map((row) => row.map((n) => 2 * n)),
      };
      verdicts.push(await model.judge([counted(series, doubled), counted(canary, fewer)]));
    }
    const [, second] = verdicts.at(-1) ?? [];
    expect(second?.raised.filter(({ kind }) => kind === 'beside').map(({ feature }) => feature)).toEqual([
      'feature-000',
      'feature-001',
      'feature-002',
      'feature-003',
      'feature-004',
    ]);
  });

  test("a new version's outputs raise nothing for a week, its inputs do at once", async () => {
    const { stream, model, counted } = open('independent null');
    const series = model.openSeries();
    await model.judge([counted(series, stream.next().stable)]);
    const isNew = model.openSeries('AllTraffic', 'retrained');
    let last: SeriesVerdict | undefined;
    for (let hour = 0; hour < 3; hour++) {
      const { stable } = stream.next();
      // The first feature is an input, the last an output: both have all their values in one bin.
      const moved = stable.counts.map((row, index) =>
        index === 0 || index === 199 ? row.map((_, bin) => (bin === 9 ? stable.records : 0)) : row,
      );
      [last] = await model.judge([counted(isNew, { ...stable, counts: moved })]);
    }
    expect(new Set(last?.drifted.map(({ feature }) => feature))).toEqual(new Set([0, 199]));
    const drifts = last?.raised.filter(({ kind }) => kind === 'drift').map(({ feature }) => feature) ?? [];
    expect(drifts).not.toContain('feature-199');
    expect(last?.raised.map(({ kind }) => kind)).not.toContain('unknown-version');
    expect(last?.raised.map(({ feature }) => feature)).toContain('feature-000');
  });
});

describe('errors at exactly the budget', () => {
  test('are counted by tier', async () => {
    const result = await runTask({ kind: 'errors', requestsPerHour: 500, weeks: 3 }, 'test');
    if (result.kind !== 'errors') throw new Error(`expected errors, saw ${result.kind}`);
    expect(result).toMatchObject({ name: 'bursty errors, 500 an hour', weeks: 3 });
    expect(result.alarms.redEpisodes).toBeLessThanOrEqual(1);
    expect(result.alarms.yellowEpisodes).toBeLessThanOrEqual(2);
  });
});
