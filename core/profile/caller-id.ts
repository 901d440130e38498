import { createHmac, hkdfSync } from 'node:crypto';

const length = 16;

/** The day whose model-day key callers' names come from: names must not change from day to day. */
export const callerKeyDay = '1970-01-01';

/** The key that callers of a model are named by, out of one of its model-day keys: HKDF-SHA256, 32 bytes. */
export function deriveCallerKey(modelDayKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', modelDayKey, new Uint8Array(0), 'tidewatch.callers/1', 32));
}

/**
 * A caller's name in a baseline: 64 bits of HMAC-SHA256 in hexadecimal. The key is the layout's id, which stands in the
 * baseline: it keeps names of different baselines apart, but is no secret.
 */
export function baselineCallerId(layoutId: string, caller: string): string {
  return hash(`tidewatch.callers/1 ${layoutId}`, caller);
}

/**
 * Names callers wherever they are written down. Those that the baseline knows have its name for them, all others 64 bits
 * of HMAC-SHA256 under a secret key: who reads a fragment or a message can't even test a guess.
 */
export function createCallerNames(
  key: Uint8Array,
  layoutId: string,
  known: ReadonlySet<string>,
): (caller: string) => string {
  return (caller) => {
    const name = known.size > 0 ? baselineCallerId(layoutId, caller) : '';
    return known.has(name) ? name : hash(key, caller);
  };
}

function hash(key: string | Uint8Array, caller: string): string {
  return createHmac('sha256', key).update(caller, 'utf8').digest('hex').slice(0, length);
}
