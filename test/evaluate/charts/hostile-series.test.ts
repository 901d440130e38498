import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { initialChartsState, judgeCharts } from '../../../core/evaluate/charts/judge-charts.ts';
import { prepareCharts } from '../../../core/evaluate/charts/prepare-charts.ts';
import type { ScalarSeries } from '../../../core/evaluate/charts/scalar-series.ts';
import type { ChartPolicy } from '../../../core/model/policy.ts';
import { cusum, fourWeeks, options, points, run } from './run-charts.ts';
import { hour, monday } from './streams.ts';

function expectFinite(value: unknown): void {
  if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) expectFinite(part);
}

describe('hostile input', () => {
  const strange = fc.oneof(
    fc.constantFrom(
      0,
      -0,
      1e308,
      -1e308,
      5e-324,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1,
      0.5,
    ),
    fc.double(),
  );

  test('gives defined results, and no number that is not finite', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('mean', 'share', 'count'),
        fc.constantFrom<ChartPolicy | undefined>(undefined, { method: 'ewma', lambda: 0.02 }, cusum.policy),
        fc.array(fc.record({ value: strange, weight: strange }), { minLength: 24, maxLength: 60 }),
        fc.array(fc.record({ value: strange, weight: strange }), { minLength: 1, maxLength: 12 }),
        (kind, policy, past, now) => {
          const phaseOne = past.map((point, i) => ({ ...point, start: monday + i * hour }));
          const prepared = prepareCharts([{ name: '__proto__', kind, phaseOne }], { ...options, policy });
          expectFinite(prepared);
          let state = initialChartsState;
          now.forEach((point, i) => {
            const start = monday + (100 + i) * hour;
            const judged = judgeCharts(prepared, state, { start, values: [{ ...point, name: '__proto__' }] });
            state = judged.state;
            expectFinite(state);
            expectFinite(judged.findings);
            for (const { expected, score, excess } of judged.readings) expectFinite([expected, score, excess]);
          });
        },
      ),
      { numRuns: 100, seed: 5 },
    );
  });

  test('a constant series is charted: any change is far out, and none is no alarm', () => {
    for (const [kind, level, other] of [
      ['mean', 0.7, 0.8],
      ['share', 0, 0.05],
      ['count', 0, 50],
    ] as const) {
      const prepared = prepareCharts([{ name: 'c', kind, phaseOne: points(fourWeeks, 0, () => level) }], options);
      expectFinite(prepared);
      expect(
        run(
          prepared,
          'c',
          points(200, fourWeeks, () => level),
        ).found,
        kind,
      ).toEqual([]);
      if (kind !== 'count')
        expect(
          run(
            prepared,
            'c',
            points(20, fourWeeks, () => other),
          ).found.length,
          kind,
        ).toBeGreaterThan(8);
    }
  });

  test('a short past is not charted and said so', () => {
    const prepared = prepareCharts([{ name: 'm', kind: 'mean', phaseOne: points(23, 0, (i) => i) }], options);
    expect(prepared.charts).toEqual([]);
    expect(prepared.notes).toEqual(['m is not charted: 23 windows in the baseline, 24 are needed']);
    expect(
      judgeCharts(prepared, initialChartsState, { start: monday, values: [{ name: 'm', value: 1, weight: 1 }] }),
    ).toEqual({
      state: initialChartsState,
      findings: [],
      readings: [],
    });
  });

  test('impossible options are refused', () => {
    expect(() => prepareCharts([], { ...options, windowSeconds: 0 })).toThrow('more than 0 seconds, saw 0');
    const one: ScalarSeries = { name: 'm', kind: 'mean', phaseOne: [] };
    expect(() => prepareCharts([one, one], options)).toThrow('different names');
  });
});
