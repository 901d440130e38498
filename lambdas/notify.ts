import { modelAlarms } from '../core/contract/alarm-definitions.ts';
import { shardAlarms } from '../core/contract/shard-alarms.ts';
import type { FleetPolicy, ModelPolicy } from '../core/model/policy.ts';
import { type NotifyPorts, notifyOfAlarm, notifyOverdue } from '../core/pipeline/notify.ts';
import { readVariable } from './environment.ts';
import { describeFault, InvocationError } from './fault.ts';
import { handlerFolder, loadPolicies } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { connectNotify } from './ports-on-aws.ts';
import { prepareOnce } from './prepare-once.ts';
import { hasRecords, readNotifications, readRequestId, readSchedule } from './read-event.ts';

export interface NotifySetup {
  readonly fleet: FleetPolicy;
  /** All models of the fleet. */
  readonly policies: readonly ModelPolicy[];
  /** Names of all shards: each has alarms of its own. */
  readonly shards: readonly string[];
  readonly ports: NotifyPorts;
  readonly log: Log;
}

/** Tells people of alarms, and at each minute of those that the hold-off held back. */
export function createNotifyHandler(
  prepare: () => Promise<NotifySetup>,
): (event: unknown, context: unknown) => Promise<void> {
  const setUp = prepareOnce(prepare);
  return async (event, context) => {
    const setup = await setUp();
    const log = bindLog(setup.log, { requestId: readRequestId(context) });
    if (hasRecords(event)) return tellOfAlarms(setup, log, event);
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
      await notifyOfAlarm(definitions, policies, ports, body);
      bound.info('alarm dealt with', {});
    } catch (error) {
      failures++;
      bound.error('alarm not told', { fault: describeFault(error) });
    }
  }
  if (failures > 0) throw new InvocationError(`${failures} alarms not told; the log says why`);
}

async function tellOfOverdue({ policies, ports }: NotifySetup, log: Log): Promise<void> {
  try {
    await notifyOverdue(policies, ports);
  } catch (error) {
    log.error('overdue alarms not told', { fault: describeFault(error) });
    throw new InvocationError('overdue alarms not told; the log line before this one says why');
  }
}

async function prepareOnAws(): Promise<NotifySetup> {
  const { fleet, policies } = await loadPolicies(handlerFolder);
  return { fleet, policies, shards: readVariable('shards').split(','), log: createLog(), ports: connectNotify() };
}

export const handler = createNotifyHandler(prepareOnAws);
