import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SqliteDatabase } from '../../adapters/local/sqlite-database.ts';
import { temporaryDirectory } from '../adapters/temporary-directory.ts';
import { callTidewatch } from './captured-main.ts';
import { writeConfig, writeHour } from './replayed-folder.ts';
import { type Finished, runTidewatch } from './tidewatch-process.ts';

interface RunReport {
  readonly objects: number;
  readonly counted: number;
  readonly quarantined: number;
  readonly verdicts: readonly { readonly key: string; readonly tier: string; readonly window: { start: string } }[];
  readonly messages: readonly { readonly subject: string; readonly file: string }[];
  readonly state: string;
}

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-run-'));
const [captures, state] = [join(folder, 'captures'), join(folder, 'state')];
const config = join(folder, 'tidewatch.config.ts');
const columns = ['--columns', 'age,region', '--prediction', 'score'];

/** Path and hash of every file below a folder. */
function hashFiles(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
    .sort();
}

const busy = join(folder, 'busy');
let database: SqliteDatabase;
/** Begun early, because it waits some seconds for the lock. */
let refusedByLock: Promise<Finished>;

beforeAll(async () => {
  for (const hour of [0, 1]) writeHour(captures, hour);
  writeConfig(folder);
  const out = join(folder, 'baseline.json');
  const created = await callTidewatch('baseline', 'create', '--from', captures, ...columns, '--out', out);
  expect(created.code).toBe(0);
  mkdirSync(busy);
  database = new SqliteDatabase(join(busy, 'tidewatch.sqlite'), true);
  refusedByLock = runTidewatch('run', '--config', config, '--captures', captures, '--state', busy);
});
afterAll(async () => {
  await refusedByLock;
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a replay of healthy hours', () => {
  let first: Finished;
  let kept: readonly string[];
  let again: Finished;

  beforeAll(async () => {
    const words = ['run', '--config', config, '--captures', captures, '--state', state, '--json'];
    first = await runTidewatch(...words);
    kept = hashFiles(state).filter((line) => !line.includes('sqlite'));
    again = await runTidewatch(...words);
  });

  test('judges every window, tells nobody and ends with 0', () => {
    const report: RunReport = JSON.parse(first.stdout);
    expect(first.code).toBe(0);
    expect(report).toMatchObject({ objects: 8, counted: 800, quarantined: 0, refused: [], messages: [], state });
    expect(report.verdicts.map(({ tier, window }) => [window.start, tier])).toEqual([
      ['2026-03-02T08:00:00.000Z', 'green'],
      ['2026-03-02T09:00:00.000Z', 'green'],
    ]);
    expect(first.stderr).toContain('replay: 8 objects, 800 records, 2 windows judged\n');
  });

  test('is done when it is run again', () => {
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toEqual({ ...JSON.parse(first.stdout), objects: 0, counted: 0 });
    expect(hashFiles(state).filter((line) => !line.includes('sqlite'))).toEqual(kept);
  });

  test('leaves evidence that verifies', async () => {
    const { code, stdout } = await callTidewatch('audit', 'verify', '--state', state);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^verified: \d+ evidence objects in 1 segment, /);
    const head = /^head (\d+:[0-9a-f]{64})$/m.exec(stdout)?.[1] ?? '';
    const trusting = await callTidewatch('audit', 'verify', '--state', state, '--trusted', head, '--json');
    expect(trusting.code).toBe(0);
    expect(JSON.parse(trusting.stdout)).toMatchObject({ ok: true, rollbackChecked: true, problems: [] });
    const forged = head.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    expect(await callTidewatch('audit', 'verify', '--state', state, '--trusted', forged)).toMatchObject({ code: 1 });
  });

  test('leaves evidence that no longer verifies once a byte of it is changed, or an object is gone', async () => {
    const [line = ''] = kept.filter((path) => path.includes('/audit/bundles/'));
    const path = line.split(' ')[0] ?? '';
    const key = path.slice(join(state, 'audit').length + 1);
    const bytes = readFileSync(path);
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(50) ^ 1, 50);
    try {
      writeFileSync(path, flipped);
      const changed = await callTidewatch('audit', 'verify', '--state', state);
      expect(changed.code).toBe(1);
      expect(changed.stdout).toMatch(/NOT VERIFIED: /);
      expect(changed.stdout).toContain(key);
      rmSync(path);
      const gone = await callTidewatch('audit', 'verify', '--state', state, '--json');
      expect(gone.code).toBe(1);
      expect(JSON.parse(gone.stdout)).toMatchObject({
        ok: false,
        problems: [{ message: expect.stringContaining(key) }],
      });
    } finally {
      writeFileSync(path, bytes);
    }
    expect((await callTidewatch('audit', 'verify', '--state', state)).code).toBe(0);
  });
});

test('a replay of a drifted hour says so, writes a message and ends with 1', async () => {
  const drifted = join(folder, 'drifted');
  writeHour(drifted, 0);
  writeHour(drifted, 1, 30);
  const { code, stdout } = await runTidewatch(
    'run',
    '--config',
    config,
    '--captures',
    drifted,
    '--state',
    join(folder, 'other'),
  );
  expect(code).toBe(1);
  expect(stdout).toMatch(/^2026-03-02T09:00 {2}yellow {2}scoring: age: /m);
  expect(stdout).toMatch(
    /\n8 objects, 800 records\n2 windows judged, 1 green\n1 message in .*\n2026-03-02T\S+ {2}YELLOW scoring: /,
  );
  const [message = ''] = readdirSync(join(folder, 'other', 'outbox'));
  expect(readFileSync(join(folder, 'other', 'outbox', message), 'utf8')).toContain('age');
});

test('a state that another process uses is left alone', async () => {
  const { code, stdout, stderr } = await refusedByLock;
  expect(stderr).toBe(`tidewatch run: state file ${join(busy, 'tidewatch.sqlite')}: in use by another process\n`);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test("a configuration that can't be used is refused, by path, and nothing is written", async () => {
  const bad = temporaryDirectory();
  const place = join(bad, 'state');
  const run = (file: string) => runTidewatch('run', '--config', file, '--captures', captures, '--state', place);
  const unknown = writeConfig(bad, "windw: '1h',");
  const [refused, broken] = await Promise.all([run(unknown), run(writeBroken(bad))]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /^tidewatch run: configuration: 1 problem\n {2}models\[0\]\.windw: saw "1h" under an unknown key/,
  );
  expect(refused.stderr).toContain('did you mean window?');
  expect(broken.code).toBe(2);
  expect(broken.stderr).toMatch(/broken\.config\.ts: can't be loaded as a configuration: /);
  expect(readdirSync(bad).sort()).toEqual(['broken.config.ts', 'tidewatch.config.ts']);
});

function writeBroken(into: string): string {
  const file = join(into, 'broken.config.ts');
  writeFileSync(file, 'export default {');
  return file;
}

test.each([
  ['no folder', 'nowhere', /nowhere: expected a folder of captures, saw none/],
  ['no captures of the model', 'state', /expected capture objects under captures\/datacapture\/scoring, saw none/],
])('%s ends with 2', async (_, name, message) => {
  const { code, stderr } = await callTidewatch(
    ...['run', '--config', config, '--captures', join(folder, name), '--state', join(temporaryDirectory(), 'state')],
  );
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});
