import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { capturePrefix } from '../core/contract/capture-prefix.ts';
import type { CaptureBucketPolicy } from '../core/contract/deployment.ts';
import { metricNamespace } from '../core/contract/metric-names.ts';
import type { ModelPolicy } from '../core/model/policy.ts';
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

function under(bucketArn: string, prefixes: readonly string[]): string[] {
  return prefixes.map((prefix) => `${bucketArn}/${prefix}*`);
}

/** Reads captures under the prefixes of the models' sources, and nothing else of their buckets. */
export function captureAccess(
  names: FleetNames,
  models: readonly ModelPolicy[],
  buckets: readonly CaptureBucketPolicy[],
) {
  const sources = models.flatMap((policy) => policy.sources);
  const byBucket = Map.groupBy(sources, ({ bucket }) => bucket);
  const statements = [...byBucket].flatMap(([bucket, list]) => {
    const arn = names.bucketArn(bucket);
    const prefixes = [...new Set(list.map(capturePrefix))].sort();
    return [
      new PolicyStatement({
        actions: ['s3:GetObject', 's3:GetObjectVersion'],
        resources: under(arn, prefixes),
      }),
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [arn],
        // IfExists: a missing object is answered by 404 only to those who may list, and that request names no prefix.
        conditions: { StringLikeIfExists: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) } },
      }),
    ];
  });
  const keys = buckets.filter(({ name }) => byBucket.has(name)).flatMap(({ encryptionKeys }) => encryptionKeys);
  if (keys.length > 0) {
    statements.push(
      new PolicyStatement({
        actions: ['kms:Decrypt'],
        resources: [...new Set(keys)].sort(),
        conditions: { StringLike: { 'kms:ViaService': `s3.*.${Aws.URL_SUFFIX}` } },
      }),
    );
  }
  return statements;
}

/** Rows of the state table, changed by compare-and-swap. No function removes one. */
export function tableAccess(names: FleetNames) {
  return new PolicyStatement({
    actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
    resources: [names.tableArn],
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
