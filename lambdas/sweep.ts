import {
  createCloudWatchClient,
  createDynamoClient,
  createS3Client,
  createSecretsClient,
} from '../adapters/aws/clients.ts';
import { CloudWatchInvocationCounter } from '../adapters/aws/cloudwatch-invocation-counter.ts';
import { CloudWatchMetricSink } from '../adapters/aws/cloudwatch-metric-sink.ts';
import { DynamoTable } from '../adapters/aws/dynamo-table.ts';
import { S3CaptureStore } from '../adapters/aws/s3-capture-store.ts';
import { S3ObjectStore } from '../adapters/aws/s3-object-store.ts';
import { SecretKeySource } from '../adapters/aws/secret-key-source.ts';
import { SystemClock } from '../adapters/aws/system-clock.ts';
import { Sequencer } from '../core/pipeline/evidence.ts';
import type { ModelRuntime } from '../core/pipeline/model-runtime.ts';
import type { TouchQueue } from '../core/pipeline/ports.ts';
import { RollUpReader } from '../core/pipeline/roll-up.ts';
import { type SweepPorts, sweep } from '../core/pipeline/sweep.ts';
import { WindowReader } from '../core/pipeline/window-reader.ts';
import { fleetModel } from '../core/route/alarm-notice.ts';
import { readVariable } from './environment.ts';
import { describeFault, EventShapeError, InvocationError } from './fault.ts';
import { handlerFolder, loadRuntimes } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { prepareOnce } from './prepare-once.ts';
import { readRequestId, readSchedule } from './read-event.ts';

export interface SweepSetup {
  readonly runtimes: readonly ModelRuntime[];
  readonly ports: SweepPorts;
  readonly log: Log;
}

/** Sweeps take in what arrived within a week; two days more cover a sequencer that stood still. */
const evidenceDays = 9;
const maximumEvidenceDays = 3_660;

/**
 * Compares what is there with what was done, hourly, and puts new evidence into the hash list. By hand,
 * `{"schedule":"sweep","evidenceDays":40}` reaches evidence further back: after an old dead-letter queue was redriven.
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
        const { ingested, judged } = await sweep(runtime, setup.ports);
        log.info('model swept', { model, ingested, judged: judged.map(({ key }) => key) });
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
    log.error('sweep failed', { fault: describeFault(error) });
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

/** A sweep judges every changed window itself, right after it took in what was missing. */
const unneededTouches: TouchQueue = { touch: async () => {} };

async function prepareOnAws(): Promise<SweepSetup> {
  const s3 = createS3Client();
  const cloudWatch = createCloudWatchClient();
  const state = new S3ObjectStore(s3, readVariable('stateBucket'));
  const clock = new SystemClock();
  const log = createLog();
  const runtimes = await loadRuntimes(handlerFolder, readVariable('code'));
  const policies = runtimes.map(({ policy }) => policy);
  return {
    runtimes,
    log,
    ports: {
      captures: new S3CaptureStore(s3),
      state,
      audit: new S3ObjectStore(s3, readVariable('auditBucket')),
      table: new DynamoTable(createDynamoClient(), readVariable('table')),
      touches: unneededTouches,
      keys: new SecretKeySource(createSecretsClient(), readVariable('evidenceSecretArn')),
      metrics: new CloudWatchMetricSink(cloudWatch),
      invocations: new CloudWatchInvocationCounter(cloudWatch, policies, clock, {
        onFailure: (model, error) => log.warn('invocations are unknown', { model, fault: describeFault(error) }),
      }),
      clock,
      windows: new WindowReader(state),
      rollUps: new RollUpReader(state),
    },
  };
}

export const handler = createSweepHandler(prepareOnAws);
