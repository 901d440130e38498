import { Sequencer } from '../core/pipeline/evidence.ts';
import type { IngestPorts } from '../core/pipeline/ingest.ts';
import type { ModelRuntime } from '../core/pipeline/model-runtime.ts';
import { sweep } from '../core/pipeline/sweep.ts';
import { fleetModel } from '../core/route/alarm-notice.ts';
import { readVariable } from './environment.ts';
import { describeFault, EventShapeError, InvocationError } from './fault.ts';
import { handlerFolder, loadRuntimes } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { connectIngest } from './ports-on-aws.ts';
import { prepareOnce } from './prepare-once.ts';
import { readRequestId, readSchedule } from './read-event.ts';

export interface SweepSetup {
  readonly runtimes: readonly ModelRuntime[];
  readonly ports: IngestPorts;
  readonly log: Log;
}

/** Sweeps take in what arrived within a week; two days more cover a sequencer that stood still. */
const evidenceDays = 9;
const maximumEvidenceDays = 3_660;

/**
 * Compares what is there with what was done, hourly, touches the windows that `evaluate` must judge again, and puts new
 * evidence into the hash list. By hand, `{"schedule":"sweep","evidenceDays":40}` reaches evidence further back: after an old dead-letter queue was redriven.
 */
export function createSweepHandler(
  prepare: () => Promise<SweepSetup>,
): (event: unknown, context: unknown) => Promise<void> {
  const setUp = prepareOnce(async () => {
    const setup = await prepare();
    return { ...setup, sequencer: createSequencer(setup, evidenceDays) };
  });
  return async (event, context) => {
    const days = readEvidenceDays(readSchedule(event, 'sweep').get('evidenceDays'));
    const setup = await setUp();
    const log = bindLog(setup.log, { requestId: readRequestId(context) });
    const failed: string[] = [];

    for (const runtime of setup.runtimes) {
      const model = runtime.policy.name;
      await attempt(failed, model, bindLog(log, { model }), async () => {
        const { ingested, touched } = await sweep(runtime, setup.ports);
        log.info('model swept', { model, ingested, touched });
      });
    }
    await attempt(failed, 'the hash list', log, async () => {
      const sequencer = days === undefined ? setup.sequencer : createSequencer(setup, days);
      log.info('evidence listed', { appended: await sequencer.appendNew() });
    });
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
    ports: connectIngest(),
  };
}

export const handler = createSweepHandler(prepareOnAws);
