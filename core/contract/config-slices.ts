import { z } from 'zod';
import { maximumSlices, type SlicePolicy, sliceOf } from '../model/slice.ts';
import { type ConfigPath, type ConfigProblem, problemAt } from './config-problems.ts';
import { isPrintable, text } from './config-values.ts';

/** `slices: { region: ['EU', 'US'] }`: by column the values whose records are judged by themselves. */

const column = text(
  'slices under a column name of 1 to 255 printable characters',
  (value) => value.length >= 1 && value.length <= 255 && isPrintable(value),
);

const expectedValue = 'a value: text of 1 to 200 printable characters, a finite number, true or false';

const value = z.union(
  [
    text(expectedValue, (value) => value.length >= 1 && value.length <= 200 && isPrintable(value)),
    z.number({ error: expectedValue }),
    z.boolean({ error: expectedValue }),
  ],
  { error: expectedValue },
);

const values = z
  .array(value, {
    error: ({ input }) =>
      input === 'each'
        ? 'a list of values: "each" is refused, because every slice takes its part of the budget for false alarms'
        : 'a list of values',
  })
  .min(1, { error: 'at least one value' });

export type SliceValues = z.input<typeof values>;

/** By way of a map, because a record would drop a column called `__proto__`. Pairs, sorted by name. */
export const slices = z
  .custom<Readonly<Record<string, SliceValues>>>(
    (input) => typeof input === 'object' && input !== null && !Array.isArray(input),
    { error: 'an object of lists of values by column' },
  )
  .transform((input) => new Map(Object.entries(input)))
  .pipe(z.map(column, values))
  .transform((named) => [...named].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));

type ParsedSlices = z.output<typeof slices>;

/** What of a model the slices must fit. */
interface SlicedModel {
  readonly slices: ParsedSlices;
  readonly versions: readonly {
    readonly schema: {
      readonly columns?: readonly string[] | undefined;
      readonly prediction?: string | readonly string[] | undefined;
    };
  }[];
}

/** Slices in the order of their names. */
export function listSlices(parsed: ParsedSlices): readonly SlicePolicy[] {
  return parsed
    .flatMap(([column, values]) => values.map((value) => sliceOf(column, value)))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Too many slices, slices given twice, and columns that are no inputs. */
export function checkSlices({ slices, versions }: SlicedModel, base: ConfigPath): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const path = [...base, 'slices'];
  const count = slices.reduce((sum, [, values]) => sum + values.length, 0);
  if (count > maximumSlices) problems.push(problemAt(path, count, `at most ${maximumSlices} slices`));
  const names = new Set<string>();
  for (const [column, values] of slices) {
    for (const [index, value] of values.entries()) {
      const { name } = sliceOf(column, value);
      if (names.has(name))
        problems.push(problemAt([...path, column, index], value, `each slice once: ${name} is given`));
      names.add(name);
    }
    for (const { schema } of versions) {
      const { columns, prediction = [] } = schema;
      const outputs: readonly string[] = typeof prediction === 'string' ? [prediction] : prediction;
      if (outputs.includes(column)) {
        problems.push(problemAt([...path, column], column, 'a column of the input, not a prediction'));
      } else if (columns !== undefined && !columns.includes(column)) {
        problems.push(problemAt([...path, column], column, "a column of every version's schema"));
      } else {
        continue;
      }
      break;
    }
  }
  return problems;
}
