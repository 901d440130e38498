import type { Json } from '../model/canonical-json.ts';
import type { OutputKind } from '../model/policy.ts';
import type { Cell, OpaqueCell, Side } from '../model/record-batch.ts';
import { areNumbers, areShares, type LabelledScores, readLabelLists, readLabelPairs } from './class-scores.ts';
import { countOf, Fault } from './fault.ts';
import { isJsonArray, isJsonObject, type JsonObject } from './json-text.ts';
import { type PayloadRow, valuesKey } from './payload.ts';

/** A row's cells with their columns' names, in order. */
export interface NamedRow {
  readonly names: readonly string[];
  readonly cells: readonly Cell[];
  /** Places of the values that stood in one list of outputs; absent: they came by name. */
  readonly scores?: readonly number[] | undefined;
  /** How many at the end were derived from the others. */
  readonly derived?: number | undefined;
}

/** What the values of a row are called. */
export interface RowSchema {
  readonly columns?: readonly string[] | undefined;
  readonly predictions: readonly string[];
  readonly output?: OutputKind | undefined;
  /** Names of columns whose lists of numbers are kept. */
  readonly embeddings?: readonly string[] | undefined;
  /**
   * The schema of another version stands in: values go by their place, whatever their number. A new version's column is
   * an extra one, not a fault.
   */
  readonly borrowed: boolean;
}

/** Longest column name, in UTF-16 units, with the names of the objects around it. */
const longestName = 1024;

/**
 * Gives a row's values their names: an object's own, with nested objects flattened by dots; those of the schema for
 * values in order; invented ones where there is no schema. `column-count` is the row's fault, `too-many-columns` the
 * line's.
 */
export function nameRow(
  row: PayloadRow,
  side: Side,
  schema: RowSchema | undefined,
  maximumColumns: number,
): NamedRow | Fault {
  const names = side === 'input' ? schema?.columns : schema?.predictions;
  if (row.type === 'binary') {
    return { names: [side === 'input' ? 'payload' : 'payload_output'], cells: [{ opaque: 'binary', size: row.bytes }] };
  }
  if (row.type === 'text') {
    return { names: names?.length === 1 ? names : ['text'], cells: [cellOf(row.text)] };
  }
  const builder = new RowBuilder(maximumColumns, schema?.embeddings ?? []);
  if (row.type === 'object') {
    const fault = addObject(builder, row.object, side, schema);
    if (fault !== undefined) return fault;
  } else {
    const pairs = side === 'output' && schema?.output !== 'values' ? readLabelPairs(row.values) : undefined;
    if (pairs !== undefined && areShares(pairs.scores)) {
      addLabelled(builder, pairs);
      return builder.fault ?? builder;
    }
    const [only, ...others] = names ?? [];
    if (only !== undefined && others.length === 0 && row.values.length > 1 && builder.isVector(only)) {
      // The row is the vector itself; CSV has numbers as text.
      builder.add(only, row.values.map(numberOf));
      return builder.fault ?? builder;
    }
    if (row.values.length > maximumColumns) return tooManyColumns(maximumColumns);
    const given = namesOfValues(row.values.length, side, names, schema?.borrowed);
    if (given instanceof Fault) return given;
    // The common case keeps the schema's own array of names, which the batch recognises.
    if (!row.values.some(isJsonObject)) {
      const cells = builder.keepsVectors
        ? row.values.map((value, index) => builder.cellOf(given[index] ?? '', value))
        : row.values.map(cellOf);
      return side === 'output'
        ? { names: given, cells, scores: cells.map((_, index) => index) }
        : { names: given, cells };
    }
    addValues(builder, given, row.values);
  }
  return builder.fault ?? builder;
}

export function tooManyColumns(limit: number): Fault {
  return new Fault('too-many-columns', `more than ${limit} columns`, `at most ${limit} columns`);
}

class RowBuilder implements NamedRow {
  readonly names: string[] = [];
  readonly cells: Cell[] = [];
  scores: readonly number[] | undefined;
  fault: Fault | undefined;
  readonly #maximum: number;
  readonly #vectors: readonly string[];

  constructor(maximum: number, vectors: readonly string[]) {
    this.#maximum = maximum;
    this.#vectors = vectors;
  }

  get keepsVectors(): boolean {
    return this.#vectors.length > 0;
  }

  isVector(name: string): boolean {
    return this.#vectors.includes(name);
  }

  cellOf(name: string, value: Json): Cell {
    return isJsonArray(value) && this.isVector(name) ? vectorOf(value) : cellOf(value);
  }

  add(name: string, value: Json | undefined): void {
    if (this.fault !== undefined) return;
    // Checked at every level: a long name before many members would be written out once for each of them.
    if (name.length > longestName) {
      this.fault = new Fault('too-many-columns', 'a longer column name', `names of at most ${longestName} characters`);
    } else if (isJsonObject(value)) {
      for (const [key, member] of Object.entries(value)) this.add(`${name}.${key}`, member);
    } else if (this.names.length === this.#maximum) {
      this.fault = tooManyColumns(this.#maximum);
    } else {
      this.names.push(name.toWellFormed());
      this.cells.push(this.cellOf(name, value ?? null));
    }
  }
}

function addObject(
  builder: RowBuilder,
  object: JsonObject,
  side: Side,
  schema: RowSchema | undefined,
): Fault | undefined {
  const lists = side === 'output' && schema?.output !== 'values' ? readLabelLists(object) : undefined;
  const labelled = lists && areShares(lists.scores) ? lists : undefined;
  if (labelled !== undefined) addLabelled(builder, labelled);
  for (const [key, member] of Object.entries(object)) {
    if (labelled !== undefined && (key === 'labels' || key === 'scores')) continue;
    if (
      side === 'output' &&
      builder.scores === undefined &&
      isJsonArray(member) &&
      !builder.isVector(key) &&
      areClassScores(member, schema)
    ) {
      const named = schema?.predictions.length === member.length ? schema.predictions : undefined;
      addScores(builder, named ?? member.map((_, index) => inventedName(key, index)), member);
    } else if (side === 'input' && key === valuesKey && isJsonArray(member)) {
      const given = namesOfValues(member.length, side, schema?.columns, schema?.borrowed);
      if (given instanceof Fault) return given;
      addValues(builder, given, member);
    } else {
      builder.add(key, member);
    }
  }
  return undefined;
}

/** A nested list of outputs is the scores of classes where it is declared so or looks like them; others stay opaque. */
function areClassScores(values: readonly Json[], schema: RowSchema | undefined): boolean {
  if (values.length < 2 || !areNumbers(values)) return false;
  if (schema?.output !== undefined) return schema.output === 'classes';
  return schema?.predictions.length === values.length || areShares(values);
}

function addLabelled(builder: RowBuilder, { labels, scores }: LabelledScores): void {
  // In the order of the labels, whatever the order of the answer: it decides which classes have columns.
  const order = labels.map((_, index) => index).sort((a, b) => ((labels[a] ?? '') < (labels[b] ?? '') ? -1 : 1));
  addScores(
    builder,
    order.map((index) => labels[index] ?? ''),
    order.map((index) => scores[index] ?? null),
  );
}

function addScores(builder: RowBuilder, names: readonly string[], values: readonly Json[]): void {
  const start = builder.names.length;
  for (const [index, value] of values.entries()) builder.add(names[index] ?? inventedName('prediction', index), value);
  builder.scores = builder.names.slice(start).map((_, index) => start + index);
}

function addValues(builder: RowBuilder, names: readonly string[], values: readonly Json[]): void {
  for (const [index, value] of values.entries()) builder.add(names[index] ?? inventedName('column', index), value);
}

function namesOfValues(
  count: number,
  side: Side,
  names: readonly string[] | undefined,
  borrowed = false,
): readonly string[] | Fault {
  if (names === undefined || (side === 'output' && names.length === 0)) {
    return Array.from({ length: count }, (_, index) => inventedName(stems[side], index));
  }
  if (names.length === count) return names;
  if (borrowed) return Array.from({ length: count }, (_, index) => names[index] ?? inventedName(stems[side], index));
  return new Fault('column-count', countOf(count, 'column'), countOf(names.length, 'column'));
}

const stems: Readonly<Record<Side, string>> = { input: 'column', output: 'prediction' };

/** column_1, column_2, …; prediction, prediction_2, …, and alike for a list under a key. */
function inventedName(stem: string, index: number): string {
  return index === 0 && stem !== stems.input ? stem : `${stem}_${index + 1}`;
}

function numberOf(value: Json): Json {
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
}

/** A list with anything but numbers is no vector, and only its length is kept. */
export function vectorOf(value: readonly Json[]): OpaqueCell {
  return { opaque: 'array', size: value.length, ...(areNumbers(value) && { values: value }) };
}

/** A lone surrogate can't be written as UTF-8, so text is made well-formed before anyone stores it. */
function cellOf(value: Json): Cell {
  if (isJsonArray(value)) return { opaque: 'array', size: value.length };
  if (typeof value === 'string') return value.toWellFormed();
  return isJsonObject(value) ? undefined : value;
}
