import type { ObjectStore, PutOnceResult, StateRow, StateTable } from '../../core/pipeline/ports.ts';

/** Requests by kind. */
export interface Requests {
  get: number;
  put: number;
  list: number;
  table: number;
}

/** Answers as late as a service in the same region does, and counts what it is asked. */
export class Latency {
  /** Milliseconds to a bucket's answer and to the table's; 0: at once. */
  bucket = 0;
  table = 0;
  requests: Requests = { get: 0, put: 0, list: 0, table: 0 };

  async wait(kind: keyof Requests): Promise<void> {
    this.requests[kind]++;
    const milliseconds = kind === 'table' ? this.table : this.bucket;
    if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
}

const listedAtOnce = 1000;

export class SlowStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #latency: Latency;

  constructor(store: ObjectStore, latency: Latency) {
    this.#store = store;
    this.#latency = latency;
  }

  async putOnce(key: string, body: Uint8Array): Promise<PutOnceResult> {
    await this.#latency.wait('put');
    return this.#store.putOnce(key, body);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    await this.#latency.wait('get');
    return this.#store.get(key);
  }

  async *list(prefix: string, after?: string): AsyncIterable<string> {
    let listed = 0;
    await this.#latency.wait('list');
    for await (const key of this.#store.list(prefix, after)) {
      if (listed > 0 && listed % listedAtOnce === 0) await this.#latency.wait('list');
      listed++;
      yield key;
    }
  }
}

export class SlowTable implements StateTable {
  readonly #table: StateTable;
  readonly #latency: Latency;

  constructor(table: StateTable, latency: Latency) {
    this.#table = table;
    this.#latency = latency;
  }

  async get(partition: string, key: string): Promise<StateRow | undefined> {
    await this.#latency.wait('table');
    return this.#table.get(partition, key);
  }

  async put(partition: string, key: string, value: unknown, expectedRevision: number): Promise<boolean> {
    await this.#latency.wait('table');
    return this.#table.put(partition, key, value, expectedRevision);
  }

  async list(partition: string): Promise<readonly { readonly key: string; readonly row: StateRow }[]> {
    await this.#latency.wait('table');
    return this.#table.list(partition);
  }

  async remove(partition: string, key: string): Promise<void> {
    await this.#latency.wait('table');
    return this.#table.remove(partition, key);
  }
}
