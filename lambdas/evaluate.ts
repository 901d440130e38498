import { createCloudWatchClient, createDynamoClient, createS3Client } from '../adapters/aws/clients.ts';
import { CloudWatchInvocationCounter } from '../adapters/aws/cloudwatch-invocation-counter.ts';
import { CloudWatchMetricSink } from '../adapters/aws/cloudwatch-metric-sink.ts';
import { DynamoTable } from '../adapters/aws/dynamo-table.ts';
import { S3ObjectStore } from '../adapters/aws/s3-object-store.ts';
import { SystemClock } from '../adapters/aws/system-clock.ts';
import type { ModelRuntime } from '../core/pipeline/model-runtime.ts';
import { RollUpReader } from '../core/pipeline/roll-up.ts';
import { judgeTouched, type TickPorts, tick } from '../core/pipeline/tick.ts';
import { WindowReader } from '../core/pipeline/window-reader.ts';
import { readVariable } from './environment.ts';
import { describeFault, InvocationError } from './fault.ts';
import { handlerFolder, loadRuntimes } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { FailedMessages, type PartialFailures } from './partial-failure.ts';
import { prepareOnce } from './prepare-once.ts';
import { hasRecords, readQueueBatch, readRequestId, readSchedule, readTouch } from './read-event.ts';

export interface EvaluateSetup {
  readonly runtimes: readonly ModelRuntime[];
  readonly ports: TickPorts;
  readonly log: Log;
}

/** Judges windows that late data touched, and at each minute everything that is due. */
export function createEvaluateHandler(
  prepare: () => Promise<EvaluateSetup>,
): (event: unknown, context: unknown) => Promise<PartialFailures | undefined> {
  const setUp = prepareOnce(prepare);
  return async (event, context) => {
    const setup = await setUp();
    const log = bindLog(setup.log, { requestId: readRequestId(context) });
    if (hasRecords(event)) return judgeTouches(setup, log, event);
    readSchedule(event, 'tick');
    await judgeAll(setup, log);
    return undefined;
  };
}

/** However often a window was touched, it is judged once. */
async function judgeTouches({ runtimes, ports }: EvaluateSetup, log: Log, event: unknown): Promise<PartialFailures> {
  const failed = new FailedMessages();
  const touches = new Map<string, string[]>();
  for (const { id, body } of readQueueBatch(event)) {
    await failed.guard([id], bindLog(log, { messageId: id }), async () => {
      const windowPrefix = readTouch(body);
      const ids = touches.get(windowPrefix);
      if (ids) ids.push(id);
      else touches.set(windowPrefix, [id]);
    });
  }
  for (const [windowPrefix, ids] of touches) {
    const bound = bindLog(log, { messageIds: ids });
    await failed.guard(ids, bound, async () => {
      const judged = await judgeTouched(runtimes, ports, windowPrefix);
      if (judged) bound.info('window judged again', { verdict: judged.key, tier: judged.verdict.tier });
    });
  }
  return failed.answer();
}

async function judgeAll({ runtimes, ports }: EvaluateSetup, log: Log): Promise<void> {
  try {
    const { judged } = await tick(runtimes, ports);
    log.info('tick completed', { models: runtimes.length, judged: judged.map(({ key }) => key) });
  } catch (error) {
    log.error('tick failed', { fault: describeFault(error) });
    throw new InvocationError('tick failed; the log line before this one says why');
  }
}

async function prepareOnAws(): Promise<EvaluateSetup> {
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
      state,
      audit: new S3ObjectStore(s3, readVariable('auditBucket')),
      table: new DynamoTable(createDynamoClient(), readVariable('table')),
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

export const handler = createEvaluateHandler(prepareOnAws);
