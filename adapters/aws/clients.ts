import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';

/**
 * What every client waits for and how often it tries. Region, credentials and endpoints (`AWS_REGION`,
 * `AWS_ENDPOINT_URL`) are the SDK's own settings.
 */
const common = {
  requestHandler: {
    connectionTimeout: 2_000,
    /** Until the answer begins. */
    requestTimeout: 20_000,
    throwOnRequestTimeout: true,
    /** A connection on which nothing moves. */
    socketTimeout: 20_000,
  },
  maxAttempts: 5,
  retryMode: 'standard',
} as const;

/** An endpoint of one's own has no host name per bucket: then buckets stand in the path. */
export function createS3Client(environment: NodeJS.ProcessEnv = process.env): S3Client {
  const ownEndpoint = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL;
  return new S3Client({ ...common, forcePathStyle: ownEndpoint !== undefined && ownEndpoint !== '' });
}

export function createDynamoClient(): DynamoDBClient {
  return new DynamoDBClient(common);
}

/** Adaptive: PutMetricData and GetMetricData are throttled per account, so the client slows itself down. */
export function createCloudWatchClient(): CloudWatchClient {
  return new CloudWatchClient({ ...common, retryMode: 'adaptive', maxAttempts: 8 });
}

export function createSqsClient(): SQSClient {
  return new SQSClient(common);
}

export function createSnsClient(): SNSClient {
  return new SNSClient(common);
}

export function createSecretsClient(): SecretsManagerClient {
  return new SecretsManagerClient(common);
}
