import type { Json } from '../model/canonical-json.ts';
import { Fault } from './fault.ts';

export type JsonObject = { readonly [key: string]: Json | undefined };

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A value's own member; undefined where it has none, whatever Object.prototype holds. */
export function memberOf(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A value's JSON type in a word, for `seen`. */
export function typeOf(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (isJsonArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}

const quote = 0x22;
const backslash = 0x5c;

/**
 * Whether arrays and objects nest deeper than `limit`. Scans the text without parsing it: JSON.parse recurses, and a
 * line of a million `[` must not reach it. Text that is not JSON gets an answer too, and fails in JSON.parse later.
 */
export function nestsDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > limit) return true;
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1;
    } else if (code === quote) {
      at = endOfString(text, at);
    }
  }
  return false;
}

/** Index of the quote that closes the string opened at `start`; the text's length where none does. */
function endOfString(text: string, start: number): number {
  let from = start + 1;
  for (;;) {
    const end = text.indexOf('"', from);
    if (end < 0) return text.length;
    let escapes = 0;
    while (end - 1 - escapes > start && text.charCodeAt(end - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return end;
    from = end + 1;
  }
}

/**
 * Parses JSON no deeper than `depth`: `too-deep`, or `reason` where the text is not JSON. `NaN`, `Infinity` and
 * `-Infinity`, which Python writes and JSON does not have, are read as null and as infinite numbers.
 */
export function parseJson(text: string, depth: number, reason: 'not-json' | 'bad-encoding'): { value: Json } | Fault {
  if (nestsDeeperThan(text, depth))
    return new Fault('too-deep', `more than ${depth} levels`, `at most ${depth} levels`);
  const parsed = tryParse(text);
  if (parsed !== undefined) return parsed;
  const repaired = /NaN|Infinity/.test(text) ? tryParse(withoutPythonConstants(text)) : undefined;
  return repaired ?? new Fault(reason, 'text that is not JSON', 'JSON');
}

function tryParse(text: string): { value: Json } | undefined {
  try {
    const value: Json = JSON.parse(text);
    return { value };
  } catch {
    return undefined;
  }
}

/** The text with the constants outside its strings replaced; a number beyond a double's range parses as infinite. */
function withoutPythonConstants(text: string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const opening = text.indexOf('"', at);
    const outside = text.slice(at, opening < 0 ? text.length : opening);
    parts.push(outside.replaceAll('NaN', 'null').replaceAll('Infinity', '1e999'));
    if (opening < 0) break;
    const closing = endOfString(text, opening);
    parts.push(text.slice(opening, closing + 1));
    at = closing + 1;
  }
  return parts.join('');
}
