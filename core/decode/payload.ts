import type { Json } from '../model/canonical-json.ts';
import type { Side } from '../model/record-batch.ts';
import type { CapturedPayload } from './captured-record.ts';
import { parseCsv } from './csv.ts';
import type { DecodeLimits } from './decode-plan.ts';
import { Fault } from './fault.ts';
import { isJsonArray, isJsonObject, type JsonObject, memberOf, parseJson } from './json-text.ts';

/** One inference record of a payload, before its values have names. */
export type PayloadRow =
  | { readonly type: 'values'; readonly values: readonly Json[] }
  | { readonly type: 'object'; readonly object: JsonObject }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'binary'; readonly bytes: number };

/** A payload's rows. */
export interface Payload {
  readonly rows: readonly PayloadRow[];
  /**
   * Set where the payload is one flat list, which may be one row of many values or many rows of one value; says which
   * it is when nothing else tells.
   */
  readonly flat?: 'one-row' | 'many-rows' | undefined;
}

/** Keys of a JSON object whose array value holds the rows. */
const rowKeys: Readonly<Record<Side, readonly string[]>> = {
  input: ['instances', 'inputs', 'features'],
  output: ['predictions', 'outputs'],
};

/** The key of a row object whose array value is the row's values in order. */
export const valuesKey = 'features';

/** Parses one side of a captured call. `singleColumn`: its rows are known to have one column. */
export function readPayload(
  captured: CapturedPayload,
  side: Side,
  singleColumn: boolean,
  limits: DecodeLimits,
): Payload | Fault {
  const { body, contentType, encoding } = captured;
  if (typeof body !== 'string') return shapeJson(body, side);
  const medium = mediumOf(contentType);
  if (encoding === 'BASE64') {
    const bytes = decodeBase64(body);
    if (bytes === undefined) return new Fault('bad-encoding', 'text that is not base64', 'base64');
    if (medium === 'unknown' || medium === 'other') return { rows: [{ type: 'binary', bytes: bytes.length }] };
    const text = decodeUtf8(bytes);
    if (text === undefined) return new Fault('bad-encoding', 'bytes that are not UTF-8', 'UTF-8');
    return readText(text, medium, side, singleColumn, limits);
  }
  if (encoding === 'CSV') return readText(body, 'csv', side, singleColumn, limits);
  if (encoding === 'JSON')
    return readText(body, medium === 'jsonlines' || medium === 'unknown' ? medium : 'json', side, singleColumn, limits);
  if (medium === 'other') return new Fault('bad-encoding', 'no encoding', 'CSV, JSON or BASE64');
  return readText(body, medium, side, singleColumn, limits);
}

type Medium = 'csv' | 'json' | 'jsonlines' | 'text' | 'other' | 'unknown';

const jsonLines = /^application\/(x-)?(jsonlines|jsonl|ndjson)$/;

function mediumOf(contentType: string | undefined): Medium {
  const name = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (name === '') return 'unknown';
  if (name === 'text/csv' || name === 'application/csv') return 'csv';
  if (name === 'application/json' || name === 'text/json' || name.endsWith('+json')) return 'json';
  if (jsonLines.test(name)) return 'jsonlines';
  return name === 'text/plain' ? 'text' : 'other';
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

function decodeBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/=+$/, '').length;
  return base64.test(text) && digits % 4 !== 1 ? Buffer.from(text, 'base64') : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text without its byte order mark; undefined where the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function readText(
  text: string,
  medium: Medium,
  side: Side,
  singleColumn: boolean,
  limits: DecodeLimits,
): Payload | Fault {
  if (medium === 'text') return { rows: [{ type: 'text', text }] };
  if (medium === 'csv') return readCsv(text, side, singleColumn);
  if (medium === 'jsonlines') return readJsonLines(text, limits);
  const parsed = parseJson(text, limits.depth, 'bad-encoding');
  if (!(parsed instanceof Fault)) return shapeJson(parsed.value, side);
  // Without a content type, JSON Lines look like JSON until the second line.
  const mayBeLines = medium === 'unknown' && parsed.reason === 'bad-encoding' && text.includes('\n');
  return mayBeLines ? readJsonLines(text, limits) : parsed;
}

function readCsv(text: string, side: Side, singleColumn: boolean): Payload | Fault {
  const rows = parseCsv(text, singleColumn);
  if (rows instanceof Fault) return rows;
  // Some servers answer a request of many rows with all predictions in one line.
  const flat = side === 'output' && rows.length === 1 ? ('one-row' as const) : undefined;
  return { rows: rows.map((values) => ({ type: 'values', values })), flat };
}

function readJsonLines(text: string, limits: DecodeLimits): Payload | Fault {
  const rows: PayloadRow[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    if (rows.length === limits.rowsPerLine) return tooManyRows(limits);
    const parsed = parseJson(line, limits.depth, 'bad-encoding');
    if (parsed instanceof Fault) return parsed;
    rows.push(rowOf(parsed.value));
  }
  return { rows };
}

export function tooManyRows(limits: DecodeLimits): Fault {
  return new Fault('too-many-rows', `more than ${limits.rowsPerLine} rows`, `at most ${limits.rowsPerLine} rows`);
}

function shapeJson(value: Json, side: Side): Payload {
  if (isJsonArray(value)) return shapeArray(value, side === 'input' ? 'one-row' : 'many-rows');
  if (isJsonObject(value)) {
    for (const key of rowKeys[side]) {
      const rows = memberOf(value, key);
      // `features` is a list of rows where all its items are, and otherwise the values of this one row.
      if (isJsonArray(rows) && (key !== valuesKey || (rows.length > 0 && !rows.some(isScalar)))) {
        return shapeArray(rows, 'many-rows');
      }
    }
  }
  return { rows: [rowOf(value)] };
}

function shapeArray(values: readonly Json[], flat: 'one-row' | 'many-rows'): Payload {
  if (values.length > 0 && values.every(isScalar)) return { rows: [{ type: 'values', values }], flat };
  return { rows: values.map(rowOf) };
}

function rowOf(value: Json): PayloadRow {
  if (isJsonArray(value)) return { type: 'values', values: value };
  return isJsonObject(value) ? { type: 'object', object: value } : { type: 'values', values: [value] };
}

function isScalar(value: Json): boolean {
  return typeof value !== 'object' || value === null;
}

/** Reads flat lists by what the names and the other side tell. The counts are of configured names; 0: none. */
export function settleFlatLists(
  input: Payload | undefined,
  output: Payload | undefined,
  inputNames: number,
  outputNames: number,
): { readonly input: readonly PayloadRow[] | undefined; readonly output: readonly PayloadRow[] | undefined } {
  const inputRows = input && settle(input, inputNames, rowsExpected(output, input, outputNames));
  const outputRows = output && settle(output, outputNames, inputRows?.length);
  return { input: inputRows, output: outputRows };
}

/** How many rows the output has, if that can be told before the input has been settled. */
function rowsExpected(output: Payload | undefined, input: Payload, outputNames: number): number | undefined {
  if (output === undefined || output.flat === undefined) return output?.rows.length;
  const values = flatValues(output).length;
  if (values === 1 || (outputNames > 1 && values === outputNames)) return 1;
  // Two flat lists of the same length pair up value by value.
  return values === flatValues(input).length ? values : 1;
}

function settle(payload: Payload, names: number, rowsOfOtherSide: number | undefined): readonly PayloadRow[] {
  if (payload.flat === undefined) return payload.rows;
  const values = flatValues(payload);
  if (values.length <= 1 || names > 1) return payload.rows;
  const alone = names === 1 || payload.flat === 'many-rows';
  const manyRows = rowsOfOtherSide === undefined ? alone : rowsOfOtherSide === values.length;
  return manyRows ? values.map((value) => ({ type: 'values', values: [value] })) : payload.rows;
}

function flatValues(payload: Payload): readonly Json[] {
  const row = payload.rows[0];
  return row?.type === 'values' ? row.values : [];
}
