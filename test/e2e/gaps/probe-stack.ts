import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { type Aws, createStack, listStackResources } from '../aws.ts';
import { zipFiles } from './zip-file.ts';

/** Names of the probes' own resources; nothing of the application is touched. */
export const probeNames = {
  stack: 'gap-suite',
  codeBucket: 'gap-suite-code',
  captures: 'gap-suite-captures',
  audit: 'gap-suite-audit',
  locked: 'gap-suite-locked',
  queue: 'gap-suite-queue',
  deadLetters: 'gap-suite-dead-letters',
  yellowInbox: 'gap-suite-yellow-inbox',
  topic: 'gap-suite-topic',
  bouncingTopic: 'gap-suite-bouncing-topic',
  refused: 'gap-suite-refused',
  function: 'gap-suite-function',
  table: 'gap-suite-table',
  secret: 'gap-suite-secret',
  namespace: 'GapSuite',
  alarm: 'gap-suite/of-one-model',
} as const;

/** Writes down what it is called with, refuses messages with `poison` in them, and answers by the partial-batch rules. A notification `fails` fails. */
const handler = `
const put = (name, value) => fetch(process.env.AWS_ENDPOINT_URL + '/${probeNames.codeBucket}/seen/' + name, {
  method: 'PUT',
  headers: { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/' + process.env.AWS_REGION + '/s3/aws4_request, SignedHeaders=host, Signature=0' },
  body: JSON.stringify({ ...value, node: process.version, region: process.env.AWS_REGION }),
});
export const handler = async (event, context) => {
  if (event.source) return put(event.source, { event });
  if (event.probe) return put(event.probe, { event, remaining: context.getRemainingTimeInMillis() });
  const failed = [];
  for (const record of event.Records) {
    if (record.Sns?.Message === 'fails') {
      await put('failed/' + context.awsRequestId, {});
      throw new Error('as it was told');
    }
    if (record.Sns) await put('sns', { message: record.Sns.Message });
    else if (record.body.includes('poison')) failed.push({ itemIdentifier: record.messageId });
    else {
      const name = record.body.includes('Object Created') ? 'object-created' : 'message';
      await put(name, { body: record.body });
    }
  }
  return { batchItemFailures: failed };
};
`;

const attribute = (logicalId: string, name: string) => ({ 'Fn::GetAtt': [logicalId, name] });
const arn = (logicalId: string) => attribute(logicalId, 'Arn');

const template = {
  Resources: {
    Key: {
      Type: 'AWS::KMS::Key',
      Properties: {
        EnableKeyRotation: true,
        KeyPolicy: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }],
        },
      },
    },
    Captures: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketName: probeNames.captures,
        NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            {
              BucketKeyEnabled: true,
              ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arn('Key') },
            },
          ],
        },
        LifecycleConfiguration: { Rules: [{ Id: 'expire', Status: 'Enabled', ExpirationInDays: 7 }] },
      },
    },
    Audit: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketName: probeNames.audit,
        VersioningConfiguration: { Status: 'Enabled' },
        ObjectLockEnabled: true,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
        },
      },
    },
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        TableName: probeNames.table,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      },
    },
    Secret: {
      Type: 'AWS::SecretsManager::Secret',
      Properties: {
        Name: probeNames.secret,
        GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
      },
    },
    DeadLetters: { Type: 'AWS::SQS::Queue', Properties: { QueueName: probeNames.deadLetters } },
    Queue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        QueueName: probeNames.queue,
        VisibilityTimeout: 1,
        RedrivePolicy: { deadLetterTargetArn: arn('DeadLetters'), maxReceiveCount: 2 },
      },
    },
    YellowInbox: { Type: 'AWS::SQS::Queue', Properties: { QueueName: probeNames.yellowInbox } },
    Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: probeNames.topic } },
    BouncingTopic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: probeNames.bouncingTopic } },
    Refused: { Type: 'AWS::SQS::Queue', Properties: { QueueName: probeNames.refused } },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: ['lambda.amazonaws.com', 'scheduler.amazonaws.com'] },
              Action: 'sts:AssumeRole',
            },
          ],
        },
      },
    },
    Function: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: probeNames.function,
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        Role: arn('Role'),
        Timeout: 20,
        Code: { S3Bucket: probeNames.codeBucket, S3Key: 'function.zip' },
      },
    },
    QueueToFunction: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        FunctionName: arn('Function'),
        EventSourceArn: arn('Queue'),
        BatchSize: 10,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 2 },
      },
    },
    CapturesToQueue: {
      Type: 'AWS::Events::Rule',
      Properties: {
        EventPattern: {
          source: ['aws.s3'],
          'detail-type': ['Object Created'],
          detail: { bucket: { name: [probeNames.captures] } },
        },
        Targets: [{ Id: 'queue', Arn: arn('Queue') }],
      },
    },
    EveryMinuteByRule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        ScheduleExpression: 'rate(1 minute)',
        Targets: [{ Id: 'function', Arn: arn('Function'), Input: '{"probe":"rule-schedule"}' }],
      },
    },
    EveryMinuteByScheduler: {
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        ScheduleExpression: 'rate(1 minute)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: arn('Function'), RoleArn: arn('Role'), Input: '{"probe":"scheduler"}' },
      },
    },
    TopicToFunction: {
      Type: 'AWS::SNS::Subscription',
      Properties: { TopicArn: { Ref: 'Topic' }, Protocol: 'lambda', Endpoint: arn('Function') },
    },
    TopicToYellowInbox: {
      Type: 'AWS::SNS::Subscription',
      Properties: {
        TopicArn: { Ref: 'Topic' },
        Protocol: 'sqs',
        Endpoint: arn('YellowInbox'),
        RawMessageDelivery: true,
        FilterPolicy: { tier: ['yellow'] },
      },
    },
    BouncingTopicToNowhere: {
      Type: 'AWS::SNS::Subscription',
      Properties: {
        TopicArn: { Ref: 'BouncingTopic' },
        Protocol: 'sqs',
        Endpoint: 'arn:aws:sqs:eu-west-1:000000000000:gap-suite-never-made',
        RedrivePolicy: { deadLetterTargetArn: arn('Refused') },
      },
    },
    Alarm: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: probeNames.alarm,
        Namespace: probeNames.namespace,
        MetricName: 'Tier',
        Dimensions: [{ Name: 'Model', Value: 'quiet' }],
        Statistic: 'Maximum',
        Period: 60,
        EvaluationPeriods: 3,
        DatapointsToAlarm: 3,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        TreatMissingData: 'ignore',
      },
    },
  },
};

/** Deploys what the probes look at. @returns physical ids by logical id. */
export async function deployProbeStack(aws: Aws): Promise<ReadonlyMap<string, string>> {
  await aws.s3.send(new CreateBucketCommand({ Bucket: probeNames.codeBucket }));
  const code = zipFiles([
    ['package.json', '{"type":"module"}'],
    ['index.js', handler],
  ]);
  await aws.s3.send(new PutObjectCommand({ Bucket: probeNames.codeBucket, Key: 'function.zip', Body: code }));
  await createStack(aws.emulator, probeNames.stack, template);
  const resources = await listStackResources(aws.emulator, probeNames.stack);
  return new Map(resources.map(({ logicalId, physicalId }) => [logicalId, physicalId]));
}
