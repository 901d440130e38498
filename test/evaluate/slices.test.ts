import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baselineWithout, sliceBaseline } from '../../core/evaluate/slice-baseline.ts';
import { nameSlices } from '../../core/evaluate/slice-explanation.ts';
import { extendSliceTrails, sliceCounts, stretchesWithout } from '../../core/evaluate/slice-trail.ts';
import { binCountsOf, countsOfSummary, extendTrail, trailingCounts } from '../../core/evaluate/trail.ts';
import type { Summary } from '../../core/model/profile.ts';
import { sliceOf } from '../../core/model/slice.ts';
import type { Trail } from '../../core/model/trailing-counts.ts';
import type { Finding } from '../../core/model/verdict.ts';
import { SlicePlan } from '../../core/profile/slice-counter.ts';
import { SummaryBuilder } from '../../core/profile/summarise.ts';
import { batchOf, learn, pickRows } from '../profile/batches.ts';
import { SlicedModel } from './sliced-model.ts';
import { createRandom, drawNormal } from './synthetic-model.ts';

const levels = { drift: 0.06 / 168 / 5, slices: 0.02 / 168 / 5 };
const traffic = [
  { region: 'EU', perHour: 160 },
  { region: 'US', perHour: 100 },
  { region: 'APAC', perHour: 60 },
  { region: 'other', perHour: 40 },
];

/** What the windows of a day find. */
function watch(model: SlicedModel, windows: number) {
  const judged = Array.from({ length: windows }, () => model.judgeNext(levels));
  const last = judged.at(-1);
  if (!last) throw new Error('expected a window');
  return {
    ids: [...new Set(judged.flatMap(({ slices }) => slices.findings.map(({ id }) => id)))],
    wholes: [...new Set(judged.flatMap(({ whole }) => whole.features.flatMap((f) => (f.drifted ? [f.name] : []))))],
    last,
    judged,
  };
}

describe('a slice that drifts', () => {
  test('is found where the whole model hides it, and named', () => {
    const shift = (feature: number, region: string) => (feature === 1 && region === 'APAC' ? 0.6 : 0);
    const model = new SlicedModel({ features: 3, traffic, days: 28, shift }, createRandom(1));
    const { ids, wholes, last } = watch(model, 8);
    expect(wholes).toEqual([]);
    expect(ids).toEqual(['drift:feature001@region=APAC']);
    const [finding] = last.slices.findings;
    expect(finding).toMatchObject({ tier: 'yellow', kind: 'drift', feature: 'feature001', slice: 'region=APAC' });
    expect(finding?.message).toMatch(/^feature001 where region=APAC: \d+ % of records now lie at or above /);
    expect(finding?.evidence).toMatchObject({ slices: 'region=APAC', causes: 'distribution' });
  });

  test('explains the drift of the whole model, without a second finding', () => {
    const shift = (feature: number, region: string) => (feature === 0 && region === 'EU' ? 1.2 : 0);
    const model = new SlicedModel({ features: 3, traffic, days: 28, shift }, createRandom(2));
    const { wholes, last } = watch(model, 8);
    expect(wholes).toEqual(['feature000']);
    expect(last.slices.findings).toEqual([]);
    const explanation = last.slices.explanations.get('feature000');
    expect(explanation?.slices).toEqual(['region=EU']);
    expect(explanation?.restPValue).toBeGreaterThan(0.01);
    const finding: Finding = {
      id: 'drift:feature000',
      tier: 'yellow',
      kind: 'drift',
      feature: 'feature000',
      message: 'feature000: moved',
      evidence: { records: 5 },
    };
    const range: Finding = { ...finding, id: 'range:feature000', kind: 'range' };
    const [named, untouched] = nameSlices([finding, range], last.slices.explanations);
    expect(named).toMatchObject({ id: finding.id, slice: 'region=EU', evidence: { records: 5, slices: 'region=EU' } });
    expect(named?.message).toBe('feature000: moved; all of it where region=EU: the other records have not changed');
    expect(untouched).toBe(range);
  });

  test('is named together with others of its column', () => {
    const shift = (feature: number, region: string) => (feature === 0 && (region === 'EU' || region === 'US') ? 1 : 0);
    const model = new SlicedModel({ features: 2, traffic, days: 28, shift }, createRandom(3));
    const { judged } = watch(model, 8);
    const named = judged.map(({ slices }) => slices.explanations.get('feature000')?.slices.join(' '));
    // Where the few other records of an hour happen to look odd, nothing is named.
    expect(named.filter((name) => name === 'region=EU region=US').length).toBeGreaterThanOrEqual(5);
    expect(named.filter((name) => name !== undefined && name !== 'region=EU region=US')).toEqual([]);
  });

  test('does not explain a drift that is everywhere', () => {
    const model = new SlicedModel(
      { features: 2, traffic, days: 28, shift: (feature) => (feature === 0 ? 0.7 : 0) },
      createRandom(4),
    );
    const { wholes, judged } = watch(model, 8);
    expect(wholes).toEqual(['feature000']);
    expect(judged.map(({ slices }) => slices.explanations.size)).toEqual(judged.map(() => 0));
    expect(judged.at(-1)?.slices.findings).toEqual([]);
  });
});

test('slices of a healthy model are silent', () => {
  let found = 0;
  for (let seed = 10; seed < 14; seed++) {
    const model = new SlicedModel({ features: 4, traffic, days: 28, wander: 0.08 }, createRandom(seed));
    found += watch(model, 48).judged.filter(({ slices }) => slices.findings.length > 0).length;
  }
  expect(found).toBe(0);
});

describe("a slice's baseline", () => {
  const rows = 3_000;
  const random = createRandom(6);
  const regions = Array.from({ length: rows }, () => (random() < 0.5 ? 'EU' : random() < 0.7 ? 'US' : 'XX'));
  const columns = [
    [
      'age',
      regions.map((region) => (random() < 0.05 ? null : 40 + 10 * drawNormal(random) + (region === 'EU' ? 5 : 0))),
    ],
    ['job', regions.map(() => `j${Math.floor(random() ** 3 * 30)}`)],
    ['region', regions],
  ] as const;
  const times = regions.map((_, row) => Date.UTC(2026, 0, 1) + row * 120_000);
  const batch = batchOf(columns, { times });
  const slices = [sliceOf('region', 'EU'), sliceOf('region', 'US')];
  const learnt = learn([batch], { windowSeconds: 3600, slices });

  test('has the counts of its records alone, in total and per window', async () => {
    const whole = await learnt;
    const slice = sliceBaseline(whole, 'region=EU');
    expect(slice?.records).toBe(regions.filter((region) => region === 'EU').length);
    const inside = regions.flatMap((region, row) => (region === 'EU' ? [row] : []));
    const plan = new SlicePlan(whole.layout, slices);
    const builder = (indices: readonly number[]) => {
      const builder = new SummaryBuilder({
        layout: whole.layout,
        indicators: [],
        required: [],
        ignored: new Set(),
        role: 'inferences',
        slices: plan,
      });
      builder.addRows(pickRows(batch, indices), [...indices.keys()]);
      return builder.finish();
    };
    const alone = builder(inside);
    const known = new Map(slice?.features);
    for (const [position, [name, layout]] of whole.layout.features.entries()) {
      const expected = countsOfSummary(alone, whole.layout)[position];
      const feature = known.get(name);
      if (!feature) throw new Error(`expected ${name}`);
      expect(binCountsOf(feature.summary, layout)).toEqual(expected);
      const perWindow = feature.binCounts?.windows ?? [];
      expect(perWindow).toHaveLength(whole.time?.windows.length ?? -1);
      expect(expected?.map((_, bin) => perWindow.reduce((sum, row) => sum + (row[bin] ?? 0), 0))).toEqual(expected);
      expect(sliceCounts(builder([...regions.keys()]), 'region=EU', whole.layout)[position]).toEqual(expected);
    }
    expect(slice?.time?.windows.reduce((sum, [, records]) => sum + records, 0)).toBe(slice?.records);
  });

  test('and what is left without it are the whole', async () => {
    const whole = await learnt;
    const parts = [sliceBaseline(whole, 'region=EU'), sliceBaseline(whole, 'region=US')];
    const rest = baselineWithout(whole, ['region=EU', 'region=US'], new Set(['age', 'job']));
    expect(rest?.layout.features.map(([name]) => name)).toEqual(['age', 'job']);
    expect(rest?.records).toBe(regions.filter((region) => region === 'XX').length);
    for (const name of ['age', 'job']) {
      const layout = new Map(whole.layout.features).get(name);
      const countsOf = (baseline: typeof rest) => {
        const feature = new Map(baseline?.features).get(name);
        if (!feature || !layout) throw new Error(`expected ${name}`);
        return { total: binCountsOf(feature.summary, layout), windows: feature.binCounts?.windows };
      };
      const [all, left] = [countsOf(whole), countsOf(rest)];
      const [eu, us] = parts.map(countsOf);
      expect(left.total.map((count, bin) => count + (eu?.total[bin] ?? 0) + (us?.total[bin] ?? 0))).toEqual(all.total);
      expect(
        left.windows?.[7]?.map((count, bin) => count + (eu?.windows?.[7]?.[bin] ?? 0) + (us?.windows?.[7]?.[bin] ?? 0)),
      ).toEqual(all.windows?.[7]);
    }
  });

  test('of which the newest windows alone are known is what those say', async () => {
    const whole = await learnt;
    const slices = whole.slices?.map(
      ([name, slice]) => [name, { ...slice, windows: slice.windows?.slice(3) }] as const,
    );
    const [all, part] = [sliceBaseline(whole, 'region=EU'), sliceBaseline({ ...whole, slices }, 'region=EU')];
    expect(part?.time?.windows).toEqual(all?.time?.windows.slice(3));
    const windowsOf = (baseline: typeof all) => baseline?.features.map(([, { binCounts }]) => binCounts?.windows);
    expect(windowsOf(part)).toEqual(windowsOf(all)?.map((windows) => windows?.slice(3)));
    const wanted = new Set(['age', 'job']);
    const rest = baselineWithout({ ...whole, slices }, ['region=EU'], wanted);
    expect(windowsOf(rest)).toEqual(
      windowsOf(baselineWithout(whole, ['region=EU'], wanted))?.map((windows) => windows?.slice(3)),
    );
    expect(rest?.time?.windows).toEqual(baselineWithout(whole, ['region=EU'], wanted)?.time?.windows.slice(3));
  });

  test('is not there for a slice that the baseline does not know', async () => {
    const whole = await learnt;
    expect(sliceBaseline(whole, 'region=XX')).toBeUndefined();
    expect(baselineWithout(whole, ['region=XX'], new Set(['age']))).toBeUndefined();
    expect(sliceBaseline({ ...whole, slices: undefined }, 'region=EU')).toBeUndefined();
  });

  test('refuses counts that do not fit the layout', async () => {
    const whole = await learnt;
    const broken = { ...whole, slices: [['region=EU', { records: 1, counts: '99999:1' }]] as const };
    expect(() => sliceBaseline(broken, 'region=EU')).toThrow(/expected positions below/);
  });
});

describe('trails of slices', () => {
  const layout = {
    schema: 'tidewatch.layout/1',
    features: [['age', { kind: 'numeric', side: 'input', centre: 0, unit: 1, binEdges: [0] }]],
    leftOut: [],
  } as const;
  const summaryOf = (slices: Summary['slices']): Summary => ({
    records: { captured: 9, counted: 9, quarantined: 0, duplicate: 0, pending: 0, expired: 0, late: 0 },
    requests: { captured: 0, counted: 0, quarantined: 0, duplicate: 0, pending: 0, expired: 0, late: 0 },
    quarantine: [],
    features: [],
    extraColumns: [],
    minutes: [],
    slices,
  });

  test('add a window to every slice, also to one without records', () => {
    const first = summaryOf([['a=1', { records: 3, counts: '0:1,2' }]]);
    const one = extendSliceTrails(undefined, { start: 0 }, first, layout, ['b=1', 'a=1'], '00|weekday');
    expect(one.map(([name, { counts, cells }]) => [name, counts, cells])).toEqual([
      ['a=1', [[1, 2, 0]], [['00|weekday', 3]]],
      ['b=1', [[0, 0, 0]], [['00|weekday', 0]]],
    ]);
    const two = extendSliceTrails(one, { start: 3_600_000 }, first, layout, ['a=1', 'c=1'], '01|weekday');
    expect(two.map(([name, { windows, counts }]) => [name, windows, counts])).toEqual([
      ['a=1', 2, [[2, 4, 0]]],
      ['c=1', 1, [[0, 0, 0]]],
    ]);
  });

  test('the whole without a slice is the rest', () => {
    const window = fc.array(fc.nat(50), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(window, window), { minLength: 1, maxLength: 12 }), (windows) => {
        const trailsOf = (counts: readonly (readonly number[])[]) => {
          const trails: Trail[] = [];
          for (const [at, row] of counts.entries()) {
            const cell = `0${at % 3}|weekday`;
            trails.push(extendTrail(trails.at(-1), { start: at * 1000 }, [row], layout, cell));
          }
          const now = trails.at(-1);
          return now ? trailingCounts(now, trails, [1, 2, 8], 1000) : [];
        };
        const whole = trailsOf(windows.map(([a, b]) => a.map((count, bin) => count + (b[bin] ?? 0))));
        const slice = trailsOf(windows.map(([a]) => a));
        const rest = trailsOf(windows.map(([, b]) => b));
        const plain = (stretches: typeof rest) =>
          stretches.map(({ scale, records, cells, counts }) => ({
            scale,
            records,
            cells,
            counts: counts.map((row) => Array.from(row)),
          }));
        expect(plain(stretchesWithout(whole, [slice], [0]))).toEqual(plain(rest));
      }),
    );
  });
});
