import { ClassColumns } from './class-columns.ts';
import { joinLabelPairs } from './class-scores.ts';
import type { DecodeLimits } from './decode-plan.ts';
import { countOf, Fault } from './fault.ts';
import { type NamedRow, nameRow, type RowSchema, tooManyColumns } from './name-row.ts';
import { type Payload, type PayloadRow, settleFlatLists, tooManyRows } from './payload.ts';

/** One inference record: both sides named. */
export interface PairedRow {
  readonly input?: NamedRow | undefined;
  readonly output?: NamedRow | undefined;
}

/** Puts the rows of both sides together. A Fault in the list costs its row, a Fault instead of it the line. */
export function pairRows(
  input: Payload | undefined,
  output: Payload | undefined,
  schema: RowSchema | undefined,
  limits: DecodeLimits,
): readonly (PairedRow | Fault)[] | Fault {
  const answers = schema?.output === 'values' ? output : joinLabelPairs(input, output);
  const settled = settleFlatLists(input, answers, schema?.columns?.length ?? 0, schema?.predictions.length ?? 0);
  const inputCount = settled.input?.length;
  const outputCount = settled.output?.length;
  const count = inputCount ?? outputCount ?? 0;
  if (count > limits.rowsPerLine || (outputCount ?? 0) > limits.rowsPerLine) return tooManyRows(limits);
  if (inputCount !== undefined && outputCount !== undefined && inputCount !== outputCount) {
    return new Fault('side-mismatch', countOf(outputCount, 'output row'), countOf(inputCount, 'output row'));
  }
  const nameSide = (row: PayloadRow | undefined, side: 'input' | 'output'): NamedRow | Fault | undefined =>
    row && nameRow(row, side, schema, limits.columns);

  const classes = new ClassColumns(schema?.output, schema?.predictions ?? []);
  const rows: (PairedRow | Fault)[] = [];
  const inputNames = new NameSet(schema?.columns ?? []);
  const allNames = new NameSet([]);
  for (let index = 0; index < count; index += 1) {
    const named = nameSide(settled.input?.[index], 'input');
    const answered = nameSide(settled.output?.[index], 'output');
    const predicted = answered === undefined || answered instanceof Fault ? answered : classes.extend(answered);
    const fault = worseFault(named, predicted);
    if (fault !== undefined && fault.reason !== 'column-count') return fault;
    if (named instanceof Fault || predicted instanceof Fault) {
      if (fault !== undefined) rows.push(fault);
      continue;
    }
    if (named !== undefined) {
      inputNames.add(named.names);
      allNames.add(named.names);
    }
    if (predicted !== undefined) allNames.add(predicted.names);
    const maximum = Math.min(limits.columns, Math.max(1, Math.floor(limits.cellsPerLine / count)));
    if (allNames.size > maximum) return tooManyColumns(maximum);
    rows.push({ input: named, output: predicted });
  }
  return withDistinctOutputs(rows, inputNames);
}

/** The fault of either side; one that costs the line goes before one that costs the row. */
function worseFault(input: NamedRow | Fault | undefined, output: NamedRow | Fault | undefined): Fault | undefined {
  const faults = [input, output].filter((side) => side instanceof Fault);
  return faults.find(({ reason }) => reason !== 'column-count') ?? faults[0];
}

/** The names of many rows, which mostly share one array of names. */
class NameSet {
  readonly #names: Set<string>;
  #last: readonly string[] | undefined;

  constructor(names: readonly string[]) {
    this.#names = new Set(names);
    this.#last = names;
  }

  get size(): number {
    return this.#names.size;
  }

  add(names: readonly string[]): void {
    if (names === this.#last) return;
    this.#last = names;
    for (const name of names) this.#names.add(name);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }
}

/** Outputs named like an input of the schema or of the line are called `output.<name>`. */
function withDistinctOutputs(rows: readonly (PairedRow | Fault)[], inputs: NameSet): readonly (PairedRow | Fault)[] {
  let last: readonly string[] | undefined;
  let renamed: readonly string[] = [];
  return rows.map((row) => {
    if (row instanceof Fault || row.output === undefined) return row;
    const { names } = row.output;
    if (names !== last) {
      last = names;
      renamed = names.some((name) => inputs.has(name)) ? names.map((name) => distinctName(name, inputs)) : names;
    }
    return renamed === names ? row : { input: row.input, output: { ...row.output, names: renamed } };
  });
}

function distinctName(name: string, inputs: NameSet): string {
  let distinct = name;
  while (inputs.has(distinct)) distinct = `output.${distinct}`;
  return distinct;
}
