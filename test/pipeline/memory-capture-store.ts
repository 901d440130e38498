import { createHash } from 'node:crypto';
import type { SourceObject } from '../../core/model/profile.ts';
import type { CaptureListing, CaptureStore } from '../../core/pipeline/ports.ts';

/** A capture object as a test writes it. */
export interface CaptureObject {
  readonly key: string;
  readonly body: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly arrived: number;
}

/** One capture bucket in memory. Reads come in small chunks. */
export class MemoryCaptureStore implements CaptureStore {
  readonly #bucket: string;
  readonly #objects = new Map<string, CaptureObject>();
  /** Objects whose bytes were read. */
  readonly reads: string[] = [];

  constructor(bucket: string) {
    this.#bucket = bucket;
  }

  /** Puts an object, in the place of the one under its key if there is one. */
  put(object: CaptureObject): void {
    this.#objects.set(object.key, object);
  }

  async head(bucket: string, key: string): Promise<SourceObject | undefined> {
    const object = bucket === this.#bucket ? this.#objects.get(key) : undefined;
    if (!object) return undefined;
    const etag = createHash('md5').update(object.body).digest('hex');
    return { bucket, key, etag, bytes: object.body.length, lastModified: object.arrived };
  }

  async *read(object: SourceObject): AsyncGenerator<Uint8Array> {
    this.reads.push(object.key);
    const body = this.#objects.get(object.key)?.body ?? new Uint8Array();
    for (let start = 0; start < body.length; start += 4096) yield body.subarray(start, start + 4096);
  }

  async *list(bucket: string, prefix: string, after = ''): AsyncGenerator<CaptureListing> {
    if (bucket !== this.#bucket) return;
    for (const key of [...this.#objects.keys()].sort()) {
      const object = this.#objects.get(key);
      if (object && key.startsWith(prefix) && key > after) {
        yield { key, bytes: object.body.length, lastModified: object.arrived };
      }
    }
  }
}
