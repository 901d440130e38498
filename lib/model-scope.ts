import { encodeSegment } from '../core/contract/keys.ts';
import type { ModelPolicy } from '../core/model/policy.ts';
import { longestPartition } from './names.ts';

/**
 * Characters that the prefixes of a role may take, and each of its lists of partitions. IAM takes 10,240 in all of a role's
 * inline policies, and what else is in them has up to 4,300.
 */
const maximumObjectCharacters = 4_200;
const maximumRowCharacters = 450;
/** Of an object's ARN without the fleet's name and the prefix: `"arn:aws-us-gov:s3:::-state-123456789012-ap-southeast-1/*",`. */
const objectCharacters = '"arn::s3:::-state-123456789012-ap-southeast-1/*",'.length + longestPartition.length;

/** What a function is told of whose rights are cut to its shard. */
interface Scope {
  readonly names: { readonly fleet: string };
  readonly models: readonly Pick<ModelPolicy, 'name'>[];
}

/**
 * What a shard's models have of folders of our buckets: `fragments/credit-scoring/`, … All of these folders where so many
 * prefixes would not fit into a role's policy.
 * @param lists all lists of folders that one role is given: together they must fit
 * @returns a list of prefixes for each.
 */
export function scopeFolders<Name extends string>(
  { names, models }: Scope,
  lists: Readonly<Record<Name, readonly string[]>>,
): Readonly<Record<Name, readonly string[]>> {
  const folders: readonly string[] = Object.values<readonly string[]>(lists).flat();
  const prefixesOf = (folder: string) => models.map(({ name }) => `${folder}${encodeSegment(name)}/`);
  const characters = folders
    .flatMap(prefixesOf)
    .reduce((sum, prefix) => sum + objectCharacters + names.fleet.length + prefix.length, 0);
  if (characters > maximumObjectCharacters) return lists;
  const scoped: Record<Name, readonly string[]> = { ...lists };
  for (const list in lists) scoped[list] = lists[list].flatMap(prefixesOf);
  return scoped;
}

/** The partitions of a kind that a shard's models have, `series#credit-scoring`, or where they would not fit `series#*`. */
export function scopePartitions<Kind extends string>({ models }: Scope, kind: Kind): readonly `${Kind}#${string}`[] {
  const partitions = models.map(({ name }) => `${kind}#${name}` as const);
  const characters = partitions.reduce((sum, partition) => sum + partition.length + '"",'.length, 0);
  return characters <= maximumRowCharacters ? partitions : [`${kind}#*`];
}
