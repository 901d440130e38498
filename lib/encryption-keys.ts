import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { FleetNames } from './names.ts';
import { keptOnceMade } from './removal.ts';

/** The key of buckets, table and secret. Whoever deletes it deletes the evidence: it is kept when the stack goes. */
export function createDataKey(scope: Construct, names: FleetNames): Key {
  return new Key(scope, 'DataKey', {
    alias: names.dataKeyAlias,
    description: `Tidewatch ${names.fleet}: state, evidence and the evidence's own key`,
    enableKeyRotation: true,
    removalPolicy: keptOnceMade,
  });
}

/** The key of the topics. CloudWatch publishes to them itself, so its service may use it, for this account alone. */
export function createTopicKey(scope: Construct, names: FleetNames): Key {
  const key = new Key(scope, 'TopicKey', {
    alias: names.topicKeyAlias,
    description: `Tidewatch ${names.fleet}: alarm and delivery topics`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AlarmsOfThisAccount',
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  );
  return key;
}
