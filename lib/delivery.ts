import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { CfnSubscription } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { envNames } from '../core/contract/env-names.ts';
import { deliveryAlarms } from '../core/contract/infrastructure-alarms.ts';
import { type DeliveredContact, isDelivered, type ModelPolicy } from '../core/model/policy.ts';
import { renderDirectAlarm } from './alarms.ts';
import { createDeadLetterQueue } from './dead-letter-queue.ts';
import type { FleetConfiguration } from './fleet-configuration.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import { type FleetNames, tiers } from './names.ts';
import { dataKeyAccess, deliveryRowAccess, secretAccess } from './permissions.ts';
import type { Topics } from './topics.ts';

export interface DeliveryProps {
  readonly names: FleetNames;
  readonly configuration: FleetConfiguration;
  readonly topics: Topics;
}

/** Thirty seconds after the first attempt, in the end a quarter of an hour: 20 attempts take about four hours. */
const maximumReceives = 20;

/** Variables of the functions that publish to the deliver topics or are fed by them. */
export function deliverTopicVariables(names: FleetNames): Readonly<Record<string, string>> {
  return {
    [envNames.yellowDeliverTopicArn]: names.topicArn(names.deliverTopic('yellow')),
    [envNames.redDeliverTopicArn]: names.topicArn(names.deliverTopic('red')),
  };
}

/** Contacts that Tidewatch delivers to itself, each once. */
export function deliveredContacts(models: readonly Pick<ModelPolicy, 'alerts'>[]): readonly DeliveredContact[] {
  const all = models.flatMap(({ alerts }) => [...alerts.yellow, ...alerts.red].filter(isDelivered));
  return [...new Map(all.map((contact) => [`${contact.kind} ${contact.address}`, contact])).values()];
}

/** Deliver topics → queue → deliver → pagers, chats, webhooks. */
export class Delivery extends Construct {
  readonly deliver: MonitoringFunction;

  constructor(scope: Construct, id: string, { names, configuration, topics }: DeliveryProps) {
    super(scope, id);
    const { fleet, models } = configuration;
    const contacts = deliveredContacts(models);
    const queueName = `${names.fleet}-deliver`;
    const timeout = Duration.seconds(60);
    const deadLetters = createDeadLetterQueue(this, 'DeadLetters', {
      queueName: `${queueName}-dead`,
      holds:
        'a message that does not reach a pager, a chat or a webhook, after four hours or because its secret, its host or its address is refused',
      audience: 'red',
      names,
      fleet,
    });
    const queue = new Queue(this, 'Queue', {
      queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(6 * timeout.toSeconds()),
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: maximumReceives },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const deliver = tiers.flatMap((tier) => topics.deliver.get(tier) ?? []);
    for (const one of [queue, deadLetters]) {
      one.addToResourcePolicy(
        new PolicyStatement({
          sid: 'DeliverTopics',
          principals: [new ServicePrincipal('sns.amazonaws.com')],
          actions: ['sqs:SendMessage'],
          resources: [one.queueArn],
          conditions: { ArnEquals: { 'aws:SourceArn': deliver.map(({ topicArn }) => topicArn) } },
        }),
      );
    }
    for (const [index, topic] of deliver.entries()) {
      const subscription = new CfnSubscription(this, `Subscription-${tiers[index]}`, {
        topicArn: topic.topicArn,
        protocol: 'sqs',
        endpoint: queue.queueArn,
        redrivePolicy: { deadLetterTargetArn: deadLetters.queueArn },
      });
      subscription.node.addDependency(queue, deadLetters);
    }

    const secrets = contacts.flatMap((contact) => {
      if (contact.kind === 'chat') return [];
      return contact.kind === 'pagerduty' || contact.isSecret ? [contact.address] : [];
    });
    const chats = contacts.filter(({ kind }) => kind === 'chat').map(({ address }) => address);
    this.deliver = new MonitoringFunction(this, 'Deliver', {
      handler: 'deliver',
      functionName: queueName,
      names,
      configuration,
      models,
      timeout,
      memoryMegabytes: 256,
      environment: {
        [envNames.deliverQueueUrl]: queue.queueUrl,
        [envNames.deliverDeadLetterQueueUrl]: deadLetters.queueUrl,
        ...deliverTopicVariables(names),
      },
      permissions: [
        deliveryRowAccess(names),
        dataKeyAccess(names, ['dynamodb']),
        new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }),
        ...(secrets.length > 0 ? [secretAccess(secrets)] : []),
        ...(chats.length > 0 ? [new PolicyStatement({ actions: ['sns:Publish'], resources: chats })] : []),
      ],
    });
    this.deliver.function.addEventSource(
      // One at a time: a server that hangs holds up no other message.
      new SqsEventSource(queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: 5 }),
    );
    for (const [index, alarm] of deliveryAlarms(queueName, fleet).entries()) {
      renderDirectAlarm(this, `Alarm-${index}`, alarm, names);
    }
  }
}
