import type { ConfigPath, ConfigProblem } from './config-problems.ts';
import { formatPath, problemAt } from './config-problems.ts';
import type { ParsedModel } from './config-schema.ts';
import { sourcePath, sourcesOf } from './config-sources.ts';

/** What fits into one stack. */

/** A model and where it stands. */
interface PlacedModel {
  readonly model: ParsedModel;
  readonly path: ConfigPath;
}

/** The shard of models that name none. */
export const defaultShard = 'main';

/** Models of one shard: with their alarms they stay well under CloudFormation's 500 resources a stack. */
export const maximumModelsPerShard = 20;

/** Capture buckets of one shard: each has a rule, and EventBridge gives an account 300 of them in a region. */
export const maximumBucketsPerShard = 60;

/**
 * Shards missing or too large.
 * @param count of all models, those included that have problems of their own
 */
export function checkShards(models: readonly PlacedModel[], count: number): readonly ConfigProblem[] {
  if (count <= maximumModelsPerShard) return [];
  const seen = new Map<string, number>();
  return models.flatMap(({ model: { shard }, path }) => {
    if (shard === undefined) {
      const expected = `the name of a shard, because there are more than ${maximumModelsPerShard} models`;
      return [problemAt([...path, 'shard'], undefined, expected)];
    }
    const taken = (seen.get(shard) ?? 0) + 1;
    seen.set(shard, taken);
    if (taken <= maximumModelsPerShard) return [];
    return [problemAt([...path, 'shard'], shard, `a shard of at most ${maximumModelsPerShard} models`)];
  });
}

/** A bucket belongs to one account, and a shard reads a limited number of them. */
export function checkBuckets(models: readonly PlacedModel[]): readonly ConfigProblem[] {
  const accounts = new Map<string, { readonly account: string; readonly path: ConfigPath }>();
  const byShard = new Map<string, Set<string>>();
  const problems: ConfigProblem[] = [];
  for (const { model, path } of models) {
    const shard = model.shard ?? defaultShard;
    const buckets = byShard.get(shard) ?? new Set<string>();
    byShard.set(shard, buckets);
    for (const [index, { bucket, account }] of sourcesOf(model).entries()) {
      const own = sourcePath(model, path, index);
      const isNew = !buckets.has(bucket);
      buckets.add(bucket);
      if (isNew && buckets.size > maximumBucketsPerShard) {
        const expected = `at most ${maximumBucketsPerShard} buckets in shard ${shard}: put models into another shard`;
        problems.push(problemAt([...own, 'bucket'], bucket, expected));
      }
      if (account === undefined) continue;
      const known = accounts.get(bucket);
      if (known === undefined) accounts.set(bucket, { account, path: own });
      else if (known.account !== account) {
        const expected = `${known.account}, the account of the same bucket in ${formatPath(known.path)}`;
        problems.push(problemAt([...own, 'account'], account, expected));
      }
    }
  }
  return problems;
}
