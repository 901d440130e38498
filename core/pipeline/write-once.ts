import { canonicalJson } from '../model/canonical-json.ts';
import type { ObjectStore, PutOnceResult } from './ports.ts';

/** Canonical JSON as the bytes that are stored and hashed. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(canonicalJson(value));
}

/** A write-once key holds other bytes than the ones that should be there. Retrying can't mend it: a person must look. */
export class IntegrityError extends Error {
  override readonly name = 'IntegrityError';
  readonly key: string;

  constructor(key: string, message: string) {
    super(`${key}: ${message}`);
    this.key = key;
  }
}

/**
 * Writes once. Where the key holds other bytes, `isSameFact` may still accept them: they may say the same thing as
 * written by another configuration or build.
 * @throws {IntegrityError} where they do not.
 */
export async function putFact(
  store: ObjectStore,
  key: string,
  body: Uint8Array,
  isSameFact: (existing: Uint8Array) => boolean = () => false,
): Promise<PutOnceResult> {
  const result = await store.putOnce(key, body);
  if (result !== 'different') return result;
  const existing = await store.get(key);
  if (existing && isSameFact(existing)) return 'same';
  throw new IntegrityError(key, 'holds other bytes than expected; nothing was overwritten');
}

/**
 * Reads back what was written as canonical JSON under a key that only the pipeline writes to.
 * @throws {IntegrityError} where the bytes are no JSON of that schema: someone else wrote there.
 */
export function parseStored<T extends { readonly schema: string }>(
  key: string,
  bytes: Uint8Array,
  schema: T['schema'],
): T {
  const value = readJson(bytes);
  if (isOfSchema<T>(value, schema)) return value;
  throw new IntegrityError(key, `is no ${schema}, though only the pipeline writes there`);
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function isOfSchema<T extends { readonly schema: string }>(value: unknown, schema: T['schema']): value is T {
  return typeof value === 'object' && value !== null && 'schema' in value && value.schema === schema;
}
