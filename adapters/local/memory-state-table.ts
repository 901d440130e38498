import type { StateRow, StateTable } from '../../core/pipeline/ports.ts';

/** A state table of one process, for what is tried out and forgotten. Values are kept as they are, not copied. */
export class MemoryStateTable implements StateTable {
  readonly #partitions = new Map<string, Map<string, StateRow>>();

  async get(partition: string, key: string): Promise<StateRow | undefined> {
    return this.#partitions.get(partition)?.get(key);
  }

  async put(partition: string, key: string, value: unknown, expectedRevision: number): Promise<boolean> {
    const rows = this.#partitions.get(partition) ?? new Map<string, StateRow>();
    this.#partitions.set(partition, rows);
    const revision = rows.get(key)?.revision ?? 0;
    if (revision !== expectedRevision) return false;
    rows.set(key, { value, revision: revision + 1 });
    return true;
  }

  async list(partition: string): Promise<readonly { readonly key: string; readonly row: StateRow }[]> {
    const rows = this.#partitions.get(partition) ?? new Map<string, StateRow>();
    return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, row]) => ({ key, row }));
  }

  async remove(partition: string, key: string): Promise<void> {
    this.#partitions.get(partition)?.delete(key);
  }
}
