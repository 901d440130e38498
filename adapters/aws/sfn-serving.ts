import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { RollbackLever, ServingChange, ServingChangeResult, ServingState } from '../../core/model/rollback.ts';
import type { ServingControl } from '../../core/pipeline/ports.ts';
import { isServiceError, statusOf } from './service-error.ts';

/**
 * A workflow that changes what answers; what does is asked of the endpoint. An execution is named by the rollback, so asking
 * twice starts one.
 */
export class SfnServing implements ServingControl {
  readonly #client: SFNClient;
  readonly #endpoints: ServingControl;

  /** @param endpoints describes the endpoint that the workflow changes. */
  constructor(client: SFNClient, endpoints: ServingControl) {
    this.#client = client;
    this.#endpoints = endpoints;
  }

  describe(lever: RollbackLever): Promise<ServingState> {
    return this.#endpoints.describe(lever);
  }

  async change(lever: RollbackLever, { id, model, from, to }: ServingChange): Promise<ServingChangeResult> {
    if (lever.kind !== 'step-functions') throw new TypeError('rollback: expected the lever of a workflow');
    const { stateMachine: stateMachineArn, endpoint } = lever;
    const input = JSON.stringify({ schema: 'tidewatch.rollback/1', id, model, endpoint, from: from.config, to });
    try {
      await this.#client.send(new StartExecutionCommand({ stateMachineArn, name: `tidewatch-${id}`, input }));
      return 'started';
    } catch (error) {
      if (isServiceError(error, 'ExecutionAlreadyExists')) return 'started';
      const status = statusOf(error);
      if (status !== undefined && status >= 400 && status < 500) return 'refused';
      throw error;
    }
  }
}
