import type { z } from 'zod';

export type ConfigPath = readonly PropertyKey[];

/** One thing wrong in a configuration. */
export interface ConfigProblem {
  /** `models[0].slos[1].objective`; `configuration` for the whole. */
  readonly path: string;
  /** What was seen there and what was expected. */
  readonly message: string;
}

/** A configuration with everything that is wrong in it. Nothing is run with it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ path, message }) => `  ${path}: ${message}`);
    super(`configuration: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

const unavailablePrefix = 'not available in this version: ';

/** The refusal of an option that a later version may take. */
export function unavailableMessage(option: string, reason: string): string {
  return `${unavailablePrefix}${option} (${reason})`;
}

/** `models[0].features["a b"].kind`. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(String(key))) text += text === '' ? String(key) : `.${String(key)}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text === '' ? 'configuration' : text;
}

/** A value as an error shows it: short, on one line, without the content of objects. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') {
    const text = JSON.stringify(value);
    return text.length > 80 ? `${text.slice(0, 76)}…"` : text;
  }
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A problem of the usual form. */
export function problemAt(path: ConfigPath, seen: unknown, expected: string): ConfigProblem {
  return { path: formatPath(path), message: `saw ${describeValue(seen)}, expected ${expected}` };
}

function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, key)?.value;
  }
  return value;
}

/** Insertions, deletions and replacements that turn one word into the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}

/** The allowed word that was probably meant. */
export function suggest(word: string, allowed: readonly string[]): string | undefined {
  const near = allowed
    .map((candidate) => ({
      candidate,
      distance: editDistance(word.slice(0, 60).toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return near[0]?.candidate;
}

type Issue = z.core.$ZodIssue;

/** Of a union's branches, the issues of the one whose form the value has; undefined where it has none. */
function matchingBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0));
}

/**
 * Zod's issues as problems. The schema's messages are what was expected (for unknown keys: the allowed ones, joined
 * by ", "), or a refusal.
 * @param base Where `input` stands in the configuration.
 */
export function describeIssues(issues: readonly Issue[], input: unknown, base: ConfigPath): readonly ConfigProblem[] {
  return issues.flatMap((issue): readonly ConfigProblem[] => {
    const path = [...base, ...issue.path];
    const value = valueAt(input, issue.path);
    if (issue.code === 'unrecognized_keys') {
      const allowed = issue.message.split(', ');
      return issue.keys.map((key) => {
        const meant = suggest(key, allowed);
        return {
          path: formatPath([...path, key]),
          message: `saw ${describeValue(valueAt(value, [key]))} under an unknown key, expected one of ${issue.message}${
            meant === undefined ? '' : `; did you mean ${meant}?`
          }`,
        };
      });
    }
    const branch = issue.code === 'invalid_union' ? matchingBranch(issue.errors) : undefined;
    if (branch !== undefined) return describeIssues(branch, value, path);
    if (issue.message.startsWith(unavailablePrefix)) return [{ path: formatPath(path), message: issue.message }];
    return [problemAt(path, value, issue.message)];
  });
}
