import {
  DescribeEndpointCommand,
  type DescribeEndpointOutput,
  type SageMakerClient,
  UpdateEndpointCommand,
  UpdateEndpointWeightsAndCapacitiesCommand,
} from '@aws-sdk/client-sagemaker';
import type { RollbackLever, ServingChange, ServingChangeResult, ServingState } from '../../core/model/rollback.ts';
import type { ServingControl } from '../../core/pipeline/ports.ts';
import { statusOf } from './service-error.ts';

const ready = 'InService';
/** In these nothing is under way that would end by itself. */
const failed: readonly string[] = ['Failed', 'OutOfService', 'UpdateRollbackFailed', 'Deleting'];

/** Endpoint configurations and variant weights. SageMaker itself refuses a change while another one is under way. */
export class SagemakerServing implements ServingControl {
  readonly #client: SageMakerClient;

  /** @param client one that tries once: an update that was taken and not answered must not be sent again. */
  constructor(client: SageMakerClient) {
    this.#client = client;
  }

  async describe(lever: RollbackLever): Promise<ServingState> {
    const endpoint = endpointOf(lever);
    const described = await this.#client.send(new DescribeEndpointCommand({ EndpointName: endpoint }));
    const name = described.EndpointConfigName;
    const modified = described.LastModifiedTime?.getTime();
    if (name === undefined || modified === undefined) {
      throw new TypeError(`endpoint ${endpoint}: expected a configuration and a time, saw none`);
    }
    const status = described.EndpointStatus ?? '';
    const byWeight = lever.kind === 'sagemaker-weights';
    const pending = byWeight ? pendingWeights(described) : described.PendingDeploymentSummary?.EndpointConfigName;
    return {
      config: byWeight ? weightsText(described, 'CurrentWeight') : name,
      status: status === ready ? 'ready' : failed.includes(status) ? 'failed' : 'changing',
      ...(pending !== undefined && status !== ready && { pending }),
      revision: String(modified),
    };
  }

  async change(lever: RollbackLever, { to }: ServingChange): Promise<ServingChangeResult> {
    try {
      await (lever.kind === 'sagemaker-weights'
        ? this.#shift(lever.endpoint, to)
        : this.#update(endpointOf(lever), to));
      return 'started';
    } catch (error) {
      // Refused for what was asked for, or for who asked; anything else leaves open whether it was taken.
      const status = statusOf(error);
      if (status !== undefined && status >= 400 && status < 500) return 'refused';
      throw error;
    }
  }

  async #update(endpoint: string, config: string): Promise<void> {
    await this.#client.send(
      new UpdateEndpointCommand({
        EndpointName: endpoint,
        EndpointConfigName: config,
        // As many instances as the traffic of now needs, not as many as it needed when the configuration was made.
        RetainAllVariantProperties: true,
        ExcludeRetainedVariantProperties: [{ VariantPropertyType: 'DesiredWeight' }],
      }),
    );
  }

  async #shift(endpoint: string, to: string): Promise<void> {
    await this.#client.send(
      new UpdateEndpointWeightsAndCapacitiesCommand({
        EndpointName: endpoint,
        DesiredWeightsAndCapacities: readWeights(to).map(([VariantName, DesiredWeight]) => ({
          VariantName,
          DesiredWeight,
        })),
      }),
    );
  }
}

function endpointOf(lever: RollbackLever): string {
  if (lever.kind === 'lambda-alias') throw new TypeError('rollback: expected the lever of a SageMaker endpoint');
  return lever.endpoint;
}

/** `[endpoint configuration, [[variant, weight], …]]` as JSON, variants sorted. */
function weightsText(described: DescribeEndpointOutput, weight: 'CurrentWeight' | 'DesiredWeight'): string {
  const weights = (described.ProductionVariants ?? []).map(
    (variant) => [variant.VariantName ?? '', variant[weight] ?? 0] as const,
  );
  return JSON.stringify([described.EndpointConfigName, weights.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function pendingWeights(described: DescribeEndpointOutput): string | undefined {
  const config = described.PendingDeploymentSummary?.EndpointConfigName;
  if (config !== undefined && config !== described.EndpointConfigName) return JSON.stringify([config, []]);
  const desired = weightsText(described, 'DesiredWeight');
  return desired === weightsText(described, 'CurrentWeight') ? undefined : desired;
}

function readWeights(text: string): readonly (readonly [variant: string, weight: number])[] {
  const parsed: unknown = JSON.parse(text);
  const pairs: unknown = Array.isArray(parsed) ? parsed[1] : undefined;
  if (!Array.isArray(pairs)) throw new TypeError('variant weights: expected a list of pairs, saw none');
  return pairs.map((pair: unknown) => {
    const [variant, weight]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    if (typeof variant !== 'string' || typeof weight !== 'number') {
      throw new TypeError('variant weights: expected a name and a number, saw something else');
    }
    return [variant, weight];
  });
}
