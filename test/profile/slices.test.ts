import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { sliceOf } from '../../core/model/slice.ts';
import { BaselineSlices } from '../../core/profile/baseline-slices.ts';
import { baselineHash } from '../../core/profile/build-baseline.ts';
import { SliceCounter, SlicePlan } from '../../core/profile/slice-counter.ts';
import { createRandom, drawNormal } from '../evaluate/synthetic-model.ts';
import { batchOf, learnColumns } from './batches.ts';

const hour = 3_600_000;
const rows = 600;
const random = createRandom(3);
const regions = Array.from({ length: rows }, () => (random() < 0.6 ? 'EU' : 'US'));
const ages = Array.from({ length: rows }, (_, row) =>
  row % 50 === 0 ? null : Math.round(40 + 10 * drawNormal(random)),
);
const times = Array.from({ length: rows }, (_, row) => Date.UTC(2026, 0, 1) + row * 360_000);
const columns = [
  ['age', ages],
  ['region', regions],
] as const;

describe('a baseline with slices', () => {
  test('holds their records in total and per window', async () => {
    const slices = [sliceOf('region', 'US'), sliceOf('region', 'EU'), sliceOf('region', 'APAC')];
    const baseline = await learnColumns(columns, { times, windowSeconds: 3600, slices });
    const known = new Map(baseline.slices);
    expect([...known.keys()]).toEqual(['region=EU', 'region=US']);
    expect(known.get('region=EU')?.records).toBe(regions.filter((region) => region === 'EU').length);
    const perWindow = known.get('region=EU')?.windows ?? [];
    expect(perWindow).toHaveLength(baseline.time?.windows.length ?? -1);
    baseline.time?.windows.forEach(([start], window) => {
      const inside = regions.filter(
        (region, row) => region === 'EU' && Math.floor((times[row] ?? 0) / hour) * hour === Date.parse(start),
      );
      expect(perWindow[window]?.[0]).toBe(inside.length);
    });
    expect(baseline.notes).toContain('slice region=APAC: left out, no record is in it');
    const { sha256, ...rest } = baseline;
    expect(baselineHash(rest)).toBe(sha256);
    const parsed: typeof baseline = JSON.parse(canonicalJson(baseline));
    expect(canonicalJson(parsed)).toBe(canonicalJson(baseline));
  });

  test('without times has totals alone', async () => {
    const baseline = await learnColumns(columns, { slices: [sliceOf('region', 'EU')] });
    expect(baseline.slices?.[0]?.[1].windows).toBeUndefined();
    expect(baseline.slices?.[0]?.[1].counts).not.toBe('');
  });

  test('is the same as ever where no slices are asked for', async () => {
    const baseline = await learnColumns(columns, { times, windowSeconds: 3600 });
    expect(canonicalJson(baseline)).not.toContain('slice');
  });

  test('keeps the newest windows where there are too many, or none, and says so', async () => {
    const { layout } = await learnColumns(columns);
    const slices = [sliceOf('region', 'EU')];
    const batch = batchOf(columns, { times });
    const windowOf = (row: number) => String(Math.floor((times[row] ?? 0) / hour));
    const keys = [...new Set(times.map((_, row) => windowOf(row)))];
    const { bins } = new SlicePlan(layout, slices);
    const enough = new BaselineSlices(layout, slices, keys.length * bins);
    const most = new BaselineSlices(layout, slices, keys.length * bins - 1);
    const tooFew = new BaselineSlices(layout, slices, 24 * bins - 1);
    for (const each of [enough, most, tooFew]) each.add(batch, windowOf);
    expect(enough.finish(keys).notes).toEqual([]);
    expect(most.finish(keys).notes).toEqual([
      `ups and downs of slices are learned from the newest ${keys.length - 1} of ${keys.length} windows, from ${keys[1]} on: windows × slices × bins are too many to keep all`,
    ]);
    expect(most.finish(keys).slices?.[0]?.[1].windows).toEqual(enough.finish(keys).slices?.[0]?.[1].windows?.slice(1));
    const { slices: found, notes } = tooFew.finish(keys);
    expect(notes).toEqual(['counts of slices per window are left out: too many windows, slices and bins']);
    expect(found?.[0]?.[1].windows).toBeUndefined();
    expect(found?.[0]?.[1].counts).toBe(enough.finish(keys).slices?.[0]?.[1].counts);
  });
});

test('a window of one record of two hundred features and ten slices takes a fraction of its summary', async () => {
  const features = Array.from(
    { length: 200 },
    (_, at) => [`feature${at}`, Array.from({ length: 300 }, () => drawNormal(random))] as const,
  );
  const { layout } = await learnColumns(features);
  const slices = Array.from({ length: 10 }, (_, at) => sliceOf('region', `r${at}`));
  const sizeOf = (count: number) => {
    const counter = new SliceCounter(new SlicePlan(layout, slices));
    const cells = Array.from({ length: count }, (_, row) => `r${row % 10}`);
    const batch = batchOf([
      ...features.map(([name, values]) => [name, values.slice(0, count)] as const),
      ['region', cells],
    ]);
    counter.add(batch, [...cells.keys()]);
    return canonicalJson(counter.finish()).length;
  };
  expect(sizeOf(1)).toBeLessThan(2_000);
  expect(sizeOf(300)).toBeLessThan(60_000);
});
