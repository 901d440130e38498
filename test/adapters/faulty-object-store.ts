import type { ObjectStore, PutOnceResult } from '../../core/pipeline/ports.ts';

export type StoreOperation = 'putOnce' | 'get' | 'list';

/** `persisted-but-error`: the store did its work, and the answer was lost. A read persists nothing: it only fails. */
export type StoreFault = 'none' | 'not-persisted' | 'persisted-but-error';

/** What a caller sees of a fault. */
export class InjectedFaultError extends Error {
  override readonly name = 'InjectedFaultError';
}

/** An object store that fails when it is told to. */
export class FaultyObjectStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #fault: (operation: StoreOperation, key: string) => StoreFault;

  constructor(store: ObjectStore, fault: (operation: StoreOperation, key: string) => StoreFault) {
    this.#store = store;
    this.#fault = fault;
  }

  async putOnce(key: string, body: Uint8Array): Promise<PutOnceResult> {
    const fault = this.#fault('putOnce', key);
    if (fault === 'not-persisted') throw new InjectedFaultError(`putOnce ${key}: ${fault}`);
    const result = await this.#store.putOnce(key, body);
    if (fault === 'persisted-but-error') throw new InjectedFaultError(`putOnce ${key}: ${fault}`);
    return result;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.#failRead('get', key);
    return this.#store.get(key);
  }

  async *list(prefix: string): AsyncGenerator<string> {
    this.#failRead('list', prefix);
    yield* this.#store.list(prefix);
  }

  #failRead(operation: StoreOperation, key: string): void {
    const fault = this.#fault(operation, key);
    if (fault !== 'none') throw new InjectedFaultError(`${operation} ${key}: ${fault}`);
  }
}
