import { CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { bodyOf, preconditionFailed, refusal } from '../adapters/aws/answers.ts';
import { place } from '../lib/resolve-template.ts';
import type { AwsRequest } from '../lib/role-grants.ts';

interface HeldObject {
  readonly body: Uint8Array;
  readonly modified: number;
}

/** Keys that encrypt what a request touches, by ARN, and the service by which they are reached. */
export interface EncryptionKeys {
  readonly data: string;
  readonly topics: string;
  /** Aliases of the data key. */
  readonly aliases: readonly string[];
  /** By bucket; buckets of captures may have none. */
  readonly byBucket: ReadonlyMap<string, string>;
}

/**
 * AWS as far as the functions use it, behind the SDK's own clients: whatever they ask for is done in memory, and kept as
 * the requests that IAM would decide on, those to KMS included that a service makes in the caller's name.
 */
export class SimulatedAws {
  readonly requests: AwsRequest[] = [];
  readonly touches: string[] = [];
  /** What was announced to ingest. */
  readonly announced: string[] = [];
  readonly messages: string[] = [];
  readonly #keys: EncryptionKeys;
  #failing: string | undefined;
  readonly #objects = new Map<string, HeldObject>();
  readonly #rows = new Map<string, Record<string, AttributeValue>>();
  readonly #mocks = {
    s3: mockClient(S3Client),
    table: mockClient(DynamoDBClient),
    sqs: mockClient(SQSClient),
    sns: mockClient(SNSClient),
    cloudWatch: mockClient(CloudWatchClient),
    secrets: mockClient(SecretsManagerClient),
  };

  constructor(keys: EncryptionKeys) {
    this.#keys = keys;
    this.#mockObjects();
    this.#mockRows();
    this.#mockServices();
  }

  restore(): void {
    for (const mock of Object.values(this.#mocks)) mock.restore();
  }

  /** Puts an object there without anybody's right to it being asked for. */
  place(bucket: string, key: string, body: Uint8Array, modified: number): void {
    this.#objects.set(`${bucket}/${key}`, { body, modified });
  }

  /** The next request of this action fails, as a connection that breaks before it is answered. */
  failNext(action: string): void {
    this.#failing = action;
  }

  #note(action: string, resource: string, context: AwsRequest['context'] = {}): void {
    this.requests.push({ action, resource, context });
    if (this.#failing !== action) return;
    this.#failing = undefined;
    throw new Error('connection lost');
  }

  /** S3 says that an object is not there only to those who may list its bucket. */
  #missing(bucket: string, name: string): Error {
    this.#note('s3:ListBucket', `arn:aws:s3:::${bucket}`);
    return refusal(name, 404);
  }

  #noteKey(action: string, key: string | undefined, service: string): void {
    if (key === undefined) return;
    this.#note(`kms:${action}`, key, {
      'kms:ViaService': [`${service}.${place.region}.amazonaws.com`],
      ...(key === this.#keys.data && { 'kms:ResourceAliases': this.#keys.aliases }),
    });
  }

  #mockObjects(): void {
    const { s3 } = this.#mocks;
    const arnOf = (bucket = '', key = '') => `arn:aws:s3:::${bucket}/${key}`;
    const keyOf = (bucket = '') => this.#keys.byBucket.get(bucket);
    s3.on(GetObjectCommand).callsFake(({ Bucket, Key, VersionId }) => {
      this.#note(VersionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', arnOf(Bucket, Key));
      const held = this.#objects.get(`${Bucket}/${Key}`);
      if (!held) throw this.#missing(Bucket, 'NoSuchKey');
      this.#noteKey('Decrypt', keyOf(Bucket), 's3');
      return { Body: bodyOf(held.body, 1 << 16) };
    });
    s3.on(HeadObjectCommand).callsFake(({ Bucket, Key }) => {
      this.#note('s3:GetObject', arnOf(Bucket, Key));
      const held = this.#objects.get(`${Bucket}/${Key}`);
      if (!held) throw this.#missing(Bucket, 'NotFound');
      return {
        ETag: `"etag-${held.body.length}"`,
        VersionId: 'version-1',
        ContentLength: held.body.length,
        LastModified: new Date(held.modified),
      };
    });
    s3.on(PutObjectCommand).callsFake(({ Bucket, Key, Body, IfNoneMatch }) => {
      this.#note('s3:PutObject', arnOf(Bucket, Key));
      this.#noteKey('GenerateDataKey', keyOf(Bucket), 's3');
      if (IfNoneMatch === '*' && this.#objects.has(`${Bucket}/${Key}`)) throw preconditionFailed;
      this.#objects.set(`${Bucket}/${Key}`, { body: Body, modified: Date.now() });
      return {};
    });
    s3.on(ListObjectsV2Command).callsFake(({ Bucket, Prefix = '', StartAfter = '' }) => {
      this.#note('s3:ListBucket', `arn:aws:s3:::${Bucket}`, { 's3:prefix': [Prefix] });
      const from = `${Bucket}/${Prefix}`;
      const Contents = [...this.#objects]
        .filter(([name]) => name.startsWith(from) && name > `${Bucket}/${StartAfter}`)
        .map(([name, { body, modified }]) => ({
          Key: name.slice(String(Bucket).length + 1),
          Size: body.length,
          LastModified: new Date(modified),
        }))
        .sort((a, b) => (a.Key < b.Key ? -1 : 1));
      return { Contents, IsTruncated: false };
    });
  }

  #mockRows(): void {
    const { table } = this.#mocks;
    const note = (action: string, name: string, partition: string | undefined) => {
      const resource = `arn:aws:dynamodb:${place.region}:${place.account}:table/${name}`;
      this.#note(`dynamodb:${action}`, resource, { 'dynamodb:LeadingKeys': [partition ?? ''] });
      this.#noteKey('Decrypt', this.#keys.data, 'dynamodb');
    };
    const idOf = (key: Record<string, AttributeValue> = {}) => JSON.stringify([key.pk?.S, key.sk?.S]);
    table.on(GetItemCommand).callsFake(({ TableName, Key }) => {
      note('GetItem', TableName, Key.pk.S);
      return { Item: this.#rows.get(idOf(Key)) };
    });
    table.on(PutItemCommand).callsFake(({ TableName, Item, ExpressionAttributeValues }) => {
      note('PutItem', TableName, Item.pk.S);
      const expected = ExpressionAttributeValues?.[':expected']?.N;
      if (this.#rows.get(idOf(Item))?.revision?.N !== expected) {
        throw new ConditionalCheckFailedException({ message: 'changed', $metadata: {} });
      }
      this.#rows.set(idOf(Item), Item);
      return {};
    });
    table.on(QueryCommand).callsFake(({ TableName, ExpressionAttributeValues }) => {
      const partition = ExpressionAttributeValues[':partition'].S;
      note('Query', TableName, partition);
      const Items = [...this.#rows.values()].filter(({ pk }) => pk?.S === partition);
      return { Items: Items.sort((a, b) => ((a.sk?.S ?? '') < (b.sk?.S ?? '') ? -1 : 1)) };
    });
    table.on(DeleteItemCommand).callsFake(({ TableName, Key }) => {
      note('DeleteItem', TableName, Key.pk.S);
      this.#rows.delete(idOf(Key));
      return {};
    });
  }

  #mockServices(): void {
    const { sqs, sns, cloudWatch, secrets } = this.#mocks;
    const queueArn = (url = '') => `arn:aws:sqs:${place.region}:${place.account}:${url.split('/').at(-1)}`;
    sqs.on(SendMessageCommand).callsFake(({ QueueUrl, MessageBody }) => {
      this.#note('sqs:SendMessage', queueArn(QueueUrl));
      this.touches.push(MessageBody);
      return {};
    });
    sqs.on(SendMessageBatchCommand).callsFake(({ QueueUrl, Entries }) => {
      this.#note('sqs:SendMessage', queueArn(QueueUrl));
      for (const { MessageBody } of Entries) this.announced.push(MessageBody);
      return {};
    });
    sqs.on(ChangeMessageVisibilityCommand).callsFake(({ QueueUrl }) => {
      this.#note('sqs:ChangeMessageVisibility', queueArn(QueueUrl));
      return {};
    });
    sns.on(PublishCommand).callsFake(({ TopicArn, Subject }) => {
      this.#note('sns:Publish', TopicArn);
      for (const action of ['Decrypt', 'GenerateDataKey']) this.#noteKey(action, this.#keys.topics, 'sns');
      this.messages.push(Subject);
      return {};
    });
    cloudWatch.on(PutMetricDataCommand).callsFake(({ Namespace }) => {
      this.#note('cloudwatch:PutMetricData', '*', { 'cloudwatch:namespace': [Namespace] });
      return {};
    });
    cloudWatch.on(GetMetricDataCommand).callsFake(() => {
      this.#note('cloudwatch:GetMetricData', '*');
      return { MetricDataResults: [{ Values: [120] }] };
    });
    secrets.on(GetSecretValueCommand).callsFake(({ SecretId }) => {
      const arn = SecretId.startsWith('arn:')
        ? SecretId
        : `arn:aws:secretsmanager:${place.region}:${place.account}:secret:${SecretId}`;
      this.#note('secretsmanager:GetSecretValue', `${arn}-AbCdEf`);
      this.#noteKey('Decrypt', this.#keys.data, 'secretsmanager');
      return { SecretString: '0123456789abcdef'.repeat(4) };
    });
  }
}
