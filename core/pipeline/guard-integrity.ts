import type { ModelRuntime } from './model-runtime.ts';
import { updateModelState } from './model-state.ts';
import type { Clock, StateTable } from './ports.ts';
import { IntegrityError } from './write-once.ts';

const maximumIntegrityKeys = 20;
/** A key that holds other bytes than it should stays a red finding for a day. */
export const integrityMilliseconds = 86_400_000;

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
    await updateModelState(ports.table, runtime.policy.name, now, (state) => {
      const others = state.integrity.filter(([known]) => known !== key);
      // One that is still told of is left as it is; a later one is news.
      const isTold = state.integrity.some(([known, since]) => known === key && now - since < integrityMilliseconds);
      return isTold ? state : { ...state, integrity: [...others, [key, now] as const].slice(-maximumIntegrityKeys) };
    });
    return undefined;
  }
}
