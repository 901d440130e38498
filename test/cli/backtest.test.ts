import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTemplates, writeTemplates } from '../../cli/backtest/synthesise.ts';
import { loadConfig } from '../../cli/load-config.ts';
import { modelAlarms } from '../../core/contract/alarm-definitions.ts';
import { callTidewatch } from './captured-main.ts';
import { firstHour, writeConfig, writeHour } from './replayed-folder.ts';

interface Told {
  readonly id: string;
  readonly subject: string;
  readonly incident: string;
}

interface Side {
  readonly how: string;
  readonly summary: Readonly<Record<string, unknown>>;
  readonly quiet: unknown;
  readonly known: readonly Readonly<Record<string, unknown>>[];
  readonly messages: readonly Told[];
  readonly transitions: readonly { readonly alarm: string; readonly to: string }[];
}

interface Report {
  readonly schema: string;
  readonly period: { readonly from: string; readonly to: string };
  readonly alarms: { readonly templates: readonly string[]; readonly withoutData: readonly string[] };
  readonly current: Side;
  readonly against: Side | null;
  readonly difference: { readonly lost: readonly unknown[]; readonly gained: readonly unknown[] } | null;
  readonly suggestion: {
    readonly alreadyWithin: boolean;
    readonly reached: { readonly pages: boolean; readonly yellow: boolean };
    readonly proposals: readonly {
      readonly for: string;
      readonly changes: readonly { readonly setting: string; readonly to: number }[];
      readonly missed: readonly string[];
      readonly lost: readonly unknown[];
    }[];
  } | null;
}

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-backtest-'));
const at = (name: string) => join(folder, name);
const [captures, state, template] = [at('captures'), at('state'), at('cdk.out')];
const config = at('tidewatch.config.ts');
const stamp = (hour: number) => new Date(firstHour + hour * 3_600_000).toISOString();

async function report(...words: readonly string[]): Promise<{ code: number | null; report: Report }> {
  const { code, stdout, stderr } = await callTidewatch('backtest', '--template', template, '--json', ...words);
  if (stdout === '') throw new Error(stderr);
  return { code, report: JSON.parse(stdout) };
}

beforeAll(async () => {
  for (const hour of [0, 1, 3]) writeHour(captures, hour);
  writeHour(captures, 2, 30);
  writeConfig(folder);
  const baseline = at('baseline-captures');
  for (const hour of [0, 1]) writeHour(baseline, hour);
  const made = ['--columns', 'age,region', '--prediction', 'score', '--out', at('baseline.json')];
  expect((await callTidewatch('baseline', 'create', '--from', baseline, ...made)).code).toBe(0);
  const run = await callTidewatch('run', '--config', config, '--captures', captures, '--state', state);
  expect(run.code).toBe(1);
  mkdirSync(template);
  await writeTemplates(config, template);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  writeFileSync(at(name), text);
  return at(name);
}

/** The same configuration with something more in its model. */
function writeChanged(name: string, extra: string): string {
  const text = readFileSync(config, 'utf8').replace("name: 'scoring',", `name: 'scoring', ${extra}`);
  return write(`${name}.config.ts`, text);
}

test('the alarms are those of the synthesised templates', async () => {
  const { definitions, templates } = await readTemplates(template);
  const { runtimes } = await loadConfig(config);
  expect(templates).toEqual(['tidewatch-main', 'tidewatch-platform']);
  expect(runtimes.flatMap(({ policy, fleet }) => modelAlarms(policy, fleet)).length).toBeGreaterThan(0);
  for (const { policy, fleet } of runtimes)
    expect(definitions).toEqual(expect.arrayContaining(modelAlarms(policy, fleet)));
});

describe('over a state folder', () => {
  const incidents = [
    { name: 'shift', model: 'scoring', from: stamp(2), to: stamp(3), what: 'ages are off by 30' },
    { name: 'nothing', model: 'other', from: stamp(2), to: stamp(3) },
  ];
  let first: Report;

  beforeAll(async () => {
    const file = write('incidents.json', JSON.stringify(incidents));
    const { code, report: made } = await report('--state', state, '--config', config, '--incidents', file);
    expect(code).toBe(1);
    first = made;
  });

  test('the messages are those that were sent', () => {
    const mails = readdirSync(join(state, 'outbox')).map((name) => readFileSync(join(state, 'outbox', name), 'utf8'));
    expect(first.schema).toBe('tidewatch.backtest/1');
    expect(first.current.how).toBe('recorded');
    expect(first.current.messages.length).toBe(mails.length);
    for (const { id, subject } of first.current.messages) {
      const mail = mails.find((text) => text.includes(`X-Tidewatch-Message: ${id}\n`));
      expect(mail).toContain(`Subject: ${subject}\n`);
    }
    expect(first.current.transitions.map(({ alarm }) => alarm)).toContain('tidewatch/scoring/yellow');
  });

  test('alarms on what only AWS reports are named, the heartbeat is not one of them', () => {
    expect(first.alarms.withoutData).toContain('tidewatch/notify-failure');
    expect(first.alarms.withoutData.join()).not.toMatch(/heartbeat|scoring/);
    expect(first.current.transitions.some(({ alarm, to }) => alarm.includes('heartbeat') && to === 'ALARM')).toBe(
      false,
    );
  });

  test('known incidents are found once or missed, and before them nothing was told', () => {
    expect(first.current.known).toMatchObject([
      { name: 'shift', detected: true, tier: 'yellow', incidents: [expect.any(String)], secondsToPage: null },
      { name: 'nothing', detected: false, secondsToDetect: null, incidents: [] },
    ]);
    const seconds = Number(first.current.known[0]?.secondsToDetect);
    expect(seconds).toBeGreaterThan(3600);
    expect(seconds).toBeLessThan(3600 + 1200);
    expect(first.current.summary).toMatchObject({ pages: 0, yellow: 1, incidents: 1, detected: 1, missed: 1 });
    expect(first.current.quiet).toEqual({ until: stamp(2), windows: 2, pages: 0, yellow: 0 });
  });

  test('judged anew under the same configuration, every message is the same to the letter', async () => {
    const same = writeChanged('same', '');
    const { report: made } = await report('--state', state, '--config', config, '--against', same);
    expect(made.against?.how).toBe('rejudged');
    expect(made.against?.messages).toEqual(made.current.messages);
    expect(made.against?.transitions).toEqual(made.current.transitions);
    expect(made.difference).toEqual({ lost: [], gained: [] });
  });

  test('a changed configuration stands beside it', async () => {
    const blunt = writeChanged('blunt', 'drift: { minimumEffect: 9 },');
    const { code, stdout } = await callTidewatch(
      ...['backtest', '--template', template, '--state', state, '--config', config, '--against', blunt],
    );
    expect(code).toBe(1);
    expect(stdout).toContain('  pages a week                       0           0\n');
    expect(stdout).toMatch(/\n {2}incidents +1 +0\n/);
    expect(stdout).toMatch(
      /Not told any more under .*blunt\.config\.ts: 1\n {2}2026-03-02 11:\d\d {2}YELLOW scoring: age/,
    );
    expect(stdout).toContain('Nothing: nobody would have been told of anything.');
  });

  test('settings are found for a wanted number of messages, and their price is told', async () => {
    const words = ['--state', state, '--config', config, '--incidents', at('incidents.json')];
    const { report: made } = await report(...words, '--suggest', '0,0');
    expect(made.suggestion).toMatchObject({ alreadyWithin: false, reached: { pages: true, yellow: true } });
    for (const proposal of made.suggestion?.proposals ?? []) {
      expect(proposal).toMatchObject({ for: 'yellow', missed: ['shift'] });
      expect(proposal.lost).toHaveLength(1);
    }
    const [effect] = (made.suggestion?.proposals ?? []).flatMap(({ changes }) => changes);
    expect(effect?.setting).toBe('models[0].drift.minimumEffect');
    expect((await report(...words, '--suggest', '1')).report.suggestion).toMatchObject({ alreadyWithin: true });
  });

  test('nothing in it is changed', async () => {
    const files = () =>
      readdirSync(state, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.name.includes('sqlite'))
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
    const before = files();
    await report('--state', state, '--config', config, '--suggest', '0,0');
    expect(files()).toEqual(before);
  });
});

describe('over captures', () => {
  test('the same comes out as over the state they leave', async () => {
    const [a, b] = [
      await report('--captures', captures, '--config', config),
      await report('--state', state, '--config', config),
    ];
    expect(a.report.current.how).toBe('replayed');
    expect(a.report.current.messages.map(({ id }) => id)).toEqual(b.report.current.messages.map(({ id }) => id));
  });

  test('a configuration that counts otherwise is judged from them, and from nothing else', async () => {
    const wider = writeChanged('wider', "window: '2h',");
    const words = ['--state', state, '--config', config, '--against', wider];
    const refused = await callTidewatch('backtest', '--template', template, ...words);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /wider\.config\.ts: window of scoring changed, so what was recorded does not fit it/,
    );
    const { report: made } = await report(...words, '--captures', captures);
    expect(made.against?.how).toBe('replayed');
  }, 60_000);
});

test('a quiet folder ends with 0', async () => {
  const [quiet, of] = [at('quiet'), at('quiet-state')];
  for (const hour of [0, 1]) writeHour(quiet, hour);
  await callTidewatch('run', '--config', config, '--captures', quiet, '--state', of);
  // What a state folder tells of itself is taken where nothing else is given.
  cpSync(at('baseline.json'), join(of, 'baseline.json'));
  cpSync(config, join(of, 'tidewatch.config.mjs'));
  const { code, stdout } = await callTidewatch('backtest', '--state', of, '--template', template);
  expect(code).toBe(0);
  expect(stdout).toContain('Nothing: nobody would have been told of anything.');
});

describe('bad input ends with 2 and says what is wrong', () => {
  const of = ['--state', state, '--config', config, '--template', template];
  const list = (text: string) => ['--incidents', write(`incidents-${text.length}.json`, text), ...of];

  test.each([
    ['neither state nor captures', () => [], /--state or --captures is missing/],
    [
      'no state',
      () => ['--state', at('nowhere'), '--config', config, '--template', template],
      /nowhere: expected a state folder/,
    ],
    [
      'no captures',
      () => ['--captures', at('nowhere'), '--config', config, '--template', template],
      /nowhere: expected a folder of captures, saw none/,
    ],
    [
      'no configuration',
      () => ['--state', state, '--config', at('none.ts')],
      /none\.ts: can't be read, expected a configuration file/,
    ],
    [
      'no templates',
      () => ['--state', state, '--config', config, '--template', captures],
      /captures: expected templates/,
    ],
    [
      'a wish that is none',
      () => [...of, '--suggest', 'few'],
      /--suggest: expected pages a week such as 0\.5.*saw "few"/,
    ],
    [
      'incidents that are no JSON',
      () => list('[\n{"name":\n oops}]'),
      /incidents-\d+\.json, line 3: is no JSON, expected \[\{"name"/,
    ],
    ['incidents that are no list', () => list('{"a": 1}'), /line 1: saw an object, expected \[/],
    [
      'an incident without a time',
      () => list('[\n\n{"name": "a",\n"to": "x"}]'),
      /line 3: from: saw nothing, expected a time with its zone/,
    ],
    [
      'an unknown key',
      () => list(`[{"name": "a", "from": "${stamp(0)}", "to": "${stamp(1)}"},\n {"till": 1}]`),
      /line 2: saw an unknown key "till", expected one of name, from/,
    ],
    [
      'an end before its beginning',
      () => list(`[{"name": "a", "from": "${stamp(1)}", "to": "${stamp(0)}"}]`),
      /expected `to` after `from`/,
    ],
    [
      'a time without its zone',
      () => list('[{"name": "a", "from": "2026-03-02T08:00", "to": "2026-03-02T09:00"}]'),
      /from: saw "2026-03-02T08:00", expected a time with its zone/,
    ],
  ] as const)('%s', async (_, words, message) => {
    const { code, stdout, stderr } = await callTidewatch('backtest', ...words());
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('a configuration that is refused at synth', async () => {
    await expect(
      writeTemplates(write('broken.config.ts', 'export default { models: 1 };'), at('cdk-2')),
    ).rejects.toThrow(/broken\.config\.ts: the templates can't be synthesised\n {2}configuration: 1 problem/);
  }, 60_000);
});
