import { Duration } from 'aws-cdk-lib';
import type { CfnAlarm, CfnCompositeAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { envNames, scheduleInputs } from '../core/contract/env-names.ts';
import { notifyFailureAlarm } from '../core/contract/infrastructure-alarms.ts';
import { directActions, renderAlarm } from './alarms.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import type { FleetConfiguration } from './fleet-configuration.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import { type FleetNames, tiers } from './names.ts';
import { dataKeyAccess, objectReading, objectWriting, tableAccess } from './permissions.ts';
import { RepeatedRun } from './schedule.ts';
import { Subscriptions } from './subscriptions.ts';
import type { Topics } from './topics.ts';

export interface NotificationProps {
  readonly names: FleetNames;
  readonly configuration: FleetConfiguration;
  readonly topics: Topics;
  readonly topicKey: IKey;
}

/** Alarm topics → notify → delivery topics → people, and the direct way where notify itself fails. */
export class Notification extends Construct {
  readonly notify: MonitoringFunction;
  readonly deadLetters: Queue;
  /** Rings where messages can't be sent. */
  readonly failureAlarm: CfnAlarm | CfnCompositeAlarm;

  constructor(scope: Construct, id: string, { names, configuration, topics, topicKey }: NotificationProps) {
    super(scope, id);
    const { fleet, models } = configuration;
    const functionName = `${names.fleet}-notify`;
    this.deadLetters = createDeadLetterQueue(this, 'DeadLetters', {
      queueName: `${functionName}-dead`,
      holds: 'an alarm that people were not told of, or a look for held-back messages that failed',
      audience: 'red',
      names,
      fleet,
    });
    const runs = createDeadLetterQueue(this, 'UnstartedRuns', {
      queueName: `${functionName}-runs-dead`,
      holds: 'a minute in which held-back messages were not looked for; the next run does its work',
      audience: 'yellow',
      names,
      fleet,
      retention: Duration.hours(1),
    });
    this.notify = new MonitoringFunction(this, 'Notify', {
      handler: 'notify',
      functionName,
      names,
      configuration,
      models,
      timeout: Duration.minutes(1),
      memoryMegabytes: 512,
      failures: this.deadLetters,
      retryAttempts: 2,
      environment: {
        [envNames.shards]: configuration.deployment.shards.map(({ name }) => name).join(','),
        [envNames.yellowTopicArn]: names.topicArn(names.deliveryTopic('yellow')),
        [envNames.redTopicArn]: names.topicArn(names.deliveryTopic('red')),
      },
      permissions: [
        ...objectReading(names.bucketArn(names.stateBucket), ['verdicts/']),
        ...objectReading(names.bucketArn(names.auditBucket), ['bundles/']),
        objectWriting(names.bucketArn(names.auditBucket), ['bundles/']),
        tableAccess(names),
        dataKeyAccess(names),
        new PolicyStatement({
          actions: ['sns:Publish'],
          resources: tiers.flatMap((tier) => topics.delivery.get(tier)?.topicArn ?? []),
        }),
        new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [topicKey.keyArn] }),
      ],
    });
    for (const topic of topics.alarms.values()) {
      topic.addSubscription(new LambdaSubscription(this.notify.function, { deadLetterQueue: this.deadLetters }));
    }
    new RepeatedRun(this, 'EveryMinute', {
      name: `${functionName}-overdue`,
      description: `Tidewatch ${names.fleet}: sends what was held back and has become due`,
      target: this.notify.function,
      input: scheduleInputs.overdue,
      rate: 'rate(1 minute)',
      maximumAge: Duration.minutes(1),
      deadLetters: runs,
    });
    const failure = notifyFailureAlarm(functionName, fleet);
    this.failureAlarm = renderAlarm(this, 'FailureAlarm', failure, directActions(names, tiers));

    new Subscriptions(this, 'Subscriptions', {
      topics,
      models,
      deadLetters: createDeadLetterQueue(this, 'RefusedMessages', {
        queueName: `${names.fleet}-delivery-dead`,
        holds:
          'a message that a subscriber kept refusing: a bounced address, a pager that is down, a queue without a policy',
        audience: 'red',
        names,
        fleet,
      }),
    });
  }
}
