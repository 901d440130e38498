import type { ObjectStore, PutOnceResult } from '../../core/pipeline/ports.ts';

/** A bucket in memory. */
export class MemoryObjectStore implements ObjectStore {
  readonly #objects = new Map<string, Uint8Array>();
  /** Keys ascending; our keys are ASCII, so code units sort as bytes do. */
  #sorted: string[] | undefined;

  async putOnce(key: string, body: Uint8Array): Promise<PutOnceResult> {
    const held = this.#objects.get(key);
    if (!held) {
      this.#objects.set(key, Uint8Array.from(body));
      this.#sorted = undefined;
      return 'written';
    }
    return Buffer.compare(held, body) === 0 ? 'same' : 'different';
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#objects.get(key);
  }

  async *list(prefix: string, after = ''): AsyncGenerator<string> {
    yield* this.keys(prefix).filter((key) => key > after);
  }

  /** Removes what is under a prefix, as a lifecycle rule does. @returns how many objects. */
  expire(prefix: string): number {
    const keys = this.keys(prefix);
    for (const key of keys) this.#objects.delete(key);
    this.#sorted = undefined;
    return keys.length;
  }

  /** Keys under a prefix, ascending. */
  keys(prefix = ''): readonly string[] {
    this.#sorted ??= [...this.#objects.keys()].sort();
    return this.#sorted.filter((key) => key.startsWith(prefix));
  }

  /** The parsed JSON of every object under a prefix. */
  documents<T>(prefix: string): readonly T[] {
    return this.keys(prefix).map((key) => JSON.parse(Buffer.from(this.#objects.get(key) ?? []).toString('utf8')));
  }

  /** All that it holds, for comparison: [key, content in base64]. */
  contents(prefix = ''): readonly (readonly [key: string, body: string])[] {
    return this.keys(prefix).map((key) => [key, Buffer.from(this.#objects.get(key) ?? []).toString('base64')]);
  }
}
