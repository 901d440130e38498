import type { OutputKind } from '../model/policy.ts';
import type { Quarantined } from '../model/quarantine.ts';
import type { Cell, Column, Invocation, RecordBatch, Side } from '../model/record-batch.ts';
import { ClassColumns, freeName } from './class-columns.ts';
import { type CsvRecord, readCsvRecords } from './csv-records.ts';
import type { Decoded, DecodeLimits } from './decode-plan.ts';
import { countOf, Fault } from './fault.ts';
import { readTime } from './table-time.ts';

/** How to read a CSV file with a header line. */
export interface CsvTablePlan {
  /** Column of ISO 8601 times or milliseconds since the epoch; absent: rows have no time (0). */
  readonly timeColumn?: string | undefined;
  /** Columns that are outputs of the model. */
  readonly predictions: readonly string[];
  /** What the predictions are; absent: told from the values. */
  readonly output?: OutputKind | undefined;
  readonly variant: string;
  readonly version: string;
  readonly limits: DecodeLimits;
  readonly batchRows: number;
}

/** A table that can't be read at all. */
export class CsvTableError extends Error {
  override readonly name = 'CsvTableError';
}

/**
 * Reads a CSV file (RFC 4180, header in its first line, gzip detected) as inference records, one per row, streaming.
 * Rows with another number of fields than the header, or without a readable time, are quarantined.
 * @throws {CsvTableError} for an empty file, an unreadable header, a name that stands there twice, or a missing time column.
 */
export async function* decodeCsvTable(chunks: AsyncIterable<Uint8Array>, plan: CsvTablePlan): AsyncGenerator<Decoded> {
  let table: TableReader | undefined;
  for await (const record of readCsvRecords(chunks, plan.limits)) {
    if (!table) table = new TableReader(readHeader(record, plan), plan);
    else yield* table.add(record);
  }
  if (!table) throw new CsvTableError('expected a header with column names, saw no line with text');
  yield* table.take();
}

/**
 * Column names of a table's header: white space around them is dropped, and pandas' index, which it writes under an
 * empty first name, is called `index`.
 */
export function nameColumns(fields: readonly string[]): readonly string[] {
  return fields.map((field, index) => field.trim() || (index === 0 ? 'index' : ''));
}

function readHeader(record: CsvRecord, plan: CsvTablePlan): readonly string[] {
  const { fields, line } = record;
  const fail = (expected: string, seen: string) => {
    throw new CsvTableError(`line ${line}: expected ${expected}, saw ${seen}`);
  };
  if (fields instanceof Fault) return fail('a header with column names', fields.seen);
  if (fields.length > plan.limits.columns)
    return fail(`at most ${countOf(plan.limits.columns, 'column')}`, `${fields.length}`);
  const names = nameColumns(fields);
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (name === '') return fail(`a name for column ${index + 1}`, 'none');
    if (seen.has(name)) return fail('each column once', `${JSON.stringify(name)} twice`);
    seen.add(name);
  }
  for (const wanted of [...(plan.timeColumn === undefined ? [] : [plan.timeColumn]), ...plan.predictions]) {
    if (!seen.has(wanted)) return fail(`a column ${JSON.stringify(wanted)}`, listNames(names));
  }
  return names;
}

const listedNames = 20;

function listNames(names: readonly string[]): string {
  const listed = names.slice(0, listedNames).map((name) => JSON.stringify(name));
  return `${listed.join(', ')}${names.length > listedNames ? ` and ${names.length - listedNames} more` : ''}`;
}

class TableReader {
  readonly #header: readonly string[];
  readonly #plan: CsvTablePlan;
  readonly #timeIndex: number;
  readonly #classes: ClassColumns;
  #rows: (readonly string[])[] = [];
  #invocations: Invocation[] = [];
  #quarantined: Quarantined[] = [];
  #number = 0;

  constructor(header: readonly string[], plan: CsvTablePlan) {
    this.#header = header;
    this.#plan = plan;
    this.#classes = new ClassColumns(plan.output, plan.predictions);
    this.#timeIndex = plan.timeColumn === undefined ? -1 : header.indexOf(plan.timeColumn);
  }

  *add(record: CsvRecord): Generator<Decoded> {
    const fault = this.#collect(record);
    if (fault) {
      const { line, offset, length } = record;
      const { reason, seen, expected } = fault;
      this.#quarantined.push({ reason, line, offset, length, seen, expected });
    }
    if (this.#rows.length >= this.#plan.batchRows || this.#quarantined.length >= this.#plan.batchRows)
      yield* this.take();
  }

  *take(): Generator<Decoded> {
    if (this.#rows.length === 0 && this.#quarantined.length === 0) return;
    const rows = this.#rows;
    const columns = this.#header
      .map((name, index): Column => ({ name, side: this.#sideOf(name), cells: rows.map((row) => row[index]) }))
      .filter((_, index) => index !== this.#timeIndex);
    const batch: RecordBatch = {
      invocations: this.#invocations,
      rows: rows.map((_, invocation) => ({ invocation, row: 0 })),
      columns: this.#extendOutputs(columns, rows.length),
    };
    const quarantined = this.#quarantined;
    this.#rows = [];
    this.#invocations = [];
    this.#quarantined = [];
    yield { batch, quarantined, duplicates: [] };
  }

  /** Adds what the predictions of each row say together: see `ClassColumns`. */
  #extendOutputs(columns: readonly Column[], rows: number): readonly Column[] {
    if (!this.#classes.mayExtend) return columns;
    const outputs = columns.filter(({ side }) => side === 'output');
    const inputs = columns.filter(({ side }) => side === 'input');
    const taken = new Set(inputs.map(({ name }) => name));
    const names = outputs.map(({ name }) => name);
    const cells = new Map<string, { readonly derived: boolean; readonly cells: Cell[] }>();
    for (const name of names) cells.set(name, { derived: false, cells: [] });
    for (let row = 0; row < rows; row++) {
      const extended = this.#classes.extend({ names, cells: outputs.map((column) => column.cells[row]) });
      const own = extended.names.length - (extended.derived ?? 0);
      for (const [index, name] of extended.names.entries()) {
        const free = index < own ? name : freeName(name, taken);
        const column = cells.get(free) ?? { derived: true, cells: [] };
        cells.set(free, column);
        column.cells[row] = extended.cells[index];
      }
    }
    // A class without a column of its own is absent from its row, and its column from a batch of such rows.
    const extended = [...cells]
      .map(([name, { derived, cells }]): Column => {
        const filled = Array.from({ length: rows }, (_, row) => cells[row]);
        return { name, side: 'output', ...(derived && { derived }), cells: filled };
      })
      .filter((column) => column.cells.some((cell) => cell !== undefined));
    const byName = new Map(extended.map((column) => [column.name, column]));
    const kept = columns.flatMap((column) => (column.side === 'input' ? [column] : (byName.get(column.name) ?? [])));
    return [...kept, ...extended.filter(({ derived }) => derived)];
  }

  #collect({ fields, line, offset, length }: CsvRecord): Fault | undefined {
    if (fields instanceof Fault) return fields;
    const { variant, version } = this.#plan;
    if (fields.length !== this.#header.length) {
      return new Fault('column-count', countOf(fields.length, 'column'), countOf(this.#header.length, 'column'));
    }
    const time = this.#timeIndex < 0 ? 0 : readTime(fields[this.#timeIndex] ?? '');
    if (time === undefined) return new Fault('bad-time', 'text', 'an ISO 8601 time or milliseconds since the epoch');
    this.#number++;
    this.#invocations.push({ eventId: `row-${this.#number}`, time, variant, version, line, offset, length });
    this.#rows.push(fields);
    return undefined;
  }

  #sideOf(name: string): Side {
    return this.#plan.predictions.includes(name) ? 'output' : 'input';
  }
}
