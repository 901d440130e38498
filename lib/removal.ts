import { RemovalPolicy } from 'aws-cdk-lib';
import type { Bucket } from 'aws-cdk-lib/aws-s3';

/**
 * For what holds data: kept when its stack goes, and taken back where its creation fails half way. What were kept then
 * would bar the way to the next attempt, which makes it under the same name.
 */
export const keptOnceMade = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;

/** A bucket that is kept keeps its policy: without it nothing would ask for TLS, or keep evidence from being deleted. */
export function keepPolicy(bucket: Bucket): void {
  bucket.policy?.applyRemovalPolicy(keptOnceMade);
}
