import {
  createDynamoClient,
  createS3Client,
  createSecretsClient,
  createSnsClient,
  createSqsClient,
} from '../adapters/aws/clients.ts';
import { DynamoTable } from '../adapters/aws/dynamo-table.ts';
import { HttpsPoster } from '../adapters/aws/https-sender.ts';
import { S3CaptureStore } from '../adapters/aws/s3-capture-store.ts';
import { S3ObjectStore } from '../adapters/aws/s3-object-store.ts';
import { SecretKeySource } from '../adapters/aws/secret-key-source.ts';
import { AwsSecretTexts } from '../adapters/aws/secret-texts.ts';
import { SnsNotifier } from '../adapters/aws/sns-notifier.ts';
import { SnsProbes } from '../adapters/aws/sns-probes.ts';
import { SnsTopicSender } from '../adapters/aws/sns-topic-sender.ts';
import { SqsCaptureQueue } from '../adapters/aws/sqs-capture-queue.ts';
import { SqsRetryDelay } from '../adapters/aws/sqs-retry-delay.ts';
import { SqsTouchQueue } from '../adapters/aws/sqs-touch-queue.ts';
import { SystemClock } from '../adapters/aws/system-clock.ts';
import type { AlertWay } from '../core/model/alert-way.ts';
import { isCut } from '../core/pipeline/alert-path-state.ts';
import type { DeliverPorts } from '../core/pipeline/deliver.ts';
import type { IngestPorts } from '../core/pipeline/ingest.ts';
import type { NotifyPorts } from '../core/pipeline/notify.ts';
import type { ObjectStore, ProbeSender } from '../core/pipeline/ports.ts';
import type { SweepPorts } from '../core/pipeline/sweep.ts';
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

export function connectIngest(): IngestPorts {
  const { s3, stores } = connectStores();
  return {
    ...stores,
    captures: new S3CaptureStore(s3),
    touches: new SqsTouchQueue(createSqsClient(), readVariable('touchQueueUrl')),
    keys: connectKeys(),
  };
}

export function connectSweep(): SweepPorts & { readonly audit: ObjectStore } {
  const { s3, stores } = connectStores();
  const sqs = createSqsClient();
  return {
    ...stores,
    captures: new S3CaptureStore(s3),
    announcements: new SqsCaptureQueue(sqs, readVariable('ingestQueueUrl')),
    touches: new SqsTouchQueue(sqs, readVariable('touchQueueUrl')),
  };
}

/** @param queue the one whose messages the function is given. */
export function connectRetries(queue: 'ingestQueueUrl' | 'touchQueueUrl' | 'deliverQueueUrl'): RetryDelay {
  return new SqsRetryDelay(createSqsClient(), readVariable(queue));
}

/** What telling people takes. */
export function connectNotifier(): NotifyPorts {
  const { stores } = connectStores();
  const people = { yellow: readVariable('yellowTopicArn'), red: readVariable('redTopicArn') };
  const ways = { people, deliver: deliverTopics(), isCut: (way: AlertWay) => isCut(stores.table, way) };
  return { ...stores, notifier: new SnsNotifier(createSnsClient(), ways, stores.table) };
}

export function connectNotify(): NotifyPorts & { readonly probes: ProbeSender } {
  const { yellow, red } = deliverTopics();
  const ways = {
    yellow: readVariable('yellowAlarmTopicArn'),
    red: readVariable('redAlarmTopicArn'),
    'deliver-yellow': yellow,
    'deliver-red': red,
  };
  return { ...connectNotifier(), probes: new SnsProbes(createSnsClient(), ways) };
}

function deliverTopics() {
  return { yellow: readVariable('yellowDeliverTopicArn'), red: readVariable('redDeliverTopicArn') };
}

/** Of the table it knows the rows of deliveries only. */
export function connectDeliver(): DeliverPorts {
  return {
    table: new DynamoTable(createDynamoClient(), readVariable('table')),
    secrets: new AwsSecretTexts(createSecretsClient(), Date.now),
    https: new HttpsPoster(),
    topics: new SnsTopicSender(createSnsClient()),
  };
}
