import { Duration } from 'aws-cdk-lib';
import type { CfnAlarm, CfnCompositeAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { envNames, scheduleInputs } from '../core/contract/env-names.ts';
import { notifyFailureAlarm } from '../core/contract/infrastructure-alarms.ts';
import { renderDirectAlarm } from './alarms.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import { Delivery, deliveredContacts, deliverTopicVariables } from './delivery.ts';
import type { FleetConfiguration } from './fleet-configuration.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { FleetNames } from './names.ts';
import { bucketListing, dataKeyAccess, objectKeeping, objectReading, rowAccess } from './permissions.ts';
import { RepeatedRun } from './schedule.ts';
import { SilenceAlarms } from './silence-alarms.ts';
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
    const state = names.bucketArn(names.stateBucket);
    const audit = names.bucketArn(names.auditBucket);
    this.deadLetters = createDeadLetterQueue(this, 'DeadLetters', {
      queueName: `${functionName}-dead`,
      holds: 'an alarm that people were not told of, or a look for held-back messages that failed',
      audience: 'red',
      names,
      fleet,
    });
    const unstarted = createDeadLetterQueue(this, 'UnstartedRuns', {
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
        ...deliverTopicVariables(names),
        [envNames.yellowAlarmTopicArn]: names.topicArn(names.alarmTopic('yellow')),
        [envNames.redAlarmTopicArn]: names.topicArn(names.alarmTopic('red')),
      },
      permissions: [
        objectReading(state, ['verdicts/']),
        objectKeeping(audit, ['bundles/']),
        bucketListing([state, audit]),
        ...rowAccess(names, {
          gets: ['models', 'episodes', 'deliveries', 'doorbells', 'alert-path'],
          lists: ['episodes', 'series#*'],
          puts: ['episodes', 'deliveries', 'doorbells', 'alert-path'],
        }),
        dataKeyAccess(names),
        new PolicyStatement({
          actions: ['sns:Publish'],
          // To people and deliver, and to itself by the way that alarms take, to see that it is open.
          resources: [topics.delivery, topics.deliver, topics.alarms].flatMap((byTier) =>
            [...byTier.values()].map(({ topicArn }) => topicArn),
          ),
        }),
        new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [topicKey.keyArn] }),
      ],
    });
    for (const topic of topics.alarms.values()) {
      topic.addSubscription(new LambdaSubscription(this.notify.function, { deadLetterQueue: this.deadLetters }));
    }
    const schedule = new RepeatedRun(this, 'EveryMinute', {
      name: `${functionName}-overdue`,
      description: `Tidewatch ${names.fleet}: sends what was held back and has become due`,
      target: this.notify.function,
      input: scheduleInputs.overdue,
      rate: 'rate(1 minute)',
      maximumAge: Duration.minutes(1),
      deadLetters: unstarted,
    });
    const failure = notifyFailureAlarm(functionName, fleet);
    this.failureAlarm = renderDirectAlarm(this, 'FailureAlarm', failure, names);
    const { failureAlarm } = this;
    new SilenceAlarms(this, 'Silence', { names, fleet, functionName, schedule, failureAlarm });

    if (deliveredContacts(models).length > 0) new Delivery(this, 'Delivery', { names, configuration, topics });
    new Subscriptions(this, 'Subscriptions', {
      names,
      fleet,
      topics,
      models,
      deadLetters: createDeadLetterQueue(this, 'RefusedMessages', {
        queueName: `${names.fleet}-delivery-dead`,
        holds: 'a message that a subscriber kept refusing: a pager that is down, a queue without a policy',
        audience: 'red',
        names,
        fleet,
      }),
    });
  }
}
