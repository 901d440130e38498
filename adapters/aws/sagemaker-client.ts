import { SageMakerClient } from '@aws-sdk/client-sagemaker';

/** For reading what endpoints serve: a module of its own, so that no function carries it that does not ask. */
export function createSagemakerReader(): SageMakerClient {
  return new SageMakerClient({
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 5_000,
      throwOnRequestTimeout: true,
      socketTimeout: 5_000,
    },
    maxAttempts: 3,
  });
}
