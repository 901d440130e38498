import { createHash } from 'node:crypto';

/** SHA-256 in lower-case hexadecimal. Text is hashed as UTF-8. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The first 16 hexadecimal digits of the SHA-256: a name for a key, not a proof. */
export function shortHash(content: string | Uint8Array): string {
  return sha256(content).slice(0, 16);
}
