import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Baseline } from '../../core/model/baseline.ts';
import { temporaryDirectory } from '../adapters/temporary-directory.ts';
import { csv, sagemakerLine } from '../decode/capture-records.ts';
import { callTidewatch } from './captured-main.ts';
import { root, runTidewatch } from './tidewatch-process.ts';

/** 60 × rows.length: numbers and words that repeat, so that nothing drifts between two of them. */
function tableText(rows = 600, shift = 0): string {
  const lines = Array.from(
    { length: rows },
    (_, row) => `${((row * 37) % 60) + shift},${['EU', 'US', 'APAC'][row % 3]}\n`,
  );
  return `age,region\n${lines.join('')}`;
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return path;
}

const commands = ['demo', 'baseline create', 'analyze', 'run', 'audit verify'];

describe('help', () => {
  test.each([[[]], [['help']], [['--help']], [['-h']]])('%j lists the commands', async (words) => {
    const { code, stdout, stderr } = await callTidewatch(...words);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of commands) expect(stdout).toContain(`  ${name} `);
    expect(stdout).toContain('Start with: tidewatch demo');
    expect(stdout).toContain('Exit codes: 0 green, 1 findings, 2 usage or bad input, 3 internal error.');
  });

  test.each(commands)('%s has a page with its options and examples, whatever else is given', async (name) => {
    const { code, stdout, stderr } = await callTidewatch(...name.split(' '), '--nonsense', '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.startsWith(`tidewatch ${name}: `)).toBe(true);
    expect(stdout).toMatch(/\nOptions\n(?: {2}.*\n)+\nExamples\n(?: {2}tidewatch .*\n)+\nExit codes: /);
    const { length } = stdout.split('\n').toSorted((a, b) => b.length - a.length)[0] ?? '';
    expect(length).toBeLessThanOrEqual(110);
    // Every option that an example uses is explained above it.
    for (const [option] of stdout.split('\nExamples\n')[1]?.matchAll(/--[a-z-]+/g) ?? []) {
      expect(stdout.split('\nExamples\n')[0]).toContain(`  ${option}`);
    }
  });

  test('--version names what runs', async () => {
    const { code, stdout } = await callTidewatch('--version');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^tidewatch@\d+\.\d+\.\d+\+[0-9a-f]{12,}\n$/);
  });
});

describe('wrong use ends with exit code 2 and a pointer', () => {
  const table = join(root, 'test', 'fixtures', 'cli', 'a.csv');
  test.each([
    ['frobnicate', 'tidewatch: there is no command "frobnicate"\nSee: tidewatch --help\n'],
    ['baseline', 'tidewatch: there is no command "baseline", only baseline create\n'],
    ['audit prove', 'tidewatch: there is no command "audit prove", only audit verify\n'],
    ['--json', 'there is no command "--json"'],
    ['analyze', 'tidewatch analyze: --baseline is missing\nSee: tidewatch analyze --help\n'],
    [`analyze --baseline ${table}`, '--current is missing\nSee:'],
    ['analyze --frobnicate', "tidewatch analyze: unknown option '--frobnicate'\nSee: tidewatch analyze --help\n"],
    ['analyze stray', "unexpected argument 'stray'"],
    ['analyze --baseline', "option '--baseline <value>' argument missing\nSee:"],
    [
      `analyze --baseline ${table} --current ${table} --level 0.5`,
      '--level: expected a number above 0 and at most 0.1',
    ],
    [`analyze --baseline ${table} --current ${table} --level`, "option '--level <value>' argument missing"],
    [`analyze --baseline ${table} --current ${table} --minimum-effect x`, 'expected a number from 0 to 10, saw "x"'],
    ['baseline create --from x', '--out is missing\nSee: tidewatch baseline create --help\n'],
    [`baseline create --out x --from ${table} --since 2026`, '--since and --until need records with times'],
    [
      `baseline create --out x --from ${table} --time amount --window 7m`,
      '--window: expected a duration of whole minutes',
    ],
    [
      `baseline create --out x --from ${table} --numeric amont`,
      '--numeric: there is no column "amont"; the records have "amount", "grade", "plan", ',
    ],
    ['run', "tidewatch run: tidewatch.config.ts: can't be read, expected a configuration file"],
    ['audit verify --trusted 12', '--trusted: expected COUNT:SHA256 as an earlier run printed it, saw "12"\nSee:'],
    ['audit verify --state /does/not/exist', '/does/not/exist/audit: expected evidence, saw no such folder'],
  ])('%s', async (line, message) => {
    const { code, stdout, stderr } = await callTidewatch(...line.split(' '));
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe("input that can't be used ends with exit code 2 and its name", () => {
  const noUtf8 = Buffer.of(0x50, 0x4b, 3, 4, 0xff, 0xfe);
  test.each([
    ['no-such-file', undefined, /no such file/],
    ['empty.csv', '', 'expected records, saw an empty file'],
    ['blank.csv', '\n\n', 'expected records, saw an empty file'],
    ['header.csv', 'age,region\n', /expected (?:records|at least one inference record), saw none/],
    ['twice.csv', 'age,age\n1,2\n', 'line 1: expected each column once, saw "age" twice'],
    ['ragged.csv', `age,region\n${'1\n'.repeat(20)}`, /20 column count/],
    ['book.xlsx', noUtf8, 'line 1: expected a header with column names, saw bytes that are no UTF-8'],
    ['broken.csv.gz', gzipSync(tableText()).subarray(0, 20), 'nothing in it can be read'],
    [
      'broken.json',
      '{"schema": "tidewatch.baseline/1", ',
      /JSON|no record|could be read|not-a-record|not-json|truncated/,
    ],
  ])('%s', async (name, content, message) => {
    const good = write('good.csv', tableText());
    const path = content === undefined ? `/does/not/exist/${name}` : write(name, content);
    for (const [baseline, current] of [
      [path, good],
      [good, path],
    ]) {
      const { code, stdout, stderr } = await callTidewatch(
        'analyze',
        '--baseline',
        baseline ?? '',
        '--current',
        current ?? '',
      );
      expect(stderr).toMatch(message);
      expect(stderr).toContain(`tidewatch analyze: ${path}: `);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
  });

  test('a folder that holds no captures', async () => {
    const good = write('good.csv', tableText());
    const folder = temporaryDirectory();
    const call = () => callTidewatch('analyze', '--baseline', good, '--current', folder);
    expect(await call()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${folder}: expected capture objects, saw an empty folder`),
    });
    writeFileSync(join(folder, 'table.csv'), tableText());
    expect((await call()).stderr).toContain(
      `${folder}: expected capture objects (JSON Lines), but ${join(folder, 'table.csv')} is none`,
    );
  });

  test('a place where nothing can be written', async () => {
    const good = write('good.csv', tableText());
    const out = '/does/not/exist/baseline.json';
    const { code, stderr } = await callTidewatch('baseline', 'create', '--from', good, '--out', out);
    expect(code).toBe(2);
    expect(stderr).toContain(out);
  });
});

describe('analyze', () => {
  test('ends with 0 where nothing changed, and tells a person so', async () => {
    const [baseline, current] = [write('a.csv', tableText()), write('b.csv.gz', gzipSync(tableText(480)))];
    const { code, stdout, stderr } = await callTidewatch('analyze', '--baseline', baseline, '--current', current);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/GREEN: 480 records compared\nA change with a PSI of 0\.\d+ or more would have been seen/);
  });

  test('ends with 1 where something did, and says what', async () => {
    const [baseline, current] = [write('a.csv', tableText()), write('b.csv', tableText(600, 30))];
    const { code, stdout } = await callTidewatch('analyze', '--baseline', baseline, '--current', current);
    expect(code).toBe(1);
    expect(stdout).toMatch(/● age .*\n/);
    expect(stdout).toMatch(/· region .*\n/);
    expect(stdout).toMatch(/YELLOW {2}age: /);
  });

  test('prints nothing that could steer the terminal', async () => {
    const text = tableText().replace('region', '\u001b[2Jregion\u202e');
    const { stdout } = await callTidewatch(
      'analyze',
      '--baseline',
      write('a.csv', text),
      '--current',
      write('b.csv', text),
    );
    expect(stdout).toContain('region');
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  });

  test('reads headerless captures by the columns of a baseline table', async () => {
    const folder = temporaryDirectory();
    const lines = tableText()
      .split('\n')
      .slice(1, -1)
      .map((data, row) => sagemakerLine({ input: csv(data), metadata: { eventId: `e${row}` } }));
    mkdirSync(join(folder, '2026/03/01'), { recursive: true });
    writeFileSync(join(folder, '2026/03/01/empty.jsonl'), '');
    writeFileSync(join(folder, '2026/03/01/one.jsonl'), lines.slice(0, 300).join('\n'));
    writeFileSync(join(folder, '2026/03/01/two.jsonl.gz'), gzipSync(lines.slice(300).join('\n')));
    writeFileSync(join(folder, '.DS_Store'), 'junk');
    // A quoted header: names are read as the table's reader reads them.
    const baseline = write('a.csv', tableText().replace('age,region', '"age", region'));
    const { code, stdout } = await callTidewatch('analyze', '--baseline', baseline, '--current', folder, '--json');
    const verdict = JSON.parse(stdout);
    expect(verdict.records).toMatchObject({ captured: 600, counted: 600 });
    expect(Object.keys(verdict.features)).toEqual(['age', 'region']);
    expect(code).toBe(0);
  });
});

test('baseline create writes the file it reports, from a table and from captures, in processes of their own', async () => {
  const folder = temporaryDirectory();
  const table = write('a.csv', `id,${tableText().replaceAll('\n', '\n7').slice(0, -1)}`.replaceAll('\n7', '\n7,'));
  const lines = tableText().split('\n').slice(1, -1);
  const captures = lines.map((data, row) =>
    sagemakerLine({
      input: csv(data),
      output: csv(String(row % 10)),
      metadata: { eventId: `e${row}`, inferenceTime: new Date(Date.UTC(2026, 2, 1) + row * 60_000).toISOString() },
    }),
  );
  mkdirSync(join(folder, 'captures'));
  writeFileSync(join(folder, 'captures', 'one.jsonl'), captures.join('\n'));
  const [fromTable, fromCaptures] = await Promise.all([
    runTidewatch(
      'baseline',
      'create',
      '--from',
      table,
      '--out',
      join(folder, 'table.json'),
      '--ignore',
      'id',
      '--categorical',
      'age',
    ),
    runTidewatch(
      ...['baseline', 'create', '--from', join(folder, 'captures'), '--columns', 'age,region', '--prediction', 'score'],
      ...['--until', '2026-03-01T06:00:00Z', '--out', join(folder, 'captures.json'), '--json'],
    ),
  ]);
  expect(fromTable.code).toBe(0);
  expect(fromTable.stdout).toContain('  age     categorical  60 distinct, missing 0.0 %');
  expect(fromTable.stdout).toContain('note: id: left out, ignored by the configuration');
  const tableBaseline: Baseline = JSON.parse(readFileSync(join(folder, 'table.json'), 'utf8'));
  expect(fromTable.stdout).toContain(`600 records in ${join(folder, 'table.json')}\nsha256 ${tableBaseline.sha256}`);

  const told: unknown = JSON.parse(fromCaptures.stdout);
  const baseline: Baseline = JSON.parse(readFileSync(join(folder, 'captures.json'), 'utf8'));
  expect(fromCaptures.code).toBe(0);
  expect(told).toMatchObject({ records: 360, quarantined: 0, sha256: baseline.sha256, notes: [] });
  expect(baseline.layout.features.map(([name, { side }]) => [name, side])).toEqual([
    ['age', 'input'],
    ['region', 'input'],
    ['score', 'output'],
  ]);
  expect(baseline.time).toMatchObject({ windowSeconds: 3600, first: '2026-03-01T00:00:00.000Z' });
  expect(baseline.time?.windows).toHaveLength(6);
});

test('a reader that has seen enough ends the output, and no error is told', () => {
  const complaints = join(temporaryDirectory(), 'stderr');
  const script =
    'node_modules/.bin/node --import tsx bin/tidewatch.ts --help 2>"$0" | true; echo "ended with $PIPESTATUS"';
  expect(execFileSync('bash', ['-c', script, complaints], { cwd: root, encoding: 'utf8' })).toBe('ended with 0\n');
  expect(readFileSync(complaints, 'utf8')).toBe('');
});

describe('what baseline create is told of the records', () => {
  /** A model whose scores are right as often as they say, in two regions. */
  function scoredText(rows: number, isLabelled: boolean): string {
    const lines = Array.from({ length: rows }, (_, row) => {
      const tenth = ((row * 7) % 10) + 0.5;
      const outcome = (row * 3) % 10 < tenth ? 'repaid' : 'lost';
      const vector = `"[${[1, 2, 3, 4].map((k) => Math.sin(row * k).toFixed(3)).join(', ')}]"`;
      return [['EU', 'US'][row % 2], vector, tenth / 10, ...(isLabelled ? [outcome] : [])].join(',');
    });
    return `region,text,score${isLabelled ? ',outcome' : ''}\n${lines.join('\n')}\n`;
  }

  test('labels, slices, vectors and what the output is are in the baseline', async () => {
    const table = write('scored.csv', scoredText(1000, true));
    const out = join(temporaryDirectory(), 'scored.json');
    const words = ['--prediction', 'score', '--output', 'probability', '--embedding', 'text', '--slice', 'region=EU'];
    const labels = ['--label', 'outcome', '--positive', 'repaid', '--threshold', '0.6'];
    const created = await callTidewatch('baseline', 'create', '--from', table, '--out', out, ...words, ...labels);
    expect(created).toMatchObject({ code: 0 });
    // Those of sin(0) and sin(355) are all zeros to three digits.
    expect(created.stdout).toContain('997 vectors, 0 missing, 3 unusable');
    const baseline: Baseline = JSON.parse(readFileSync(out, 'utf8'));
    expect(baseline.layout.features.map(([name, { kind }]) => `${name} ${kind}`)).toEqual([
      'confidence numeric',
      'region categorical',
      'score numeric',
      'text embedding',
    ]);
    expect(baseline.slices?.map(([name, { records }]) => [name, records])).toEqual([['region=EU', 500]]);
    expect(baseline.calibration?.map.threshold).toBe(0.6);

    const current = write('unlabelled.csv', scoredText(500, false));
    const analysed = await callTidewatch(
      ...['analyze', '--baseline', out, '--current', current, '--prediction', 'score', '--output', 'probability'],
    );
    expect(analysed).toMatchObject({ code: 0 });
    expect(analysed.stdout.replace(/\s+/g, ' ')).toMatch(
      /estimated without labels from 500 scores: precision [\d.]+ % \([\d.]+ % to [\d.]+ %\), recall \d+ %/,
    );
  });

  test.each([
    ['--output guess', '--output: expected classes, probability, values, saw "guess"'],
    ['--slice region', '--slice: expected COLUMN=VALUE, saw "region"'],
    ['--slice market=EU', '--slice: there is no column "market"'],
    ['--positive yes', '--positive and --threshold say how labels are read: name their column with --label'],
    ['--label outcome --threshold high', '--threshold: expected a number, saw "high"'],
    ['--prediction score --label result', 'expected labels in "result" beside the model\'s scores, saw none'],
    ['--label outcome', 'expected one numeric output or scores of classes to compare them with, saw none'],
    ['--numeric score --embedding score', 'column "score" is asked for as numeric and as embedding'],
  ])('%s is refused', async (words, message) => {
    const table = write('scored.csv', scoredText(200, true));
    const out = join(temporaryDirectory(), 'refused.json');
    const { code, stderr } = await callTidewatch(
      'baseline',
      'create',
      '--from',
      table,
      '--out',
      out,
      ...words.split(' '),
    );
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
