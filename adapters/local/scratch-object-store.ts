import type { ObjectStore, PutOnceResult } from '../../core/pipeline/ports.ts';
import { compareUtf8 } from './object-key.ts';

/** Writes in memory over a store that is only read: what happened stays as it is, what is tried out is forgotten. */
export class ScratchObjectStore implements ObjectStore {
  readonly #under: Pick<ObjectStore, 'get' | 'list'> | undefined;
  /** Keys that begin so are read from below. */
  readonly #shown: string;
  readonly #objects = new Map<string, Uint8Array>();

  /** @param shown beginning of the keys that can be seen of the store below */
  constructor(under?: Pick<ObjectStore, 'get' | 'list'>, shown = '') {
    this.#under = under;
    this.#shown = shown;
  }

  async putOnce(key: string, body: Uint8Array): Promise<PutOnceResult> {
    const known = await this.get(key);
    if (known) return Buffer.compare(known, body) === 0 ? 'same' : 'different';
    this.#objects.set(key, Buffer.from(body));
    return 'written';
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const own = this.#objects.get(key);
    if (own || !key.startsWith(this.#shown)) return own;
    return this.#under?.get(key);
  }

  async *list(prefix: string, after?: string): AsyncIterable<string> {
    const isBehind = (key: string) => after === undefined || compareUtf8(key, after) > 0;
    const own = [...this.#objects.keys()].filter((key) => key.startsWith(prefix) && isBehind(key)).sort(compareUtf8);
    let next = 0;
    if (this.#under && (prefix.startsWith(this.#shown) || this.#shown.startsWith(prefix))) {
      for await (const key of this.#under.list(prefix, after)) {
        if (!key.startsWith(this.#shown)) continue;
        for (let one = own[next]; one !== undefined && compareUtf8(one, key) < 0; one = own[++next]) yield one;
        yield key;
      }
    }
    yield* own.slice(next);
  }
}
