import { type CallerReader, callerReader } from './caller-field.ts';
import type { CapturedPayload, CapturedRecord, RecordReader } from './captured-record.ts';
import type { DecodePlan } from './decode-plan.ts';
import { Fault, type FaultOrigin } from './fault.ts';
import { httpRecordReader, isFailedCall } from './http-capture/record.ts';
import { isJsonObject, parseJson, typeOf } from './json-text.ts';
import type { Line } from './line-splitter.ts';
import { matchVersion } from './match-version.ts';
import type { RowSchema } from './name-row.ts';
import { type PairedRow, pairRows } from './pair-rows.ts';
import { decodeUtf8, readPayload } from './payload.ts';
import { sagemakerRecordReader } from './sagemaker-capture/record.ts';

/** A decoded line: its envelope and its rows, of which some may be faulty. */
export interface DecodedLine {
  readonly record: CapturedRecord;
  readonly rows: readonly (PairedRow | Fault)[];
}

/** Decodes one line; undefined for a blank one, a Fault where nothing of it can be counted. */
export type LineDecoder = (line: Line) => DecodedLine | Fault | undefined;

export function lineDecoder(plan: DecodePlan): LineDecoder {
  const read = plan.format === 'sagemaker-capture' ? sagemakerRecordReader(plan) : httpRecordReader(plan);
  const callerOf = callerReader(plan);
  const readAll = callerOf ? readCaller(read, callerOf) : read;
  return (line) => decodeLine(line, readAll, plan);
}

/** The same with the caller that the line names. */
function readCaller(read: RecordReader, callerOf: CallerReader): RecordReader {
  return (line, number) => {
    const record = read(line, number);
    if (record instanceof Fault) return record;
    const caller = callerOf(line, record.version);
    return caller === undefined ? record : { ...record, caller };
  };
}

function decodeLine(line: Line, read: RecordReader, plan: DecodePlan): DecodedLine | Fault | undefined {
  const { limits } = plan;
  if (line.bytes === undefined) {
    return new Fault('line-too-long', `${line.length} bytes`, `at most ${limits.lineBytes} bytes`);
  }
  const text = decodeUtf8(line.bytes);
  if (text === undefined) return unreadable(line, 'bytes that are not UTF-8');
  if (text.trim() === '') return undefined;
  const parsed = parseJson(text, limits.depth, 'not-json');
  if (parsed instanceof Fault) return parsed.reason === 'not-json' ? unreadable(line, parsed.seen) : parsed;
  if (!isJsonObject(parsed.value)) return new Fault('not-a-record', typeOf(parsed.value), 'an object');
  const record = read(parsed.value, line.number);
  if (record instanceof Fault) return record;
  const origin: FaultOrigin = { time: record.time, variant: record.variant, version: record.version };
  const untimely = checkTime(record.time, plan);
  if (untimely !== undefined) {
    // A time in the future dates nothing.
    return untimely.of({ ...origin, time: undefined });
  }
  const rows = decodeRows(record, plan);
  if (!(rows instanceof Fault)) return { record, rows };
  // A service may well have failed because its request can't be read: the call counts, its rows can't.
  return isFailedCall(record) ? { record, rows: [] } : rows.of(origin);
}

/** A line without its newline at the object's end was cut off; anywhere else it is damaged. */
function unreadable(line: Line, seen: string): Fault {
  return line.terminated
    ? new Fault('not-json', seen, 'a JSON object')
    : new Fault('truncated', 'a last line that is cut off', 'a complete line');
}

function checkTime(time: number, plan: DecodePlan): Fault | undefined {
  if (plan.latestTime !== undefined && time > plan.latestTime) {
    return new Fault('future-time', 'a later time', `at most ${new Date(plan.latestTime).toISOString()}`);
  }
  return undefined;
}

function decodeRows(record: CapturedRecord, plan: DecodePlan): readonly (PairedRow | Fault)[] | Fault {
  if (record.input === undefined && record.output === undefined) return [];
  const { limits } = plan;
  const schema = schemaOf(plan, record.version);
  const open = (payload: CapturedPayload | undefined, side: 'input' | 'output', names: readonly string[] | undefined) =>
    payload && readPayload(payload, side, names?.length === 1, limits);
  const input = open(record.input, 'input', schema?.columns);
  if (input instanceof Fault) return input;
  const output = open(record.output, 'output', schema?.predictions);
  if (output instanceof Fault) return output;
  return pairRows(input, output, schema, limits);
}

/** The version's own schema; that of the first entry where none was configured for it. */
function schemaOf({ versions }: DecodePlan, version: string): RowSchema | undefined {
  const own = matchVersion(versions, version);
  const schema = own ?? versions[0];
  return (
    schema && {
      columns: schema.columns,
      predictions: schema.predictions,
      output: schema.output,
      embeddings: schema.embeddings,
      borrowed: own === undefined,
    }
  );
}
