import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RecordedState } from '../../cli/backtest/recorded-state.ts';
import { readRecording, rejudgeState } from '../../cli/backtest/replays.ts';
import { loadConfig } from '../../cli/load-config.ts';
import { modelAlarms } from '../../core/contract/alarm-definitions.ts';
import type { Cohort } from '../../core/model/labels.ts';
import { callTidewatch } from './captured-main.ts';
import { firstHour, writeHour } from './replayed-folder.ts';
import { root } from './tidewatch-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidewatch-labels-'));
const [captures, state] = [join(folder, 'captures'), join(folder, 'state')];
const columns = ['--columns', 'age,region', '--prediction', 'score'];

function documents<T>(path: string): readonly T[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file): T => JSON.parse(readFileSync(file, 'utf8')));
}

beforeAll(async () => {
  for (const hour of [0, 1]) writeHour(captures, hour);
  const out = join(folder, 'baseline.json');
  expect((await callTidewatch('baseline', 'create', '--from', captures, ...columns, '--out', out)).code).toBe(0);
  const rows = Array.from({ length: 800 }, (_, row) => `event-${row},0,2026-03-02T10:${10 + (row % 40)}:00Z`);
  const file = join(captures, 'labels', 'first.csv');
  mkdirSync(join(captures, 'labels'), { recursive: true });
  writeFileSync(file, `${['event_id,label,time', ...rows, 'event-0,maybe,', 'nobody,1,'].join('\n')}\n`);
  const came = (firstHour + 3 * 3_600_000) / 1000;
  utimesSync(file, came, came);
  writeFileSync(
    join(folder, 'tidewatch.config.ts'),
    `import { defineConfig, email, groundTruth, qualitySlo, sagemakerCapture } from ${JSON.stringify(join(root, 'tidewatch.ts'))};
export default defineConfig({
  models: [{
    name: 'scoring',
    source: [
      sagemakerCapture({ bucket: 'captures', prefix: 'datacapture', endpoint: 'scoring' }),
      groundTruth({ bucket: 'captures', prefix: 'labels', format: 'csv' }),
    ],
    versions: [{ match: 'v1', schema: { columns: ['age', 'region'], prediction: 'score' }, baseline: './baseline.json' }],
    silenceAfter: '6h',
    slos: [qualitySlo({ measure: 'precision', atLeast: 0.85, labelsWithin: '2h' })],
    alerts: { yellow: [email('ml@example.com')], red: [email('oncall@example.com')] },
  }],
});
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('judged anew, what labels showed is told as it was', async () => {
  const config = join(folder, 'tidewatch.config.ts');
  const of = join(folder, 'rejudged');
  const run = await callTidewatch('run', '--config', config, '--captures', captures, '--state', of, '--json');
  const { messages }: { messages: { subject: string }[] } = JSON.parse(run.stdout);
  const { runtimes } = await loadConfig(config);
  const definitions = runtimes.flatMap(({ policy, fleet }) => modelAlarms(policy, fleet));
  const recorded = new RecordedState(of);
  try {
    const recording = await readRecording(recorded, runtimes);
    expect(recording.quality.length).toBeGreaterThan(0);
    const options = { tickMinutes: 1, onProgress: () => undefined };
    const rejudged = await rejudgeState(recorded, recording, runtimes, definitions, options);
    expect(rejudged.messages.map(({ subject }) => subject)).toEqual(messages.map(({ subject }) => subject));
  } finally {
    recorded.close();
  }
});

test('labels from a folder make a bad model red, once', async () => {
  const config = join(folder, 'tidewatch.config.ts');
  const run = () => callTidewatch('run', '--config', config, '--captures', captures, '--state', state, '--json');
  const first = await run();
  const report: { quarantined: number; messages: { tier: string; subject: string; file: string }[] } = JSON.parse(
    first.stdout,
  );
  expect(report.quarantined).toBe(1);
  const red = report.messages.filter(({ tier }) => tier === 'red');
  expect(red).toHaveLength(1);
  expect(existsSync(join(state, 'state', 'quality', 'judgements'))).toBe(true);
  const cohorts = documents<{ cohort: Cohort }>(join(state, 'state', 'quality', 'cohorts')).map(({ cohort }) => cohort);
  const last = cohorts.at(-1);
  const sum = (of: 'predicted' | 'others' | 'falsePositives' | 'trueNegatives') =>
    last?.hours.reduce((total, hour) => total + hour[of], 0);
  expect([sum('predicted'), sum('others'), sum('falsePositives'), sum('trueNegatives')]).toEqual([400, 400, 400, 400]);
  const again: { messages: unknown[] } = JSON.parse((await run()).stdout);
  expect(again.messages).toHaveLength(report.messages.length);
});
