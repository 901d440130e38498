import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { metricNamespace } from '../core/contract/metric-names.ts';
import type { FleetNames } from './names.ts';

/** Statements the functions' roles are put together from. Each is as narrow as its resource allows. */

/** Reads objects of our own buckets under prefixes. */
export function objectReading(bucketArn: string, prefixes: readonly string[]) {
  return [
    new PolicyStatement({ actions: ['s3:GetObject'], resources: under(bucketArn, prefixes) }),
    // On the whole bucket: without it S3 answers 403 where an object is simply not there.
    new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucketArn] }),
  ];
}

/** Writes objects of our own buckets under prefixes. Nothing is deleted, ever. */
export function objectWriting(bucketArn: string, prefixes: readonly string[]) {
  return new PolicyStatement({
    actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
    resources: under(bucketArn, prefixes),
  });
}

/** ARNs of the objects under prefixes. */
export function under(bucketArn: string, prefixes: readonly string[]): string[] {
  return prefixes.map((prefix) => `${bucketArn}/${prefix}*`);
}

/** Rows of the state table, changed by compare-and-swap. */
export function tableAccess(names: FleetNames) {
  return new PolicyStatement({
    actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
    resources: [names.tableArn],
  });
}

/** Removes the notes of capture objects that were taken in whole. No other row is ever removed. */
export function ingestNoteRemoval(names: FleetNames) {
  return new PolicyStatement({
    actions: ['dynamodb:DeleteItem'],
    resources: [names.tableArn],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['ingesting#*'] } },
  });
}

/** The fleet's data key, which other stacks know by its alias only, and only by way of the services that use it. */
export function dataKeyAccess(names: FleetNames) {
  const services = ['s3', 'dynamodb', 'secretsmanager'];
  return new PolicyStatement({
    // What S3 and Secrets Manager ask for, and DynamoDB's Encrypt and DescribeKey.
    actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
    resources: [`arn:${Aws.PARTITION}:kms:${Aws.REGION}:${Aws.ACCOUNT_ID}:key/*`],
    conditions: {
      'ForAnyValue:StringEquals': { 'kms:ResourceAliases': names.dataKeyAlias },
      StringEquals: { 'kms:ViaService': services.map((service) => `${service}.${Aws.REGION}.${Aws.URL_SUFFIX}`) },
    },
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
