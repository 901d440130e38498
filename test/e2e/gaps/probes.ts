import { DescribeAlarmsCommand, GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  GetPublicAccessBlockCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { PublishCommand } from '@aws-sdk/client-sns';
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { type Aws, callCloudFormation } from '../aws.ts';
import { waitFor } from '../report.ts';
import { probeNames } from './probe-stack.ts';

/** A behaviour of AWS that the application or this run relies on, and whether the emulator has it. */
export interface Probe {
  readonly behaviour: string;
  /** `gap`: known to be missing. The run fails where that is no longer so: then the cover can go. */
  readonly expected: 'works' | 'gap';
  /** How a gap is covered. */
  readonly cover?: string;
  /** True where the emulator does as AWS does. */
  readonly look: (aws: Aws) => Promise<boolean>;
}

/** True where a call is refused with this error. */
async function isRefused(call: Promise<unknown>, name: string | RegExp): Promise<boolean> {
  try {
    await call;
    return false;
  } catch (error) {
    const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
    return typeof name === 'string' ? text.startsWith(name) : name.test(text);
  }
}

/** What the probes' function wrote down under a name. */
async function readSeen(aws: Aws, name: string, timeoutSeconds: number): Promise<Record<string, unknown>> {
  return waitFor(`the function to be called by ${name}`, timeoutSeconds, async () => {
    const command = new GetObjectCommand({ Bucket: probeNames.codeBucket, Key: `seen/${name}` });
    const object = await aws.s3.send(command).catch(() => undefined);
    return object?.Body ? JSON.parse(await object.Body.transformToString()) : undefined;
  });
}

async function queueUrl(aws: Aws, name: string): Promise<string> {
  return (await aws.sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl ?? '';
}

async function receive(aws: Aws, name: string, timeoutSeconds: number): Promise<string> {
  const url = await queueUrl(aws, name);
  return waitFor(`a message in ${name}`, timeoutSeconds, async () => {
    const { Messages } = await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 1 }));
    return Messages?.[0]?.Body;
  });
}

const bucket = probeNames.captures;

const storage: readonly Probe[] = [
  {
    behaviour: 'S3: a second PUT with If-None-Match: * is refused with 412',
    expected: 'works',
    async look({ s3 }) {
      const put = (body: string) =>
        s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'once', Body: body, IfNoneMatch: '*' }));
      await put('first');
      return isRefused(put('second'), 'PreconditionFailed');
    },
  },
  {
    behaviour: 'S3: HEAD gives back the SHA-256 that a PUT came with',
    expected: 'works',
    async look({ s3 }) {
      const object = { Bucket: bucket, Key: 'summed' };
      await s3.send(new PutObjectCommand({ ...object, Body: 'sum', ChecksumAlgorithm: 'SHA256' }));
      const { ChecksumSHA256 } = await s3.send(new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }));
      return ChecksumSHA256 !== undefined;
    },
  },
  {
    behaviour: 'S3: an overwritten object is still read by its version',
    expected: 'works',
    async look({ s3 }) {
      const object = { Bucket: bucket, Key: 'versions' };
      const first = await s3.send(new PutObjectCommand({ ...object, Body: 'first' }));
      await s3.send(new PutObjectCommand({ ...object, Body: 'second' }));
      const read = await s3.send(new GetObjectCommand({ ...object, VersionId: first.VersionId }));
      return (await read.Body?.transformToString()) === 'first';
    },
  },
  {
    behaviour: 'S3: CloudFormation sets the public-access block',
    expected: 'works',
    async look({ s3 }) {
      const { PublicAccessBlockConfiguration } = await s3.send(new GetPublicAccessBlockCommand({ Bucket: bucket }));
      return PublicAccessBlockConfiguration?.BlockPublicPolicy === true;
    },
  },
  {
    behaviour: 'S3: CloudFormation sets Object Lock and its default retention',
    expected: 'gap',
    cover: 'the fix-up sets it through the API, as the template has it',
    async look({ s3 }) {
      const command = new GetObjectLockConfigurationCommand({ Bucket: probeNames.audit });
      const locked = await s3.send(command).catch(() => undefined);
      return locked?.ObjectLockConfiguration?.Rule?.DefaultRetention?.Mode === 'GOVERNANCE';
    },
  },
  {
    behaviour: 'S3: CloudFormation sets a bucket’s KMS encryption',
    expected: 'gap',
    cover: 'the fix-up sets it through the API, as the template has it',
    async look({ s3 }) {
      const command = new GetBucketEncryptionCommand({ Bucket: bucket });
      const { ServerSideEncryptionConfiguration } = await s3
        .send(command)
        .catch(() => ({ ServerSideEncryptionConfiguration: undefined }));
      const rule = ServerSideEncryptionConfiguration?.Rules?.[0];
      return rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm === 'aws:kms';
    },
  },
  {
    behaviour: 'S3: CloudFormation sets lifecycle rules',
    expected: 'gap',
    cover: 'the fix-up sets them through the API; the emulator expires nothing, docs/verify-on-aws.md has the command',
    async look({ s3 }) {
      const command = new GetBucketLifecycleConfigurationCommand({ Bucket: bucket });
      return (await s3.send(command).catch(() => undefined))?.Rules?.length === 1;
    },
  },
  {
    behaviour: 'S3: default retention locks each version of an object by itself',
    expected: 'works',
    async look({ s3 }) {
      const Bucket = probeNames.locked;
      await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
      const DefaultRetention = { Mode: 'GOVERNANCE', Days: 1 } as const;
      await s3.send(
        new PutObjectLockConfigurationCommand({
          Bucket,
          ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention } },
        }),
      );
      const object = { Bucket, Key: 'locked' };
      const first = await s3.send(new PutObjectCommand({ ...object, Body: 'first' }));
      await s3.send(new PutObjectCommand({ ...object, Body: 'second' }));
      const version = { ...object, VersionId: first.VersionId };
      const { Retention } = await s3.send(new GetObjectRetentionCommand(version));
      const refused = await isRefused(s3.send(new DeleteObjectCommand(version)), 'AccessDenied');
      return Retention?.Mode === 'GOVERNANCE' && refused;
    },
  },
  {
    behaviour: 'DynamoDB: a conditional write is refused where its revision has moved on',
    expected: 'works',
    async look({ dynamo }) {
      const put = (revision: string, expected: string) =>
        dynamo.send(
          new PutItemCommand({
            TableName: probeNames.table,
            Item: { pk: { S: 'p' }, sk: { S: 's' }, revision: { N: revision } },
            ConditionExpression: expected === '0' ? 'attribute_not_exists(pk)' : 'revision = :expected',
            ...(expected === '0' ? {} : { ExpressionAttributeValues: { ':expected': { N: expected } } }),
          }),
        );
      await put('1', '0');
      const twice = await isRefused(put('1', '0'), 'ConditionalCheckFailedException');
      await put('2', '1');
      return twice && (await isRefused(put('2', '1'), 'ConditionalCheckFailedException'));
    },
  },
  {
    behaviour: 'Secrets Manager: CloudFormation generates a secret',
    expected: 'works',
    async look({ secrets }) {
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: probeNames.secret }));
      return SecretString?.length === 64;
    },
  },
  {
    behaviour: 'Secrets Manager: a generated secret keeps to its alphabet',
    expected: 'gap',
    cover:
      'evidence keys are derived from any text of 64 characters or more; the template is checked by its assertions',
    async look({ secrets }) {
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: probeNames.secret }));
      return /^[A-Za-z0-9]*$/.test(SecretString ?? '');
    },
  },
];

const events: readonly Probe[] = [
  {
    behaviour: 'S3 → EventBridge → SQS → Lambda of an ES module from a zip asset, on Node 24',
    expected: 'works',
    async look(aws) {
      await aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'capture.jsonl', Body: '{}' }));
      const { node } = await readSeen(aws, 'object-created', 30);
      return typeof node === 'string' && node.startsWith('v24.');
    },
  },
  {
    behaviour: 'SQS: partial batch responses; the failed message alone goes to the dead-letter queue',
    expected: 'works',
    async look(aws) {
      const QueueUrl = await queueUrl(aws, probeNames.queue);
      for (const MessageBody of ['poison', 'sound'])
        await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      await readSeen(aws, 'message', 30);
      const dead = await receive(aws, probeNames.deadLetters, 30);
      const url = await queueUrl(aws, probeNames.deadLetters);
      const left = await aws.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['ApproximateNumberOfMessages'] }),
      );
      return dead === 'poison' && left.Attributes?.ApproximateNumberOfMessages === '0';
    },
  },
  {
    behaviour: 'EventBridge: a rule of every minute calls its Lambda',
    expected: 'works',
    look: async (aws) => (await readSeen(aws, 'rule-schedule', 90)).event !== undefined,
  },
  {
    behaviour: 'EventBridge Scheduler: a schedule of every minute calls its Lambda with its input',
    expected: 'works',
    look: async (aws) => (await readSeen(aws, 'scheduler', 90)).event !== undefined,
  },
  {
    behaviour: 'SNS: a filter policy lets the matching message alone through to SQS',
    expected: 'works',
    async look(aws) {
      const TopicArn = topicArn(aws);
      for (const tier of ['red', 'yellow']) {
        const MessageAttributes = { tier: { DataType: 'String', StringValue: tier } };
        await aws.sns.send(new PublishCommand({ TopicArn, Message: tier, MessageAttributes }));
      }
      return (await receive(aws, probeNames.yellowInbox, 10)) === 'yellow';
    },
  },
  {
    behaviour: 'SNS: a message calls a Lambda',
    expected: 'works',
    look: async (aws) => (await readSeen(aws, 'sns', 30)).message !== undefined,
  },
  {
    behaviour: 'SNS: a message calls its Lambda again where that failed',
    expected: 'gap',
    cover: 'this run calls notify again itself; the template’s assertions check its repetitions and its failure queue',
    async look(aws) {
      await aws.sns.send(new PublishCommand({ TopicArn: topicArn(aws), Message: 'fails' }));
      return waitFor('a second call', 10, async () => {
        const calls = { Bucket: probeNames.codeBucket, Prefix: 'seen/failed/' };
        const { KeyCount = 0 } = await aws.s3.send(new ListObjectsV2Command(calls));
        return KeyCount > 1 ? true : undefined;
      }).catch(() => false);
    },
  },
  {
    behaviour: 'SNS: what a subscriber refuses goes to the dead-letter queue of its subscription',
    expected: 'gap',
    cover: 'this run sees that the others get theirs; the template’s assertions; docs/verify-on-aws.md has the command',
    async look(aws) {
      const TopicArn = topicArn(aws, probeNames.bouncingTopic);
      await aws.sns.send(new PublishCommand({ TopicArn, Message: 'bounces' }));
      return (await receive(aws, probeNames.refused, 5).catch(() => undefined)) !== undefined;
    },
  },
];

function topicArn({ emulator }: Aws, name: string = probeNames.topic): string {
  return `arn:aws:sns:${emulator.region}:${emulator.account}:${name}`;
}

/** Reads a metric of the probes back, with the model as its dimension. */
async function readMetric({ cloudWatch }: Aws, metric: string, model: string): Promise<readonly number[]> {
  const now = Date.now();
  const { MetricDataResults } = await cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(now - 3_600_000),
      EndTime: new Date(now + 60_000),
      MetricDataQueries: [
        {
          Id: 'm',
          MetricStat: {
            Metric: {
              Namespace: probeNames.namespace,
              MetricName: metric,
              Dimensions: [{ Name: 'Model', Value: model }],
            },
            Period: 60,
            Stat: 'Maximum',
          },
        },
      ],
    }),
  );
  return MetricDataResults?.[0]?.Values ?? [];
}

const metrics: readonly Probe[] = [
  {
    behaviour: 'CloudWatch: what is put is read back, dimension by dimension, with all of its digits',
    expected: 'works',
    async look(aws) {
      const Timestamp = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 600_000);
      const MetricData = ['a', 'b'].map((Value, index) => ({
        MetricName: 'Score',
        Dimensions: [{ Name: 'Model', Value }],
        Timestamp,
        Value: 0.1 + index,
        Unit: 'None' as const,
      }));
      await aws.cloudWatch.send(new PutMetricDataCommand({ Namespace: probeNames.namespace, MetricData }));
      const read = [await readMetric(aws, 'Score', 'a'), await readMetric(aws, 'Score', 'b')];
      return JSON.stringify(read) === '[[0.1],[1.1]]';
    },
  },
  {
    behaviour: 'CloudWatch: a large request, which the SDK compresses, arrives whole',
    expected: 'works',
    async look(aws) {
      const MetricData = Array.from({ length: 500 }, (_, index) => ({
        MetricName: 'Many',
        Dimensions: [{ Name: 'Model', Value: `model-${index}` }],
        Value: index,
      }));
      await aws.cloudWatch.send(new PutMetricDataCommand({ Namespace: probeNames.namespace, MetricData }));
      return (await readMetric(aws, 'Many', 'model-499'))[0] === 499;
    },
  },
  {
    behaviour: 'CloudWatch: an alarm looks at its own dimensions, and waits for M out of N periods',
    expected: 'gap',
    cover: 'actions of the emulator’s alarms are disabled; this run evaluates the deployed alarms with core/alarm',
    async look({ cloudWatch }) {
      // Another model's only datum: to AWS no reason to stir.
      const MetricData = [{ MetricName: 'Tier', Dimensions: [{ Name: 'Model', Value: 'another' }], Value: 2 }];
      await cloudWatch.send(new PutMetricDataCommand({ Namespace: probeNames.namespace, MetricData }));
      const { MetricAlarms } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmNames: [probeNames.alarm] }));
      return MetricAlarms?.[0]?.StateValue === 'INSUFFICIENT_DATA';
    },
  },
  {
    behaviour: 'CloudFormation: composite alarms',
    expected: 'gap',
    cover: 'left out of the emulator’s template; this run evaluates them as the full template has them',
    look: (aws) => accepts(aws, 'AWS::CloudWatch::CompositeAlarm', { AlarmName: 'gap-composite', AlarmRule: 'FALSE' }),
  },
  {
    behaviour: 'CloudFormation: alarms on metric math',
    expected: 'gap',
    cover: 'left out of the emulator’s template; checked by the template’s assertions',
    look: (aws) =>
      accepts(aws, 'AWS::CloudWatch::Alarm', {
        ComparisonOperator: 'GreaterThanThreshold',
        EvaluationPeriods: 1,
        Threshold: 1,
        Metrics: [{ Id: 'e', Expression: '1 + 1', ReturnData: true }],
      }),
  },
];

/** Whether CloudFormation creates a stack of one such resource. */
async function accepts({ emulator }: Aws, type: string, properties: unknown): Promise<boolean> {
  const name = `gap-suite-${type.split(':').at(-1)?.toLowerCase()}-${Object.keys(properties ?? {}).length}`;
  const template = { Resources: { Probe: { Type: type, Properties: properties } } };
  const parameters = { StackName: name, TemplateBody: JSON.stringify(template) };
  try {
    await callCloudFormation(emulator, 'CreateStack', parameters);
  } catch {
    return false;
  }
  return waitFor(`stack ${name}`, 20, async () => {
    const stacks = await callCloudFormation(emulator, 'DescribeStacks', { StackName: name });
    const status = /<StackStatus>([A-Z_]+)</.exec(stacks)?.[1] ?? '';
    return status.endsWith('_IN_PROGRESS') ? undefined : status === 'CREATE_COMPLETE';
  });
}

export const probes: readonly Probe[] = [...storage, ...events, ...metrics];
