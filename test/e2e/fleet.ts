import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, GetQueueUrlCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { DynamoTable } from '../../adapters/aws/dynamo-table.ts';
import { S3ObjectStore } from '../../adapters/aws/s3-object-store.ts';
import { envNames } from '../../core/contract/env-names.ts';
import { type Aws, describeFunction, type LambdaFunction } from './aws.ts';
import type { DeployedStack } from './deployment.ts';

/**
 * `killed` gets what the drifted one gets, by functions that are killed again and again. The baseline of `renewed` is
 * replaced in the middle of its windows. `restored` is rolled back where it is red, `rehearsed` in a dry run. `labelled` gets
 * labels.
 */
export const models = {
  quiet: 'e2e-pricing',
  drifted: 'e2e-credit',
  failing: 'e2e-orders',
  killed: 'e2e-repeated',
  renewed: 'e2e-renewed',
  restored: 'e2e-restored',
  rehearsed: 'e2e-rehearsed',
  labelled: 'e2e-labelled',
} as const;
export const captureBucket = 'e2e-captures';
export const inboxes = { yellow: 'e2e-yellow', red: 'e2e-red' } as const;
/** A subscribed queue that is deleted before the first message. */
export const goneInbox = 'e2e-gone';
/** The integration key of the pager, and the secret that holds it. */
export const pagerKey = 'e2e0123456789e2e0123456789e2eABC';
export const pagerSecret = 'e2e/pager';
export const queues = {
  ingest: 'e2e-main-ingest',
  ingestDead: 'e2e-main-ingest-dead',
  touch: 'e2e-main-touch',
  touchDead: 'e2e-main-touch-dead',
  deliveryDead: 'e2e-delivery-dead',
  deliver: 'e2e-deliver',
  deliverDead: 'e2e-deliver-dead',
} as const;
export const stackNames = { platform: 'e2e-platform', shard: 'e2e-main' } as const;

/** What was deployed, by the names that the functions themselves were given. */
export interface Fleet {
  readonly stateBucket: string;
  readonly auditBucket: string;
  readonly table: string;
  readonly evidenceSecret: string;
  readonly state: S3ObjectStore;
  readonly audit: S3ObjectStore;
  readonly rows: DynamoTable;
  /** By handler. */
  readonly functions: ReadonlyMap<string, LambdaFunction>;
  /** Handlers of the platform stack, sorted. */
  readonly ofPlatform: readonly string[];
}

/** @throws {Error} where a function or a variable is missing. */
export async function describeFleet(aws: Aws, stacks: readonly DeployedStack[]): Promise<Fleet> {
  const functions = new Map<string, LambdaFunction>();
  const ofPlatform: string[] = [];
  for (const { name, template, values } of stacks) {
    for (const [logicalId, { Type }] of Object.entries(template.Resources)) {
      if (Type !== 'AWS::Lambda::Function') continue;
      const found = await describeFunction(aws.emulator, values.physicalId(logicalId));
      const service = found.Environment?.Variables?.[envNames.serviceName];
      if (service === undefined) continue;
      const handler = service.replace(/^tidewatch-/, '');
      functions.set(handler, found);
      if (name === stackNames.platform) ofPlatform.push(handler);
    }
  }
  const variable = (name: string) => {
    const all = [...functions.values()].map(({ Environment }) => Environment?.Variables?.[name]);
    const value = all.find((one) => one !== undefined);
    if (value === undefined) throw new Error(`expected a function with ${name}, saw ${[...functions.keys()]}`);
    return value;
  };
  const [stateBucket, auditBucket] = [variable(envNames.stateBucket), variable(envNames.auditBucket)];
  return {
    stateBucket,
    auditBucket,
    table: variable(envNames.table),
    evidenceSecret: variable(envNames.evidenceSecretArn),
    state: new S3ObjectStore(aws.s3, stateBucket),
    audit: new S3ObjectStore(aws.s3, auditBucket),
    rows: new DynamoTable(aws.dynamo, variable(envNames.table)),
    functions,
    ofPlatform: ofPlatform.sort(),
  };
}

/** The name of a handler's function. @throws {Error} where it is not deployed. */
export function functionNameOf({ functions }: Fleet, handler: string): string {
  const name = functions.get(handler)?.FunctionName;
  if (name === undefined) throw new Error(`expected the function ${handler} to be deployed, saw none`);
  return name;
}

/** Keys and ETags under a prefix. */
export async function listObjects({ s3 }: Aws, Bucket: string, Prefix = ''): Promise<ReadonlyMap<string, string>> {
  const objects = new Map<string, string>();
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken && { ContinuationToken }) }),
    );
    for (const { Key, ETag } of page.Contents ?? []) if (Key !== undefined) objects.set(Key, ETag ?? '');
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  return objects;
}

/** What a subscribed queue holds: a message's full JSON, or CloudWatch's own, and its attributes. */
export interface Delivery {
  /** Empty where it is CloudWatch's. */
  readonly subject: string;
  readonly text: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** Takes everything out of an inbox. */
export async function emptyInbox({ sqs }: Aws, name: string): Promise<readonly Delivery[]> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
  const deliveries: Delivery[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
    );
    if (Messages.length === 0) return deliveries;
    for (const { Body: text = '', ReceiptHandle, MessageAttributes = {} } of Messages) {
      const attributes = Object.entries(MessageAttributes).map(
        ([key, value]) => [key, value.StringValue ?? ''] as const,
      );
      const { subject = '' }: { readonly subject?: string } = JSON.parse(text);
      deliveries.push({ subject, text, attributes: new Map(attributes) });
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
}
