import type { RollbackLever, ServingChange, ServingChangeResult, ServingState } from '../../core/model/rollback.ts';
import type { ServingControl, StateTable } from '../../core/pipeline/ports.ts';

const partition = 'serving';

/** What answers, as rows of the state table: changed at once, and only from the revision that was described. */
export class TableServing implements ServingControl {
  readonly #table: StateTable;

  constructor(table: StateTable) {
    this.#table = table;
  }

  /** As a deployment does it. */
  async deploy(lever: RollbackLever, config: string): Promise<void> {
    for (;;) {
      const row = await this.#table.get(partition, nameOf(lever));
      if (await this.#table.put(partition, nameOf(lever), config, row?.revision ?? 0)) return;
    }
  }

  async describe(lever: RollbackLever): Promise<ServingState> {
    const row = await this.#table.get(partition, nameOf(lever));
    if (!row) throw new Error(`${nameOf(lever)}: expected something to be deployed, saw nothing`);
    return { config: String(row.value), status: 'ready', revision: String(row.revision) };
  }

  async change(lever: RollbackLever, { from, to }: ServingChange): Promise<ServingChangeResult> {
    const isChanged = await this.#table.put(partition, nameOf(lever), to, Number(from.revision));
    return isChanged ? 'started' : 'refused';
  }
}

function nameOf(lever: RollbackLever): string {
  return lever.kind === 'lambda-alias' ? `${lever.functionName}:${lever.alias}` : lever.endpoint;
}
