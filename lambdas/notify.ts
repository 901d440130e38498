import { modelAlarms } from '../core/contract/alarm-definitions.ts';
import { shardAlarms } from '../core/contract/shard-alarms.ts';
import type { FleetPolicy, ModelPolicy } from '../core/model/policy.ts';
import { answerDoorbells } from '../core/pipeline/answer-doorbells.ts';
import { acknowledgeIncident, type NotifyPorts, notifyOfAlarm, notifyOverdue } from '../core/pipeline/notify.ts';
import type { ProbeSender } from '../core/pipeline/ports.ts';
import { answerProbe, watchAlertPath } from '../core/pipeline/watch-alert-path.ts';
import { readProbe } from '../core/route/probe.ts';
import { readVariable } from './environment.ts';
import { describeFault, InvocationError } from './fault.ts';
import { handlerFolder, loadPolicies } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { connectNotify } from './ports-on-aws.ts';
import { prepareOnce } from './prepare-once.ts';
import { hasRecords, readAcknowledgement, readNotifications, readRequestId, readSchedule } from './read-event.ts';

export interface NotifySetup {
  readonly fleet: FleetPolicy;
  /** All models of the fleet. */
  readonly policies: readonly ModelPolicy[];
  /** Names of all shards: each has alarms of its own. */
  readonly shards: readonly string[];
  readonly ports: NotifyPorts & { readonly probes: ProbeSender };
  readonly log: Log;
}

/**
 * Tells people of alarms, and at each minute of what has become due, and of verdicts that no alarm rang for. By hand,
 * `{"acknowledge":"credit-scoring"}` says that a person has taken that model's incident on.
 */
export function createNotifyHandler(
  prepare: () => Promise<NotifySetup>,
): (event: unknown, context: unknown) => Promise<void> {
  const setUp = prepareOnce(prepare);
  return async (event, context) => {
    const setup = await setUp();
    const log = bindLog(setup.log, { requestId: readRequestId(context) });
    if (hasRecords(event)) return tellOfAlarms(setup, log, event);
    const model = readAcknowledgement(event);
    if (model !== undefined) return tellOfAcknowledgement(setup, log, model);
    readSchedule(event, 'overdue');
    return tellOfOverdue(setup, log);
  };
}

/** SNS knows no partial failure: where one alarm's message fails, all come again, and those told of do nothing. */
async function tellOfAlarms(setup: NotifySetup, log: Log, event: unknown): Promise<void> {
  const { fleet, policies, shards, ports } = setup;
  const definitions = [
    ...policies.flatMap((policy) => modelAlarms(policy, fleet)),
    ...shards.flatMap((shard) => shardAlarms(shard, fleet)),
  ];
  let failures = 0;
  for (const { id, body } of readNotifications(event)) {
    const bound = bindLog(log, { messageId: id });
    try {
      const probe = readProbe(body);
      if (probe) await answerProbe(fleet, policies, ports, probe.tier);
      else await notifyOfAlarm(definitions, policies, ports, body);
      bound.info(probe ? 'probe came back' : 'alarm dealt with', {});
    } catch (error) {
      failures++;
      bound.error('alarm not told', { fault: describeFault(error) });
    }
  }
  if (failures > 0) throw new InvocationError(`${failures} alarms not told; the log says why`);
}

async function tellOfAcknowledgement({ policies, ports }: NotifySetup, log: Log, model: string): Promise<void> {
  const isKnown = await acknowledgeIncident(policies, ports, model);
  if (!isKnown) throw new InvocationError(`${model}: expected a model with an incident that people were told of`);
  log.info('incident acknowledged', { model });
}

async function tellOfOverdue({ fleet, policies, ports }: NotifySetup, log: Log): Promise<void> {
  let failures = 0;
  const steps = [
    () => notifyOverdue(policies, ports),
    () => answerDoorbells(fleet, policies, ports),
    () => watchAlertPath(fleet, policies, ports, ports.probes),
  ];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
      for (const one of errors) log.error('overdue alarms not told', { fault: describeFault(one) });
      failures += errors.length;
    }
  }
  if (failures > 0) throw new InvocationError('overdue alarms not told; the log lines before this one say why');
}

async function prepareOnAws(): Promise<NotifySetup> {
  const { fleet, policies } = await loadPolicies(handlerFolder);
  return { fleet, policies, shards: readVariable('shards').split(','), log: createLog(), ports: connectNotify() };
}

export const handler = createNotifyHandler(prepareOnAws);
