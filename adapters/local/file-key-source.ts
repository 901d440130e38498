import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { deriveModelDayKey } from '../../core/contract/evidence-key.ts';
import type { KeySource } from '../../core/pipeline/ports.ts';
import { isErrorCode } from './error-code.ts';

export interface FileKeySourceOptions {
  /**
   * False: a missing key file is an error, as it must be when evidence is only read.
   * @default true - the key is made on first use
   */
  readonly create?: boolean | undefined;
}

/**
 * Evidence keys derived by HKDF-SHA256 from a master key in a file: 64 hexadecimal digits, readable by its owner
 * alone. Whoever loses the file loses the evidence's encrypted part. Keep it apart from the evidence.
 */
export class FileKeySource implements KeySource {
  readonly #path: string;
  readonly #create: boolean;
  #master: Uint8Array | undefined;

  constructor(path: string, options: FileKeySourceOptions = {}) {
    this.#path = path;
    this.#create = options.create ?? true;
  }

  /** @throws where the key file is missing and not to be made, malformed, or readable by others. */
  async modelDayKey(model: string, day: string): Promise<Uint8Array> {
    this.#master ??= this.#readMaster();
    return deriveModelDayKey(this.#master, model, day);
  }

  #readMaster(): Uint8Array {
    if (statSync(this.#path, { throwIfNoEntry: false }) === undefined) {
      if (!this.#create)
        throw new Error(`key file ${this.#path}: expected the master key of the evidence, saw no file`);
      createMaster(this.#path);
    }
    const mode = statSync(this.#path).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      throw new Error(`key file ${this.#path}: expected mode 600, saw ${mode.toString(8)}: others may read it`);
    }
    const text = readFileSync(this.#path, 'latin1');
    const hexadecimal = /^([0-9a-f]{64})\n?$/.exec(text)?.[1];
    if (hexadecimal === undefined) {
      throw new Error(
        `key file ${this.#path}: expected 64 hexadecimal digits in lower case, saw ${text.length} characters of another form`,
      );
    }
    return Buffer.from(hexadecimal, 'hex');
  }
}

/** Makes the file whole or not at all; of two processes one wins and both read the same key. */
function createMaster(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const file = openSync(aside, 'wx', 0o600);
  try {
    writeSync(file, `${randomBytes(32).toString('hex')}\n`);
    fsyncSync(file);
    linkSync(aside, path);
  } catch (cause) {
    if (!isErrorCode(cause, 'EEXIST')) throw cause;
  } finally {
    closeSync(file);
    unlinkSync(aside);
  }
}
