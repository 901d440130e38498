import { compareNames } from './names.ts';

/** Fewer windows than this say nothing of how windows differ: where no more can be kept, none are. */
export const fewestWindows = 24;

/**
 * Something counted for each window, of which only the newest are kept: the last so many keys in order, in whatever
 * order they come. What is kept of a window is complete.
 */
export class NewestWindows<T> {
  readonly #maximum: number;
  readonly #create: () => T;
  readonly #values = new Map<string, T>();
  /** Ascending. */
  readonly #keys: string[] = [];

  /**
   * @param maximum windows kept
   * @param create makes what a window begins with
   */
  constructor(maximum: number, create: () => T) {
    this.#maximum = maximum;
    this.#create = create;
  }

  /** What is counted for a window, begun where it is new; undefined where it is older than all that are kept. */
  of(key: string): T | undefined {
    return this.#values.get(key) ?? this.#begin(key);
  }

  /** The windows kept, ascending by key. */
  entries(): readonly (readonly [key: string, value: T])[] {
    return this.#keys.flatMap((key) => {
      const value = this.#values.get(key);
      return value === undefined ? [] : [[key, value] as const];
    });
  }

  #begin(key: string): T | undefined {
    const place = this.#keys.findLastIndex((kept) => compareNames(kept, key) < 0) + 1;
    const isFull = this.#keys.length >= this.#maximum;
    if (isFull && place === 0) return undefined;
    const value = this.#create();
    this.#values.set(key, value);
    this.#keys.splice(place, 0, key);
    const [oldest] = this.#keys;
    if (isFull && oldest !== undefined) {
      this.#keys.shift();
      this.#values.delete(oldest);
    }
    return value;
  }
}
