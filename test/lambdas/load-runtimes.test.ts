import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import type { ModelPolicy } from '../../core/model/policy.ts';
import { loadPolicies, loadRuntimes } from '../../lambdas/load-runtimes.ts';
import { prepareOnce } from '../../lambdas/prepare-once.ts';
import { temporaryDirectory } from '../adapters/temporary-directory.ts';
import { createRuntime } from '../pipeline/embedded-world.ts';

/** Files as a Lambda asset holds them. */
async function createAsset(change: (policy: ModelPolicy) => unknown = (policy) => policy) {
  const { policy, fleet, baselineOf } = await createRuntime();
  const baseline = baselineOf('v1');
  if (!baseline) throw new Error('expected a baseline');
  const path = `config/baselines/${baseline.sha256}.json`;
  const versions = policy.versions.map((version) =>
    version.baseline ? { ...version, baseline: { path, sha256: baseline.sha256 } } : version,
  );
  const folder = temporaryDirectory();
  for (const name of ['models', 'baselines']) mkdirSync(join(folder, 'config', name), { recursive: true });
  const write = (file: string, value: unknown) => writeFileSync(join(folder, file), canonicalJson(value));
  write('config/fleet.json', fleet);
  write('config/models/credit.json', change({ ...policy, versions }));
  write(path, baseline);
  return { folder, write, baseline, path };
}

test('loads each policy with the baselines it names', async () => {
  const { folder, baseline } = await createAsset();
  const [runtime] = await loadRuntimes(folder, 'tidewatch@1+abc');
  expect(runtime?.policy.name).toBe('credit');
  expect(runtime?.baselineOf('v1')?.sha256).toBe(baseline.sha256);
  expect(runtime?.code).toBe('tidewatch@1+abc');
  expect((await loadPolicies(folder)).policies).toEqual([runtime?.policy]);
});

test.each<[string, (policy: ModelPolicy) => unknown, string]>([
  ['another schema', (policy) => ({ ...policy, schema: 'tidewatch.config/2' }), 'config/models/credit.json: expected'],
  ['no sources', (policy) => ({ ...policy, sources: undefined }), 'config/models/credit.json: expected'],
  ['an endless window', (policy) => ({ ...policy, windowSeconds: 0 }), 'config/models/credit.json: expected'],
  ['a text', () => 'policy', 'config/models/credit.json: expected'],
  [
    'a baseline elsewhere',
    (policy) => ({
      ...policy,
      versions: [{ match: '*', predictions: [], baseline: { path: 'config/baselines/../../x' } }],
    }),
    'expected a baseline under config/baselines/',
  ],
  [
    'a baseline that is not there',
    (policy) => ({
      ...policy,
      versions: [{ match: '*', predictions: [], baseline: { path: 'config/baselines/x.json' } }],
    }),
    'config/baselines/x.json: expected a baseline',
  ],
])('refuses %s and names the file', async (_, change, message) => {
  const { folder } = await createAsset(change);
  await expect(loadRuntimes(folder, 'code')).rejects.toThrow(message);
});

test('refuses a baseline that was changed, two files of one model, and no file at all', async () => {
  const { folder, write, baseline, path } = await createAsset();
  write(path, { ...baseline, records: baseline.records + 1 });
  await expect(loadRuntimes(folder, 'code')).rejects.toThrow('it was changed');
  const twice = await createAsset();
  twice.write('config/models/other.json', (await loadPolicies(twice.folder)).policies[0]);
  await expect(loadPolicies(twice.folder)).rejects.toThrow('saw one twice');
  await expect(loadPolicies(temporaryDirectory())).rejects.toThrow('config/fleet.json: expected');
});

test('a preparation that failed is made again, one that succeeded is kept', async () => {
  let calls = 0;
  const prepare = prepareOnce(async () => {
    if (++calls === 1) throw new Error('throttled');
    return calls;
  });
  await expect(prepare()).rejects.toThrow('throttled');
  expect(await Promise.all([prepare(), prepare()])).toEqual([2, 2]);
  expect(await prepare()).toBe(2);
});
