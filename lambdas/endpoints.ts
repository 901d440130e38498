import { createDynamoClient } from '../adapters/aws/clients.ts';
import { DynamoTable } from '../adapters/aws/dynamo-table.ts';
import { createSagemakerReader } from '../adapters/aws/sagemaker-client.ts';
import { SagemakerEndpoints } from '../adapters/aws/sagemaker-endpoints.ts';
import { SystemClock } from '../adapters/aws/system-clock.ts';
import { endpointsOf } from '../core/model/endpoint.ts';
import { runBounded } from '../core/pipeline/run-bounded.ts';
import { type LookPorts, lookAtEndpoint } from '../core/pipeline/served-endpoints.ts';
import { readVariable } from './environment.ts';
import { describeFault, InvocationError } from './fault.ts';
import { handlerFolder, loadPolicies } from './load-runtimes.ts';
import { bindLog, createLog, type Log } from './log.ts';
import { prepareOnce } from './prepare-once.ts';
import { readChangedEndpoint, readRequestId } from './read-event.ts';

/** A describe and a row each. */
const endpointsAtATime = 8;

export interface EndpointsSetup {
  /** Those that captures come from. */
  readonly endpoints: readonly string[];
  readonly ports: LookPorts;
  readonly log: Log;
}

/** Notes what endpoints serve: of all by the schedule, of one when an event says that it was changed. */
export function createEndpointsHandler(
  prepare: () => Promise<EndpointsSetup>,
): (event: unknown, context: unknown) => Promise<void> {
  const setUp = prepareOnce(prepare);
  return async (event, context) => {
    const { endpoints, ports, log } = await setUp();
    const bound = bindLog(log, { requestId: readRequestId(context) });
    // SageMaker may write names in lower case.
    const changed = readChangedEndpoint(event)?.toLowerCase();
    const concerned = endpoints.filter((name) => changed === undefined || name.toLowerCase() === changed);
    let failures = 0;
    await runBounded(concerned, endpointsAtATime, async (endpoint) => {
      try {
        if (await lookAtEndpoint(ports, endpoint)) bound.info('endpoint serves another configuration', { endpoint });
      } catch (error) {
        failures++;
        bound.error('endpoint not looked at', { endpoint, fault: describeFault(error) });
      }
    });
    if (failures > 0) throw new InvocationError(`${failures} endpoints not looked at; the log says why`);
  };
}

async function prepareOnAws(): Promise<EndpointsSetup> {
  const { policies } = await loadPolicies(handlerFolder);
  return {
    endpoints: endpointsOf(policies.flatMap(({ sources }) => sources)),
    ports: {
      table: new DynamoTable(createDynamoClient(), readVariable('table')),
      endpoints: new SagemakerEndpoints(createSagemakerReader()),
      clock: new SystemClock(),
    },
    log: createLog(),
  };
}

export const handler = createEndpointsHandler(prepareOnAws);
