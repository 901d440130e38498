import type { RollbackLever, ServingChange, ServingChangeResult, ServingState } from '../../core/model/rollback.ts';
import type { ServingControl } from '../../core/pipeline/ports.ts';
import { createLambdaClient, createSagemakerClient, createSfnClient } from './change-clients.ts';
import { LambdaServing } from './lambda-serving.ts';
import { SagemakerServing } from './sagemaker-serving.ts';
import { SfnServing } from './sfn-serving.ts';

/** All levers, each by the service that it belongs to. */
export class AwsServing implements ServingControl {
  readonly #byKind: Readonly<Record<RollbackLever['kind'], ServingControl>>;

  constructor() {
    const endpoints = new SagemakerServing(createSagemakerClient());
    this.#byKind = {
      'sagemaker-endpoint': endpoints,
      'sagemaker-weights': endpoints,
      'lambda-alias': new LambdaServing(createLambdaClient()),
      'step-functions': new SfnServing(createSfnClient(), endpoints),
    };
  }

  describe(lever: RollbackLever): Promise<ServingState> {
    return this.#byKind[lever.kind].describe(lever);
  }

  change(lever: RollbackLever, change: ServingChange): Promise<ServingChangeResult> {
    return this.#byKind[lever.kind].change(lever, change);
  }
}
