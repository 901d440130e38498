import type { ParsedConfigInput } from './config-schema.ts';
import { defaultShard } from './config-shards.ts';
import { sourcesOf } from './config-sources.ts';

/** A bucket that captures are read from. */
export interface CaptureBucketPolicy {
  readonly name: string;
  /** Made by the deployment; otherwise it exists, with its events sent to EventBridge. */
  readonly created: boolean;
  /** Accounts whose events of it are accepted; none: the account it is deployed in. Sorted. */
  readonly accounts: readonly string[];
  /** ARNs of the KMS keys its objects are encrypted with; none: SSE-S3. Sorted. */
  readonly encryptionKeys: readonly string[];
}

/** How a fleet is deployed. */
export interface DeploymentPolicy {
  /** First part of every physical name. */
  readonly fleetName: string;
  /** The evidence is locked in COMPLIANCE mode: nobody, root included, can delete it before its retention ends. */
  readonly production: boolean;
  /** How long evidence is locked. */
  readonly retentionDays: number;
  readonly logRetentionDays: number;
  readonly ingest: {
    /** How many batches of capture objects a shard takes in at the same time. */
    readonly concurrency: number;
    /** Of the account's concurrent executions: kept free for a shard's ingest, and the most it gets. */
    readonly reservedConcurrency?: number | undefined;
  };
  /** Models by shard, in the order of the configuration. */
  readonly shards: readonly { readonly name: string; readonly models: readonly string[] }[];
  /** Sorted by name. */
  readonly captureBuckets: readonly CaptureBucketPolicy[];
}

const millisecondsPerDay = 86_400_000;

/** The part of a configuration that says where and how it runs, not what is judged. */
export function describeDeployment(config: ParsedConfigInput): DeploymentPolicy {
  const { name, production, retention, logRetention, ingest } = config.fleet;
  const shards = Map.groupBy(config.models, ({ shard }) => shard ?? defaultShard);
  const buckets = Map.groupBy(config.models.flatMap(sourcesOf), ({ bucket }) => bucket);
  return {
    fleetName: name,
    production: production !== undefined,
    retentionDays: retention / millisecondsPerDay,
    logRetentionDays: logRetention / millisecondsPerDay,
    ingest,
    shards: [...shards].map(([shard, models]) => ({ name: shard, models: models.map((model) => model.name) })),
    captureBuckets: [...buckets]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([bucket, sources]) => ({
        name: bucket,
        created: sources.some(({ createBucket }) => createBucket),
        accounts: [...new Set(sources.flatMap(({ account }) => account ?? []))].sort(),
        encryptionKeys: [...new Set(sources.flatMap(({ encryptionKey }) => encryptionKey ?? []))].sort(),
      })),
  };
}
