import { StateFileError } from '../adapters/local/sqlite-database.ts';
import { ConfigError } from '../core/contract/config.ts';
import { KeyError } from '../core/contract/keys.ts';
import { CsvTableError } from '../core/decode/csv-table.ts';
import { EmptyBaselineError } from '../core/pipeline/create-baseline.ts';
import { BaselineError } from '../core/pipeline/model-runtime.ts';
import { type Command, describeCommand, InputError, parseOptions, UsageError } from './command.ts';
import { analyze } from './commands/analyze.ts';
import { auditVerify } from './commands/audit-verify.ts';
import { baselineCreate } from './commands/baseline-create.ts';
import { demo } from './commands/demo.ts';
import { run } from './commands/run.ts';
import { type ExitCode, exitCode } from './exit-code.ts';
import { createTerminal } from './terminal.ts';

const commands: readonly Command[] = [demo, baselineCreate, analyze, run, auditVerify];

/** @returns the process's exit code. */
export async function main(words: readonly string[]): Promise<ExitCode> {
  const json = words.includes('--json');
  const terminal = createTerminal(json);
  const command = findCommand(words);
  if (!command) return showOverview(words);
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

function showOverview(words: readonly string[]): ExitCode {
  const [first] = words;
  const asked = first === undefined || first === 'help' || first === '--help' || first === '-h';
  const width = Math.max(...commands.map(({ name }) => name.length)) + 3;
  const lines = [
    'tidewatch: watches machine-learning models by the inference payloads they leave in S3.',
    '',
    'Commands',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'Start with: tidewatch demo        Help on one: tidewatch run --help',
    'Every command takes --json. Exit codes: 0 green, 1 findings, 2 usage or bad input, 3 internal error.',
  ];
  if (asked) {
    process.stdout.write(`${lines.join('\n')}\n`);
    return exitCode.green;
  }
  process.stderr.write(
    `tidewatch: there is no command ${JSON.stringify(words.slice(0, 2).join(' '))}\n\n${lines.join('\n')}\n`,
  );
  return exitCode.usage;
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

function isFileFault(error: Error): boolean {
  return (
    'code' in error && typeof error.code === 'string' && ['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR'].includes(error.code)
  );
}
