import { type ConfigPath, type ConfigProblem, formatPath, problemAt } from './config-problems.ts';

/** Names used twice. */
export function checkDuplicates(
  names: readonly string[],
  what: string,
  pathOf: (index: number) => ConfigPath,
): readonly ConfigProblem[] {
  const first = new Map<string, number>();
  const problems: ConfigProblem[] = [];
  for (const [index, name] of names.entries()) {
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    else
      problems.push(problemAt(pathOf(index), name, `another ${what}: it is taken by ${formatPath(pathOf(earlier))}`));
  }
  return problems;
}
