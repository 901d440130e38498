import { checkDuplicates } from './config-duplicates.ts';
import { type ConfigPath, type ConfigProblem, problemAt, suggest } from './config-problems.ts';
import type { ParsedModel } from './config-schema.ts';

/** A model and where it stands. */
export interface PlacedModel {
  readonly model: ParsedModel;
  readonly path: ConfigPath;
}

/** Names that no model has, and models that depend on themselves, however far around. */
export function checkDependencies(models: readonly PlacedModel[], count: number): readonly ConfigProblem[] {
  const known = new Map(models.map((placed) => [placed.model.name, placed]));
  const problems: ConfigProblem[] = [];
  for (const { model, path } of models) {
    const where = (at: number) => [...path, 'dependsOn', at];
    problems.push(...checkDuplicates(model.dependsOn, 'model', where));
    for (const [at, name] of model.dependsOn.entries()) {
      // Where a model has problems of its own it is not known here: its name may well be right.
      if (known.has(name) || models.length < count) continue;
      const near = suggest(
        name,
        [...known.keys()].filter((other) => other !== model.name),
      );
      problems.push(
        problemAt(where(at), name, `the name of a model${near === undefined ? '' : `; did you mean ${near}?`}`),
      );
    }
  }
  const cycle = findCycle(new Map(models.map(({ model }) => [model.name, model.dependsOn])));
  const [first] = cycle;
  if (first !== undefined) {
    const path = [...(known.get(first)?.path ?? []), 'dependsOn'];
    problems.push(problemAt(path, cycle.join(' → '), 'no cycle: a model can not depend on itself'));
  }
  return problems;
}

/** Names along a cycle, the first one again at its end; none: empty. Each model is entered once, without recursion. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  for (const start of graph.keys()) {
    const path: string[] = [];
    const stack: { readonly name: string; readonly rest: string[] }[] = [];
    const enter = (name: string) => {
      path.push(name);
      stack.push({ name, rest: [...(graph.get(name) ?? [])] });
    };
    if (!done.has(start)) enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.rest.shift();
      if (next === undefined) {
        done.add(top.name);
        stack.pop();
        path.pop();
      } else if (path.includes(next)) {
        return [...path.slice(path.indexOf(next)), next];
      } else if (!done.has(next)) {
        enter(next);
      }
    }
  }
  return [];
}
