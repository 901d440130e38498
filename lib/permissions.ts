import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { metricNamespace } from '../core/contract/metric-names.ts';
import type { FleetNames } from './names.ts';

/** Statements the functions' roles are put together from. Each is as narrow as its resource allows. */

/** Reads objects of our own buckets under prefixes. */
export function objectReading(bucketArn: string, prefixes: readonly string[]) {
  return new PolicyStatement({ actions: ['s3:GetObject'], resources: under(bucketArn, prefixes) });
}

/** Lists our own buckets. As a whole: without it S3 answers 403 where an object is simply not there. */
export function bucketListing(bucketArns: readonly string[]) {
  return new PolicyStatement({ actions: ['s3:ListBucket'], resources: [...bucketArns] });
}

/** Writes objects of our own buckets under prefixes, and reads them: what is there already is compared. Nothing is deleted, ever. */
export function objectKeeping(bucketArn: string, prefixes: readonly string[]) {
  return new PolicyStatement({
    actions: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'],
    resources: under(bucketArn, prefixes),
  });
}

/** ARNs of the objects under prefixes. */
export function under(bucketArn: string, prefixes: readonly string[]): string[] {
  return prefixes.map((prefix) => `${bucketArn}/${prefix}*`);
}

/** Partitions of the state table that a role has to do with. `series#*` stands for those of all models. */
export interface RowScope {
  /** Whose rows it reads one by one. */
  readonly gets: readonly string[];
  /** Whose rows it reads all at once. */
  readonly lists: readonly string[];
  /** Whose rows it changes, by compare-and-swap. */
  readonly puts: readonly string[];
}

/** Rows of the state table. Those of other partitions are out of reach, to be read as well. */
export function rowAccess(names: FleetNames, { gets, lists, puts }: RowScope): readonly PolicyStatement[] {
  const scopes = [
    ['dynamodb:GetItem', gets],
    ['dynamodb:Query', lists],
    ['dynamodb:PutItem', puts],
  ] as const;
  return scopes.flatMap(([action, partitions]) => (partitions.length > 0 ? [rows(names, action, partitions)] : []));
}

function rows(names: FleetNames, action: string, partitions: readonly string[]): PolicyStatement {
  return new PolicyStatement({
    actions: [action],
    resources: [names.tableArn],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...partitions] } },
  });
}

/** Removes notes on capture objects: of those being ingested, of those announced. No other row is ever removed. */
export function noteRemoval(names: FleetNames, partitions: readonly `${'ingesting' | 'announced'}#${string}`[]) {
  return rows(names, 'dynamodb:DeleteItem', partitions);
}

/** The fleet's data key, which other stacks know by its alias only, and only by way of the services that use it. */
export function dataKeyAccess(
  names: FleetNames,
  services: readonly ('s3' | 'dynamodb' | 'secretsmanager')[] = ['s3', 'dynamodb', 'secretsmanager'],
) {
  return new PolicyStatement({
    // What S3 and Secrets Manager ask for, and DynamoDB's Encrypt and DescribeKey.
    actions: [
      'kms:Decrypt',
      'kms:DescribeKey',
      'kms:Encrypt',
      ...(services.includes('s3') ? ['kms:GenerateDataKey'] : []),
    ],
    resources: [`arn:${Aws.PARTITION}:kms:${Aws.REGION}:${Aws.ACCOUNT_ID}:key/*`],
    conditions: {
      'ForAnyValue:StringEquals': { 'kms:ResourceAliases': names.dataKeyAlias },
      StringEquals: { 'kms:ViaService': services.map((service) => `${service}.${Aws.REGION}.${Aws.URL_SUFFIX}`) },
    },
  });
}

/** Of the state table: what contacts were told of. */
export function deliveryRowAccess(names: FleetNames) {
  return new PolicyStatement({
    actions: ['dynamodb:GetItem', 'dynamodb:PutItem'],
    resources: [names.tableArn],
    conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['deliveries'] } },
  });
}

/** Secrets by name or ARN. Secrets Manager ends an ARN with six random characters. */
export function secretAccess(secrets: readonly string[]) {
  const arn = (name: string) =>
    `arn:${Aws.PARTITION}:secretsmanager:${Aws.REGION}:${Aws.ACCOUNT_ID}:secret:${name}-??????`;
  return new PolicyStatement({
    actions: ['secretsmanager:GetSecretValue'],
    resources: secrets.map((secret) => (secret.startsWith('arn:') ? secret : arn(secret))),
  });
}

export function evidenceSecretAccess(names: FleetNames) {
  // Secrets Manager ends a secret's ARN with six random characters.
  return new PolicyStatement({
    actions: ['secretsmanager:GetSecretValue'],
    resources: [`${names.evidenceSecretArn}-??????`],
  });
}

/** Metrics know no resources: publishing is bound to our namespace, reading (of calls to endpoints) is not bindable. */
export function metricAccess() {
  return [
    new PolicyStatement({
      actions: ['cloudwatch:PutMetricData'],
      resources: ['*'],
      conditions: { StringEquals: { 'cloudwatch:namespace': metricNamespace } },
    }),
    new PolicyStatement({ actions: ['cloudwatch:GetMetricData'], resources: ['*'] }),
  ];
}
