import { fragmentKey } from '../../contract/keys.ts';
import type { Clock, ObjectStore } from '../ports.ts';
import type { RecordedFragment } from './recorded-verdicts.ts';

/** Recorded fragments, each seen from its arrival on: a store that shows nothing of the time to come. */
export class ArrivedFragments implements Pick<ObjectStore, 'get' | 'list'> {
  readonly #store: Pick<ObjectStore, 'get'>;
  readonly #clock: Clock;
  readonly #fragments: readonly RecordedFragment[];
  #next = 0;
  /** Those seen, ascending: keys of fragments are ASCII. */
  readonly #keys: string[] = [];

  /**
   * @param fragments by their arrival
   * @param clock goes forward only
   */
  constructor(store: Pick<ObjectStore, 'get'>, fragments: readonly RecordedFragment[], clock: Clock) {
    this.#store = store;
    this.#fragments = fragments;
    this.#clock = clock;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#see();
    return this.#keys[this.#firstAt(key)] === key ? this.#store.get(key) : undefined;
  }

  async *list(prefix: string, after = ''): AsyncGenerator<string> {
    this.#see();
    for (let index = this.#firstAt(after > prefix ? after : prefix); ; index++) {
      const key = this.#keys[index];
      if (key === undefined || !key.startsWith(prefix)) return;
      if (key !== after) yield key;
    }
  }

  #see(): void {
    const now = this.#clock.now();
    for (let one = this.#fragments[this.#next]; one && one.at <= now; one = this.#fragments[++this.#next]) {
      const key = fragmentKey(one.series, one.windowStart, one.objectId);
      this.#keys.splice(this.#firstAt(key), 0, key);
    }
  }

  #firstAt(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
