import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import type { ShardContext } from './shard-context.ts';

export interface WorkQueueProps extends ShardContext {
  /** Ends the queue's name: `{fleet}-{shard}-{kind}`. */
  readonly kind: string;
  /** What a message in its dead-letter queue is, for the alarm. */
  readonly deadLetters: string;
  /** Of the function that takes the messages. */
  readonly timeout: Duration;
  /** How long a message waits before it is given up. */
  readonly retention: Duration;
}

/** As often a message is tried: within eight minutes, because functions bring back what failed. */
const maximumReceives = 5;

/** What waits for a function of the shard, and what it failed to do. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id);
    const { names, shard, configuration } = props;
    const queueName = `${names.fleet}-${shard}-${props.kind}`;
    this.deadLetters = createDeadLetterQueue(this, 'DeadLetters', {
      queueName: `${queueName}-dead`,
      holds: props.deadLetters,
      audience: 'yellow',
      names,
      fleet: configuration.fleet,
    });
    this.queue = new Queue(this, 'Queue', {
      queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // Six times the function's timeout, as Lambda asks for, so that no message is shown twice while it is worked on.
      // What failed is brought back sooner by the function itself.
      visibilityTimeout: Duration.seconds(6 * props.timeout.toSeconds()),
      retentionPeriod: props.retention,
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: maximumReceives },
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }
}
