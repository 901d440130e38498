import { Aws } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { capturePrefix } from '../core/contract/capture-prefix.ts';
import type { ModelPolicy } from '../core/model/policy.ts';
import type { MonitoringFunction } from './monitoring-function.ts';
import { type FleetNames, longestPartition } from './names.ts';
import { under } from './permissions.ts';
import type { ShardContext } from './shard-context.ts';
import { acknowledgeWildcards } from './wildcard-reasons.ts';

/** A managed policy holds 6,144 characters; what is estimated below leaves out what all statements share. */
const maximumPolicyCharacters = 5_500;
/** IAM attaches this many managed policies to a role, unless an account asks for more. */
export const maximumPolicies = 10;
/** A list statement without its bucket and prefix. */
const listCharacters = 155;
/** The punctuation of an object's ARN. */
const objectCharacters = 20;
const maximumKeys = 50;

interface CaptureRoot {
  readonly bucket: string;
  readonly prefix: string;
}

export interface CaptureAccessProps {
  /** Functions that read objects that they were told of. */
  readonly readers: readonly MonitoringFunction[];
  /** Functions that list objects. */
  readonly listers: readonly MonitoringFunction[];
}

/**
 * What functions need to see of the captures of a shard: objects under the prefixes of its sources, and nothing else of
 * their buckets. In policies of their own, cut to the size that IAM takes, because a shard may read many buckets.
 * @throws {RangeError} where they don't fit into the policies that a role can have.
 */
export class CaptureAccess extends Construct {
  constructor(scope: Construct, id: string, context: ShardContext, { readers, listers }: CaptureAccessProps) {
    super(scope, id);
    const { names, models, configuration, shard } = context;
    const buckets = configuration.deployment.captureBuckets;
    const roots = listRoots(models);
    const keys = buckets
      .filter(({ name }) => roots.some(({ bucket }) => bucket === name))
      .flatMap(({ encryptionKeys }) => encryptionKeys);
    const reading = [
      ...groupRoots(roots, objectCharacters).map((group) => [reads(names, group)]),
      ...groupKeys(keys).map((group) => [decrypts(group)]),
    ];
    const groups = groupRoots(roots, listCharacters);
    // Listers need fewer.
    const needed = reading.length + groups.length;
    if (needed > maximumPolicies) {
      throw new RangeError(
        `shard ${shard}: expected buckets and prefixes that fit into ${maximumPolicies} IAM policies, saw ${needed} needed: shorten prefixes or put models into another shard`,
      );
    }
    const policies = [
      ...reading.map((statements) => ({ verb: 'reads', statements, functions: readers })),
      ...groups.map((group) => ({ verb: 'misses', statements: misses(names, group), functions: readers })),
      ...groups.map((group) => ({ verb: 'lists', statements: lists(names, group), functions: listers })),
    ];
    for (const [index, { verb, statements, functions }] of policies.entries()) {
      const policy = new ManagedPolicy(this, `Policy${index}`, {
        description: `Tidewatch ${names.fleet}: ${verb} captures of shard ${shard}`,
        statements: [...statements],
        roles: functions.map(({ role }) => role),
      });
      acknowledgeWildcards(policy, statements);
      // Or the first captures would be refused.
      for (const one of functions) one.function.node.addDependency(policy);
    }
  }
}

function listRoots(models: readonly ModelPolicy[]): readonly CaptureRoot[] {
  const roots = models.flatMap(({ sources }) =>
    sources.map((source) => ({ bucket: source.bucket, prefix: capturePrefix(source) })),
  );
  const byName = new Map(roots.map((root) => [`${root.bucket}/${root.prefix}`, root]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, root]) => root);
}

function groupRoots(roots: readonly CaptureRoot[], overhead: number): readonly (readonly CaptureRoot[])[] {
  const groups: CaptureRoot[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const root of roots) {
    const length = root.bucket.length + root.prefix.length + longestPartition.length + overhead;
    if (characters + length > maximumPolicyCharacters) {
      groups.push([]);
      characters = 0;
    }
    groups.at(-1)?.push(root);
    characters += length;
  }
  return groups;
}

function groupKeys(keys: readonly string[]): readonly (readonly string[])[] {
  const sorted = [...new Set(keys)].sort();
  const groups = Math.ceil(sorted.length / maximumKeys);
  return Array.from({ length: groups }, (_, at) => sorted.slice(at * maximumKeys, (at + 1) * maximumKeys));
}

function reads(names: FleetNames, roots: readonly CaptureRoot[]): PolicyStatement {
  return new PolicyStatement({
    actions: ['s3:GetObject', 's3:GetObjectVersion'],
    resources: roots.flatMap(({ bucket, prefix }) => under(names.bucketArn(bucket), [prefix])),
  });
}

/** Lists what lies under the prefixes. A request that names no prefix is not granted. */
function lists(names: FleetNames, roots: readonly CaptureRoot[]): readonly PolicyStatement[] {
  return ofBuckets(names, roots, 'StringLike');
}

/**
 * Is told that an object is not there: S3 answers 404 only to those who may list, and that request names no prefix. Nothing
 * tells it from a list of the whole bucket, so only those have this who must know, and they are granted no other prefix.
 */
function misses(names: FleetNames, roots: readonly CaptureRoot[]): readonly PolicyStatement[] {
  return ofBuckets(names, roots, 'StringLikeIfExists');
}

function ofBuckets(
  names: FleetNames,
  roots: readonly CaptureRoot[],
  operator: 'StringLike' | 'StringLikeIfExists',
): readonly PolicyStatement[] {
  const byBucket = Map.groupBy(roots, ({ bucket }) => bucket);
  return [...byBucket].map(
    ([bucket, list]) =>
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [names.bucketArn(bucket)],
        conditions: { [operator]: { 's3:prefix': list.map(({ prefix }) => `${prefix}*`) } },
      }),
  );
}

function decrypts(keys: readonly string[]): PolicyStatement {
  return new PolicyStatement({
    actions: ['kms:Decrypt'],
    resources: [...keys],
    conditions: { StringLike: { 'kms:ViaService': `s3.*.${Aws.URL_SUFFIX}` } },
  });
}
