import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type FleetNames, tiers } from './names.ts';

export interface TopicsProps {
  readonly names: FleetNames;
  readonly key: IKey;
}

/**
 * Topics of both tiers: alarms (notify listens), delivery (people listen), failures (people whose mail is filtered) and
 * deliver (the function behind pagers, chats and webhooks listens, so that the way to it can be tried out unheard).
 */
export class Topics extends Construct {
  readonly alarms: ReadonlyMap<'yellow' | 'red', Topic>;
  readonly delivery: ReadonlyMap<'yellow' | 'red', Topic>;
  readonly failures: ReadonlyMap<'yellow' | 'red', Topic>;
  readonly deliver: ReadonlyMap<'yellow' | 'red', Topic>;

  constructor(scope: Construct, id: string, { names, key }: TopicsProps) {
    super(scope, id);
    const create = (kind: string, tier: 'yellow' | 'red', topicName: string, displayName: string) => {
      const topic = new Topic(this, `${kind}-${tier}`, {
        topicName,
        displayName,
        masterKey: key,
        enforceSSL: true,
      });
      topic.applyRemovalPolicy(RemovalPolicy.DESTROY);
      topic.addToResourcePolicy(
        new PolicyStatement({
          sid: 'AlarmsOfThisAccount',
          effect: Effect.ALLOW,
          principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
          actions: ['sns:Publish'],
          resources: [topic.topicArn],
          conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
        }),
      );
      return [tier, topic] as const;
    };
    this.alarms = new Map(tiers.map((tier) => create('Alarms', tier, names.alarmTopic(tier), `Tidewatch alarms`)));
    this.delivery = new Map(
      tiers.map((tier) => create('Delivery', tier, names.deliveryTopic(tier), `Tidewatch ${tier}`)),
    );
    this.failures = new Map(
      tiers.map((tier) => create('Failures', tier, names.failureTopic(tier), `Tidewatch failures`)),
    );
    this.deliver = new Map(tiers.map((tier) => create('Deliver', tier, names.deliverTopic(tier), `Tidewatch deliver`)));
  }
}
