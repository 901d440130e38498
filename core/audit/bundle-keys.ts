import { hkdfSync } from 'node:crypto';

/** What a model-day key is split into, so that no two uses ever share a key. 32 bytes each. */
export interface BundleKeys {
  /** AES-256-GCM. */
  readonly encryption: Uint8Array;
  /** HMAC-SHA256 that makes nonces. */
  readonly nonce: Uint8Array;
  /** HMAC-SHA256 that makes record tags. */
  readonly tag: Uint8Array;
  /** HMAC-SHA256 over the clear lines. */
  readonly authentication: Uint8Array;
}

/**
 * Splits a model-day key by HKDF-SHA256 (RFC 5869).
 * @throws {RangeError} unless the key is 32 bytes long.
 */
export function deriveBundleKeys(modelDayKey: Uint8Array): BundleKeys {
  if (modelDayKey.length !== 32) {
    throw new RangeError(`model-day key: expected 32 bytes, saw ${modelDayKey.length}`);
  }
  const derive = (use: string) =>
    new Uint8Array(hkdfSync('sha256', modelDayKey, new Uint8Array(0), `tidewatch.bundle/1 ${use}`, 32));
  return {
    encryption: derive('encryption'),
    nonce: derive('nonce'),
    tag: derive('tag'),
    authentication: derive('authentication'),
  };
}
