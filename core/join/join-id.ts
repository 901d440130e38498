import { createHmac, hkdfSync } from 'node:crypto';

/** The day whose model-day key join ids are hashed under: they must not change from day to day. */
export const joinKeyDay = '1970-01-01';

/** The key of a model's join ids, out of its model-day key of that day: HKDF-SHA256, 32 bytes. */
export function deriveJoinKey(modelDayKey: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', modelDayKey, new Uint8Array(0), 'tidewatch.join/1', 32));
}

/**
 * Names rows for the join: 53 bits of HMAC-SHA256 under a secret key, which a double holds exactly. Who reads the index can't
 * test a guess. Of a billion rows a month over two years, an unknown id is taken for one of them once in 400,000.
 */
export function createJoinIds(key: Uint8Array): (id: string, row: number) => number {
  return (id, row) => {
    const digest = createHmac('sha256', key).update(`${row} ${id}`, 'utf8').digest();
    return digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11);
  };
}
