import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import type { EndpointDescription, VariantModels } from '../../core/model/endpoint.ts';
import type { EndpointReader } from '../../core/pipeline/ports.ts';
import { isServiceError } from './service-error.ts';

/** In these nothing answers, or nobody can say what does. */
const silent: readonly string[] = ['Creating', 'OutOfService', 'Failed', 'Deleting'];

/** What SageMaker endpoints serve. Nothing is changed. */
export class SagemakerEndpoints implements EndpointReader {
  readonly #client: SageMakerClient;

  constructor(client: SageMakerClient) {
    this.#client = client;
  }

  async describe(endpoint: string): Promise<EndpointDescription | undefined> {
    const described = await unlessGone(this.#client.send(new DescribeEndpointCommand({ EndpointName: endpoint })));
    if (!described) return undefined;
    const {
      EndpointConfigName: config,
      EndpointStatus: status = '',
      LastModifiedTime,
      PendingDeploymentSummary,
    } = described;
    if (silent.includes(status)) return undefined;
    const modified = LastModifiedTime?.getTime();
    if (config === undefined || modified === undefined) {
      throw new TypeError(`endpoint ${endpoint}: expected a configuration and a time, saw none`);
    }
    if (status === 'InService') return { config, isSettled: true, modified };
    const pending = PendingDeploymentSummary;
    const isOther = pending?.EndpointConfigName !== undefined && pending.EndpointConfigName !== config;
    const isMixed = isOther || status === 'UpdateRollbackFailed';
    return {
      config,
      isSettled: false,
      modified,
      ...(isMixed && { changingSince: pending?.StartTime?.getTime() ?? modified }),
    };
  }

  async models(config: string): Promise<VariantModels> {
    const described = await unlessGone(
      this.#client.send(new DescribeEndpointConfigCommand({ EndpointConfigName: config })),
    );
    const variants = [...(described?.ProductionVariants ?? []), ...(described?.ShadowProductionVariants ?? [])];
    return variants.flatMap(({ VariantName, ModelName }) =>
      VariantName !== undefined && ModelName !== undefined ? [[VariantName, ModelName] as const] : [],
    );
  }
}

/** SageMaker names what it does not know in a sentence; the code is that of any bad request. */
async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isServiceError(error, 'ValidationException') && /could not find/i.test(String(error))) return undefined;
    throw error;
  }
}
