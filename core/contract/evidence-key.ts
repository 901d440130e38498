import { hkdfSync } from 'node:crypto';

/**
 * The key that a model's evidence of one UTC day is encrypted under: HKDF-SHA256 of the master key. One derivation for
 * every adapter, so that evidence moved from one backend to another stays readable.
 * @param master at least 32 random bytes
 * @param day yyyy-mm-dd
 * @returns 32 bytes
 * @throws {RangeError} for another form of day, or a master key too short to be one.
 */
export function deriveModelDayKey(master: Uint8Array, model: string, day: string): Uint8Array {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) {
    throw new RangeError(`model-day key: expected a day as yyyy-mm-dd, saw ${JSON.stringify(day)}`);
  }
  if (master.length < 32) {
    throw new RangeError(`model-day key: expected a master key of at least 32 bytes, saw ${master.length}`);
  }
  const use = JSON.stringify([model, day]);
  return new Uint8Array(hkdfSync('sha256', master, 'tidewatch model-day key', use, 32));
}
