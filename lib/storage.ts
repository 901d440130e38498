import { Aws, Duration, Validations } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectLockRetention, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { DeploymentPolicy } from '../core/contract/deployment.ts';
import { logAccesses } from './access-logs.ts';
import { evidenceTamperActions } from './evidence-protection.ts';
import type { FleetNames } from './names.ts';
import { keepPolicy, keptOnceMade } from './removal.ts';
import { listExpiring } from './state-lifecycle.ts';

export interface StorageProps {
  readonly names: FleetNames;
  /** Encrypts everything here but the access logs. */
  readonly dataKey: IKey;
  /** Of it: how long evidence is locked and in which mode. */
  readonly deployment: Pick<DeploymentPolicy, 'production' | 'retentionDays'>;
  /** How long after its inference a label may come, at most; 0 where there are none. */
  readonly horizonDays: number;
}

const accessLogDays = 90;

/** Buckets and secret of a fleet. All are kept when the stack is removed. */
export class Storage extends Construct {
  readonly accessLogBucket: Bucket;
  readonly stateBucket: Bucket;
  readonly auditBucket: Bucket;
  readonly evidenceSecret: Secret;

  constructor(scope: Construct, id: string, { names, dataKey, deployment, horizonDays }: StorageProps) {
    super(scope, id);
    const bucketDefaults = {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: keptOnceMade,
    };
    const abandonedUploads = {
      id: 'abandoned-uploads',
      abortIncompleteMultipartUploadAfter: Duration.days(1),
    };
    const encrypted = { encryption: BucketEncryption.KMS, encryptionKey: dataKey, bucketKeyEnabled: true };

    this.accessLogBucket = new Bucket(this, 'AccessLogBucket', {
      ...bucketDefaults,
      bucketName: names.accessLogBucket,
      // S3's log delivery knows no other encryption.
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ id: 'expiry', expiration: Duration.days(accessLogDays) }, abandonedUploads],
    });
    Validations.of(this.accessLogBucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'The bucket of access logs: logging its own accesses would never end.',
    });

    this.accessLogBucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AccessLogsOfThisAccount',
        principals: [new ServicePrincipal('logging.s3.amazonaws.com')],
        actions: ['s3:PutObject'],
        resources: [this.accessLogBucket.arnForObjects('*')],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );

    this.stateBucket = new Bucket(this, 'StateBucket', {
      ...bucketDefaults,
      ...encrypted,
      bucketName: names.stateBucket,
      lifecycleRules: [
        ...listExpiring(deployment.retentionDays, horizonDays).map(({ id: rule, prefix, days }) => ({
          id: rule,
          prefix,
          expiration: Duration.days(days),
        })),
        abandonedUploads,
      ],
    });

    this.auditBucket = new Bucket(this, 'AuditBucket', {
      ...bucketDefaults,
      ...encrypted,
      bucketName: names.auditBucket,
      versioned: true,
      objectLockEnabled: true,
      objectLockDefaultRetention: deployment.production
        ? ObjectLockRetention.compliance(Duration.days(deployment.retentionDays))
        : ObjectLockRetention.governance(Duration.days(deployment.retentionDays)),
      lifecycleRules: [abandonedUploads],
    });
    logAccesses(this.stateBucket, this.accessLogBucket, 'state/');
    logAccesses(this.auditBucket, this.accessLogBucket, 'audit/');
    // Whoever wants to remove evidence must first change this policy, which CloudTrail records.
    this.auditBucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'EvidenceStays',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: [...evidenceTamperActions],
        resources: [this.auditBucket.bucketArn, this.auditBucket.arnForObjects('*')],
      }),
    );

    for (const bucket of [this.accessLogBucket, this.stateBucket, this.auditBucket]) keepPolicy(bucket);

    this.evidenceSecret = new Secret(this, 'EvidenceSecret', {
      secretName: names.evidenceSecret,
      description: `Tidewatch ${names.fleet}: the keys of encrypted evidence are derived from it. Losing it loses them`,
      encryptionKey: dataKey,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: keptOnceMade,
    });
    Validations.of(this.evidenceSecret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Evidence is encrypted under keys derived from this secret: rotating it would make all of it unreadable.',
    });
  }
}
