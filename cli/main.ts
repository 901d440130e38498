import { StateFileError } from '../adapters/local/sqlite-database.ts';
import { ConfigError } from '../core/contract/config.ts';
import { KeyError } from '../core/contract/keys.ts';
import { CsvTableError } from '../core/decode/csv-table.ts';
import { EmptyBaselineError } from '../core/pipeline/create-baseline.ts';
import { BaselineError } from '../core/pipeline/model-runtime.ts';
import { type Command, describeCommand, InputError, parseOptions, UsageError } from './command.ts';
import { analyze } from './commands/analyze.ts';
import { auditVerify } from './commands/audit-verify.ts';
import { backtest } from './commands/backtest.ts';
import { baselineCreate } from './commands/baseline-create.ts';
import { demo } from './commands/demo.ts';
import { run } from './commands/run.ts';
import { type ExitCode, exitCode } from './exit-code.ts';
import { describeCode } from './load-config.ts';
import { createTerminal } from './terminal.ts';

const commands: readonly Command[] = [demo, baselineCreate, analyze, run, backtest, auditVerify];

/** @returns the process's exit code. */
export async function main(words: readonly string[]): Promise<ExitCode> {
  const json = words.includes('--json');
  const terminal = createTerminal(json);
  const command = findCommand(words);
  if (!command) return words[0] === '--version' ? showVersion() : showOverview(words);
  if (words.includes('--help') || words.includes('-h')) {
    process.stdout.write(`${describeCommand(command)}\n`);
    return exitCode.green;
  }
  try {
    return await command.run(parseOptions(command, words.slice(command.name.split(' ').length)), terminal);
  } catch (error) {
    return explain(error, command);
  }
}

function findCommand(words: readonly string[]): Command | undefined {
  return commands.find(({ name }) => name.split(' ').every((word, index) => words[index] === word));
}

/** A reader that has seen enough (`| head`) closes the pipe: nothing went wrong. */
export function stopAtClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

async function showVersion(): Promise<ExitCode> {
  process.stdout.write(`${await describeCode()}\n`);
  return exitCode.green;
}

function showOverview(words: readonly string[]): ExitCode {
  const [first] = words;
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    process.stdout.write(`${describeCommands(commands).join('\n')}\n`);
    return exitCode.green;
  }
  const [word = '', next] = words;
  const begun = commands.filter(({ name }) => name.startsWith(`${word} `));
  const seen = begun.length > 0 && next !== undefined && !next.startsWith('-') ? `${word} ${next}` : word;
  const hint = begun.length > 0 ? `, only ${begun.map(({ name }) => name).join(', ')}` : '';
  process.stderr.write(`tidewatch: there is no command ${JSON.stringify(seen)}${hint}\nSee: tidewatch --help\n`);
  return exitCode.usage;
}

function describeCommands(listed: readonly Command[]): readonly string[] {
  const width = Math.max(...listed.map(({ name }) => name.length)) + 3;
  return [
    'tidewatch: watches machine-learning models by the inference payloads they leave in S3.',
    '',
    'Commands',
    ...listed.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'Start with: tidewatch demo        Help on one: tidewatch run --help',
    'Every command takes --json. Exit codes: 0 green, 1 findings, 2 usage or bad input, 3 internal error.',
  ];
}

/** Faults of the input, by class: their messages are written for the person who gave it. */
const inputFaults = [
  InputError,
  ConfigError,
  BaselineError,
  EmptyBaselineError,
  CsvTableError,
  KeyError,
  StateFileError,
];

function explain(error: unknown, command: Command): ExitCode {
  if (error instanceof UsageError) {
    process.stderr.write(`tidewatch ${command.name}: ${error.message}\nSee: tidewatch ${command.name} --help\n`);
    return exitCode.usage;
  }
  if (error instanceof Error && (inputFaults.some((fault) => error instanceof fault) || isFileFault(error))) {
    process.stderr.write(`tidewatch ${command.name}: ${error.message}\n`);
    return exitCode.usage;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`tidewatch ${command.name}: internal error, please report it\n${text}\n`);
  return exitCode.internal;
}

const fileFaults = ['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR', 'EEXIST', 'EROFS', 'ENOSPC', 'ENAMETOOLONG'];

function isFileFault(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && fileFaults.includes(error.code);
}
