import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import type { SourceObject } from '../../core/model/profile.ts';
import type { CaptureListing, CaptureStore } from '../../core/pipeline/ports.ts';
import { Directory } from './directory.ts';

const chunkBytes = 256 * 1024;
const maximumKnownEtags = 10_000;

/** A capture file that is no longer the one that was asked for. */
export class CaptureChangedError extends Error {
  override readonly name = 'CaptureChangedError';
}

/**
 * Capture objects as files: each bucket is a directory. The ETag is the MD5 of the content, as S3's is for a simple
 * PUT; it is a checksum here, not a proof. Files are only read.
 */
export class FileCaptureStore implements CaptureStore {
  readonly #buckets: ReadonlyMap<string, Directory>;
  /** ETags by path, size and modification time, oldest first. */
  readonly #etags = new Map<string, string>();

  /** @param roots the directory of each bucket. @throws where one does not exist. */
  constructor(roots: ReadonlyMap<string, string>) {
    this.#buckets = new Map([...roots].map(([bucket, root]) => [bucket, new Directory(root)]));
  }

  async head(bucket: string, key: string): Promise<SourceObject | undefined> {
    const path = this.#locate(bucket, key);
    if (path === undefined) return undefined;
    const file = openSync(path, 'r');
    try {
      const facts = fstatSync(file);
      if (!facts.isFile()) return undefined;
      const etag = this.#etagOf(path, file, facts);
      return { bucket, key, etag, bytes: facts.size, lastModified: Math.floor(facts.mtimeMs) };
    } finally {
      closeSync(file);
    }
  }

  /** @throws {CaptureChangedError} where the file is gone or changed: before the first chunk, or after the last one. */
  async *read(object: SourceObject): AsyncGenerator<Uint8Array> {
    const path = this.#locate(object.bucket, object.key);
    if (path === undefined) throw new CaptureChangedError(`${object.key}: expected the object, saw none`);
    const file = openSync(path, 'r');
    try {
      const facts = fstatSync(file);
      if (facts.size !== object.bytes) {
        throw new CaptureChangedError(`${object.key}: expected ${object.bytes} bytes, saw ${facts.size}`);
      }
      const hash = createHash('md5');
      for (const chunk of readChunks(file, facts.size)) {
        hash.update(chunk);
        yield chunk;
      }
      const etag = hash.digest('hex');
      if (etag !== object.etag) {
        throw new CaptureChangedError(`${object.key}: expected ETag ${object.etag}, saw ${etag}`);
      }
    } finally {
      closeSync(file);
    }
  }

  /** Objects under a prefix, ascending by the UTF-8 bytes of their keys; `lastModified` is the file's modification time. */
  async *list(bucket: string, prefix: string, after?: string): AsyncGenerator<CaptureListing> {
    const directory = this.#bucket(bucket);
    for (const key of directory.keys(prefix, { after })) {
      const facts = statSync(directory.pathOf(key), { throwIfNoEntry: false });
      if (facts !== undefined) yield { key, bytes: facts.size, lastModified: Math.floor(facts.mtimeMs) };
    }
  }

  #bucket(bucket: string): Directory {
    const directory = this.#buckets.get(bucket);
    if (directory === undefined) {
      const known = [...this.#buckets.keys()].join(', ') || 'none';
      throw new Error(`bucket ${JSON.stringify(bucket)}: expected one of: ${known}`);
    }
    return directory;
  }

  #locate(bucket: string, key: string): string | undefined {
    const directory = this.#bucket(bucket);
    return directory.resolve(directory.pathOf(key));
  }

  #etagOf(path: string, file: number, facts: Stats): string {
    const identity = `${facts.ino} ${facts.size} ${facts.mtimeMs} ${facts.ctimeMs} ${path}`;
    const known = this.#etags.get(identity);
    if (known !== undefined) return known;
    const hash = createHash('md5');
    for (const chunk of readChunks(file, facts.size)) hash.update(chunk);
    const etag = hash.digest('hex');
    const [oldest] = this.#etags.keys();
    if (oldest !== undefined && this.#etags.size >= maximumKnownEtags) this.#etags.delete(oldest);
    this.#etags.set(identity, etag);
    return etag;
  }
}

/** In chunks, each in memory of its own: the consumer may keep it. Ends early where the file became shorter. */
function* readChunks(file: number, bytes: number): Generator<Uint8Array> {
  for (let position = 0; position < bytes; ) {
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, bytes - position));
    const read = readSync(file, buffer, 0, buffer.length, position);
    if (read === 0) return;
    position += read;
    yield buffer.subarray(0, read);
  }
}
