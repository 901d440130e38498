import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { ExitCode } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

/** Wrong use of the command line: shown with a pointer to the command's help. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Input that can't be used, said so that a person can mend it. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean | undefined;
  /** Placeholder of the value: FILE, DIR. */
  readonly value?: string | undefined;
  readonly help: string;
}

export interface Command {
  /** One or two words: `baseline create`. */
  readonly name: string;
  readonly summary: string;
  /** Paragraphs that teach: what it does, what comes out, how to go on. */
  readonly description: readonly string[];
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly examples: readonly string[];
  run(options: CommandOptions, terminal: Terminal): Promise<ExitCode>;
}

/** The options given, checked for type only. */
export class CommandOptions {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** @throws {UsageError} where it was not given. */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw new UsageError(`--${name} is missing`);
    return value;
  }

  list(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.flatMap((item) => (typeof item === 'string' ? item.split(',') : [])) : [];
  }

  names(name: string): readonly string[] | undefined {
    const value = this.text(name);
    return value?.split(',').map((item) => item.trim());
  }
}

/** @throws {UsageError} for an unknown option, a missing value or a stray word. */
export function parseOptions(command: Command, words: readonly string[]): CommandOptions {
  const options: ParseArgsOptionsConfig = {
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  };
  for (const [name, { type, multiple }] of Object.entries(command.options)) {
    options[name] = multiple ? { type, multiple } : { type };
  }
  try {
    return new CommandOptions(parseArgs({ args: [...words], options, strict: true, allowPositionals: false }).values);
  } catch (error) {
    throw new UsageError(error instanceof Error ? lowerFirst(error.message) : String(error));
  }
}

/** The help page of a command. */
export function describeCommand(command: Command): string {
  const rows = [...Object.entries(command.options), ['json', jsonOption] as const, ['help', helpOption] as const].map(
    ([name, option]) => [`--${name}${option.value ? ` ${option.value}` : ''}`, option.help] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `tidewatch ${command.name}: ${command.summary}`,
    '',
    ...command.description.flatMap((paragraph) => [...wrap(paragraph, 80), '']),
    'Options',
    ...rows.flatMap(([left, help]) => indentBlock(left, help, width)),
    '',
    'Examples',
    ...command.examples.map((example) => `  ${example}`),
    '',
    'Exit codes: 0 green, 1 findings, 2 usage or bad input, 3 internal error.',
  ].join('\n');
}

const jsonOption: CommandOption = { type: 'boolean', help: 'print one JSON document on standard output, nothing else' };
const helpOption: CommandOption = { type: 'boolean', help: 'show this page' };

function indentBlock(left: string, help: string, width: number): string[] {
  const lines = wrap(help, 78 - width);
  return lines.map((line, index) => `  ${index === 0 ? left.padEnd(width) : ' '.repeat(width)}${line}`);
}

/** Breaks a text into lines of at most `width` characters, at spaces, but never inside "2.9 %" or "q = 0.01". */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<!=) (?![%=])/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
