import { Duration } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, CfnBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { logAccesses } from './access-logs.ts';
import { keepPolicy, keptOnceMade } from './removal.ts';

/**
 * A bucket for captures, with its events sent to EventBridge. SSE-S3, because whatever writes captures would need a
 * right on any other key. It is kept when the stack is removed. Nothing in it expires: the captures are the owner's, and
 * other things may be read from them; a lifecycle of one's own may be added, see docs/deployment.md.
 */
export function createCaptureBucket(scope: Construct, id: string, bucketName: string, accessLogs: Bucket): Bucket {
  const bucket = new Bucket(scope, id, {
    bucketName,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [{ id: 'abandoned-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    removalPolicy: keptOnceMade,
  });
  keepPolicy(bucket);
  logAccesses(bucket, accessLogs, 'captures/');
  // The bucket's own property: the construct library would deploy a function to set the same.
  const resource = bucket.node.defaultChild;
  if (resource instanceof CfnBucket) {
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
  }
  return bucket;
}
