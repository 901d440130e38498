import { describe, expect, test } from 'vitest';
import type { Calibration } from '../../core/evaluate/calibration.ts';
import { sliceBaseline } from '../../core/evaluate/slice-baseline.ts';
import { binCountsOf } from '../../core/evaluate/trail.ts';
import { sliceOf } from '../../core/model/slice.ts';
import { Calibrations } from '../../core/pipeline/calibrations.ts';
import type { StoredWindows } from '../../core/pipeline/learned-windows.ts';
import { type Call, day, hour, linesOf, minute, payloadKey, payloadLine } from './capture-lines.ts';
import { baselineOf, createRuntime, start, usualCalls, World } from './embedded-world.ts';

/** About an eighth of the calls, fifty an hour. */
const small = 'PT';

async function createSlicedWorld(windowSeconds: number | undefined): Promise<World> {
  const slices = ['DE', small].map((country) => sliceOf('country', country));
  const baseline = await baselineOf(usualCalls(start - 4 * day, start, 4 * 24 * 60, 7), { windowSeconds, slices });
  return new World(await createRuntime({ slices: { country: ['DE', small] } }, 'test', baseline));
}

/** Nearly a standard deviation where the slice is, an eighth of one in all. */
const dearer = (call: Call): Call => ({
  ...call,
  rows: call.rows?.map(([amount, country]) => [Number(amount) * (country === small ? 1.6 : 1), country] as const),
});

/** The answers of another model. */
const other = (call: Call): Call => ({ ...call, version: 'v2-b', score: 40 + 10 * Math.sin(call.time) ** 2 });

async function judgeHours(world: World, from: number, to: number, change: (call: Call) => Call = (call) => call) {
  for (let at = from; at < to; at++) {
    const begin = start + at * hour;
    const calls = usualCalls(begin, begin + hour, 400, 5).map(change);
    const arrived = begin + hour + minute;
    await world.deliver({ key: payloadKey(begin, `h${at}`), body: linesOf(calls.map(payloadLine)), arrived });
    await world.tick(begin + hour + 10 * minute);
  }
}

const wholes = ({ features }: ReturnType<World['verdicts']>[number]) =>
  Object.values(features).filter(({ drifted }) => drifted);

test('a drift in a slice alone of a baseline without times raises nothing at first', async () => {
  const world = await createSlicedWorld(undefined);
  await judgeHours(world, 0, 12);
  await judgeHours(world, 12, 22, dearer);
  expect(world.verdicts().flatMap(({ findings }) => findings.filter(({ tier }) => tier !== 'green'))).toEqual([]);
});

test('and is yellow, with its onset, once three days of live windows have shown the ups and downs of the slice', async () => {
  const world = await createSlicedWorld(undefined);
  await judgeHours(world, 0, 74);
  expect(world.verdicts().flatMap(({ findings }) => findings.filter(({ tier }) => tier !== 'green'))).toEqual([]);
  await judgeHours(world, 74, 109, dearer);
  const last = world.verdicts().at(-1);
  expect(last && wholes(last)).toEqual([]);
  const finding = last?.findings.find(({ id }) => id === `drift:amount@country=${small}`);
  expect(finding).toMatchObject({ tier: 'yellow', slice: `country=${small}` });
  expect(finding?.message).toContain('began about 2026-03-05');
  // It lies before the windows that are always at hand: all of them were read.
  expect(Math.abs(Date.parse(String(finding?.evidence.onset)) - (start + 74 * hour))).toBeLessThanOrEqual(2 * hour);
}, 60_000);

test('the outputs of a new version are no drift of a slice, once they were learned', async () => {
  const world = await createSlicedWorld(3600);
  await judgeHours(world, 0, 2);
  await judgeHours(world, 2, 176, other);
  const verdicts = world.verdicts();
  expect(verdicts.at(-1)?.findings.some(({ kind }) => kind === 'learning')).toBe(false);
  expect(verdicts.flatMap(({ findings }) => findings.filter(({ tier }) => tier !== 'green'))).toEqual([]);
}, 120_000);

describe('a slice of a baseline without times', async () => {
  const slices = ['DE', 'FR'].map((country) => sliceOf('country', country));
  const baseline = await baselineOf(usualCalls(start - day, start, 2_000, 7), { windowSeconds: undefined, slices });
  const runtime = await createRuntime({ slices: { country: ['DE', 'FR'] } }, 'test', baseline);
  const starts = Array.from({ length: 72 }, (_, at) => start + at * hour);
  const known = new Map(sliceBaseline(baseline, 'country=DE')?.features);
  const usual = baseline.layout.features.map(([name, layout]) => {
    const summary = known.get(name)?.summary;
    return summary ? binCountsOf(summary, layout) : [];
  });
  const windowsOf = (rows: (at: number) => readonly (readonly number[])[]) => ({
    starts,
    counts: usual.map((_, feature) => starts.map((_, at) => rows(at)[feature] ?? [])),
  });
  const prepareFrom = async (sliced: StoredWindows['slices'], replacesOutputs = false) => {
    const { slices } = await new Calibrations().prepare(runtime.policy, runtime.configHash, baseline, {
      key: 'learned',
      replacesOutputs,
      read: async () => ({
        schema: 'tidewatch.learned/1',
        windows: starts.length,
        ...windowsOf(() => usual),
        ...(sliced && { slices: sliced }),
        values: starts.map(() => []),
      }),
    });
    return slices.map(({ calibration }) => calibration);
  };

  test('learns of its own live windows, and of those alone', async () => {
    const [ofDE, ofFR] = await prepareFrom([['country=DE', windowsOf(() => usual)]]);
    expect([ofDE?.kind, ofDE?.provisionalBelow, ofDE?.days]).toEqual(['learned', undefined, 3]);
    expect([ofFR?.kind, ofFR?.provisionalBelow]).toEqual(['uncalibrated', 2]);
    expect(ofFR?.features.map(({ name }) => name)).toEqual(ofDE?.features.map(({ name }) => name));
  });

  test('stays as it is where the windows were learned before slices were', async () => {
    expect((await prepareFrom(undefined)).map(({ kind }) => kind)).toEqual(['uncalibrated', 'uncalibrated']);
  });

  test('does not learn of a feature that is gone from it meanwhile', async () => {
    const gone = usual.map((row, feature) =>
      feature === 0 ? row.map((_, bin) => (bin === row.length - 1 ? 500 : 0)) : row,
    );
    const [ofDE] = await prepareFrom([['country=DE', windowsOf((at) => (at < 68 ? usual : gone))]]);
    expect(ofDE?.kind).toBe('learned');
    expect(ofDE?.features.map(({ provisionalBelow }) => provisionalBelow)).toEqual(
      usual.map((_, feature) => (feature === 0 ? 2 : undefined)),
    );
  });

  test('says nothing of the outputs of a new version that it has not seen', async () => {
    const calibrations = await prepareFrom([['country=DE', windowsOf(() => usual)]], true);
    const namesOf = ({ features }: Calibration) => features.map(({ name }) => name);
    const all = baseline.layout.features.map(([name]) => name);
    expect(calibrations.map(namesOf)).toEqual([all, all.filter((name) => name !== 'score')]);
  });
});
