import type { Json } from '../../model/canonical-json.ts';
import type { CapturedPayload, CapturedRecord, RecordReader } from '../captured-record.ts';
import type { DecodePlan } from '../decode-plan.ts';
import { isLabel, labelRule, readEncoding, readNumber, readText, readVersion } from '../envelope-field.ts';
import { Fault, type FaultOrigin } from '../fault.ts';
import { parseEpochMilliseconds, parseIsoTime } from '../iso-time.ts';
import { isJsonObject, type JsonObject, memberOf, typeOf } from '../json-text.ts';

export const httpCaptureSchema = 'tidewatch.http/1';

/** Statuses from here on say that no inference was made. */
const firstFailedStatus = 400;

/** Reads `tidewatch.http/1`: one JSON object per HTTP request, as written by capture middleware or an access log. */
export function httpRecordReader(plan: DecodePlan): RecordReader {
  return (line, lineNumber) => readRecord(line, lineNumber, plan);
}

function readRecord(line: JsonObject, lineNumber: number, plan: DecodePlan): CapturedRecord | Fault {
  const schema = memberOf(line, 'schema');
  if (schema !== undefined && schema !== httpCaptureSchema) {
    return new Fault('not-a-record', typeof schema === 'string' ? 'another schema' : typeOf(schema), httpCaptureSchema);
  }
  const time = readTime(memberOf(line, 'time'));
  if (time instanceof Fault) return time;
  const variant = readVariant(memberOf(line, 'variant'), plan);
  if (variant instanceof Fault) return variant.of({ time });
  const version = readVersion(namedVersion(line, plan), plan);
  if (version instanceof Fault) return version.of({ time, variant });
  const origin: FaultOrigin = { time, variant, version };

  const id = readText(memberOf(line, 'id'), 'id');
  const inferenceId = readText(memberOf(line, 'inferenceId'), 'inferenceId');
  const route = readText(memberOf(line, 'route'), 'route');
  const status = readNumber(memberOf(line, 'status'), isStatus, 'status: a whole number from 100 to 599');
  const latencyMilliseconds = readNumber(memberOf(line, 'latencyMilliseconds'), isDuration, latencyRule);
  if (id instanceof Fault) return id.of(origin);
  if (inferenceId instanceof Fault) return inferenceId.of(origin);
  if (route instanceof Fault) return route.of(origin);
  if (status instanceof Fault) return status.of(origin);
  if (latencyMilliseconds instanceof Fault) return latencyMilliseconds.of(origin);
  if (!id && plan.role === 'inferences') return new Fault('not-a-record', 'no id', 'id: text', origin);

  const eventId = id || `line-${lineNumber}`;
  const request = { eventId, idIsSynthesised: !id, inferenceId, time, variant, version };
  const record = { ...request, status, latencyMilliseconds, route };
  if (plan.role === 'requests') return record;
  const failed = status !== undefined && status >= firstFailedStatus;
  const input = readBody(memberOf(line, 'request'), 'request');
  const output = failed ? undefined : readBody(memberOf(line, 'response'), 'response');
  // A failed request with a body nobody can read is a failed request all the same: it counts for the SLOs.
  if (input instanceof Fault) return failed ? record : input.of(origin);
  if (output instanceof Fault) return output.of(origin);
  if (input === undefined && output === undefined && !failed) {
    return new Fault('no-payload', 'neither body', 'a request or response body', origin);
  }
  return { ...record, input, output };
}

/** Whether a record's call failed, so that its request need not be readable. */
export function isFailedCall(record: CapturedRecord): boolean {
  return record.status !== undefined && record.status >= firstFailedStatus;
}

function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 100 && status <= 599;
}

const latencyRule = 'latencyMilliseconds: a finite number, 0 or more';

function isDuration(milliseconds: number): boolean {
  return Number.isFinite(milliseconds) && milliseconds >= 0;
}

function readTime(value: Json | undefined): number | Fault {
  let time: number | undefined;
  if (typeof value === 'string') time = parseIsoTime(value);
  if (typeof value === 'number') time = parseEpochMilliseconds(value);
  if (time !== undefined) return time;
  const seen = typeof value === 'string' ? 'other text' : typeOf(value);
  return new Fault('bad-time', seen, 'time: ISO 8601 or milliseconds since the epoch');
}

function readVariant(value: Json | undefined, plan: DecodePlan): string | Fault {
  if (value === undefined || value === null || value === '') return plan.variant;
  if (typeof value === 'string' && isLabel(value)) return value;
  return new Fault('not-a-record', typeof value === 'string' ? 'other text' : typeOf(value), `variant: ${labelRule}`);
}

function namedVersion(line: JsonObject, plan: DecodePlan): Json | undefined {
  const version = memberOf(line, 'version');
  if (version !== undefined && version !== null && version !== '') return version;
  return plan.versionFrom === undefined ? undefined : memberOf(line, plan.versionFrom);
}

function readBody(side: Json | undefined, name: string): CapturedPayload | undefined | Fault {
  if (side === undefined || side === null) return undefined;
  if (!isJsonObject(side)) return new Fault('not-a-record', typeOf(side), `${name}: an object`);
  const body = memberOf(side, 'body');
  if (body === undefined || body === null) return undefined;
  const encoding = readEncoding(memberOf(side, 'encoding'));
  if (encoding instanceof Fault) return encoding;
  const contentType = readText(memberOf(side, 'contentType'), `${name}.contentType`);
  return contentType instanceof Fault ? contentType : { contentType, encoding, body };
}
