import { Sequencer } from '../core/pipeline/evidence.ts';
import { guardIntegrity } from '../core/pipeline/guard-integrity.ts';
import { CohortReader } from '../core/pipeline/join-manifest.ts';
import { judgeLabels } from '../core/pipeline/judge-labels.ts';
import type { ModelRuntime } from '../core/pipeline/model-runtime.ts';
import type { ObjectStore } from '../core/pipeline/ports.ts';
import { type SweepPorts, sweep } from '../core/pipeline/sweep.ts';
import { orderByTurn } from '../core/pipeline/sweep-turns.ts';
import { fleetModel } from '../core/route/alarm-notice.ts';
import { readVariable } from './environment.ts';
import { describeFault, EventShapeError, InvocationError, PlainError } from './fault.ts';
import { handlerFolder, loadRuntimes } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { connectSweep } from './ports-on-aws.ts';
import { prepareOnce } from './prepare-once.ts';
import { readRemainingTime, readRequestId, readSchedule } from './read-event.ts';

export interface SweepSetup {
  readonly runtimes: readonly ModelRuntime[];
  readonly ports: SweepPorts & { readonly audit: ObjectStore };
  readonly log: Log;
}

/** Ingest takes in what arrived within a week; two days more cover a sequencer that stood still. */
const evidenceDays = 9;
const maximumEvidenceDays = 3_660;
/** A run of the join takes less; without so much time left no other is begun. */
const labelMilliseconds = 240_000;

/**
 * Puts new evidence into the hash list, hourly, and compares what is there with what was done: announces the objects that
 * `ingest` must take in and touches the windows that `evaluate` must judge again. The list comes first, which no backlog
 * may keep from its turn; of the models those whose turn was longest ago. Last come the labels: they are joined, and quality is judged
 * by them. By hand, `{"schedule":"sweep","evidenceDays":40}` reaches evidence further back: after an old dead-letter queue was redriven.
 */
export function createSweepHandler(
  prepare: () => Promise<SweepSetup>,
): (event: unknown, context: unknown) => Promise<void> {
  const setUp = prepareOnce(async () => {
    const setup = await prepare();
    const cohorts = new CohortReader(setup.ports.state);
    return { ...setup, sequencer: createSequencer(setup, evidenceDays), cohorts };
  });
  return async (event, context) => {
    const days = readEvidenceDays(readSchedule(event, 'sweep').get('evidenceDays'));
    const setup = await setUp();
    const log = bindLog(setup.log, { requestId: readRequestId(context) });
    const failed: string[] = [];

    await attempt(failed, 'the hash list', log, async () => {
      const sequencer = days === undefined ? setup.sequencer : createSequencer(setup, days);
      log.info('evidence listed', { appended: await sequencer.appendNew() });
    });
    for (const runtime of await orderByTurn(setup.ports.table, setup.runtimes, ({ policy }) => policy.name)) {
      const model = runtime.policy.name;
      const bound = bindLog(log, { model });
      await attempt(failed, model, bound, async () => {
        const { announced, touched, left, isWhole } = await sweep(runtime, setup.ports);
        log.info('model swept', { model, announced, touched, isWhole });
        for (const { bucket, key } of left) bound.error('capture is left to the dead-letter queue', { bucket, key });
        if (left.length > 0) throw new PlainError(`${left.length} captures were announced time and again, in vain`);
      });
    }
    const hasTime = () => readRemainingTime(context) > labelMilliseconds;
    for (const runtime of setup.runtimes.filter(({ policy }) => policy.labels)) {
      const model = runtime.policy.name;
      await attempt(failed, model, bindLog(log, { model }), async () => {
        const ports = { ...setup.ports, cohorts: setup.cohorts };
        const work = await guardIntegrity(runtime, ports, () => judgeLabels(runtime, ports, hasTime));
        if (!work) return;
        const { records, labels, cohorts, isWhole, judgement } = work;
        log.info('labels judged', { model, records, labels, cohorts, isWhole, tier: judgement.tier });
      });
    }
    if (failed.length > 0) throw new InvocationError(`sweep failed for ${failed.join(', ')}; the log says why`);
  };
}

/** What fails for one model must not keep the rest of the fleet from its sweep. */
async function attempt(failed: string[], name: string, log: Log, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    failed.push(name);
    const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    for (const one of errors) log.error('sweep failed', { fault: describeFault(one) });
  }
}

function createSequencer({ runtimes, ports }: SweepSetup, days: number): Sequencer {
  const models = [...runtimes.map(({ policy }) => policy.name), fleetModel];
  return new Sequencer(ports.state, ports.audit, { models, days, clock: ports.clock, table: ports.table });
}

function readEvidenceDays(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= maximumEvidenceDays) return value;
  throw new EventShapeError(`event.evidenceDays: expected a whole number from 1 to ${maximumEvidenceDays}`);
}

async function prepareOnAws(): Promise<SweepSetup> {
  return {
    runtimes: await loadRuntimes(handlerFolder, readVariable('code')),
    log: createLog(),
    ports: connectSweep(),
  };
}

export const handler = createSweepHandler(prepareOnAws);
