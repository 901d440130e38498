import type { ModelRuntime } from './model-runtime.ts';
import { updateModelState } from './model-state.ts';
import type { Clock, StateTable } from './ports.ts';
import { IntegrityError } from './write-once.ts';

const maximumIntegrityKeys = 20;

/** Runs a step; a key with other content becomes a finding that pages, and the rest of the fleet goes on. */
export async function guardIntegrity<T>(
  runtime: ModelRuntime,
  ports: { readonly table: StateTable; readonly clock: Clock },
  step: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    const { key } = error;
    const now = ports.clock.now();
    await updateModelState(ports.table, runtime.policy.name, now, (state) =>
      state.integrity.some(([known]) => known === key)
        ? state
        : { ...state, integrity: [...state.integrity, [key, now] as const].slice(-maximumIntegrityKeys) },
    );
    return undefined;
  }
}
