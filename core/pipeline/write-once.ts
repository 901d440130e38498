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
