import { verifyLog } from '../../core/audit/verify-log.ts';
import { logSegmentKey, logSegmentPrefix } from '../../core/contract/keys.ts';
import { shortHash } from '../../core/model/content-hash.ts';
import { evidencePrefix } from '../../core/pipeline/evidence.ts';
import type { ModelRuntime } from '../../core/pipeline/model-runtime.ts';
import { RollUpReader } from '../../core/pipeline/roll-up.ts';
import { TrailReader } from '../../core/pipeline/trail-store.ts';
import { WindowReader } from '../../core/pipeline/window-reader.ts';
import { hour, linesOf, minute, payloadKey, payloadLine, requestKey, requestLine } from '../pipeline/capture-lines.ts';
import { start, usualCalls, World, type WorldPorts } from '../pipeline/embedded-world.ts';
import { faultyPorts, type WriteFault } from '../pipeline/faulty-ports.ts';
import type { CaptureObject } from '../pipeline/memory-capture-store.ts';
import type { MemoryObjectStore } from '../pipeline/memory-object-store.ts';

/** A world in which every process has its own memory and all share what is stored. */
export class LambdaWorld extends World {
  /** What a new process of a function works on. */
  process(changes: Partial<WorldPorts> = {}): WorldPorts {
    const ports = this.ports(changes);
    return {
      ...ports,
      windows: new WindowReader(ports.state),
      trails: new TrailReader(ports.state),
      rollUps: new RollUpReader(ports.state),
    };
  }

  /** All that counts, in a form that two worlds can be compared by. Metrics as alarms see them: by their maximum. */
  async contents() {
    const { table, touches } = this.sqlite;
    const model = this.runtime.policy.name;
    const partitions = [
      'models',
      'episodes',
      'deliveries',
      'doorbells',
      ...['series', 'ingesting', 'announced', 'runtimes'].map((kind) => `${kind}#${model}`),
    ];
    const rows = await Promise.all(
      partitions.map(async (partition) =>
        (await table.list(partition)).map(({ key, row }) => [partition, key, row.value]),
      ),
    );
    const metrics = new Map<string, number>();
    for (const { name, dimensions, time, value } of this.metrics.data) {
      const key = JSON.stringify([name, dimensions, time]);
      metrics.set(key, Math.max(value, metrics.get(key) ?? Number.NEGATIVE_INFINITY));
    }
    return {
      state: summarise(this.state).filter((line) => !line.startsWith('log/')),
      audit: summarise(this.audit),
      rows: rows.flat(),
      metrics: [...metrics].sort(([a], [b]) => (a < b ? -1 : 1)),
      touched: (await touches.take(1_000)).map(({ windowPrefix }) => windowPrefix).sort(),
    };
  }

  /** The hash list may be cut into other segments after a crash; what it says may not differ. */
  async verifyLog() {
    const { state, audit } = this;
    const report = await verifyLog({
      segments: (async function* () {
        for (const key of state.keys(logSegmentPrefix))
          yield [key, (await state.get(key)) ?? new Uint8Array()] as const;
      })(),
      readObject: (key) => audit.get(key),
      listObjects: () => audit.list(evidencePrefix),
      segmentKey: logSegmentKey,
    });
    return { problems: report.problems, entries: report.entries, pending: report.pending.count };
  }
}

/** Each key with a hash of its content: a difference is short to read. */
function summarise(store: MemoryObjectStore): readonly string[] {
  return store.contents().map(([key, content]) => `${key} ${shortHash(content)}`);
}

export function payloads(
  from: number,
  name: string,
  changes: { arrived?: number; factor?: number } = {},
): CaptureObject {
  const calls = usualCalls(from, from + hour, 120, 21).map((call) => ({
    ...call,
    id: `${name}-${call.id}`,
    rows: call.rows.map(([amount, country]) => [Number(amount) * (changes.factor ?? 1), country] as const),
  }));
  const arrived = changes.arrived ?? from + hour + minute;
  return { key: payloadKey(from, name), body: linesOf(calls.map(payloadLine)), arrived };
}

export function requests(from: number, name: string): CaptureObject {
  const lines = usualCalls(from, from + hour, 60, 22).map(({ time, id }) => requestLine({ time, id }));
  return { key: requestKey(from, name), body: linesOf(lines), arrived: from + hour + minute };
}

/** Half of its lines are none. */
export function malformed(from: number, name: string): CaptureObject {
  const good = usualCalls(from, from + hour, 10, 23).map(payloadLine);
  const lines = good.flatMap((line) => [line, '{"captureData":']);
  return { key: payloadKey(from, name), body: linesOf(lines), arrived: from + hour + minute };
}

/** What a disturbed run does: its first attempt is hit by a fault; the second one is given what was not acknowledged. */
export interface CrashTest {
  readonly runtime: ModelRuntime;
  /** Puts the world where the function is called; the same each time. */
  arrange(world: LambdaWorld): Promise<void>;
  /** Calls the function once in a new process; throws, or gives whether everything was acknowledged. */
  invoke(world: LambdaWorld, ports: WorldPorts): Promise<boolean>;
}

const faults: readonly WriteFault[] = ['before', 'after', 'kill'];

/**
 * Runs the function undisturbed, then once for each of its writes and each fault at it, called again until everything
 * is acknowledged.
 * @param compare is given the undisturbed and each disturbed world.
 * @returns the names of the writes that were hit.
 */
export async function crashAtEveryWrite(
  { runtime, arrange, invoke }: CrashTest,
  compare: (undisturbed: LambdaWorld, disturbed: LambdaWorld, at: string) => Promise<void>,
): Promise<readonly string[]> {
  const undisturbed = new LambdaWorld(runtime);
  await arrange(undisturbed);
  const counted = faultyPorts(undisturbed.process());
  if (!(await invoke(undisturbed, counted.ports))) throw new Error('expected an undisturbed run to acknowledge all');
  for (const [position, name] of counted.writes.entries()) {
    for (const fault of faults) {
      const world = new LambdaWorld(runtime);
      await arrange(world);
      const { ports, killed } = faultyPorts(world.process(), position, fault);
      const first = await Promise.race([invoke(world, ports).catch(() => false), killed.then(() => false)]);
      for (let attempt = 0, done = first; !done && attempt < 3; attempt++) done = await invoke(world, world.process());
      await compare(undisturbed, world, `${fault} write ${position}: ${name}`);
    }
  }
  return counted.writes;
}

export { hour, minute, start };
