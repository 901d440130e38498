import { resolve } from 'node:path';
import type { Message } from '../../core/model/delivery.ts';
import { tierValue, type Verdict } from '../../core/model/verdict.ts';
import { listVerdicts } from '../../core/pipeline/list-verdicts.ts';
import { type Arrival, planArrivals, replay } from '../../core/pipeline/replay.ts';
import { openBackend, type StateFolder } from '../backend.ts';
import { type Command, InputError, wrap } from '../command.ts';
import { countText } from '../count-text.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { type LoadedConfig, loadConfig } from '../load-config.ts';
import { paintTier, type Terminal } from '../terminal.ts';

export const run: Command = {
  name: 'run',
  summary: 'the whole pipeline over a folder of captures, in event time, resumable',
  description: [
    'Replays capture objects as they arrived: evidence, fragments, verdicts, metrics, alarms and messages, exactly as the deployed Lambdas would make them, with a tick every minute. Fetch the objects with `aws s3 sync s3://BUCKET DIR/BUCKET`, which keeps their times.',
    'Everything lands under the state folder: state/ (fragments, profiles, verdicts, quarantine), audit/ (evidence), outbox/ (messages), tidewatch.sqlite (metrics, alarm states). Killed and started again, it goes on where it was and ends in the same state.',
  ],
  options: {
    config: { type: 'string', value: 'FILE', help: 'configuration; default tidewatch.config.ts' },
    captures: {
      type: 'string',
      value: 'DIR',
      help: 'folder with one folder per bucket, or the root of the only bucket',
    },
    state: { type: 'string', value: 'DIR', help: 'where results go; default .tidewatch' },
  },
  examples: [
    'tidewatch run --captures ./captures --state ./state',
    'tidewatch run --config examples/credit-scoring/tidewatch.config.ts --captures ./captures --json',
  ],
  async run(options, terminal) {
    const config = await loadConfig(options.text('config') ?? 'tidewatch.config.ts');
    const outcome = await replayFolder(
      {
        config,
        captures: options.required('captures'),
        state: options.text('state') ?? '.tidewatch',
      },
      terminal,
    );
    report(outcome, terminal);
    return outcome.exit;
  },
};

/** As deployed: CloudWatch evaluates alarms on minutes. */
const tickSeconds = 60;

export interface RunInput {
  readonly config: LoadedConfig;
  readonly captures: string;
  readonly state: string;
}

export interface RunOutcome {
  readonly folder: StateFolder;
  /** Every closed window judged in this state folder, newest revision of each, by series and window. */
  readonly verdicts: readonly { readonly key: string; readonly verdict: Verdict }[];
  readonly messages: readonly { readonly message: Message; readonly file: string }[];
  /** Objects and records of this run alone: what an earlier one took in is not counted again. */
  readonly objects: number;
  readonly counted: number;
  readonly quarantined: number;
  readonly duplicate: number;
  /** Arrived after their window's fragments expired: evidence only. */
  readonly expired: number;
  readonly refused: readonly string[];
  readonly exit: ExitCode;
}

/** Runs the pipeline over a folder, with a progress bar. */
export async function replayFolder(input: RunInput, terminal: Terminal): Promise<RunOutcome> {
  const backend = openBackend({ config: input.config, state: input.state, captures: input.captures });
  try {
    const { ports, definitions } = backend;
    const { runtimes } = input.config;
    const arrivals = await planArrivals(runtimes, ports.captures);
    if (arrivals.length === 0) {
      throw new InputError(
        `${input.captures}: expected capture objects under ${describeSources(input.config)}, saw none`,
      );
    }
    checkGaps(arrivals, input.captures);
    const progress = terminal.progress('replay');
    const refused: string[] = [];
    let objects = 0;
    let counted = 0;
    let quarantined = 0;
    let duplicate = 0;
    let expired = 0;
    for await (const step of replay({ runtimes, definitions, arrivals, tickSeconds }, ports)) {
      objects += step.ingested.length;
      for (const report of step.ingested) {
        counted += report.counted;
        quarantined += report.quarantined;
        duplicate += report.duplicate;
        expired += report.expired;
      }
      refused.push(...step.refused);
      progress.update(step.share, `${new Date(step.time).toISOString().slice(0, 16).replace('T', ' ')} UTC`);
    }
    // Of this run and of those that it goes on from.
    const verdicts = (await Promise.all(runtimes.map(({ policy }) => listVerdicts(ports.state, policy.name)))).flat();
    progress.done(`${objects} objects, ${counted} records, ${verdicts.length} windows judged`);
    const worst = Math.max(0, ...verdicts.map(({ verdict }) => tierValue[verdict.tier]));
    const messages = backend.outbox.delivered();
    return {
      folder: backend.folder,
      verdicts,
      messages,
      objects,
      counted,
      quarantined,
      duplicate,
      expired,
      refused,
      exit: worst > 0 || messages.length > 0 ? exitCode.findings : exitCode.green,
    };
  } finally {
    backend.close();
  }
}

function report(outcome: RunOutcome, terminal: Terminal): void {
  const { folder } = outcome;
  terminal.printJson({
    objects: outcome.objects,
    counted: outcome.counted,
    quarantined: outcome.quarantined,
    duplicate: outcome.duplicate,
    expired: outcome.expired,
    refused: outcome.refused,
    verdicts: outcome.verdicts.map(({ key, verdict }) => ({ key, tier: verdict.tier, window: verdict.window })),
    messages: outcome.messages.map(({ message, file }) => ({ ...message, text: undefined, file })),
    state: folder.root,
  });
  terminal.print();
  for (const { verdict } of outcome.verdicts) if (verdict.tier !== 'green') printFinding(verdict, terminal);
  const green = outcome.verdicts.filter(({ verdict }) => verdict.tier === 'green').length;
  const lost = [
    [outcome.quarantined, 'quarantined'],
    [outcome.duplicate, 'duplicate'],
    [outcome.expired, 'expired (evidence only)'],
  ] as const;
  const losses = lost.flatMap(([count, what]) => (count > 0 ? [`, ${count} ${what}`] : [])).join('');
  terminal.print(
    outcome.objects === 0
      ? 'Nothing new: every object here was replayed before.'
      : `${countText(outcome.objects, 'object')}, ${countText(outcome.counted, 'record')}${losses}`,
  );
  terminal.print(`${countText(outcome.verdicts.length, 'window')} judged, ${green} green`);
  const place = terminal.link(resolve(folder.outbox));
  terminal.print(`${countText(outcome.messages.length, 'message')} in ${place}`);
  for (const { message } of outcome.messages.slice(-maximumMessages)) {
    const time = new Date(message.time).toISOString().slice(0, 16);
    terminal.print(`${time}  ${paintTier(terminal, message.tier, message.subject)}`);
  }
  for (const line of outcome.refused) terminal.complain(`refused: ${line}`);
}

/** Subjects shown, the newest. */
const maximumMessages = 20;
/** Time and tier before a finding. */
const findingIndent = 26;

function printFinding({ model, window, findings, tier }: Verdict, terminal: Terminal): void {
  const found = findings.find((finding) => finding.tier === tier)?.message ?? '';
  const [first = '', ...rest] = wrap(`${model}: ${found}`, terminal.width - findingIndent);
  terminal.print(`${window.start.slice(0, 16)}  ${paintTier(terminal, tier, tier.padEnd(6))}  ${first}`);
  for (const line of rest) terminal.print(`${' '.repeat(findingIndent)}${line}`);
}

function describeSources(config: LoadedConfig): string {
  return config.runtimes
    .flatMap(({ policy }) =>
      policy.sources.map(({ bucket, prefix, endpoint }) => `${bucket}/${prefix}${endpoint ?? ''}`),
    )
    .join(', ');
}

const longestGapDays = 60;

/** A replay ticks through every minute: one object of another year would cost hours, and is hardly meant. */
function checkGaps(arrivals: readonly Arrival[], folder: string): void {
  arrivals.forEach(({ key, time }, index) => {
    const before = arrivals[index - 1];
    if (!before || time - before.time <= longestGapDays * 86_400_000) return;
    const days = Math.round((time - before.time) / 86_400_000);
    throw new InputError(
      `${folder}: expected captures of one stretch of time, but ${days} days lie between ${before.key} and ${key}; replay them from separate folders`,
    );
  });
}
