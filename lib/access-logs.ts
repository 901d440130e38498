import { type Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';

/** Who read and wrote a bucket is logged to another, whose policy allows S3's log delivery. */
export function logAccesses(bucket: Bucket, destination: Bucket, prefix: string): void {
  const resource = bucket.node.defaultChild;
  if (!(resource instanceof CfnBucket)) throw new TypeError(`${bucket.node.path}: expected a bucket of this stack`);
  resource.loggingConfiguration = { destinationBucketName: destination.bucketName, logFilePrefix: prefix };
  if (destination.policy) resource.node.addDependency(destination.policy);
}
