import type { ObjectStore, StateTable } from '../../core/pipeline/ports.ts';
import type { WorldPorts } from './embedded-world.ts';

/** `before`: nothing was persisted. `after`: it was, and the answer was lost. `kill`: it was, and the process ended. */
export type WriteFault = 'before' | 'after' | 'kill';

/** What others do while a write is on its way: it is persisted after them. */
export type Overtaking = () => Promise<unknown>;

/** What the caller of a faulty write sees. */
export class WriteFaultError extends Error {
  override readonly name = 'WriteFaultError';
}

/** Ports whose writes are noted, and of which one may fail. */
export interface FaultyPorts {
  readonly ports: WorldPorts;
  /** Names of the writes so far, in order: `audit bundles`, `state fragments`, `table series#credit`, `touch`. */
  readonly writes: readonly string[];
  /** Resolves where a `kill` fault struck: the step that was killed never ends. */
  readonly killed: Promise<'killed'>;
}

/** @param position index of the write that fails. */
export function faultyPorts(ports: WorldPorts, position = -1, fault: WriteFault | Overtaking = 'before'): FaultyPorts {
  const writes: string[] = [];
  const { promise: killed, resolve } = Promise.withResolvers<'killed'>();
  const write = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    const isHit = writes.push(name) - 1 === position;
    if (isHit && fault === 'before') throw new WriteFaultError(`${name}: not persisted`);
    if (isHit && typeof fault === 'function') await fault();
    const result = await run();
    if (isHit && fault === 'after') throw new WriteFaultError(`${name}: persisted, and the answer was lost`);
    if (!isHit || typeof fault === 'function') return result;
    resolve('killed');
    return new Promise<never>(() => {});
  };
  const store = (name: string, of: ObjectStore): ObjectStore => ({
    get: (key) => of.get(key),
    list: (prefix, after) => of.list(prefix, after),
    putOnce: (key, body) => write(`${name} ${key.split('/')[0]}`, () => of.putOnce(key, body)),
  });
  const table: StateTable = {
    get: (partition, key) => ports.table.get(partition, key),
    list: (partition) => ports.table.list(partition),
    put: (partition, ...row) => write(`table ${partition}`, () => ports.table.put(partition, ...row)),
    remove: (partition, key) => write(`table ${partition}`, () => ports.table.remove(partition, key)),
  };
  return {
    ports: {
      ...ports,
      state: store('state', ports.state),
      audit: store('audit', ports.audit),
      table,
      announcements: { announce: (captures) => write('announce', () => ports.announcements.announce(captures)) },
      touches: { touch: (prefix) => write('touch', () => ports.touches.touch(prefix)) },
      metrics: { put: (namespace, data) => write('metrics', () => ports.metrics.put(namespace, data)) },
    },
    writes,
    killed,
  };
}

/** Runs a step to its end, or to its fault. @returns whether it was disturbed. */
export async function runDisturbed(step: Promise<unknown>, killed: Promise<'killed'>): Promise<boolean> {
  try {
    return (await Promise.race([step, killed])) === 'killed';
  } catch (error) {
    if (error instanceof WriteFaultError) return true;
    throw error;
  }
}
