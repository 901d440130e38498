import { AwsServing } from '../adapters/aws/serving-control.ts';
import type { FleetPolicy, ModelPolicy } from '../core/model/policy.ts';
import { type RollbackPorts, stepRollback } from '../core/pipeline/rollback.ts';
import { runBounded } from '../core/pipeline/run-bounded.ts';
import { describeFault, InvocationError } from './fault.ts';
import { handlerFolder, loadPolicies } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { connectNotifier } from './ports-on-aws.ts';
import { prepareOnce } from './prepare-once.ts';
import { readDoorbell, readRequestId } from './read-event.ts';

/** Looked after at the same time: a describe and a few rows each. */
const modelsAtATime = 8;

export interface RollbackSetup {
  readonly fleet: FleetPolicy;
  /** All models of the fleet; those without a rollback are left alone. */
  readonly policies: readonly ModelPolicy[];
  readonly ports: RollbackPorts;
  readonly log: Log;
}

/**
 * Takes every rollback as far as it goes. A red alarm, a change of an endpoint and the schedule all mean no more than "look
 * now": what they say is not read.
 */
export function createRollbackHandler(
  prepare: () => Promise<RollbackSetup>,
): (event: unknown, context: unknown) => Promise<void> {
  const setUp = prepareOnce(prepare);
  return async (event, context) => {
    const setup = await setUp();
    const log = bindLog(setup.log, { requestId: readRequestId(context), doorbell: readDoorbell(event) });
    const models = setup.policies.flatMap((policy) => (policy.rollback ? [{ policy, rollback: policy.rollback }] : []));
    let failures = 0;
    await runBounded(models, modelsAtATime, async ({ policy, rollback }) => {
      const bound = bindLog(log, { model: policy.name });
      try {
        const { refusal, act } = await stepRollback(policy, rollback, setup.fleet, setup.ports);
        if (refusal !== undefined && refusal !== 'no-incident') bound.info('no rollback', { refusal });
        if (refusal === undefined && act) {
          bound.warn('rollback', { rollback: act.id, phase: act.phase, outcome: act.outcome, reason: act.reason });
        }
      } catch (error) {
        failures++;
        bound.error('rollback not looked after', { fault: describeFault(error) });
      }
    });
    if (failures > 0) throw new InvocationError(`${failures} models not looked after; the log says why`);
  };
}

async function prepareOnAws(): Promise<RollbackSetup> {
  const { fleet, policies } = await loadPolicies(handlerFolder);
  return { fleet, policies, log: createLog(), ports: { ...connectNotifier(), control: new AwsServing() } };
}

export const handler = createRollbackHandler(prepareOnAws);
