import { expect, test } from 'vitest';
import { httpCapture, parseConfig } from '../../core/contract/config.ts';
import { sliceCounts } from '../../core/evaluate/slice-trail.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { Summary } from '../../core/model/profile.ts';
import { Intake } from '../../core/pipeline/intake.ts';
import { locateCapture } from '../../core/pipeline/locate.ts';
import { createModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { baselineHash } from '../../core/profile/build-baseline.ts';
import { createRandom, drawNormal } from '../evaluate/synthetic-model.ts';
import { batchOf, learnColumns, validated } from '../profile/batches.ts';

const time = Date.UTC(2026, 2, 2, 12);
const random = createRandom(1);
const rows = 300;
const columns = [
  ['age', Array.from({ length: rows }, () => 40 + 10 * drawNormal(random))],
  ['region', Array.from({ length: rows }, () => (random() < 0.5 ? 'EU' : 'US'))],
  ['score', Array.from({ length: rows }, () => random())],
] as const;

async function ingest(features: object, slices: object): Promise<readonly [Summary, typeof baseline]> {
  const learned = await learnColumns(columns);
  // The configuration is refused where the baseline did not count the slices of a column.
  const counted: Omit<Baseline, 'sha256'> = { ...learned, slices: [['region=EU', { records: 0, counts: '' }]] };
  const baseline: Baseline = { ...counted, sha256: baselineHash(counted) };
  const { fleet, models } = parseConfig({
    models: [
      {
        name: 'm',
        source: httpCapture({ bucket: 'captures' }),
        versions: [{ match: 'v1', baseline: 'b.json' }],
        features,
        slices,
      },
    ],
  });
  const [policy] = models;
  if (!policy) throw new Error('expected a model');
  const runtime = createModelRuntime(policy, fleet, new Map([['b.json', baseline]]), 'code');
  const object = { bucket: 'captures', key: 'a.jsonl', etag: 'e', bytes: 1, lastModified: time + 60_000 };
  const { source, ...place } = locateCapture(policy, object);
  if (source.role === 'labels') throw new Error('expected a source of captures');
  const intake = new Intake(runtime, { ...place, source }, object, []);
  const layout = runtime.layoutOf('v1');
  if (!layout) throw new Error('expected a layout');
  intake.addBatch(validated(batchOf(columns, { times: Array.from({ length: rows }, () => time) }), layout));
  const [window] = intake.windows();
  if (!window) throw new Error('expected a window');
  return [window.builder.finish(), baseline];
}

test('slices are counted where the configuration names them', async () => {
  const [summary] = await ingest({}, { region: ['EU', 'APAC'] });
  expect(summary.slices?.map(([name, { records }]) => [name, records])).toEqual([
    ['region=EU', columns[1][1].filter((region) => region === 'EU').length],
  ]);
  expect((await ingest({}, {}))[0].slices).toBeUndefined();
});

test('what the configuration ignores moves no counts, and may be a slice itself', async () => {
  const [all, baseline] = await ingest({}, { region: ['EU'] });
  const [some] = await ingest({ age: { ignore: true }, region: { ignore: true } }, { region: ['EU'] });
  const names = baseline.layout.features.map(([name]) => name);
  const before = sliceCounts(all, 'region=EU', baseline.layout);
  const after = sliceCounts(some, 'region=EU', baseline.layout);
  expect(after[names.indexOf('score')]).toEqual(before[names.indexOf('score')]);
  for (const ignored of ['age', 'region']) {
    expect(after[names.indexOf(ignored)]?.every((count) => count === 0)).toBe(true);
    expect(before[names.indexOf(ignored)]?.some((count) => count > 0)).toBe(true);
  }
  expect(some.slices?.[0]?.[1].records).toBe(all.slices?.[0]?.[1].records);
});

test('slices that the baseline did not count, and columns that it does not have, are refused', async () => {
  await expect(ingest({}, { score: [0.5, 1] })).rejects.toThrow(
    'm: slice score=0.5: baseline b.json did not count it; make the baseline with --slice "score=0.5" --slice "score=1"',
  );
  await expect(ingest({}, { market: ['EU'] })).rejects.toThrow(
    'm: slice market=EU: baseline b.json has no column market',
  );
});
