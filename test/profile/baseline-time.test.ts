import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAnyNumber } from '../../core/decode/validate.ts';
import { calibrate } from '../../core/evaluate/calibration.ts';
import type { Baseline, BaselineFeature } from '../../core/model/baseline.ts';
import { utcCalendar } from '../../core/model/calendar.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { placeCoarseBins } from '../../core/model/coarse-bins.ts';
import { sha256 } from '../../core/model/content-hash.ts';
import type { Layout } from '../../core/model/layout.ts';
import type { Cell } from '../../core/model/record-batch.ts';
import { sliceOf } from '../../core/model/slice.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { BinCounter } from '../../core/profile/bin-counter.ts';
import { BaselineBuilder, baselineHash, cellOf } from '../../core/profile/build-baseline.ts';
import { planLayout } from '../../core/profile/plan-layout.ts';
import { Survey } from '../../core/profile/survey.ts';
import { addCountRuns } from '../../core/stats/count-runs.ts';
import { histogramBins } from '../../core/stats/log-linear-histogram.ts';
import { batchOf, decodedOf, learn, learnColumns, validated } from './batches.ts';

const saturday = Date.UTC(2026, 1, 28);
const minute = 60_000;
const rows = 3_000;
/** Some records a minute over four days, with a hole of 90 minutes. */
const times = Array.from({ length: rows }, (_, row) => saturday + row * 2 * minute + (row >= 1_500 ? 90 * minute : 0));
const amounts: Cell[] = times.map((_, row) => (row % 17 === 0 ? null : (row * 7) % 101));
const regions: Cell[] = times.map(
  (_, row) => ['EU', 'US', 'rare', ''][row % 211 === 0 ? 2 : row % 19 === 0 ? 3 : row % 2],
);
const batch = batchOf(
  [
    ['amount', amounts],
    ['region', regions],
  ],
  { times },
);

/** Counts per bin of the whole baseline: the layout's bins or categories, unseen where categorical, missing. */
function totalsOf(feature: BaselineFeature, binEdges: readonly number[], categories: number): number[] {
  const { summary } = feature;
  if (summary.kind === 'numeric') return [...histogramBins(summary.buckets, binEdges), summary.missing];
  if (summary.kind !== 'categorical') throw new Error(`expected counts, saw ${summary.kind}`);
  const counts = new Map(summary.categories);
  return [...Array.from({ length: categories }, (_, index) => counts.get(index) ?? 0), summary.unseen, summary.missing];
}

test('counts per window and per cell of the week sum to the whole', async () => {
  const baseline = await learn([batch], { windowSeconds: 3600 });
  const layouts = new Map(baseline.layout.features);
  expect(baseline.features.map(([name]) => name)).toEqual(['amount', 'region']);
  for (const [name, feature] of baseline.features) {
    const layout = layouts.get(name);
    const totals = totalsOf(
      feature,
      layout?.kind === 'numeric' ? layout.binEdges : [],
      layout?.kind === 'categorical' ? layout.categories.length : 0,
    );
    for (const groups of [feature.binCounts?.windows ?? [], feature.binCounts?.cells ?? []]) {
      const sums = totals.map((_, bin) => groups.reduce((sum, counts) => sum + (counts[bin] ?? 0), 0));
      expect(sums).toEqual(totals);
      expect(groups.every((counts) => counts.length === totals.length)).toBe(true);
    }
  }
});

test('windows and cells say how many records they hold', async () => {
  const { time, features, records } = await learn([batch], { windowSeconds: 3600 });
  if (!time) throw new Error('expected times');
  const starts = time.windows.map(([start]) => start);
  expect(starts).toEqual([...new Set(times.map((at) => new Date(at - (at % 3_600_000)).toISOString()))]);
  expect(time.windows.reduce((sum, [, count]) => sum + count, 0)).toBe(records);
  expect(time.cells.reduce((sum, cell) => sum + cell.records, 0)).toBe(records);
  expect(time.cells.map(({ cell }) => cell)).toEqual(time.cells.map(({ cell }) => cell).toSorted());
  for (const [index, [, count]] of time.windows.entries()) {
    const counts = features[0]?.[1].binCounts?.windows[index] ?? [];
    expect(counts.reduce((sum, bin) => sum + bin, 0)).toBe(count);
  }
  expect(time.cells[0]).toEqual({
    cell: '00|weekday',
    records: times.filter((at) => cellOf(at) === '00|weekday').length,
  });
  expect(time).toMatchObject({
    first: '2026-02-28T00:00:00.000Z',
    last: new Date(times.at(-1) ?? 0).toISOString(),
    windowSeconds: 3600,
    longestGapSeconds: 92 * 60,
  });
});

test('cells tell weekends from weekdays, in UTC', () => {
  expect(cellOf(Date.UTC(2026, 1, 27, 23, 59))).toBe('23|weekday');
  expect(cellOf(Date.UTC(2026, 1, 28, 0, 0))).toBe('00|weekend');
  expect(cellOf(Date.UTC(2026, 2, 1, 13))).toBe('13|weekend');
  expect(cellOf(Date.UTC(2026, 2, 2))).toBe('00|weekday');
});

test('records without times have no windows', async () => {
  const baseline = await learn([batch]);
  expect(baseline.time).toBeUndefined();
  expect(baseline.features.every(([, feature]) => feature.binCounts === undefined)).toBe(true);
});

test('records outside the time asked for are left out', async () => {
  const noon = saturday + 12 * 60 * minute;
  async function* open() {
    yield decodedOf(batch);
  }
  const baseline = await createBaseline({ open, from: saturday + minute, to: noon }, { windowSeconds: 3600 });
  expect(baseline.records).toBe(times.filter((at) => at >= saturday + minute && at < noon).length);
  expect(baseline.time).toMatchObject({ first: '2026-02-28T00:02:00.000Z', last: '2026-02-28T11:58:00.000Z' });
});

test('quarantined rows are counted, and not among the records', async () => {
  const entry = { reason: 'not-json', line: 1, offset: 0, length: 1, seen: 'a', expected: 'b' } as const;
  async function* open() {
    yield decodedOf(batchOf([['amount', [1, 2]]]), [entry, entry, entry]);
  }
  expect(await createBaseline({ open }, { windowSeconds: undefined })).toMatchObject({ records: 2, quarantined: 3 });
});

describe('of more windows than are kept', () => {
  const present: Layout = {
    schema: 'tidewatch.layout/1',
    features: [['a', { kind: 'opaque', side: 'input' }]],
    leftOut: [],
  };

  test('the newest have counts of all their records, in whatever order those come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 120 }), fc.nat(12), (hours, kept) => {
        const counter = new BinCounter(present, 2 * kept + 1);
        const keys = hours.map((at) => String(at).padStart(2, '0'));
        for (const key of keys) counter.add(batchOf([['a', [1, null]]]), () => key);
        const all = [...new Set(keys)].sort().map((key) => [key, 2 * keys.filter((other) => other === key).length]);
        expect(counter.groups()).toEqual(all);
        const newest = all.slice(Math.max(0, all.length - kept));
        expect(counter.countedGroups()).toEqual(newest);
        expect(counter.counts()('a')).toEqual(newest.map(([, records]) => [Number(records) / 2, Number(records) / 2]));
      }),
    );
  });

  const withCaller = batchOf(
    [
      ['amount', amounts],
      ['region', regions],
      ['who', times.map((_, row) => (row < 2_000 ? 'early' : 'late'))],
    ],
    { times },
  );

  /** The baseline of the batch, with so many numbers kept of windows × bins. */
  function build(maximumCounts?: number): Baseline {
    const survey = new Survey(readAnyNumber);
    survey.add(withCaller);
    const { layout } = planLayout(survey.finish(), (column) => ({ ignore: column === 'who' }));
    const builder = new BaselineBuilder(layout, survey.finish(), {
      windowSeconds: 3600,
      caller: 'who',
      slices: [sliceOf('region', 'EU')],
      maximumCounts,
    });
    builder.add(validated(withCaller, layout));
    return builder.finish([]);
  }

  test('the baseline says so, and all that goes by windows goes by those', () => {
    const whole = build();
    const bins = placeCoarseBins(whole.layout).bins;
    const all = whole.time?.windows ?? [];
    const part = build(75 * bins);
    const windows = part.time?.windows ?? [];
    expect(windows).toEqual(all.slice(-75));
    expect(part.notes).toEqual([
      `ups and downs are learned from the newest 75 of ${all.length} windows, from ${windows[0]?.[0]} on: counts of ${bins} bins in each are too many to keep all`,
    ]);
    expect(part.records).toBe(whole.records);
    const features = new Map(whole.features);
    for (const [name, feature] of part.features) {
      expect(feature.binCounts?.windows).toEqual(features.get(name)?.binCounts?.windows.slice(-75));
      expect(feature.summary).toEqual(features.get(name)?.summary);
    }
    expect(part.slices?.[0]?.[1].windows).toEqual(whole.slices?.[0]?.[1].windows?.slice(-75));
    const ofCallers = ({ callers }: Baseline) =>
      callers?.known.map(([, { windows: runs = '' }]) => {
        const counts = new Float64Array(all.length);
        addCountRuns(runs, counts);
        return [...counts].reduce((sum, count) => sum + count, 0);
      });
    expect(ofCallers(whole)?.reduce((sum, count) => sum + count, 0)).toBe(rows);
    // Callers have the records that they sent in those windows.
    expect(ofCallers(part)?.reduce((sum, count) => sum + count, 0)).toBe(
      windows.reduce((sum, [, records]) => sum + records, 0),
    );
    expect(calibrate(part, { windowSeconds: 3600, calendar: utcCalendar }).kind).toBe('wander');
  });

  test('too few are none', () => {
    // Cells of the week are 48.
    const bins = placeCoarseBins(build().layout).bins;
    expect(build(48 * bins).time?.windows).toHaveLength(48);
    const none = build(48 * bins - 1);
    expect(none.notes).toEqual(['counts per window are left out: too many windows and bins']);
    expect(none.time?.windows).toEqual(build().time?.windows);
    expect(none.features.every(([, { binCounts }]) => binCounts === undefined)).toBe(true);
  });

  test('four weeks of 200 features by the quarter of an hour are not too many', async () => {
    const [records, categories, quarter] = [12_000, 1_000, 900_000];
    const cells = (factor: number) => Array.from({ length: records }, (_, row) => `c${(row * factor) % categories}`);
    const baseline = await learnColumns(
      [
        ['a', cells(7)],
        ['b', cells(11)],
      ],
      {
        times: Array.from({ length: records }, (_, row) => saturday + Math.floor((row * 2_688) / records) * quarter),
        windowSeconds: 900,
      },
    );
    expect(baseline.notes).toEqual([]);
    expect(baseline.time?.windows).toHaveLength(2_688);
    expect(baseline.features.map(([, { binCounts }]) => binCounts?.windows.length)).toEqual([2_688, 2_688]);
  });
});

test('the SHA-256 is that of the canonical JSON without itself', async () => {
  const baseline = await learnColumns([['x', [1, 2, 3]]]);
  const { sha256: named, ...rest } = baseline;
  expect(named).toBe(sha256(canonicalJson(rest)));
  expect(baselineHash(JSON.parse(canonicalJson(baseline)))).toBe(named);
});
