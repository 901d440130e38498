import { FailedModels } from '../core/pipeline/failed-models.ts';
import type { ModelRuntime } from '../core/pipeline/model-runtime.ts';
import { judgeTouched, type TickPorts, tick } from '../core/pipeline/tick.ts';
import { readVariable } from './environment.ts';
import { connectEvaluate } from './evaluate-on-aws.ts';
import { describeFault, InvocationError } from './fault.ts';
import { handlerFolder, loadRuntimes } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { FailedMessages, type PartialFailures } from './partial-failure.ts';
import { connectRetries } from './ports-on-aws.ts';
import { prepareOnce } from './prepare-once.ts';
import { hasRecords, readQueueBatch, readRemainingTime, readRequestId, readSchedule, readTouch } from './read-event.ts';
import { bringBack, type RetryDelay } from './retry-delay.ts';

export interface EvaluateSetup {
  readonly runtimes: readonly ModelRuntime[];
  readonly ports: TickPorts;
  /** Of the queue of touches. */
  readonly retries: RetryDelay;
  readonly log: Log;
}

/** No window is begun with less time left: judging one takes seconds, and the rest is for saying what was not done. */
const reserveMilliseconds = 90_000;

/** Judges windows that late data touched, and at each minute everything that is due. */
export function createEvaluateHandler(
  prepare: () => Promise<EvaluateSetup>,
): (event: unknown, context: unknown) => Promise<PartialFailures | undefined> {
  const setUp = prepareOnce(prepare);
  return async (event, context) => {
    const setup = await setUp();
    const log = bindLog(setup.log, { requestId: readRequestId(context) });
    if (hasRecords(event)) return judgeTouches(setup, log, event, context);
    readSchedule(event, 'tick');
    await judgeAll(setup, log);
    return undefined;
  };
}

interface Touched {
  readonly ids: readonly string[];
  /** Deliveries of the message among them that was delivered most often. */
  readonly receives: number;
}

/**
 * However often a window was touched, it is judged once. What there is no time for comes again soon, and first: those that
 * were put off before have their turn before the others.
 */
async function judgeTouches(
  { runtimes, ports, retries }: EvaluateSetup,
  log: Log,
  event: unknown,
  context: unknown,
): Promise<PartialFailures> {
  const failed = new FailedMessages();
  const touches = new Map<string, Touched>();
  const messages = readQueueBatch(event);
  for (const { id, body, receives } of messages) {
    await failed.guard([id], bindLog(log, { messageId: id }), async () => {
      const windowPrefix = readTouch(body);
      const known = touches.get(windowPrefix);
      touches.set(windowPrefix, {
        ids: [...(known?.ids ?? []), id],
        receives: Math.max(receives, known?.receives ?? 0),
      });
    });
  }
  let postponed = 0;
  for (const [windowPrefix, { ids }] of [...touches].sort(([, a], [, b]) => b.receives - a.receives)) {
    if (readRemainingTime(context) < reserveMilliseconds) {
      failed.putOff(ids);
      postponed++;
      continue;
    }
    const bound = bindLog(log, { messageIds: ids });
    await failed.guard(ids, bound, async () => {
      const judged = await judgeTouched(runtimes, ports, windowPrefix);
      if (judged) bound.info('window judged again', { verdict: judged.key, tier: judged.verdict.tier });
    });
  }
  if (postponed > 0) log.warn('windows put off: the time is up', { windows: postponed });
  await bringBack(retries, failed.of(messages), log);
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
  return { runtimes, log, ports: connectEvaluate(policies, log), retries: connectRetries('touchQueueUrl') };
}

export const handler = createEvaluateHandler(prepareOnAws);
