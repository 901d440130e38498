import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { configHash, sagemakerCapture } from '../../core/contract/config.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import { sha256 } from '../../core/model/content-hash.ts';
import { loadFleet } from '../../lib/fleet-configuration.ts';
import { bundleHandler, configFiles, handlers, maximumBundleBytes } from '../../lib/handler-code.ts';
import { BaselineFileError } from '../../lib/read-baselines.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(handlers)('the bundle of %s', (handler) => {
  const bundle = bundleHandler(handler);

  test('is small', () => {
    expect(bundle.length).toBeGreaterThan(10_000);
    expect(bundle.length).toBeLessThan(maximumBundleBytes);
  });

  test('loads by itself, with no package beside it', () => {
    const file = join(folder, `${handler}.mjs`);
    writeFileSync(file, bundle);
    const script = `const m = await import(${JSON.stringify(file)}); process.stdout.write(typeof m.handler);`;
    const options = { cwd: folder, encoding: 'utf8' as const };
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], options)).toBe('function');
  });
});

describe('the configuration beside it', () => {
  const content = { schema: 'tidewatch.baseline/1', layout: { features: [] }, created: 'now' };
  const hash = sha256(canonicalJson(content));
  writeFileSync(join(folder, 'b.json'), JSON.stringify({ ...content, sha256: hash }));
  writeFileSync(join(folder, 'changed.json'), JSON.stringify({ ...content, created: 'later', sha256: hash }));
  writeFileSync(join(folder, 'other.json'), '{"schema":"other"}');
  writeFileSync(join(folder, 'text.json'), 'a,b');
  const config = (baseline: string | { path: string; sha256: string }) => ({
    models: [
      {
        name: 'credit',
        source: sagemakerCapture({ bucket: 'captures', endpoint: 'credit' }),
        versions: [
          { match: 'v1', baseline },
          { match: 'v2', baseline },
        ].slice(0, 1),
      },
    ],
  });

  test('is canonical, with baselines under their hashes', () => {
    const configuration = loadFleet(config('./b.json'), folder);
    const files = new Map(configFiles(configuration, configuration.models));
    expect([...files.keys()]).toEqual([
      'config/fleet.json',
      'config/models/credit.json',
      `config/baselines/${hash}.json`,
    ]);
    const [policy] = configuration.models;
    expect(policy?.versions[0]?.baseline).toEqual({ path: `config/baselines/${hash}.json`, sha256: hash });
    expect(sha256(files.get('config/models/credit.json') ?? '')).toBe(policy && configHash(policy));
    expect(JSON.parse(files.get(`config/baselines/${hash}.json`) ?? '')).toEqual({ ...content, sha256: hash });
  });

  test.each([
    ['./none.json', 'expected a file made by'],
    ['./text.json', 'expected a file made by'],
    ['./other.json', 'expected {"schema":"tidewatch.baseline/1"'],
    ['./changed.json', 'it was changed'],
    [{ path: './b.json', sha256: 'a'.repeat(64) }, `expected SHA-256 ${'a'.repeat(64)}, saw ${hash}`],
  ])('%j is refused', (baseline, message) => {
    expect(() => loadFleet(config(baseline), folder)).toThrow(BaselineFileError);
    expect(() => loadFleet(config(baseline), folder)).toThrow(message);
  });
});
