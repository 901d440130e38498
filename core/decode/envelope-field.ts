import type { Json } from '../model/canonical-json.ts';
import type { DecodePlan } from './decode-plan.ts';
import { countOf, Fault } from './fault.ts';
import { typeOf } from './json-text.ts';

/** Versions and variants become parts of storage keys, and anyone who may call the endpoint can set them. */
const label = /^[A-Za-z0-9][A-Za-z0-9._:+@-]{0,127}$/;
export const labelRule = '1 to 128 letters, digits and . _ : + @ -, a letter or digit first';

/** Longest event id, inference id or route kept, in UTF-16 units. */
const longestText = 1024;

export function isLabel(text: string): boolean {
  return label.test(text);
}

/** Optional text of bounded length; `null` is absent. */
export function readText(value: Json | undefined, name: string): string | undefined | Fault {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') return new Fault('not-a-record', typeOf(value), `${name}: text`);
  if (!value.isWellFormed()) return new Fault('not-a-record', 'text that is not Unicode', `${name}: text`);
  if (value.length <= longestText) return value;
  return new Fault('not-a-record', countOf(value.length, 'character'), `${name}: at most ${longestText} characters`);
}

/** Optional number for which `accepts` holds; `null` is absent. */
export function readNumber(
  value: Json | undefined,
  accepts: (number: number) => boolean,
  expected: string,
): number | undefined | Fault {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && accepts(value)) return value;
  const seen = typeof value === 'number' ? 'a number out of range' : typeOf(value);
  return new Fault('not-a-record', seen, expected);
}

/** The version a record names, or the plan's default. */
export function readVersion(named: Json | undefined, plan: DecodePlan): string | Fault {
  if (named === undefined || named === null || named === '') {
    return plan.defaultVersion ?? new Fault('unknown-version', 'no version', 'a model version in the record');
  }
  if (typeof named !== 'string') return new Fault('unknown-version', typeOf(named), 'a version as text');
  return isLabel(named) ? named : new Fault('unknown-version', 'text that is no version', labelRule);
}

export function readEncoding(value: Json | undefined): 'CSV' | 'JSON' | 'BASE64' | undefined | Fault {
  if (value === undefined || value === null) return undefined;
  const name = typeof value === 'string' ? value.toUpperCase() : undefined;
  if (name === 'CSV' || name === 'JSON' || name === 'BASE64') return name;
  return new Fault('bad-encoding', name === undefined ? typeOf(value) : 'another encoding', 'CSV, JSON or BASE64');
}
