import { FailedModels } from '../core/pipeline/failed-models.ts';
import type { ModelRuntime } from '../core/pipeline/model-runtime.ts';
import { judgeTouched, type TickPorts, tick } from '../core/pipeline/tick.ts';
import { readVariable } from './environment.ts';
import { connectEvaluate } from './evaluate-on-aws.ts';
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
    const { judged, refused } = await tick(runtimes, ports);
    log.info('tick completed', { models: runtimes.length, judged: judged.map(({ key }) => key) });
    for (const { name, reason, count } of refused) log.warn('metrics refused', { metric: name, reason, count });
  } catch (error) {
    const failures = error instanceof FailedModels ? error.failures : [{ model: undefined, error }];
    for (const one of failures) log.error('tick failed', { model: one.model, fault: describeFault(one.error) });
    throw new InvocationError('tick failed; the log says why');
  }
}

async function prepareOnAws(): Promise<EvaluateSetup> {
  const log = createLog();
  const runtimes = await loadRuntimes(handlerFolder, readVariable('code'));
  const policies = runtimes.map(({ policy }) => policy);
  return { runtimes, log, ports: connectEvaluate(policies, log) };
}

export const handler = createEvaluateHandler(prepareOnAws);
