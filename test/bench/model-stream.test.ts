import { describe, expect, test } from 'vitest';
import { featureName, makeBaseline } from '../../bench/detection/counted-baseline.ts';
import {
  binShares,
  decileGrid,
  fineGrid,
  heavyFamily,
  normalFamily,
  ShareTable,
  skewedFamily,
} from '../../bench/detection/feature-family.ts';
import { shiftOfIndex } from '../../bench/detection/injected-drift.ts';
import { ModelStream, type StreamOptions } from '../../bench/detection/model-stream.ts';
import { createRandomSource } from '../../bench/detection/random-source.ts';
import { toBatches } from '../../bench/detection/record-batches.ts';
import { calendarDays, restsAt, type Scenario, scenarios } from '../../bench/detection/scenario.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';

function scenarioNamed(name: string): Scenario {
  const scenario = scenarios.find((each) => each.name === name);
  if (!scenario) throw new Error(`no scenario ${name}`);
  return scenario;
}

function openStream(name: string, options: StreamOptions = {}, seed = 'test'): ModelStream {
  return new ModelStream(scenarioNamed(name), createRandomSource(seed), { baselineHours: 48, ...options });
}

const sum = (counts: ArrayLike<number>) => Array.from(counts).reduce((total, count) => total + count, 0);

describe('feature families', () => {
  test.each([normalFamily, heavyFamily, skewedFamily])('$name: deciles hold a tenth each', (family) => {
    for (const share of binShares(family, decileGrid(family), 0)) expect(share).toBeCloseTo(0.1, 9);
  });

  test('the fine grid refines the deciles', () => {
    const grid = fineGrid(normalFamily);
    const shares = binShares(normalFamily, grid, 0.4);
    const coarse = binShares(normalFamily, decileGrid(normalFamily), 0.4);
    for (const [decile, share] of coarse.entries()) {
      const parts = shares.filter((_, bin) => grid.decileOf[bin] === decile);
      expect(sum(parts)).toBeCloseTo(share, 12);
    }
  });

  test('the table interpolates the exact shares', () => {
    const table = new ShareTable(heavyFamily, decileGrid(heavyFamily));
    const filled = new Float64Array(table.bins);
    table.fill(0.1234, 1, filled);
    for (const [bin, share] of binShares(heavyFamily, decileGrid(heavyFamily), 0.1234).entries()) {
      expect(Math.abs((filled[bin] ?? 0) - share)).toBeLessThan(1e-5);
    }
    expect(sum(filled)).toBeCloseTo(1, 12);
  });

  test('a shift is found that has the wanted PSI', () => {
    // Between normal distributions PSI is the square of the shift; over deciles a little less.
    expect(shiftOfIndex(0.01) ** 2).toBeGreaterThan(0.01);
    expect(shiftOfIndex(0.01) ** 2).toBeLessThan(0.0112);
  });
});

describe('a model stream', () => {
  test.each(scenarios.map(({ name }) => name))('%s: every feature counts every record', (name) => {
    if (name.includes('5,000') || name.includes('10,000')) return;
    const stream = openStream(name);
    const windows = [...stream.drawBaseline(), stream.next().stable, stream.next().stable];
    expect(stream.features).toHaveLength(200);
    for (const { counts, records } of windows) {
      expect(counts).toHaveLength(200);
      for (const row of counts) expect(sum(row)).toBe(records);
    }
  });

  test('the same seed gives the same windows, fine or coarse counts add up to the same records', () => {
    const draw = (options: StreamOptions, seed: string) => {
      const stream = openStream('heavy tails', options, seed);
      stream.drawBaseline();
      return stream.next().stable;
    };
    expect(draw({}, 'a')).toEqual(draw({}, 'a'));
    expect(draw({}, 'a')).not.toEqual(draw({}, 'b'));
    const fine = draw({ fine: true }, 'a');
    for (const [feature, counts] of fine.fine.entries()) expect(sum(counts)).toBe(sum(fine.counts[feature] ?? []));
  });

  test('injected drift moves the first features and no other', () => {
    const stream = openStream('independent null', { drift: { from: 48, shift: 2, features: 3 } });
    stream.drawBaseline();
    const lastDecile = stream.next().stable.counts.map((counts) => counts[9] ?? 0);
    expect(Math.min(...lastDecile.slice(0, 3))).toBeGreaterThan(200);
    expect(Math.max(...lastDecile.slice(3))).toBeLessThan(120);
  });

  test('a canary gets its share, a batch comes once a week, holidays rest', () => {
    const canary = openStream('5 % canary');
    canary.drawBaseline();
    const first = canary.next();
    expect(first.canary?.records ?? 0).toBeGreaterThan(5);
    expect(first.canary?.records ?? 0).toBeLessThan(60);
    const batch = openStream('weekly batch').drawBaseline();
    const busiest = batch.reduce(
      (best, window, hour) => (window.records > (batch[best]?.records ?? 0) ? hour : best),
      0,
    );
    expect(busiest).toBe(27);
    const holiday = scenarioNamed('holiday');
    expect(calendarDays(holiday)[0]).toEqual(['2026-03-10', 'weekend']);
    expect([restsAt(holiday, 8 * 24), restsAt(holiday, 9 * 24), restsAt(holiday, 5 * 24)]).toEqual([true, false, true]);
  });
});

describe('a counted baseline', () => {
  test('says what one built from records says', async () => {
    const stream = openStream('independent null', { baselineHours: 3 });
    const windows = stream.drawBaseline();
    const counted = makeBaseline(stream.features, windows);
    const columns = [0, 1].map(featureName);
    const edges = decileGrid(normalFamily).edges;
    const valueIn = (bin: number) =>
      bin === 0 ? -3 : bin > 9 ? null : ((edges[bin - 1] ?? 0) + (edges[bin] ?? 3)) / 2;
    const rows = windows.flatMap(({ start, records, counts }) => {
      const values = [0, 1].map((feature) =>
        (counts[feature] ?? []).flatMap((count, bin) => Array(count).fill(valueIn(bin))),
      );
      return Array.from({ length: records }, (_, row) => ({
        time: start + row,
        cells: values.map((column) => column[row]),
      }));
    });
    const built = await createBaseline(
      {
        async *open() {
          yield* toBatches(columns, rows);
        },
      },
      { windowSeconds: 3600 },
    );
    expect(counted.records).toBe(built.records);
    expect(counted.time?.windows).toEqual(built.time?.windows);
    expect(counted.time?.cells).toEqual(built.time?.cells);
    for (const [name, feature] of built.features) {
      const own = new Map(counted.features).get(name);
      expect(own?.summary.count).toBe(feature.summary.count);
      expect(own?.summary.missing).toBe(feature.summary.missing);
      expect(own?.binCounts?.windows.map(sum)).toEqual(feature.binCounts?.windows.map(sum));
      expect(own?.binCounts?.windows.map((row) => row.at(-1))).toEqual(
        feature.binCounts?.windows.map((row) => row.at(-1)),
      );
    }
  });
});
