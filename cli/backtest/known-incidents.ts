import { readFile } from 'node:fs/promises';
import type { KnownIncident } from '../../core/pipeline/backtest/summarise.ts';
import { InputError } from '../command.ts';

const expectedFile = '[{"name": "…", "from": "2001-03-10T00:00:00Z", "to": "2001-03-12T00:00:00Z"}, …]';
const maximumIncidents = 1_000;
const keys = ['name', 'from', 'to', 'model', 'what'];

/**
 * Reads incidents that are known: a JSON list of `{name, from, to, model?, what?}` with times in ISO 8601.
 * @throws {InputError} with file, line and what was expected
 */
export async function readIncidents(file: string): Promise<readonly KnownIncident[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InputError(`${file}: can't be read, expected known incidents as ${expectedFile}`, { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const at = /position (\d+)/.exec(cause instanceof Error ? cause.message : '')?.[1];
    const line = text.slice(0, Number(at ?? text.length)).split('\n').length;
    throw new InputError(`${file}, line ${line}: is no JSON, expected ${expectedFile}`, { cause });
  }
  if (!Array.isArray(value)) throw new InputError(`${file}, line 1: saw ${describe(value)}, expected ${expectedFile}`);
  if (value.length > maximumIncidents)
    throw new InputError(`${file}: saw ${value.length} incidents, expected at most ${maximumIncidents}`);
  const lines = linesOfItems(text);
  return value
    .map((item, index) => readIncident(item, `${file}, line ${lines[index] ?? 1}`))
    .sort((a, b) => a.from - b.from);
}

function readIncident(item: unknown, where: string): KnownIncident {
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    throw new InputError(`${where}: saw ${describe(item)}, expected an incident {name, from, to}`);
  const members = new Map<string, unknown>(Object.entries(item));
  for (const key of members.keys()) {
    if (!keys.includes(key))
      throw new InputError(`${where}: saw an unknown key ${quote(key)}, expected one of ${keys.join(', ')}`);
  }
  const [from, to] = [readTime(members, 'from', where), readTime(members, 'to', where)];
  if (to <= from) throw new InputError(`${where}: expected \`to\` after \`from\`, saw ${quote(members.get('to'))}`);
  const [model, what] = [readText(members, 'model', where), readText(members, 'what', where)];
  const name = readText(members, 'name', where);
  if (name === undefined) throw new InputError(`${where}: name: saw nothing, expected a text`);
  return { name, from, to, ...(model !== undefined && { model }), ...(what !== undefined && { what }) };
}

function readText(members: ReadonlyMap<string, unknown>, key: string, where: string): string | undefined {
  const value = members.get(key);
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '' && value.length <= 300) return value;
  throw new InputError(`${where}: ${key}: saw ${describe(value)}, expected a text of 1 to 300 characters`);
}

function readTime(members: ReadonlyMap<string, unknown>, key: string, where: string): number {
  const value = members.get(key);
  const time =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(value)
      ? Date.parse(value)
      : Number.NaN;
  if (!Number.isNaN(time)) return time;
  const seen = typeof value === 'string' ? quote(value) : describe(value);
  throw new InputError(`${where}: ${key}: saw ${seen}, expected a time with its zone such as "2001-03-10T00:00:00Z"`);
}

/** The line on which each item of a JSON list begins. */
function linesOfItems(text: string): readonly number[] {
  const lines: number[] = [];
  let [line, depth, isText, expectsItem] = [1, 0, false, false];
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\n') line++;
    if (isText) {
      if (character === '\\') at++;
      else if (character === '"') isText = false;
      continue;
    }
    if (expectsItem && !/[\s,\]]/.test(character)) {
      lines.push(line);
      expectsItem = false;
    }
    if (character === '"') isText = true;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if (depth === 1 && (character === ',' || (character === '[' && lines.length === 0))) expectsItem = true;
  }
  return lines;
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function quote(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 60);
}
