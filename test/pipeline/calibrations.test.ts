import { expect, test } from 'vitest';
import { configHash } from '../../core/contract/config.ts';
import { binCountsOf } from '../../core/evaluate/trail.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { ChartPolicy } from '../../core/model/policy.ts';
import { Calibrations, type LearningSource } from '../../core/pipeline/calibrations.ts';
import { baselineOf as baselineOfWindows, drawWindows, Follower } from '../evaluate/drawn-windows.ts';
import { hour } from './capture-lines.ts';
import { createRuntime, start } from './embedded-world.ts';

test('charts know the windows of which no counts are kept', async () => {
  const { policy, configHash, baselineOf } = await createRuntime();
  const baseline = baselineOf('v1');
  if (!baseline) throw new Error('expected a baseline');
  const chartsOf = async (kept: number, isKnown: boolean) => {
    const starts = Array.from({ length: 24 * 7 }, (_, at) => start + at * hour);
    const values = starts.map((_, at) => [
      { name: 'records', kind: 'count', value: 50 + (at % 7), weight: 50 } as const,
    ]);
    const earlier = { starts: starts.slice(0, -kept), values: values.slice(0, -kept) };
    const prepared = await new Calibrations().prepare(policy, configHash, baseline, {
      key: 'learned',
      replacesOutputs: false,
      read: async () => ({
        schema: 'tidewatch.learned/1',
        windows: starts.length,
        starts: starts.slice(-kept),
        counts: baseline.layout.features.map(() => new Array<number[]>(kept).fill([])),
        values: values.slice(-kept),
        ...(isKnown && { earlier }),
      }),
    });
    return prepared.chartsFor(1);
  };
  expect(await chartsOf(30, false)).toBeUndefined();
  expect((await chartsOf(30, true))?.charts.map(({ name, windows }) => [name, windows])).toEqual([['records', 168]]);
});

test('what drifts when four weeks are learned goes on drifting', async () => {
  const { policy, configHash } = await createRuntime();
  const features = 20;
  const table = baselineOfWindows(drawWindows({ features, hours: 24 * 28, recordsPerHour: 200 }, 1), false);
  const shift = (feature: number, at: number) => (feature < 3 && at >= 24 * 25 ? 1 : 0);
  const live = drawWindows({ features, hours: 24 * 28 + 2, recordsPerHour: 200, wander: 0.05, shift }, 7);
  const learned = live.slice(0, 24 * 28);
  const { calibration } = await new Calibrations().prepare(policy, configHash, table, {
    key: 'four weeks',
    replacesOutputs: false,
    read: async () => ({
      schema: 'tidewatch.learned/1',
      windows: learned.length,
      starts: learned.map(({ start }) => start),
      counts: Array.from({ length: features }, (_, at) => learned.map(({ counts }) => counts[at] ?? [])),
      values: learned.map(() => []),
    }),
  });
  expect(calibration.description).toContain('but for features that were drifting then (3)');
  const follower = new Follower(table, calibration, { ...policy, features: [] });
  for (const window of live.slice(0, -1)) follower.add(window);
  const judged = live.slice(-1).flatMap((window) => follower.judge(window).features);
  expect(judged.flatMap(({ name, drifted }) => (drifted ? [name] : []))).toEqual(
    ['000', '001', '002'].map((number) => `feature ${number}`),
  );
});

test('a feature that is gone while live windows are learned is judged as before', async () => {
  const { policy, configHash, baselineOf } = await createRuntime();
  const timed = baselineOf('v1');
  if (!timed) throw new Error('expected a baseline');
  const baseline = { ...timed, time: undefined };
  const starts = Array.from({ length: 24 }, (_, at) => start + at * hour);
  const usual = baseline.features.map(([, { summary }], index) => {
    const layout = baseline.layout.features[index]?.[1];
    return layout ? binCountsOf(summary, layout) : [];
  });
  const gone = usual.map((row, index) => (index === 0 ? row.map((_, bin) => (bin === row.length - 1 ? 500 : 0)) : row));
  const ofFeature = (last: readonly (readonly number[])[]) =>
    usual.map((row, index) => starts.map((_, at) => (at < 20 ? row : (last[index] ?? []))));
  const learnedFrom = async (key: string, last: readonly (readonly number[])[]) => {
    const read = async () => ({
      schema: 'tidewatch.learned/1' as const,
      windows: starts.length,
      starts,
      counts: ofFeature(last),
      values: starts.map(() => []),
    });
    const prepared = await new Calibrations().prepare(policy, configHash, baseline, {
      key,
      replacesOutputs: false,
      read,
    });
    expect(prepared.calibration.kind).toBe('learned');
    return prepared.calibration.features.map(({ provisionalBelow }) => provisionalBelow);
  };
  expect(new Set(await learnedFrom('usual', usual))).toEqual(new Set([undefined]));
  expect(await learnedFrom('gone', gone)).toEqual(usual.map((_, index) => (index === 0 ? 2 : undefined)));
});

/** Four weeks of 50 to 56 records an hour. */
function learnFourWeeks({ layout }: Baseline): LearningSource {
  const windows = 24 * 28;
  const starts = Array.from({ length: windows }, (_, at) => start + at * hour);
  return {
    key: 'learned',
    replacesOutputs: false,
    read: async () => ({
      schema: 'tidewatch.learned/1',
      windows,
      starts,
      counts: layout.features.map(() => starts.map(() => [])),
      values: starts.map((_, at) => [{ name: 'records', kind: 'count', value: 50 + (at % 7), weight: 50 + (at % 7) }]),
    }),
  };
}

test('charts are of the method that is configured', async () => {
  const { policy, baselineOf } = await createRuntime();
  const baseline = baselineOf('v1');
  if (!baseline) throw new Error('expected a baseline');
  const calibrations = new Calibrations();
  const designWith = async (charts: ChartPolicy | undefined) => {
    const changed = { ...policy, drift: { ...policy.drift, charts } };
    const prepared = await calibrations.prepare(changed, configHash(changed), baseline, learnFourWeeks(baseline));
    return prepared.chartsFor(1)?.charts[0]?.design;
  };
  expect(await designWith(undefined)).toMatchObject({ method: 'ewma', lambda: 0.1 });
  expect(await designWith({ method: 'ewma', lambda: 0.05 })).toMatchObject({ method: 'ewma', lambda: 0.05 });
  const [small, large] = [
    await designWith({ method: 'cusum', reference: 0.25 }),
    await designWith({ method: 'cusum', reference: 0.6 }),
  ];
  if (small?.method !== 'cusum' || large?.method !== 'cusum') throw new Error('expected two CUSUMs');
  expect(small.reference).toBeLessThan(large.reference);
  expect(small.limit).toBeGreaterThan(large.limit);
});

test('series in service share the budget of the charts', async () => {
  const { policy, configHash, baselineOf } = await createRuntime();
  const baseline = baselineOf('v1');
  if (!baseline) throw new Error('expected a baseline');
  const prepared = await new Calibrations().prepare(policy, configHash, baseline, learnFourWeeks(baseline));
  const [alone, shared] = [prepared.chartsFor(1), prepared.chartsFor(2)];
  expect(shared?.runLength).toBeCloseTo(2 * (alone?.runLength ?? 0), 6);
  expect(prepared.chartsFor(1)).toBe(alone);
});
