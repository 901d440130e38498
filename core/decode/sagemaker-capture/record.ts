import type { Json } from '../../model/canonical-json.ts';
import type { CapturedPayload, CapturedRecord, RecordReader } from '../captured-record.ts';
import type { DecodePlan } from '../decode-plan.ts';
import { readEncoding, readText, readVersion } from '../envelope-field.ts';
import { Fault, type FaultOrigin } from '../fault.ts';
import { parseIsoTime } from '../iso-time.ts';
import { isJsonArray, isJsonObject, type JsonObject, memberOf, typeOf } from '../json-text.ts';
import { customAttribute } from './custom-attributes.ts';

/** Reads the records that SageMaker data capture writes for real-time endpoints. */
export function sagemakerRecordReader(plan: DecodePlan): RecordReader {
  return (line) => readRecord(line, plan);
}

function readRecord(line: JsonObject, plan: DecodePlan): CapturedRecord | Fault {
  const metadata = memberOf(line, 'eventMetadata');
  if (!isJsonObject(metadata)) return new Fault('not-a-record', typeOf(metadata), 'eventMetadata: an object');
  const time = readTime(memberOf(metadata, 'inferenceTime'));
  if (time instanceof Fault) return time.of({ variant: plan.variant });
  const dated: FaultOrigin = { time, variant: plan.variant };
  const named = plan.versionAt?.(time) ?? namedVersion(memberOf(metadata, 'customAttributes'), plan.versionFrom);
  const version = readVersion(named, plan);
  if (version instanceof Fault) return version.of(dated);
  const origin: FaultOrigin = { ...dated, version };

  const eventId = readText(memberOf(metadata, 'eventId'), 'eventId');
  if (eventId instanceof Fault) return eventId.of(origin);
  if (!eventId) return new Fault('not-a-record', 'no eventId', 'eventId: text', origin);
  const inferenceId = readText(memberOf(metadata, 'inferenceId'), 'inferenceId');
  if (inferenceId instanceof Fault) return inferenceId.of(origin);

  const record = { eventId, idIsSynthesised: false, inferenceId, time, variant: plan.variant, version };
  if (plan.role === 'requests') return record;
  const data = memberOf(line, 'captureData');
  if (!isJsonObject(data)) return new Fault('no-payload', typeOf(data), 'captureData: an object', origin);
  const input = readSide(memberOf(data, 'endpointInput'), 'endpointInput');
  if (input instanceof Fault) return input.of(origin);
  const output = readSide(memberOf(data, 'endpointOutput'), 'endpointOutput');
  if (output instanceof Fault) return output.of(origin);
  if (input === undefined && output === undefined) {
    return new Fault('no-payload', 'neither side', 'endpointInput or endpointOutput', origin);
  }
  return { ...record, input, output };
}

function readTime(value: Json | undefined): number | Fault {
  const time = typeof value === 'string' ? parseIsoTime(value) : undefined;
  if (time !== undefined) return time;
  return new Fault('bad-time', typeof value === 'string' ? 'other text' : typeOf(value), 'inferenceTime: ISO 8601');
}

function namedVersion(attributes: Json | undefined, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const texts = isJsonArray(attributes) ? attributes : [attributes];
  for (const text of texts) {
    const value = typeof text === 'string' ? customAttribute(text, name) : undefined;
    if (value) return value;
  }
  return undefined;
}

function readSide(side: Json | undefined, name: string): CapturedPayload | undefined | Fault {
  if (side === undefined || side === null) return undefined;
  if (!isJsonObject(side)) return new Fault('not-a-record', typeOf(side), `${name}: an object`);
  const body = memberOf(side, 'data');
  if (body === undefined || body === null) return undefined;
  if (typeof body !== 'string') return new Fault('not-a-record', typeOf(body), `${name}.data: text`);
  const encoding = readEncoding(memberOf(side, 'encoding'));
  if (encoding instanceof Fault) return encoding;
  const contentType = readText(memberOf(side, 'observedContentType'), `${name}.observedContentType`);
  return contentType instanceof Fault ? contentType : { contentType, encoding, body };
}
