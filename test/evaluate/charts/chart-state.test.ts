import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ChartFinding,
  type ChartsState,
  initialChartsState,
  judgeCharts,
} from '../../../core/evaluate/charts/judge-charts.ts';
import { type PreparedCharts, prepareCharts } from '../../../core/evaluate/charts/prepare-charts.ts';
import type { ChartPolicy } from '../../../core/model/policy.ts';
import { cusum, fourWeeks, options, run, streamOf } from './run-charts.ts';
import { createHours, createRandom, drawSeries, hour, monday } from './streams.ts';

describe('the state', () => {
  const kind = streamOf('AR(1) .5, t3');
  const next = createHours(kind, createRandom(12));
  const prepared = prepareCharts([drawSeries(kind, fourWeeks, next)], options);
  const later = Array.from({ length: 60 }, (_, i) => next(fourWeeks + i)).map((point, i) =>
    i < 30 ? point : { ...point, value: point.value + 0.5 },
  );

  test('and the preparation are plain JSON, and the judgement depends on nothing else', () => {
    const whole = run(prepared, kind.name, later);
    expect(whole.found.length).toBeGreaterThan(5);
    const stored: PreparedCharts = JSON.parse(JSON.stringify(prepared));
    const found: ChartFinding[] = [];
    let state = initialChartsState;
    for (const point of later) {
      const judged = judgeCharts(stored, state, { start: point.start, values: [{ ...point, name: kind.name }] });
      state = JSON.parse(JSON.stringify(judged.state));
      found.push(...judged.findings);
    }
    expect(state).toEqual(whole.state);
    expect(found).toEqual(whole.found.map(({ finding }) => finding));
    expect(JSON.stringify(state).length).toBeLessThan(400);
  });

  test('is not changed by a window that is not newer, or that brings no value', () => {
    const { state } = run(prepared, kind.name, later.slice(0, 20));
    expect(run(prepared, kind.name, later.slice(0, 20).reverse(), state).state).toEqual(state);
    const judged = judgeCharts(prepared, state, { start: monday + 900 * hour, values: [] });
    expect(judged).toEqual({ state, findings: [], readings: [] });
  });

  test('is forgotten after more than a day without windows, and where it is damaged', () => {
    const { state } = run(prepared, kind.name, later);
    const soon = { ...next(fourWeeks), start: (later.at(-1)?.start ?? 0) + 25 * hour };
    const late = { ...soon, start: soon.start + hour };
    const fresh = run(prepared, kind.name, [late]).state;
    expect(run(prepared, kind.name, [late], state).state).toEqual(fresh);
    expect(run(prepared, kind.name, [soon], state).state.charts[0]?.[1].value).toBeGreaterThan(0.5);
    const [name, chart] = state.charts[0] ?? [];
    if (!name || !chart) throw new Error('expected a state');
    const damaged: ChartsState = { ...state, charts: [[name, { ...chart, value: Number.NaN }]] };
    expect(run(prepared, kind.name, [late], damaged).state).toEqual(fresh);
  });

  test('is forgotten where the charts add up in another way than before', () => {
    const { state } = run(prepared, kind.name, later);
    const phaseOne = drawSeries(kind, fourWeeks, createHours(kind, createRandom(12)));
    const last = [{ ...next(fourWeeks), start: (later.at(-1)?.start ?? 0) + hour }];
    const judge = (how: ChartPolicy | undefined, from: ChartsState) =>
      run(prepareCharts([phaseOne], { ...options, policy: how }), kind.name, last, from).state;
    for (const how of [cusum.policy, { method: 'ewma', lambda: 0.02 }] as const) {
      expect(judge(how, state)).toEqual(judge(how, initialChartsState));
    }
    expect(judge({ method: 'ewma', lambda: 0.1 }, state).charts).toEqual(judge(undefined, state).charts);
    expect(judge(undefined, state)).not.toEqual(judge(undefined, initialChartsState));
  });

  test('does not depend on the order of the values or of phase I', () => {
    const names = ['white', 't3', 'logarithm of a latency'];
    const random = createRandom(13);
    const series = names.map((name) => drawSeries(streamOf(name), 10 * 24, createHours(streamOf(name), random)));
    const values = series.map(({ name, phaseOne }) => ({ name, value: phaseOne[0]?.value ?? 0, weight: 100 }));
    const shuffled = series.map((one) => ({ ...one, phaseOne: [...one.phaseOne].reverse() }));
    const first = prepareCharts(series, options);
    expect(prepareCharts(shuffled, options).charts).toEqual(first.charts);
    const start = monday + 300 * hour;
    fc.assert(
      fc.property(fc.shuffledSubarray(values, { minLength: 3 }), (order) => {
        expect(judgeCharts(first, initialChartsState, { start, values: order })).toEqual(
          judgeCharts(first, initialChartsState, { start, values }),
        );
      }),
      { numRuns: 6 },
    );
  });
});
