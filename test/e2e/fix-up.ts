import {
  type LifecycleRule,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectLockConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { DeployedStack } from './deployment.ts';

type Properties = Readonly<Record<string, unknown>>;

/**
 * Sets through the API what the emulator's CloudFormation drops without a word, as the template has it.
 * @returns one sentence per thing set.
 */
export async function fixUp(s3: S3Client, stacks: readonly DeployedStack[]): Promise<readonly string[]> {
  const done: string[] = [];
  for (const { template, values } of stacks) {
    for (const [logicalId, { Type, Properties = {} }] of Object.entries(template.Resources)) {
      if (Type !== 'AWS::S3::Bucket') continue;
      const bucket = values.physicalId(logicalId);
      const properties = asProperties(values.resolve(Properties));
      done.push(...(await setObjectLock(s3, bucket, properties)));
      done.push(...(await setEncryption(s3, bucket, properties)));
      done.push(...(await setLifecycle(s3, bucket, properties)));
    }
  }
  return done;
}

async function setObjectLock(s3: S3Client, Bucket: string, properties: Properties): Promise<readonly string[]> {
  if (properties.ObjectLockConfiguration === undefined) return [];
  const rule = asProperties(asProperties(properties.ObjectLockConfiguration).Rule);
  const { Mode, Days, Years } = asProperties(rule.DefaultRetention);
  if (Mode !== 'GOVERNANCE' && Mode !== 'COMPLIANCE') {
    throw new Error(`fix-up: expected a retention mode for ${Bucket}, saw ${JSON.stringify(Mode)}`);
  }
  const period = Days === undefined ? { Years: Number(Years) } : { Days: Number(Days) };
  await s3.send(
    new PutObjectLockConfigurationCommand({
      Bucket,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode, ...period } } },
    }),
  );
  return [`Object Lock of ${Bucket}: ${Mode}, ${Days === undefined ? `${Years} years` : `${Days} days`}`];
}

async function setEncryption(s3: S3Client, Bucket: string, properties: Properties): Promise<readonly string[]> {
  if (properties.BucketEncryption === undefined) return [];
  const rules = asList(asProperties(properties.BucketEncryption).ServerSideEncryptionConfiguration);
  const Rules = rules.map((rule) => {
    const { SSEAlgorithm, KMSMasterKeyID } = asProperties(asProperties(rule).ServerSideEncryptionByDefault);
    if (SSEAlgorithm !== 'aws:kms' && SSEAlgorithm !== 'AES256') {
      throw new Error(`fix-up: expected an encryption for ${Bucket}, saw ${JSON.stringify(SSEAlgorithm)}`);
    }
    return {
      ApplyServerSideEncryptionByDefault: {
        SSEAlgorithm: SSEAlgorithm as 'aws:kms' | 'AES256',
        ...(typeof KMSMasterKeyID === 'string' ? { KMSMasterKeyID } : {}),
      },
      BucketKeyEnabled: asProperties(rule).BucketKeyEnabled === true,
    };
  });
  await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
  return [`encryption of ${Bucket}: ${Rules.map((rule) => rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm)}`];
}

async function setLifecycle(s3: S3Client, Bucket: string, properties: Properties): Promise<readonly string[]> {
  if (properties.LifecycleConfiguration === undefined) return [];
  const rules = asList(asProperties(properties.LifecycleConfiguration).Rules).map(asProperties);
  const Rules = rules.map((rule, index) => toLifecycleRule(rule, index, Bucket));
  await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
  return [`lifecycle of ${Bucket}: ${Rules.map(({ ID }) => ID).join(', ')}`];
}

/** @throws {Error} for a property that is not known here: nothing is dropped twice. */
function toLifecycleRule(rule: Properties, index: number, bucket: string): LifecycleRule {
  const { Id, Status, Prefix, ExpirationInDays, NoncurrentVersionExpiration, ...others } = rule;
  const { AbortIncompleteMultipartUpload, ExpiredObjectDeleteMarker, ...unknown } = others;
  const [first] = Object.keys(unknown);
  if (first !== undefined)
    throw new Error(`fix-up: lifecycle of ${bucket}: expected properties known here, saw ${first}`);
  const expiration = {
    ...(ExpirationInDays === undefined ? {} : { Days: Number(ExpirationInDays) }),
    ...(ExpiredObjectDeleteMarker === undefined
      ? {}
      : { ExpiredObjectDeleteMarker: ExpiredObjectDeleteMarker === true }),
  };
  const noncurrent = asProperties(NoncurrentVersionExpiration);
  const abort = asProperties(AbortIncompleteMultipartUpload);
  return {
    ID: typeof Id === 'string' ? Id : `rule-${index + 1}`,
    Status: Status === 'Enabled' ? 'Enabled' : 'Disabled',
    Filter: { Prefix: typeof Prefix === 'string' ? Prefix : '' },
    ...(Object.keys(expiration).length > 0 ? { Expiration: expiration } : {}),
    ...(NoncurrentVersionExpiration === undefined
      ? {}
      : { NoncurrentVersionExpiration: { NoncurrentDays: Number(noncurrent.NoncurrentDays) } }),
    ...(AbortIncompleteMultipartUpload === undefined
      ? {}
      : { AbortIncompleteMultipartUpload: { DaysAfterInitiation: Number(abort.DaysAfterInitiation) } }),
  };
}

function asProperties(value: unknown): Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
