import { createHash } from 'node:crypto';
import type { Json } from '../model/canonical-json.ts';
import type { LabelColumns, LabelPolicy } from '../model/labels.ts';
import type { Quarantined } from '../model/quarantine.ts';
import { parseCsv } from './csv.ts';
import { type CsvRecord, readCsvRecords } from './csv-records.ts';
import { nameColumns } from './csv-table.ts';
import type { DecodeLimits } from './decode-plan.ts';
import { readText } from './envelope-field.ts';
import { countOf, Fault } from './fault.ts';
import { decompress } from './gunzip.ts';
import { parseIsoTime } from './iso-time.ts';
import { isJsonArray, isJsonObject, memberOf, parseJson, typeOf } from './json-text.ts';
import { readLabelValue } from './label-value.ts';
import { type Line, LineSplitter } from './line-splitter.ts';
import { decodeUtf8 } from './payload.ts';
import { readTime } from './table-time.ts';

/** One label of one row of an inference. */
export interface Label {
  /** `inferenceId` of the capture where it has one, else `eventId`. */
  readonly id: string;
  /** 0-based, of a payload of several rows. */
  readonly row: number;
  /** 1 or 0 of a yes or no, the number, or the code of the class. */
  readonly value: number;
  /** Milliseconds since the epoch at which the label was given; absent: it isn't said. */
  readonly time?: number | undefined;
  /** 1 + index into the policy's sources; 0: another or none. */
  readonly source: number;
  /** Decides between labels of one time: 32 bits of a hash of what the label says. */
  readonly order: number;
}

export interface LabelPlan {
  readonly format: 'sagemaker' | 'csv';
  readonly labels: LabelPolicy;
  /** Milliseconds since the epoch: later labels are quarantined as `future-time`. */
  readonly latestTime: number;
  readonly limits: DecodeLimits;
}

/** What a line of a file of labels says. */
export interface DecodedLabels {
  readonly labels: readonly Label[];
  readonly quarantined?: Quarantined | undefined;
}

/**
 * Decodes an object of labels as it streams in, line by line. A line that can't be read whole is quarantined, and nothing else
 * is lost. A CSV file without a readable header is quarantined whole, by its first line.
 */
export async function* decodeLabels(chunks: AsyncIterable<Uint8Array>, plan: LabelPlan): AsyncGenerator<DecodedLabels> {
  if (plan.format === 'csv') yield* decodeTable(chunks, plan);
  else yield* decodeLines(chunks, plan);
}

type Place = Pick<Line, 'offset' | 'length'> & { readonly line: number };

function quarantine(place: Place, { reason, seen, expected }: Fault): DecodedLabels {
  const { line, offset, length } = place;
  return { labels: [], quarantined: { reason, line, offset, length, seen, expected } };
}

async function* decodeLines(chunks: AsyncIterable<Uint8Array>, plan: LabelPlan): AsyncGenerator<DecodedLabels> {
  const splitter = new LineSplitter(plan.limits.lineBytes);
  let broken: Fault | undefined;
  const decode = function* (line: Line): Generator<DecodedLabels> {
    const labels = decodeLine(line, plan);
    if (labels instanceof Fault) yield quarantine({ ...line, line: line.number }, labels);
    else if (labels.length > 0) yield { labels };
  };
  for await (const item of decompress(chunks, plan.limits.decompressedBytes)) {
    if (item instanceof Fault) broken = item;
    else for (const line of splitter.push(item)) yield* decode(line);
  }
  const { number, offset, length } = splitter.position;
  if (broken) {
    yield quarantine({ line: number, offset, length }, broken);
    return;
  }
  const rest = splitter.end();
  if (rest) yield* decode(rest);
}

function decodeLine(line: Line, plan: LabelPlan): readonly Label[] | Fault {
  const { limits } = plan;
  if (line.bytes === undefined) {
    return new Fault('line-too-long', `${line.length} bytes`, `at most ${limits.lineBytes} bytes`);
  }
  const text = decodeUtf8(line.bytes);
  if (text === undefined) return unreadable(line, 'bytes that are not UTF-8');
  if (text.trim() === '') return [];
  const parsed = parseJson(text, limits.depth, 'not-json');
  if (parsed instanceof Fault) return parsed.reason === 'not-json' ? unreadable(line, parsed.seen) : parsed;
  if (!isJsonObject(parsed.value)) return new Fault('not-a-record', typeOf(parsed.value), 'an object');
  return readRecord(parsed.value, plan);
}

function unreadable(line: Line, seen: string): Fault {
  return line.terminated
    ? new Fault('not-json', seen, 'a JSON object')
    : new Fault('truncated', 'a last line that is cut off', 'a complete line');
}

/** `{groundTruthData:{data,encoding},eventMetadata:{eventId,labelTime?,labelSource?},eventVersion}`. */
function readRecord(record: Exclude<Json, null | boolean | number | string | readonly Json[]>, plan: LabelPlan) {
  const metadata = memberOf(record, 'eventMetadata');
  if (!isJsonObject(metadata)) return new Fault('not-a-record', typeOf(metadata), 'eventMetadata: an object');
  const id = readText(memberOf(metadata, 'eventId'), 'eventId');
  if (id instanceof Fault) return id;
  if (!id) return new Fault('not-a-record', 'no eventId', 'eventId: text');
  const time = readLabelTime(memberOf(metadata, 'labelTime'), plan);
  if (time instanceof Fault) return time;
  const source = readText(memberOf(metadata, 'labelSource'), 'labelSource');
  if (source instanceof Fault) return source;
  const data = memberOf(record, 'groundTruthData');
  if (!isJsonObject(data)) return new Fault('no-payload', typeOf(data), 'groundTruthData: an object');
  const values = readValues(memberOf(data, 'data'), memberOf(data, 'encoding'), plan);
  if (values instanceof Fault) return values;
  const labels: Label[] = [];
  for (const [row, cell] of values.entries()) {
    const label = createLabel({ id, row, cell, time, source }, plan);
    // A record is in force whole or not at all.
    if (label instanceof Fault) return label;
    labels.push(label);
  }
  return labels;
}

function readLabelTime(value: Json | undefined, plan: LabelPlan): number | undefined | Fault {
  if (value === undefined || value === null) return undefined;
  const time = typeof value === 'string' ? parseIsoTime(value) : undefined;
  if (time === undefined) {
    return new Fault('bad-time', typeof value === 'string' ? 'other text' : typeOf(value), 'labelTime: ISO 8601');
  }
  return checkTime(time, plan) ?? time;
}

function checkTime(time: number, { latestTime }: LabelPlan): Fault | undefined {
  if (time < 0) return new Fault('bad-time', 'a time before 1970', 'a later time');
  if (time <= latestTime) return undefined;
  return new Fault('future-time', 'a later time', `at most ${new Date(latestTime).toISOString()}`);
}

/** The labels of a record's rows: a line of CSV each, or the items of a JSON list. */
function readValues(data: Json | undefined, encoding: Json | undefined, plan: LabelPlan): readonly Json[] | Fault {
  const name = typeof encoding === 'string' ? encoding.toUpperCase() : undefined;
  if (name !== 'CSV' && name !== 'JSON') {
    return new Fault('bad-encoding', name === undefined ? typeOf(encoding) : 'another encoding', 'CSV or JSON');
  }
  if (data === undefined || data === null) return new Fault('no-payload', typeOf(data), 'groundTruthData.data');
  let values: Json;
  if (name === 'CSV') {
    if (typeof data !== 'string') return new Fault('not-a-record', typeOf(data), 'groundTruthData.data: text');
    const rows = parseCsv(data, true);
    if (rows instanceof Fault) return rows;
    const wide = rows.find((row) => row.length !== 1);
    if (wide) return new Fault('column-count', countOf(wide.length, 'column'), 'one label a line');
    values = rows.map(([value = '']) => value);
  } else if (typeof data === 'string') {
    const parsed = parseJson(data, plan.limits.depth, 'bad-encoding');
    if (parsed instanceof Fault) return parsed;
    values = parsed.value;
  } else {
    values = data;
  }
  const list = isJsonArray(values) ? values : [values];
  const { rowsPerLine } = plan.limits;
  if (list.length > rowsPerLine)
    return new Fault('too-many-rows', countOf(list.length, 'row'), `at most ${rowsPerLine}`);
  return list.length > 0 ? list : new Fault('no-payload', 'no label', 'a label');
}

interface LabelCell {
  readonly id: string;
  readonly row: number;
  readonly cell: Json;
  readonly time: number | undefined;
  readonly source: string | undefined;
}

function createLabel({ id, row, cell, time, source }: LabelCell, { labels }: LabelPlan): Label | Fault {
  const value = readLabelValue(cell, labels);
  if (value instanceof Fault) return value;
  const named = labels.sources.indexOf(source ?? '') + 1;
  return { id, row, value, time, source: named, order: orderOf(value, named) };
}

/** Of what is joined alone: two ways to write one label are no contradiction. */
function orderOf(value: number, source: number): number {
  return createHash('sha256').update(`${value} ${source}`).digest().readUInt32BE(0);
}

async function* decodeTable(chunks: AsyncIterable<Uint8Array>, plan: LabelPlan): AsyncGenerator<DecodedLabels> {
  let table: TableHeader | undefined;
  for await (const record of readCsvRecords(chunks, plan.limits)) {
    const { fields } = record;
    if (fields instanceof Fault) {
      yield quarantine(record, fields);
      if (!table) return;
      continue;
    }
    if (!table) {
      const header = readHeader(fields, plan.labels.columns);
      if (header instanceof Fault) {
        yield quarantine(record, header);
        return;
      }
      table = header;
      continue;
    }
    const label = readRow(record, fields, table, plan);
    yield label instanceof Fault ? quarantine(record, label) : { labels: [label] };
  }
}

/** Where each column stands; −1: nowhere. */
type TableHeader = { readonly width: number } & Readonly<Record<keyof LabelColumns, number>>;

function readHeader(fields: readonly string[], columns: LabelColumns): TableHeader | Fault {
  const names = nameColumns(fields);
  const at = (name: string) => names.indexOf(name);
  const { id, label, time, source, row } = columns;
  for (const name of [id, label]) {
    if (at(name) < 0) return new Fault('column-count', 'a header without it', `a column ${JSON.stringify(name)}`);
  }
  for (const name of [id, label, time, source, row]) {
    if (at(name) !== names.lastIndexOf(name))
      return new Fault('column-count', 'a column that stands there twice', `${JSON.stringify(name)} once`);
  }
  return { width: names.length, id: at(id), label: at(label), time: at(time), source: at(source), row: at(row) };
}

function readRow(_record: CsvRecord, fields: readonly string[], header: TableHeader, plan: LabelPlan): Label | Fault {
  if (fields.length !== header.width) {
    return new Fault('column-count', countOf(fields.length, 'column'), countOf(header.width, 'column'));
  }
  const field = (at: number) => (at < 0 ? '' : (fields[at] ?? '').trim());
  const id = readText(field(header.id), plan.labels.columns.id);
  if (id instanceof Fault) return id;
  if (!id) return new Fault('not-a-record', 'no id', 'an id');
  const rowText = field(header.row);
  if (!/^(?:0|[1-9]\d{0,5})?$/.test(rowText)) return new Fault('not-a-number', 'other text', 'the number of a row');
  const timeText = field(header.time);
  const time = timeText === '' ? undefined : (readTime(timeText) ?? Number.NaN);
  if (Number.isNaN(time)) return new Fault('bad-time', 'text', 'an ISO 8601 time or milliseconds since the epoch');
  const untimely = time === undefined ? undefined : checkTime(time, plan);
  if (untimely) return untimely;
  return createLabel(
    { id, row: Number(rowText), cell: fields[header.label] ?? '', time, source: field(header.source) },
    plan,
  );
}
