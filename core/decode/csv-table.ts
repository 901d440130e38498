import type { Quarantined } from '../model/quarantine.ts';
import type { Column, Invocation, RecordBatch, Side } from '../model/record-batch.ts';
import { parseCsv } from './csv.ts';
import type { Decoded, DecodeLimits } from './decode-plan.ts';
import { countOf, Fault } from './fault.ts';
import { decompress } from './gunzip.ts';
import { parseIsoTime } from './iso-time.ts';
import { type Line, LineSplitter } from './line-splitter.ts';

/** How to read a CSV file with a header line. */
export interface CsvTablePlan {
  /** Column of ISO 8601 times or milliseconds since the epoch; absent: rows have no time (0). */
  readonly timeColumn?: string | undefined;
  /** Columns that are outputs of the model. */
  readonly predictions: readonly string[];
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
  if (!table) throw new CsvTableError('line 1: expected a header with column names, saw an empty file');
  yield* table.take();
}

/** A CSV record: one line, or several where a quoted field holds newlines. */
interface CsvRecord {
  readonly line: number;
  readonly offset: number;
  readonly length: number;
  readonly fields: readonly string[] | Fault;
}

async function* readCsvRecords(chunks: AsyncIterable<Uint8Array>, limits: DecodeLimits): AsyncGenerator<CsvRecord> {
  const splitter = new LineSplitter(limits.lineBytes);
  const joiner = new QuoteJoiner(limits.lineBytes);
  for await (const item of decompress(chunks, limits.decompressedBytes)) {
    if (item instanceof Fault) {
      const { number, offset, length } = splitter.position;
      yield* joiner.end();
      yield { line: number, offset, length, fields: item };
      return;
    }
    for (const line of splitter.push(item)) yield* joiner.push(line);
  }
  const rest = splitter.end();
  if (rest) yield* joiner.push(rest);
  yield* joiner.end();
}

/** Joins the lines of a record whose quotes are still open. */
class QuoteJoiner {
  readonly #limit: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #start: Line | undefined;
  #parts: string[] = [];
  #length = 0;
  #quotes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  *push(line: Line): Generator<CsvRecord> {
    const start = this.#start ?? line;
    const text = this.#text(line);
    if (text instanceof Fault) {
      yield* this.end();
      yield { line: line.number, offset: line.offset, length: line.length, fields: text };
      return;
    }
    this.#start = start;
    this.#parts.push(text);
    this.#length += text.length + 1;
    this.#quotes += text.split('"').length - 1;
    if (this.#quotes % 2 === 0 || this.#length > this.#limit) yield* this.end();
  }

  *end(): Generator<CsvRecord> {
    const start = this.#start;
    if (!start) return;
    const text = this.#parts.join('\n');
    const rows = text === '' ? [] : parseCsv(text, true);
    if (rows instanceof Fault) yield { line: start.number, offset: start.offset, length: text.length, fields: rows };
    else for (const fields of rows) yield { line: start.number, offset: start.offset, length: text.length, fields };
    this.#start = undefined;
    this.#parts = [];
    this.#length = 0;
    this.#quotes = 0;
  }

  #text(line: Line): string | Fault {
    if (!line.bytes) return new Fault('line-too-long', countOf(line.length, 'byte'), `at most ${this.#limit} bytes`);
    try {
      return this.#decoder.decode(line.bytes);
    } catch {
      return new Fault('bad-encoding', 'bytes that are no UTF-8', 'UTF-8 text');
    }
  }
}

function readHeader(record: CsvRecord, plan: CsvTablePlan): readonly string[] {
  const { fields } = record;
  if (fields instanceof Fault)
    throw new CsvTableError(`line 1: expected a header with column names, saw ${fields.seen}`);
  const names = fields.map((name) => name.trim());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new CsvTableError(`line 1: expected each column once, saw ${JSON.stringify(twice)} twice`);
  const empty = names.indexOf('');
  if (empty >= 0 && names.length > 1 && empty > 0) throw new CsvTableError(`line 1: column ${empty + 1} has no name`);
  if (names.length > plan.limits.columns) {
    throw new CsvTableError(`line 1: expected at most ${plan.limits.columns} columns, saw ${names.length}`);
  }
  for (const wanted of [...(plan.timeColumn === undefined ? [] : [plan.timeColumn]), ...plan.predictions]) {
    if (!names.includes(wanted)) {
      const seen = names.slice(0, 20).map((name) => JSON.stringify(name));
      throw new CsvTableError(`line 1: expected a column ${JSON.stringify(wanted)}, saw ${seen.join(', ')}`);
    }
  }
  // pandas writes its index under an empty first name.
  return names.map((name, index) => (name === '' && index === 0 ? 'index' : name));
}

class TableReader {
  readonly #header: readonly string[];
  readonly #plan: CsvTablePlan;
  readonly #timeIndex: number;
  #rows: (readonly string[])[] = [];
  #invocations: Invocation[] = [];
  #quarantined: Quarantined[] = [];
  #number = 0;

  constructor(header: readonly string[], plan: CsvTablePlan) {
    this.#header = header;
    this.#plan = plan;
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
    const columns: Column[] = this.#header
      .map((name, index) => ({ name, side: this.#sideOf(name), cells: rows.map((row) => row[index]) }))
      .filter((_, index) => index !== this.#timeIndex);
    const batch: RecordBatch = {
      invocations: this.#invocations,
      rows: rows.map((_, invocation) => ({ invocation, row: 0 })),
      columns,
    };
    const quarantined = this.#quarantined;
    this.#rows = [];
    this.#invocations = [];
    this.#quarantined = [];
    yield { batch, quarantined, duplicates: [] };
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

/** ISO 8601 with or without a zone (UTC then), a date alone, or milliseconds since the epoch. */
function readTime(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^-?\d{10,16}$/.test(trimmed)) return Number(trimmed);
  const joined = trimmed.replace(' ', 'T');
  const full = /^\d{4}-\d{2}-\d{2}$/.test(joined) ? `${joined}T00:00:00` : joined;
  const seconds = /T\d{2}:\d{2}$/.test(full) ? `${full}:00` : full;
  return parseIsoTime(seconds) ?? parseIsoTime(`${seconds}Z`);
}
