import type { Json } from '../model/canonical-json.ts';
import type { DecodePlan } from './decode-plan.ts';
import { isJsonArray, isJsonObject, type JsonObject, memberOf } from './json-text.ts';
import { matchVersion } from './match-version.ts';
import { customAttribute } from './sagemaker-capture/custom-attributes.ts';

/** The caller that a capture line itself names, beside its payloads; undefined where it names none. */
export type CallerReader = (line: JsonObject, version: string) => string | undefined;

/**
 * Reads the field that a version's `caller` names: a member of an HTTP capture's line, a custom attribute of a SageMaker
 * record. Undefined where no version names one, so that nothing is looked for.
 */
export function callerReader({ format, versions }: DecodePlan): CallerReader | undefined {
  if (versions.every(({ caller }) => caller === undefined)) return undefined;
  const read = format === 'http-capture' ? readMember : readAttribute;
  return (line, version) => {
    const name = (matchVersion(versions, version) ?? versions[0])?.caller;
    return name === undefined ? undefined : read(line, name) || undefined;
  };
}

function readMember(line: JsonObject, name: string): string | undefined {
  return textOf(memberOf(line, name));
}

function readAttribute(line: JsonObject, name: string): string | undefined {
  const metadata = memberOf(line, 'eventMetadata');
  if (!isJsonObject(metadata)) return undefined;
  const attributes = memberOf(metadata, 'customAttributes');
  for (const text of isJsonArray(attributes) ? attributes : [attributes]) {
    const value = typeof text === 'string' ? customAttribute(text, name) : undefined;
    if (value) return value.toWellFormed();
  }
  return undefined;
}

function textOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value.toWellFormed();
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
