import { LambdaClient } from '@aws-sdk/client-lambda';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';

/**
 * Clients that change what answers, in a module of their own: no function but the rollback carries them. They try once. What
 * was taken and not answered must not be sent again, and the next minute looks for itself.
 */
const once = {
  requestHandler: {
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    throwOnRequestTimeout: true,
    socketTimeout: 10_000,
  },
  maxAttempts: 1,
} as const;

export function createSagemakerClient(): SageMakerClient {
  return new SageMakerClient(once);
}

export function createLambdaClient(): LambdaClient {
  return new LambdaClient(once);
}

export function createSfnClient(): SFNClient {
  return new SFNClient(once);
}
