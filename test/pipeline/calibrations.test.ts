import { expect, test } from 'vitest';
import { Calibrations } from '../../core/pipeline/calibrations.ts';
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
  expect(await chartsOf(30, true)).toBeDefined();
});

test('series in service share the budget of the charts', async () => {
  const { policy, configHash, baselineOf } = await createRuntime();
  const baseline = baselineOf('v1');
  if (!baseline) throw new Error('expected a baseline');
  const windows = 24 * 28;
  const starts = Array.from({ length: windows }, (_, at) => start + at * hour);
  const prepared = await new Calibrations().prepare(policy, configHash, baseline, {
    key: 'learned',
    replacesOutputs: false,
    read: async () => ({
      schema: 'tidewatch.learned/1',
      windows,
      starts,
      counts: baseline.layout.features.map(() => starts.map(() => [])),
      values: starts.map((_, at) => [{ name: 'records', kind: 'count', value: 50 + (at % 7), weight: 50 + (at % 7) }]),
    }),
  });
  const [alone, shared] = [prepared.chartsFor(1), prepared.chartsFor(2)];
  expect(shared?.runLength).toBeCloseTo(2 * (alone?.runLength ?? 0), 6);
  expect(prepared.chartsFor(1)).toBe(alone);
});
