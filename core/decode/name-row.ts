import type { Json } from '../model/canonical-json.ts';
import type { Cell, Side } from '../model/record-batch.ts';
import { countOf, Fault } from './fault.ts';
import { isJsonArray, isJsonObject, type JsonObject } from './json-text.ts';
import { type PayloadRow, valuesKey } from './payload.ts';

/** A row's cells with their columns' names, in order. */
export interface NamedRow {
  readonly names: readonly string[];
  readonly cells: readonly Cell[];
}

/** What the values of a row are called. */
export interface RowSchema {
  readonly columns?: readonly string[] | undefined;
  readonly predictions: readonly string[];
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
  const builder = new RowBuilder(maximumColumns);
  if (row.type === 'object') {
    const fault = addObject(builder, row.object, side, schema);
    if (fault !== undefined) return fault;
  } else {
    if (row.values.length > maximumColumns) return tooManyColumns(maximumColumns);
    const given = namesOfValues(row.values.length, side, names, schema?.borrowed);
    if (given instanceof Fault) return given;
    // The common case keeps the schema's own array of names, which the batch recognises.
    if (!row.values.some(isJsonObject)) return { names: given, cells: row.values.map(cellOf) };
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
  fault: Fault | undefined;
  readonly #maximum: number;

  constructor(maximum: number) {
    this.#maximum = maximum;
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
      this.cells.push(cellOf(value ?? null));
    }
  }
}

function addObject(
  builder: RowBuilder,
  object: JsonObject,
  side: Side,
  schema: RowSchema | undefined,
): Fault | undefined {
  for (const [key, member] of Object.entries(object)) {
    if (side === 'input' && key === valuesKey && isJsonArray(member)) {
      const given = namesOfValues(member.length, side, schema?.columns, schema?.borrowed);
      if (given instanceof Fault) return given;
      addValues(builder, given, member);
    } else {
      builder.add(key, member);
    }
  }
  return undefined;
}

function addValues(builder: RowBuilder, names: readonly string[], values: readonly Json[]): void {
  for (const [index, value] of values.entries()) builder.add(names[index] ?? inventedName('input', index), value);
}

function namesOfValues(
  count: number,
  side: Side,
  names: readonly string[] | undefined,
  borrowed = false,
): readonly string[] | Fault {
  if (names === undefined || (side === 'output' && names.length === 0)) {
    return Array.from({ length: count }, (_, index) => inventedName(side, index));
  }
  if (names.length === count) return names;
  if (borrowed) return Array.from({ length: count }, (_, index) => names[index] ?? inventedName(side, index));
  return new Fault('column-count', countOf(count, 'column'), countOf(names.length, 'column'));
}

/** column_1, column_2, …; prediction, prediction_2, … */
function inventedName(side: Side, index: number): string {
  if (side === 'input') return `column_${index + 1}`;
  return index === 0 ? 'prediction' : `prediction_${index + 1}`;
}

/** A lone surrogate can't be written as UTF-8, so text is made well-formed before anyone stores it. */
function cellOf(value: Json): Cell {
  if (isJsonArray(value)) return { opaque: 'array', size: value.length };
  if (typeof value === 'string') return value.toWellFormed();
  return isJsonObject(value) ? undefined : value;
}
