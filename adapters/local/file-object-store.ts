import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { ObjectStore, PutOnceResult } from '../../core/pipeline/ports.ts';
import { Directory } from './directory.ts';
import { isErrorCode } from './error-code.ts';
import { InvalidKeyError } from './object-key.ts';

/** Where objects are written before they get their name. On the root's own file system, or they could not be linked. */
const unfinished = '.unfinished';
const abandonedAfterMilliseconds = 60 * 60 * 1000;

export interface FileObjectStoreOptions {
  /**
   * Flush each object and its directory to the disk before `putOnce` ends.
   * @default false - the end of the process loses nothing; a power cut may lose, or empty, the latest objects
   */
  readonly flush?: boolean | undefined;
  /**
   * Nobody else writes below the root while this store is in use: listings are remembered and kept up by its own writes.
   * @default false - every listing reads the directories
   */
  readonly exclusive?: boolean | undefined;
}

/**
 * Objects as files below a root directory. An object is written aside and linked to its name when it is whole, so
 * a crash leaves either nothing under the name or all of it, and of many writers one wins.
 *
 * Narrower than S3: a key and a longer key below it (`a`, `a/b`) exclude each other, a segment has at most 255 bytes,
 * and a file system that ignores case takes `A` and `a` for one key. The calls are synchronous inside: for small
 * objects that is several times faster than the thread pool.
 */
export class FileObjectStore implements ObjectStore {
  readonly #directory: Directory;
  readonly #unfinished: string;
  readonly #flush: boolean;

  /** Creates the root where it is missing, and removes what writers left unfinished over an hour ago. */
  constructor(root: string, options: FileObjectStoreOptions = {}) {
    mkdirSync(root, { recursive: true });
    this.#directory = new Directory(root, options.exclusive);
    this.#unfinished = join(this.#directory.root, unfinished);
    this.#flush = options.flush ?? false;
    mkdirSync(this.#unfinished, { recursive: true });
    removeAbandoned(this.#unfinished, Date.now() - abandonedAfterMilliseconds);
  }

  async putOnce(key: string, body: Uint8Array): Promise<PutOnceResult> {
    const path = this.#pathOf(key);
    const aside = join(this.#unfinished, `${process.pid}-${randomBytes(12).toString('hex')}`);
    try {
      this.#write(aside, body);
      return this.#link(aside, path, key) ? 'written' : this.#compare(path, key, body);
    } finally {
      removeFile(aside);
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#read(this.#pathOf(key));
  }

  async *list(prefix: string, after?: string): AsyncGenerator<string> {
    yield* this.#directory.keys(prefix, { after, leaveOut: `${unfinished}/` });
  }

  #pathOf(key: string): string {
    if (key === unfinished || key.startsWith(`${unfinished}/`)) {
      throw new InvalidKeyError(`key ${JSON.stringify(key)}: ${unfinished} is where unfinished objects lie`);
    }
    return this.#directory.pathOf(key);
  }

  #read(path: string): Uint8Array | undefined {
    const real = this.#directory.resolve(path);
    if (real === undefined) return undefined;
    try {
      return readFileSync(real);
    } catch (cause) {
      // The key is a directory, which to a bucket is no object.
      if (isErrorCode(cause, 'ENOENT', 'EISDIR')) return undefined;
      throw cause;
    }
  }

  #write(path: string, body: Uint8Array): void {
    const file = openSync(path, 'wx', 0o644);
    try {
      for (let written = 0; written < body.length; ) written += writeSync(file, body, written);
      if (this.#flush) fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  /** False where the name is taken. */
  #link(aside: string, path: string, key: string): boolean {
    const parent = dirname(path);
    try {
      if (this.#directory.resolve(parent) === undefined) this.#makeDirectory(parent);
      linkSync(aside, path);
    } catch (cause) {
      if (isErrorCode(cause, 'EEXIST') && statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
      if (isErrorCode(cause, 'EEXIST', 'ENOTDIR')) {
        throw new Error(`key ${JSON.stringify(key)}: a shorter or longer key already takes its place`, { cause });
      }
      throw cause;
    }
    this.#directory.forget(parent);
    if (this.#flush) flushDirectory(parent);
    return true;
  }

  #compare(path: string, key: string, body: Uint8Array): PutOnceResult {
    const held = this.#read(path);
    if (held === undefined) throw new Error(`key ${JSON.stringify(key)}: vanished while it was compared`);
    return Buffer.compare(held, body) === 0 ? 'same' : 'different';
  }

  #makeDirectory(path: string): void {
    const missing: string[] = [];
    for (let next = path; this.#directory.contains(next) && this.#directory.resolve(next) === undefined; ) {
      missing.push(next);
      next = dirname(next);
    }
    mkdirSync(path, { recursive: true });
    if (this.#flush) for (const made of missing) flushDirectory(dirname(made));
  }
}

function flushDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function removeAbandoned(directory: string, before: number): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const facts = statSync(path, { throwIfNoEntry: false });
    if (facts !== undefined && facts.mtimeMs < before) removeFile(path);
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (cause) {
    if (!isErrorCode(cause, 'ENOENT')) throw cause;
  }
}
