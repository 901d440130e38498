import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { FleetNames } from './names.ts';

/** What removes evidence, shortens its retention, or lets somebody. Denied to everybody by the bucket's policy. */
export const evidenceTamperActions = [
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:BypassGovernanceRetention',
  's3:PutObjectRetention',
  's3:PutObjectLegalHold',
] as const;

/** What a deployment itself must do to the bucket, and no function ever. */
const bucketTamperActions = [
  's3:PutBucketObjectLockConfiguration',
  's3:PutBucketVersioning',
  's3:PutBucketPolicy',
  's3:DeleteBucketPolicy',
  's3:PutLifecycleConfiguration',
  's3:DeleteBucket',
] as const;

/** Denies a function all that could harm evidence, whatever else it may be granted one day. */
export function evidenceProtection(names: FleetNames): PolicyStatement {
  const bucket = names.bucketArn(names.auditBucket);
  return new PolicyStatement({
    sid: 'EvidenceStays',
    effect: Effect.DENY,
    actions: [...evidenceTamperActions, ...bucketTamperActions],
    resources: [bucket, `${bucket}/*`],
  });
}
