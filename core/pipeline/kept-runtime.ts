import type { BundleHeader } from '../audit/bundle-format.ts';
import { runtimeKey } from '../contract/keys.ts';
import type { Baseline } from '../model/baseline.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { sha256 } from '../model/content-hash.ts';
import type { ModelPolicy } from '../model/policy.ts';
import { createModelRuntime, type ModelRuntime } from './model-runtime.ts';
import type { ObjectStore, StateTable } from './ports.ts';
import { encodeJson, IntegrityError, parseStored, putFact } from './write-once.ts';

/** All that decides how captures are read and counted. Written once, before the first evidence that names it. */
export interface KeptRuntime {
  readonly schema: 'tidewatch.runtime/1';
  readonly policy: ModelPolicy;
  /** [path in `policy.versions`, baseline], sorted by path. */
  readonly baselines: readonly (readonly [path: string, baseline: Baseline])[];
}

/** What evidence says of the runtime it was made by. */
export type RuntimeHashes = Pick<BundleHeader, 'config' | 'baselines'>;

export interface KeptRuntimePorts {
  readonly state: ObjectStore;
  readonly table: StateTable;
}

/** Whether evidence was made by the policy and the baselines of this runtime. The build may have been another. */
export function isMadeBy({ configHash, baselineHashes }: ModelRuntime, { config, baselines }: RuntimeHashes): boolean {
  return canonicalJson([configHash, baselineHashes]) === canonicalJson([config, baselines]);
}

/**
 * Keeps what a runtime counts by, so that an object that is begun with it can be finished with it after any deployment.
 * A row tells that it is kept: no object's ingestion sends the baselines again.
 */
export async function keepRuntime({ state, table }: KeptRuntimePorts, runtime: ModelRuntime): Promise<void> {
  const { policy, baselines, configHash, baselineHashes } = runtime;
  const [partition, hash] = [`runtimes#${policy.name}`, hashOf({ config: configHash, baselines: baselineHashes })];
  if (await table.get(partition, hash)) return;
  const kept: KeptRuntime = {
    schema: 'tidewatch.runtime/1',
    policy,
    baselines: [...baselines].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
  await putFact(state, runtimeKey(policy.name, hash), encodeJson(kept));
  // Afterwards: where the call is killed in between, the next one writes the same again.
  await table.put(partition, hash, { key: runtimeKey(policy.name, hash) }, 0);
}

/**
 * The runtime that evidence was made by, on the code that runs now.
 * @param current the model's runtime in force.
 * @throws {IntegrityError} where it is gone, or is not the one that the evidence names.
 */
export async function restoreRuntime(
  { state }: Pick<KeptRuntimePorts, 'state'>,
  current: ModelRuntime,
  hashes: RuntimeHashes,
): Promise<ModelRuntime> {
  const key = runtimeKey(current.policy.name, hashOf(hashes));
  const bytes = await state.get(key);
  if (!bytes) throw new IntegrityError(key, 'expected what evidence was made by, saw nothing');
  const { policy, baselines } = parseStored<KeptRuntime>(key, bytes, 'tidewatch.runtime/1');
  const runtime = createModelRuntime(policy, current.fleet, new Map(baselines), current.code);
  if (isMadeBy(runtime, hashes)) return runtime;
  throw new IntegrityError(key, 'expected the policy and baselines whose hashes evidence names, saw others');
}

/** The order of the baselines is that of the policy's versions, so the two say which version has which. */
function hashOf({ config, baselines }: RuntimeHashes): string {
  return sha256(canonicalJson([config, baselines]));
}
