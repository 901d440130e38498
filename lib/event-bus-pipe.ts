import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { busEvent } from '../core/contract/env-names.ts';
import { unpipedAlarm } from '../core/contract/infrastructure-alarms.ts';
import { shortHash } from '../core/model/content-hash.ts';
import type { FleetPolicy } from '../core/model/policy.ts';
import { renderDirectAlarm } from './alarms.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import type { FleetNames } from './names.ts';

export interface EventBusPipeProps {
  readonly names: FleetNames;
  readonly fleet: FleetPolicy;
  /** ARN of the bus. */
  readonly bus: string;
  /** What may come from. */
  readonly topics: readonly ITopic[];
}

/** So often a bus is tried: SQS shows a message again after the visibility timeout, in sum an hour. */
const maximumReceives = 12;

/** A queue that subscribes to topics, and a pipe that puts what lies in it on an event bus: there is no code in between. */
export class EventBusPipe extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { names, fleet, bus, topics }: EventBusPipeProps) {
    super(scope, id);
    const name = `${names.fleet}-bus-${shortHash(bus).slice(0, 12)}`;
    const deadLetters = createDeadLetterQueue(this, 'DeadLetters', {
      queueName: `${name}-dead`,
      holds: 'a message that an event bus kept refusing: it is gone, or its policy or its key does',
      audience: 'red',
      names,
      fleet,
    });
    this.queue = new Queue(this, 'Queue', {
      queueName: name,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.minutes(5),
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: maximumReceives },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.queue.addToResourcePolicy(
      new PolicyStatement({
        sid: 'DeliveryTopics',
        principals: [new ServicePrincipal('sns.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.queue.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': topics.map(({ topicArn }) => topicArn) } },
      }),
    );
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('pipes.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnEquals: {
            'aws:SourceArn': `arn:${Aws.PARTITION}:pipes:${Aws.REGION}:${Aws.ACCOUNT_ID}:pipe/${name}`,
          },
        },
      }),
      description: `Tidewatch ${names.fleet}: puts messages on an event bus`,
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
        resources: [this.queue.queueArn],
      }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ['events:PutEvents'], resources: [bus] }));
    const pipe = new CfnPipe(this, 'Pipe', {
      name,
      description: `Tidewatch ${names.fleet}: messages for an event bus`,
      roleArn: role.roleArn,
      source: this.queue.queueArn,
      sourceParameters: { sqsQueueParameters: { batchSize: 1 } },
      target: bus,
      targetParameters: {
        eventBridgeEventBusParameters: { source: busEvent.source, detailType: busEvent.detailType },
        // In a member of its own: by itself the body would be taken for text.
        inputTemplate: `{"${busEvent.member}": <$.body>}`,
      },
    });
    pipe.node.addDependency(role);
    renderDirectAlarm(this, 'Waiting', unpipedAlarm(name, fleet), names);
  }
}
