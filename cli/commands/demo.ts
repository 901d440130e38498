import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { ConfigInput } from '../../core/contract/config.ts';
import { canonicalJson } from '../../core/model/canonical-json.ts';
import type { Message } from '../../core/model/delivery.ts';
import { createBaseline } from '../../core/pipeline/create-baseline.ts';
import { configFile, incidentsFile } from '../backtest/beside-state.ts';
import { type Command, InputError } from '../command.ts';
import { demoConfig } from '../demo/config.ts';
import { fitDelayRisk } from '../demo/delay-risk-model.ts';
import { type Flight, loadFlights } from '../demo/flights.ts';
import { incidents } from '../demo/incidents.ts';
import { printTimeline } from '../demo/timeline.ts';
import { demoBucket, demoEndpoint, payloadColumns, payloadPrefix, writeCaptures } from '../demo/write-captures.ts';
import { exitCode } from '../exit-code.ts';
import { prepareModels } from '../load-config.ts';
import { openRecords } from '../read-records.ts';
import type { Terminal } from '../terminal.ts';
import { printReport, verifyFolder } from './audit-verify.ts';
import { replayFolder } from './run.ts';

/** Which days are for what, ISO 8601, half-open. */
const periods = {
  fit: ['2001-01-01', '2001-01-11'],
  baseline: ['2001-01-11', '2001-02-11'],
  judged: ['2001-02-11', '2001-04-01'],
} as const;
/** Marks a folder as the demo's own, to be emptied without asking. */
const marker = 'tidewatch-demo.json';
const windowSeconds = 86_400;

export const demo: Command = {
  name: 'demo',
  summary: 'the whole pipeline on real data in about a minute, offline',
  description: [
    'Takes 20,000 real flights of early 2001, fits a small model of the risk of a late departure on 1 to 10 January, and writes what an endpoint serving it would have left in S3: SageMaker data capture with the payloads, HTTP capture with status and latency.',
    'The baseline is 11 January to 10 February. Every day after is judged. From 10 March three incidents are injected and named as such; what is yellow before is in the real data. Ends with a timeline, the messages sent, and the evidence verified.',
  ],
  options: { state: { type: 'string', value: 'DIR', help: 'where everything goes; default .tidewatch/demo' } },
  examples: ['tidewatch demo', 'tidewatch demo --state /tmp/demo --json'],
  async run(options, terminal) {
    const started = performance.now();
    const root = resolve(options.text('state') ?? '.tidewatch/demo');
    await prepareFolder(root);
    const flights = await loadFlights();
    terminal.print(
      `${terminal.paint('bold', 'Tidewatch demo')}: ${flights.length} real flights, January to March 2001`,
    );
    const folders = await writeHistory(root, flights, terminal);
    const config = await prepareModels(await writeConfig(root), root);
    const outcome = await replayFolder({ config, captures: folders.captures, state: root }, terminal);
    const messages = outcome.messages.map(({ message }) => message);
    const verdicts = outcome.verdicts.map(({ verdict }) => verdict);
    const audit = await verifyFolder(root);
    terminal.print();
    printTimeline(
      { verdicts, messages, flights, usualDelayMinutes: meanDelay(within(flights, periods.baseline)) },
      terminal,
    );
    printMessage(messages, terminal);
    terminal.print();
    terminal.print(terminal.paint('bold', 'Evidence'));
    printReport(audit, { ...terminal, printJson: () => undefined });
    const seconds = (performance.now() - started) / 1000;
    printPlaces(root, seconds, terminal);
    terminal.printJson({
      seconds,
      state: root,
      incidents,
      objects: outcome.objects,
      counted: outcome.counted,
      quarantined: outcome.quarantined,
      days: verdicts.map(({ window, tier, findings, records }) => ({
        day: window.start.slice(0, 10),
        tier,
        records: records.counted,
        findings,
      })),
      messages,
      audit,
    });
    return audit.ok && audit.pending.count === 0 ? exitCode.green : exitCode.internal;
  },
};

/** Empties a folder of an earlier demo; refuses any other that holds something. */
async function prepareFolder(root: string): Promise<void> {
  if (existsSync(root) && (await readdir(root)).length > 0) {
    if (!existsSync(join(root, marker))) {
      throw new InputError(
        `${root}: expected an empty folder or one of an earlier demo, saw other files; nothing was touched`,
      );
    }
    await rm(root, { recursive: true });
  }
  await mkdir(root, { recursive: true });
  await writeFile(
    join(root, marker),
    `${JSON.stringify({ note: 'made by tidewatch demo; emptied by the next one' })}\n`,
  );
}

/** Leaves what `tidewatch backtest` and `cdk synth` need beside the state: the configuration, and what was injected. */
async function writeConfig(root: string): Promise<ConfigInput> {
  const config = demoConfig('./baseline.json');
  await writeFile(join(root, configFile), `export default ${JSON.stringify(config, undefined, 2)};\n`);
  await writeFile(join(root, incidentsFile), `${JSON.stringify(Object.values(incidents), undefined, 2)}\n`);
  return config;
}

/** Serves the flights, keeps the captures, and makes the baseline. */
async function writeHistory(root: string, flights: readonly Flight[], terminal: Terminal) {
  const model = fitDelayRisk(within(flights, periods.fit));
  const captures = join(root, 'captures');
  const history = join(root, 'baseline-captures');
  const writing = terminal.progress('captures');
  const before = writeCaptures(history, within(flights, periods.baseline), model, (share) =>
    writing.update(share * 0.4),
  );
  const after = writeCaptures(captures, within(flights, periods.judged), model, (share) =>
    writing.update(0.4 + share * 0.6),
  );
  writing.done(`${before + after} objects of SageMaker and HTTP capture written`);

  const counting = terminal.progress('baseline');
  const records = await openRecords(join(history, demoBucket, payloadPrefix, demoEndpoint), {
    columns: payloadColumns,
    predictions: ['risk'],
  });
  const baseline = await createBaseline(records, { windowSeconds });
  const file = join(root, 'baseline.json');
  await writeFile(file, `${canonicalJson(baseline)}\n`);
  counting.done(`${baseline.records} records of ${periods.baseline[0]} to 2001-02-10`);
  return { captures };
}

function within(flights: readonly Flight[], [from, to]: readonly [string, string]): readonly Flight[] {
  return flights.filter(({ time }) => time >= Date.parse(from) && time < Date.parse(to));
}

function meanDelay(flights: readonly Flight[]): number {
  return flights.reduce((sum, { delayMinutes }) => sum + delayMinutes, 0) / flights.length;
}

/** One page in full, as the person on call reads it. */
function printMessage(messages: readonly Message[], terminal: Terminal): void {
  const page = messages.findLast(({ tier, event }) => tier === 'red' && event === 'raised');
  if (!page) return;
  terminal.print();
  terminal.print(terminal.paint('bold', 'The last page in full'));
  terminal.print(`  Subject: ${page.subject}`);
  for (const line of page.text.trimEnd().split('\n')) terminal.print(`  ${line}`);
}

function printPlaces(root: string, seconds: number, terminal: Terminal): void {
  const shown = relative(process.cwd(), root) || root;
  const place = shown.startsWith('..') ? root : shown;
  terminal.print();
  terminal.print(terminal.paint('bold', 'Where things lie'));
  const rows = [
    ['verdicts', 'state/verdicts', 'what was judged, with every number'],
    ['messages', 'outbox', 'as they would have been mailed'],
    ['evidence', 'audit/bundles', 'encrypted per model and day'],
    ['metrics', 'tidewatch.sqlite', 'as CloudWatch would hold them'],
    ['captures', 'captures', 'as the endpoint would have left them in S3'],
  ] as const;
  for (const [what, path, meaning] of rows) {
    terminal.print(
      `  ${what.padEnd(9)} ${terminal.link(join(place, path)).padEnd(34)} ${terminal.paint('dim', meaning)}`,
    );
  }
  terminal.print();
  terminal.print(
    `Done in ${seconds.toFixed(1)} s. Check the evidence again: npm run -s tidewatch -- audit verify --state ${place}`,
  );
}
