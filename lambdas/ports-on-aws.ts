import {
  createDynamoClient,
  createS3Client,
  createSecretsClient,
  createSnsClient,
  createSqsClient,
} from '../adapters/aws/clients.ts';
import { DynamoTable } from '../adapters/aws/dynamo-table.ts';
import { S3CaptureStore } from '../adapters/aws/s3-capture-store.ts';
import { S3ObjectStore } from '../adapters/aws/s3-object-store.ts';
import { SecretKeySource } from '../adapters/aws/secret-key-source.ts';
import { SnsNotifier } from '../adapters/aws/sns-notifier.ts';
import { SqsRetryDelay } from '../adapters/aws/sqs-retry-delay.ts';
import { SqsTouchQueue } from '../adapters/aws/sqs-touch-queue.ts';
import { SystemClock } from '../adapters/aws/system-clock.ts';
import type { IngestPorts } from '../core/pipeline/ingest.ts';
import type { NotifyPorts } from '../core/pipeline/notify.ts';
import { readVariable } from './environment.ts';
import type { RetryDelay } from './retry-delay.ts';

/**
 * What each function works on, made from its environment. A function's role allows what its ports do, and no more. What only
 * judging needs is in a module of its own, so that no other function carries it.
 */

export function connectStores() {
  const s3 = createS3Client();
  return {
    s3,
    stores: {
      state: new S3ObjectStore(s3, readVariable('stateBucket')),
      audit: new S3ObjectStore(s3, readVariable('auditBucket')),
      table: new DynamoTable(createDynamoClient(), readVariable('table')),
      clock: new SystemClock(),
    },
  };
}

function connectKeys(): SecretKeySource {
  return new SecretKeySource(createSecretsClient(), readVariable('evidenceSecretArn'));
}

/** Also of the sweep: it takes in what no event brought. */
export function connectIngest(): IngestPorts {
  const { s3, stores } = connectStores();
  return {
    ...stores,
    captures: new S3CaptureStore(s3),
    touches: new SqsTouchQueue(createSqsClient(), readVariable('touchQueueUrl')),
    keys: connectKeys(),
  };
}

export function connectRetries(): RetryDelay {
  return new SqsRetryDelay(createSqsClient(), readVariable('ingestQueueUrl'));
}

export function connectNotify(): NotifyPorts {
  const { stores } = connectStores();
  const topics = { yellow: readVariable('yellowTopicArn'), red: readVariable('redTopicArn') };
  return { ...stores, notifier: new SnsNotifier(createSnsClient(), topics, stores.table) };
}
