import { expect, test } from 'vitest';
import type { BaselineFeature } from '../../core/model/baseline.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { sha256 } from '../../core/model/content-hash.ts';
import type { Cell } from '../../core/model/record-batch.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { BinCounter } from '../../core/profile/bin-counter.ts';
import { baselineHash, cellOf } from '../../core/profile/build-baseline.ts';
import { histogramBins } from '../../core/stats/log-linear-histogram.ts';
import { batchOf, decodedOf, learn, learnColumns } from './batches.ts';

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

test('too many windows and bins cost the counts, not the memory', () => {
  const counter = new BinCounter(
    { schema: 'tidewatch.layout/1', features: [['a', { kind: 'opaque', side: 'input' }]], leftOut: [] },
    6,
  );
  const addTo = (group: string) => counter.add(batchOf([['a', [1, null]]]), () => group);
  addTo('1');
  addTo('2');
  addTo('3');
  expect(counter.keepsCounts).toBe(true);
  expect(counter.counts()('a')).toEqual([
    [1, 1],
    [1, 1],
    [1, 1],
  ]);
  addTo('4');
  addTo('1');
  expect(counter.keepsCounts).toBe(false);
  expect(counter.groups()).toEqual([
    ['1', 4],
    ['2', 2],
    ['3', 2],
    ['4', 2],
  ]);
});

test('the SHA-256 is that of the canonical JSON without itself', async () => {
  const baseline = await learnColumns([['x', [1, 2, 3]]]);
  const { sha256: named, ...rest } = baseline;
  expect(named).toBe(sha256(canonicalJson(rest)));
  expect(baselineHash(JSON.parse(canonicalJson(baseline)))).toBe(named);
});
