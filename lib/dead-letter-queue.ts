import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { deadLetterAlarm, deadLetterGrowthAlarm } from '../core/contract/infrastructure-alarms.ts';
import type { FleetPolicy } from '../core/model/policy.ts';
import { renderDirectAlarm } from './alarms.ts';
import type { FleetNames } from './names.ts';

export interface DeadLetterQueueProps {
  readonly queueName: string;
  /** What a message in it is, for the alarm: "a capture event that could not be ingested". */
  readonly holds: string;
  /** Whom the alarm tells. */
  readonly audience: 'yellow' | 'red';
  readonly names: FleetNames;
  readonly fleet: FleetPolicy;
  /**
   * How long a message is kept. The alarm rings as long as there is one, so what only tells of a failure, and is not
   * to be sent again, is kept for a shorter time.
   * @default - 14 days, the most SQS knows, and a second alarm that rings where there are more
   */
  readonly retention?: Duration;
}

/** A queue of what failed for good, and the alarms that say it is not empty, and that it holds more. */
export function createDeadLetterQueue(scope: Construct, id: string, props: DeadLetterQueueProps): Queue {
  const queue = new Queue(scope, id, {
    queueName: props.queueName,
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: props.retention ?? Duration.days(14),
    removalPolicy: RemovalPolicy.DESTROY,
  });
  Validations.of(queue).acknowledge({
    id: 'AwsSolutions-SQS3',
    reason: 'It is a dead-letter queue itself, of a queue, a rule, a schedule, a subscription or a function.',
  });
  const alarm = deadLetterAlarm(props.queueName, props.holds, props.audience, props.fleet);
  renderDirectAlarm(scope, `${id}Alarm`, alarm, props.names);
  // Where messages leave by themselves, the alarm clears, and can ring again.
  if (props.retention === undefined) {
    const growth = deadLetterGrowthAlarm(props.queueName, props.holds, props.audience, props.fleet);
    renderDirectAlarm(scope, `${id}GrowthAlarm`, growth, props.names);
  }
  return queue;
}
