import { Aws } from 'aws-cdk-lib';

type Tier = 'yellow' | 'red';

/** Physical names and ARNs that stacks share. They are derived, so that no stack has to export anything to another. */
export interface FleetNames {
  readonly fleet: string;
  readonly stateBucket: string;
  readonly auditBucket: string;
  readonly accessLogBucket: string;
  readonly table: string;
  readonly evidenceSecret: string;
  readonly dataKeyAlias: string;
  readonly topicKeyAlias: string;
  readonly dashboard: string;
  /** CloudWatch alarms of models go here; only notify listens. */
  alarmTopic(tier: Tier): string;
  /** People subscribe here. */
  deliveryTopic(tier: Tier): string;
  /** Alarms on Tidewatch's own parts, for those whose subscription to the delivery topic is filtered. */
  failureTopic(tier: Tier): string;
  /** What pagers, chats and webhooks are told; only the function behind them listens. */
  deliverTopic(tier: Tier): string;
  bucketArn(name: string): string;
  topicArn(name: string): string;
  readonly tableArn: string;
  /** Without the random suffix that Secrets Manager adds: it accepts this as well. */
  readonly evidenceSecretArn: string;
}

/** Messages about the fleet as a whole, and evidence of them, carry this in place of a model's name. */
export const fleetModel = 'fleet';

/** The longest name of AWS's partitions, for what is counted before it is deployed. */
export const longestPartition = 'aws-us-gov';

export const tiers = ['yellow', 'red'] as const satisfies readonly Tier[];

/** @param fleet of at most 20 lower-case letters, digits and "-": bucket names have 63 characters. */
export function fleetNames(fleet: string): FleetNames {
  const arn = (service: string, resource: string) =>
    `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
  const bucket = (kind: string) => `${fleet}-${kind}-${Aws.ACCOUNT_ID}-${Aws.REGION}`;
  const table = `${fleet}-state`;
  const evidenceSecret = `${fleet}/evidence-key`;
  return {
    fleet,
    stateBucket: bucket('state'),
    auditBucket: bucket('audit'),
    accessLogBucket: bucket('logs'),
    table,
    evidenceSecret,
    dataKeyAlias: `alias/${fleet}-data`,
    topicKeyAlias: `alias/${fleet}-topics`,
    dashboard: fleet,
    alarmTopic: (tier) => `${fleet}-alarms-${tier}`,
    deliveryTopic: (tier) => `${fleet}-${tier}`,
    failureTopic: (tier) => `${fleet}-failures-${tier}`,
    deliverTopic: (tier) => `${fleet}-deliver-${tier}`,
    bucketArn: (name) => `arn:${Aws.PARTITION}:s3:::${name}`,
    topicArn: (name) => arn('sns', name),
    tableArn: arn('dynamodb', `table/${table}`),
    evidenceSecretArn: arn('secretsmanager', `secret:${evidenceSecret}`),
  };
}
