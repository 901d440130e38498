import { GetAliasCommand, type LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import type { RollbackLever, ServingChange, ServingChangeResult, ServingState } from '../../core/model/rollback.ts';
import type { ServingControl } from '../../core/pipeline/ports.ts';
import { statusOf } from './service-error.ts';

/** The version that an alias of a function points to. Lambda compares the alias's revision before it changes it. */
export class LambdaServing implements ServingControl {
  readonly #client: LambdaClient;

  /** @param client one that tries once. */
  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async describe(lever: RollbackLever): Promise<ServingState> {
    const name = nameOf(lever);
    const alias = await this.#client.send(new GetAliasCommand(name));
    if (alias.FunctionVersion === undefined || alias.RevisionId === undefined) {
      throw new TypeError(`alias ${name.FunctionName}:${name.Name}: expected a version and a revision, saw none`);
    }
    const routed = Object.keys(alias.RoutingConfig?.AdditionalVersionWeights ?? {}).sort();
    return {
      config: alias.FunctionVersion,
      // Calls that another version gets too are not this one's alone.
      ...(routed.length > 0 ? { status: 'changing', pending: routed.join(',') } : { status: 'ready' }),
      revision: alias.RevisionId,
    };
  }

  async change(lever: RollbackLever, { from, to }: ServingChange): Promise<ServingChangeResult> {
    try {
      const request = { ...nameOf(lever), FunctionVersion: to, RevisionId: from.revision };
      await this.#client.send(new UpdateAliasCommand({ ...request, RoutingConfig: { AdditionalVersionWeights: {} } }));
      return 'started';
    } catch (error) {
      const status = statusOf(error);
      if (status !== undefined && status >= 400 && status < 500) return 'refused';
      throw error;
    }
  }
}

function nameOf(lever: RollbackLever) {
  if (lever.kind !== 'lambda-alias') throw new TypeError('rollback: expected the lever of a Lambda alias');
  return { FunctionName: lever.functionName, Name: lever.alias };
}
