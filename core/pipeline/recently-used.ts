/** A map of limited size: what was not asked for the longest goes first. */
export class RecentlyUsed<Value> {
  readonly #capacity: number;
  readonly #known = new Map<string, Value>();

  /** @param capacity at least 1 */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: string): Value | undefined {
    const value = this.#known.get(key);
    if (value !== undefined) this.keep(key, value);
    return value;
  }

  keep(key: string, value: Value): void {
    this.#known.delete(key);
    this.#known.set(key, value);
    const oldest = this.#known.keys().next();
    if (this.#known.size > this.#capacity && !oldest.done) this.#known.delete(oldest.value);
  }
}
