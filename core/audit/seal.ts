import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { BundleKeys } from './bundle-keys.ts';

const nonceBytes = 12;
const tagBytes = 16;

/** An AES-256-GCM message as base64url without padding. */
export interface Sealed {
  readonly nonce: string;
  /** Ciphertext followed by the 16-byte authentication tag. */
  readonly sealed: string;
}

/**
 * Encrypts deterministically. The nonce is an HMAC of everything that goes into the cipher, the additional data
 * included: the same message always gives the same bytes, and two different ones never share a nonce. (GCM under one
 * nonce with two additional data would give away the authentication key, even for one plaintext.)
 */
export function sealMessage(keys: BundleKeys, additionalData: Uint8Array, plaintext: Uint8Array): Sealed {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(additionalData.length));
  const nonce = createHmac('sha256', keys.nonce)
    .update(length)
    .update(additionalData)
    .update(plaintext)
    .digest()
    .subarray(0, nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', keys.encryption, nonce).setAAD(additionalData);
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return { nonce: nonce.toString('base64url'), sealed: sealed.toString('base64url') };
}

/** The plaintext, or undefined where key, nonce, ciphertext and additional data don't belong together. */
export function openMessage(keys: BundleKeys, additionalData: Uint8Array, message: Sealed): Uint8Array | undefined {
  const nonce = Buffer.from(message.nonce, 'base64url');
  const sealed = Buffer.from(message.sealed, 'base64url');
  if (nonce.length !== nonceBytes || sealed.length < tagBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', keys.encryption, nonce, { authTagLength: tagBytes });
  decipher.setAAD(additionalData).setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const plaintext = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch {
    // The only thing `final` can say is that the tag does not match.
    return undefined;
  }
}
