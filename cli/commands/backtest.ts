import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MemoryMetrics } from '../../adapters/local/memory-metrics.ts';
import type { AlarmDefinition } from '../../core/model/alarm.ts';
import { findReadingChange } from '../../core/pipeline/backtest/rejudge.ts';
import type { WantedMessages } from '../../core/pipeline/backtest/suggest.ts';
import type { KnownIncident } from '../../core/pipeline/backtest/summarise.ts';
import { configFile, findBeside, incidentsFile } from '../backtest/beside-state.ts';
import { readIncidents } from '../backtest/known-incidents.ts';
import { printBacktest } from '../backtest/print.ts';
import { alarmsWithoutData, RecordedState, runnableAlarms } from '../backtest/recorded-state.ts';
import { replayState } from '../backtest/replays.ts';
import { describeSide, type Side, toJson } from '../backtest/report.ts';
import { type DeployedAlarms, readTemplates, synthesiseAlarms } from '../backtest/synthesise.ts';
import { suggest, Tried } from '../backtest/trials.ts';
import { type Command, type CommandOptions, InputError, UsageError } from '../command.ts';
import { countText } from '../count-text.ts';
import { exitCode } from '../exit-code.ts';
import { type LoadedConfig, loadConfig } from '../load-config.ts';
import type { Terminal } from '../terminal.ts';
import { replayFolder } from './run.ts';

export const backtest: Command = {
  name: 'backtest',
  summary: 'what the deployed alarms would have sent over recorded time',
  description: [
    'Synthesises the configuration as `cdk deploy` would and runs the alarms of its templates over what a state folder recorded, or over a folder of captures: what would have rung and when, the messages, pages a week, and how long known incidents took to be found.',
    '--against puts a changed configuration beside it. It is judged from the recorded fragments; where it changes how captures are read or counted, give the captures too. --suggest looks for settings that give no more pages a week than wanted, by trying them, and says what would be missed.',
    'The state folder is only read. Where it holds tidewatch.config.mjs or incidents.json, as the demo leaves them, these are the defaults of --config and --incidents.',
  ],
  options: {
    state: { type: 'string', value: 'DIR', help: 'state folder of `tidewatch run` or `demo`' },
    captures: {
      type: 'string',
      value: 'DIR',
      help: 'folder of captures, as for `run`; replayed in a temporary folder',
    },
    config: { type: 'string', value: 'FILE', help: 'configuration; default tidewatch.config.ts' },
    template: {
      type: 'string',
      value: 'DIR',
      help: 'folder that `cdk synth` wrote (cdk.out); default: synthesised now',
    },
    incidents: { type: 'string', value: 'FILE', help: 'known incidents: JSON list of {name, from, to, model?, what?}' },
    against: { type: 'string', value: 'FILE', help: 'a changed configuration, side by side' },
    suggest: {
      type: 'string',
      value: 'PAGES[,YELLOW]',
      help: 'messages wanted a week at most: 0.5 pages, or 0.5,2 for 2 yellow as well',
    },
  },
  examples: [
    'tidewatch backtest --state .tidewatch/demo',
    'tidewatch backtest --state .tidewatch --against changed.config.ts',
    'tidewatch backtest --captures ./captures --incidents incidents.json --json',
    'tidewatch backtest --state .tidewatch/demo --suggest 0.1,0.1',
  ],
  async run(options, terminal) {
    const plan = await readPlan(options);
    const scratch: string[] = [];
    try {
      const outcome = await runBacktest(plan, scratch, terminal);
      const told = outcome.sides.some(({ replayed }) => replayed.messages.length > 0);
      return told ? exitCode.findings : exitCode.green;
    } finally {
      for (const folder of scratch) await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Plan {
  readonly state: string | undefined;
  readonly captures: string | undefined;
  readonly file: string;
  readonly config: LoadedConfig;
  readonly template: string | undefined;
  readonly known: readonly KnownIncident[];
  readonly against: { readonly file: string; readonly config: LoadedConfig } | undefined;
  readonly wanted: WantedMessages | undefined;
}

/** All that can be wrong in what was given is found before anything is replayed. */
async function readPlan(options: CommandOptions): Promise<Plan> {
  const [state, captures] = [options.text('state'), options.text('captures')];
  if (state === undefined && captures === undefined)
    throw new UsageError('--state or --captures is missing: expected a state folder or a folder of captures');
  const wanted = readWanted(options.text('suggest'));
  const file = options.text('config') ?? findBeside(state, configFile) ?? 'tidewatch.config.ts';
  const config = await loadConfig(file);
  const incidents = options.text('incidents') ?? findBeside(state, incidentsFile);
  const known = incidents === undefined ? [] : await readIncidents(incidents);
  const changed = options.text('against');
  const against = changed === undefined ? undefined : { file: changed, config: await loadConfig(changed) };
  return { state, captures, file, config, template: options.text('template'), known, against, wanted };
}

/** @throws {UsageError} for anything but one or two numbers. */
function readWanted(text: string | undefined): WantedMessages | undefined {
  if (text === undefined) return undefined;
  const match = /^(?<pages>\d+(\.\d+)?)(,(?<yellow>\d+(\.\d+)?))?$/.exec(text);
  const { pages, yellow } = match?.groups ?? {};
  if (pages === undefined)
    throw new UsageError(
      `--suggest: expected pages a week such as 0.5, or 0.5,2 with yellow, saw ${JSON.stringify(text)}`,
    );
  return { pagesPerWeek: Number(pages), ...(yellow !== undefined && { noticesPerWeek: Number(yellow) }) };
}

async function runBacktest(
  plan: Plan,
  scratch: string[],
  terminal: Terminal,
): Promise<{ readonly sides: readonly Side[] }> {
  const { config, known, wanted } = plan;
  const deployed = await readAlarms(plan, terminal);
  const folder = plan.state ?? (await replayCaptures(plan.captures ?? '', config, scratch, terminal));
  const state = new RecordedState(folder);
  try {
    const period = { from: state.from, to: state.to };
    const metrics = state.metricsOf(deployed.definitions);
    const withoutData = alarmsWithoutData(deployed.definitions, metrics);
    const definitions = runnableAlarms(deployed.definitions, withoutData);
    const how = plan.state === undefined ? 'replayed' : 'recorded';
    const current = describeSide(
      plan.file,
      how,
      await replayRecordedState(state, metrics, config, definitions, terminal),
      known,
      config.runtimes,
      period,
    );
    checkConfig(current, config, plan.file, terminal);
    const tried = new Tried(state, config, known, definitions);
    const against = plan.against && (await compare(plan, plan.against, tried, scratch, terminal));
    const suggestion = wanted && (await suggest(plan.file, config, wanted, current, tried, terminal));
    const source = plan.state ?? plan.captures ?? '';
    terminal.printJson(
      toJson(
        {
          state: plan.state ?? null,
          captures: plan.captures ?? null,
          alarms: { templates: deployed.templates, evaluated: deployed.definitions.length, withoutData },
        },
        period,
        current,
        against,
        suggestion,
      ),
    );
    const head = { source, templates: deployed.templates, alarms: deployed.definitions.length };
    printBacktest(head, period, current, against, suggestion, terminal);
    return { sides: against ? [current, against] : [current] };
  } finally {
    state.close();
  }
}

async function readAlarms({ template, file }: Plan, terminal: Terminal): Promise<DeployedAlarms> {
  if (template !== undefined) return readTemplates(template);
  return synthesise(file, terminal);
}

async function synthesise(file: string, terminal: Terminal): Promise<DeployedAlarms> {
  const progress = terminal.progress('synth');
  progress.update(0, `${file}, takes some seconds`);
  const deployed = await synthesiseAlarms(file);
  progress.done(`${countText(deployed.definitions.length, 'alarm')} of ${deployed.templates.join(', ')}`);
  return deployed;
}

/** The whole pipeline over captures, into a folder that is removed at the end. */
async function replayCaptures(
  captures: string,
  config: LoadedConfig,
  scratch: string[],
  terminal: Terminal,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidewatch-backtest-'));
  scratch.push(folder);
  await replayFolder({ config, captures, state: folder }, terminal);
  return folder;
}

async function replayRecordedState(
  state: RecordedState,
  metrics: MemoryMetrics,
  config: LoadedConfig,
  definitions: readonly AlarmDefinition[],
  terminal: Terminal,
) {
  const progress = terminal.progress('alarms');
  const replayed = await replayState(state, metrics, config.runtimes, definitions, (share, time) =>
    progress.update(share, describeTime(time)),
  );
  progress.done(`${replayed.transitions.length} state changes, ${countText(replayed.messages.length, 'message')}`);
  return replayed;
}

/** A changed configuration: judged from the fragments where they fit it, else from the captures. */
async function compare(
  { config, captures }: Plan,
  against: { readonly file: string; readonly config: LoadedConfig },
  tried: Tried,
  scratch: string[],
  terminal: Terminal,
): Promise<Side> {
  const change = findReadingChange(config.runtimes, against.config.runtimes);
  const alarms = () => tried.alarmsOf(against.config, () => synthesise(against.file, terminal));
  if (change === undefined) {
    const definitions = await alarms();
    const progress = terminal.progress('changed');
    const side = await tried.rejudge(against.file, against.config, definitions, {
      tickMinutes: 1,
      onProgress: (share, time) => progress.update(share, describeTime(time)),
    });
    progress.done(`judged anew, ${countText(side.replayed.messages.length, 'message')}`);
    return side;
  }
  if (captures === undefined)
    throw new InputError(
      `${against.file}: ${change}, so what was recorded does not fit it; give the captures with --captures to count them anew`,
    );
  const definitions = await alarms();
  const state = new RecordedState(await replayCaptures(captures, against.config, scratch, terminal));
  try {
    const metrics = state.metricsOf(definitions);
    return tried.describe(
      against.file,
      await replayRecordedState(state, metrics, against.config, definitions, terminal),
      against.config,
    );
  } finally {
    state.close();
  }
}

/** Recorded verdicts say by which configuration they were made. */
function checkConfig({ replayed }: Side, { runtimes }: LoadedConfig, file: string, terminal: Terminal): void {
  const known = new Set(runtimes.map(({ configHash }) => configHash));
  const others = replayed.windows.filter(({ evidence }) => !known.has(evidence.config)).length;
  if (others > 0)
    terminal.complain(
      `note: ${others} of ${countText(replayed.windows.length, 'window')} were judged under another configuration than ${file}; its alarms are run over what was recorded`,
    );
}

function describeTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
