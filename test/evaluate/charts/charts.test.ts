import { describe, expect, test } from 'vitest';
import { initialChartsState, judgeCharts } from '../../../core/evaluate/charts/judge-charts.ts';
import { allocateRunLength, prepareCharts } from '../../../core/evaluate/charts/prepare-charts.ts';
import type { ScalarSeries } from '../../../core/evaluate/charts/scalar-series.ts';
import { cusum, fourWeeks, noise, options, points, run, streamOf } from './run-charts.ts';
import { createHours, createRandom, drawSeries, healthyStreams, hour, monday, season } from './streams.ts';

describe('healthy series', () => {
  test.each([
    ['an EWMA', options],
    ['a CUSUM', cusum],
  ])('raise alarms of %s within the budget: season, memory, heavy tails, overdispersion and daily wander', (_, how) => {
    let alarmedWeeks = 0;
    for (let seed = 1; seed <= 2; seed++) {
      const random = createRandom(seed);
      const streams = healthyStreams.map((kind) => ({ kind, next: createHours(kind, random) }));
      const days = seed === 1 ? 7 : 28;
      const series = streams.map(({ kind, next }) => drawSeries(kind, days * 24, next));
      const prepared = prepareCharts(series, how);
      expect(prepared.runLength).toBe((11 * 168) / 0.02);
      let state = initialChartsState;
      for (let week = 0; week < 8; week++) {
        let alarmed = false;
        for (let index = 0; index < 168; index++) {
          const values = streams.map(({ kind, next }) => ({
            ...next(days * 24 + week * 168 + index),
            name: kind.name,
          }));
          const judged = judgeCharts(prepared, state, { start: values[0]?.start ?? 0, values });
          state = judged.state;
          if (judged.findings.length > 0) alarmed = true;
        }
        if (alarmed) alarmedWeeks++;
      }
    }
    // .02 a week are allowed; 2 or more of 16 weeks have a probability of .04 then, at the most.
    expect(alarmedWeeks).toBeLessThanOrEqual(1);
  });

  test('are measured as they are', () => {
    const prepare = (name: string, days: number) => {
      const charts = prepareCharts(
        [drawSeries(streamOf(name), days * 24, createHours(streamOf(name), createRandom(11)))],
        options,
      ).charts;
      const [chart] = charts;
      if (!chart) throw new Error('expected a chart');
      return chart;
    };
    const white = prepare('white', 28);
    expect(white.memory.autocorrelation).toBeLessThan(0.1);
    expect(white.memory.ewmaVarianceFactor).toBeLessThan(1.3);
    // 1/√n a window, nothing else: within-window variance 1.
    expect(white.spread.within).toBeGreaterThan(0.6);
    const latency = prepare('logarithm of a latency', 28);
    expect(latency.memory.autocorrelation).toBeGreaterThan(0.25);
    expect(latency.memory.ewmaVarianceFactor).toBeGreaterThan(1.7);
    const wander = prepare('daily wander .15', 28);
    expect(wander.memory.ewmaVarianceFactor).toBeGreaterThan(5);
    expect(wander.memory.degreesOfFreedom).toBeLessThan(60);
    const longRunFactor = (reference: number) => {
      const wandering = drawSeries(
        streamOf('daily wander .15'),
        28 * 24,
        createHours(streamOf('daily wander .15'), createRandom(11)),
      );
      return (
        prepareCharts([wandering], { ...options, policy: { method: 'cusum', reference } }).charts[0]?.memory
          .longRunVarianceFactor ?? 0
      );
    };
    expect(longRunFactor(0.25)).toBeGreaterThan(longRunFactor(0.5) * 1.1);
    const week = prepare('white', 7);
    expect(week.memory.guaranteeFactor).toBeGreaterThan(white.memory.guaranteeFactor * 1.08);
    const volume = prepare('volume, gamma .05', 28).volume;
    expect(volume?.dispersion).toBeGreaterThan(0.04);
    expect(volume?.dispersion).toBeLessThan(0.06);
    expect(volume?.cautiousDispersion).toBeGreaterThan(volume?.dispersion ?? 1);
    const monday9 = volume?.cells.find(([cell]) => cell === '09|weekday')?.[1] ?? 0;
    expect(Math.abs(monday9 / (400 + 350 * Math.sin((2 * Math.PI * 9) / 24)) - 1)).toBeLessThan(0.15);
  });
});

describe('a shift', () => {
  test('of the mean is found, dated, measured and told in a sentence', () => {
    const kind = streamOf('AR(1) .5');
    const next = createHours(kind, createRandom(4));
    const prepared = prepareCharts([drawSeries(kind, fourWeeks, next)], options);
    const healthy = Array.from({ length: 96 }, (_, i) => next(fourWeeks + i));
    const before = run(prepared, kind.name, healthy);
    expect(before.found).toEqual([]);
    const shifted = Array.from({ length: 24 }, (_, i) => next(fourWeeks + 96 + i)).map((point) => ({
      ...point,
      value: point.value - 0.3,
    }));
    const { found } = run(prepared, kind.name, shifted, before.state);
    expect(found[0]?.index).toBeLessThan(16);
    const finding = found.at(-1)?.finding;
    expect(finding?.id).toBe('chart:AR(1) .5');
    expect(finding?.tier).toBe('yellow');
    expect(finding?.message).toMatch(
      /^AR\(1\) \.5: -?[\d.]+ in this window, -?[\d.]+ expected at this time of the week; 0\.\d+ too low on average for \d+ h, since about 2026-04-0\d \d\d:00 UTC; without a change such an alarm comes once in [\d.]+ (years|days)$/,
    );
    expect(finding?.evidence.shift).toBeGreaterThan(-0.36);
    expect(finding?.evidence.shift).toBeLessThan(-0.24);
    const onset = (Date.parse(String(finding?.evidence.since)) - monday) / hour - fourWeeks - 96;
    expect(Math.abs(onset)).toBeLessThan(6);
    expect(finding?.evidence).toMatchObject({
      phaseOneWindows: fourWeeks,
      cells: 'hour and day type',
      direction: 'down',
    });
  });

  test.each([
    ['an EWMA', options],
    ['a CUSUM', cusum],
  ])('of %s ends when the series comes back', (_, how) => {
    const value = (index: number) => noise[index] ?? 0;
    const phaseOne = points(fourWeeks, 0, value);
    const prepared = prepareCharts([{ name: 'm', kind: 'mean', phaseOne }], how);
    const away = run(
      prepared,
      'm',
      points(30, fourWeeks, (i) => value(i) + 1),
    );
    expect(away.found.length).toBeGreaterThan(20);
    const back = run(prepared, 'm', points(60, fourWeeks + 30, value), away.state);
    expect(back.found.at(-1)?.index ?? 0).toBeLessThan(15);
  });

  test('below the smallest effect is not told', () => {
    const value = (index: number) => 50 + 10 * (noise[index] ?? 0);
    const series: ScalarSeries = { name: 'm', kind: 'mean', phaseOne: points(fourWeeks, 0, value) };
    const shifted = points(60, fourWeeks, (i) => value(i) + 2);
    expect(run(prepareCharts([series], options), 'm', shifted).found.length).toBeGreaterThan(40);
    expect(run(prepareCharts([{ ...series, minimumEffect: 3 }], options), 'm', shifted).found).toEqual([]);
  });

  test('of a share is told in percentage points', () => {
    const kind = streamOf('missing share');
    const next = createHours(kind, createRandom(5));
    const prepared = prepareCharts([drawSeries(kind, fourWeeks, next)], options);
    const shifted = Array.from({ length: 30 }, (_, i) => next(fourWeeks + i)).map((point) => ({
      ...point,
      value: Math.min(1, point.value + 0.03),
    }));
    const { found } = run(prepared, kind.name, shifted);
    expect(found[0]?.index).toBeLessThan(10);
    expect(found.at(-1)?.finding.message).toMatch(/[23]\.\d+ percentage points too high on average for/);
  });

  test('of one standard deviation is found by a CUSUM, dated and told in a sentence', () => {
    const kind = streamOf('white');
    const next = createHours(kind, createRandom(6));
    const prepared = prepareCharts([drawSeries(kind, fourWeeks, next)], cusum);
    const healthy = run(
      prepared,
      kind.name,
      Array.from({ length: 400 }, (_, i) => next(fourWeeks + i)),
    );
    expect(healthy.found).toEqual([]);
    const shifted = Array.from({ length: 60 }, (_, i) => next(fourWeeks + 400 + i)).map((point) => ({
      ...point,
      value: point.value - 1 / Math.sqrt(point.weight),
    }));
    const { found } = run(prepared, kind.name, shifted, healthy.state);
    expect(found[0]?.index).toBeLessThan(50);
    const finding = found.at(-1)?.finding;
    expect(finding?.message).toMatch(
      /^white: -?[\d.]+ in this window, .* expected at this time of the week; 0\.0\d+ too low on average for [\d.]+ days, since about 2026-04-\d\d \d\d:00 UTC; without a change such an alarm comes once in/,
    );
    expect(finding?.evidence.direction).toBe('down');
    const onset = (Date.parse(String(finding?.evidence.since)) - monday) / hour - fourWeeks - 400;
    expect(Math.abs(onset)).toBeLessThan(8);
  });

  test('is within reach of a CUSUM for every reference and budget, in more than one window', () => {
    const wild = points(60, fourWeeks, () => 1e6);
    for (const reference of [0.25, 0.6]) {
      for (const falseAlarmsPerWeek of [0.1, 0.015, 1e-7]) {
        const policy = { method: 'cusum', reference } as const;
        const phaseOne = points(fourWeeks, 0, (index) => noise[index] ?? 0);
        const chart = prepareCharts([{ name: 'm', kind: 'mean', phaseOne }], {
          ...options,
          falseAlarmsPerWeek,
          policy,
        });
        const first = run(chart, 'm', wild).found[0]?.index ?? Number.POSITIVE_INFINITY;
        expect(first).toBeGreaterThan(0);
        expect(first).toBeLessThan(25);
      }
    }
  });
});

describe('one window', () => {
  test('of few records does not count like one of many', () => {
    const kind = streamOf('white');
    const next = createHours(kind, createRandom(8));
    const prepared = prepareCharts([drawSeries(kind, fourWeeks, next)], options);
    const point = next(fourWeeks);
    const scoreOf = (weight: number) =>
      judgeCharts(prepared, initialChartsState, {
        start: point.start,
        values: [{ name: kind.name, value: 1, weight }],
      }).readings[0]?.score ?? Number.NaN;
    expect(scoreOf(400) / scoreOf(4)).toBeGreaterThan(5);
  });

  test('however wild, raises no alarm of a mean', () => {
    for (const how of [options, cusum]) {
      for (const kind of healthyStreams.filter((stream) => stream.kind === 'mean')) {
        const next = createHours(kind, createRandom(9));
        const prepared = prepareCharts([drawSeries(kind, fourWeeks, next)], how);
        const wild = { ...next(fourWeeks), value: 1e308 };
        expect(run(prepared, kind.name, [wild]).found).toEqual([]);
      }
    }
  });

  test('that pulls the next ones along as far as memory does, raises no alarm either', () => {
    const kind = streamOf('AR(1) .5, t3');
    for (const how of [options, cusum]) {
      const next = createHours(kind, createRandom(14));
      const prepared = prepareCharts([drawSeries(kind, fourWeeks, next)], how);
      for (const size of [4, 8, 16, 32]) {
        const shaken = Array.from({ length: 24 }, (_, i) => {
          const point = next(fourWeeks + i);
          return { ...point, value: 0.3 * season(point.start) + 0.1 * size * 0.5 ** i };
        });
        expect(run(prepared, kind.name, shaken).found, `${size}`).toEqual([]);
      }
    }
  });

  test('of hardly any or far too many events is an alarm at once, of a third less it is none', () => {
    const kind = streamOf('volume, gamma .05');
    const next = createHours(kind, createRandom(10));
    const prepared = prepareCharts([drawSeries(kind, fourWeeks, next)], options);
    const noon = monday + (fourWeeks + 9) * hour;
    const judge = (value: number) => run(prepared, kind.name, [{ start: noon, value, weight: 1 }]).found[0]?.finding;
    expect(judge(10)?.message).toMatch(
      /^volume, gamma \.05: 10 in this window, 6\d\d expected .*; 9[89](\.\d)? % too few \(p = \de-\d+\)/,
    );
    expect(judge(0)?.id).toBe('chart:volume, gamma .05');
    expect(judge(3000)?.message).toMatch(/4\.\d+ times as many/);
    expect(judge(430)).toBeUndefined();
    expect(judge(900)).toBeUndefined();
  });
});

test('the budget is divided over charts and windows', () => {
  expect(allocateRunLength(5, 3600, 0.02)).toBe(42_000);
  for (const none of [0, -1, Number.NaN]) expect(allocateRunLength(5, 3600, none)).toBe(1e9);
  expect(allocateRunLength(1, 604_800, 1)).toBe(2);
});
