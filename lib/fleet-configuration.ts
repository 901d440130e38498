import { parseConfig } from '../core/contract/config.ts';
import type { DeploymentPolicy } from '../core/contract/deployment.ts';
import type { FleetPolicy, ModelPolicy } from '../core/model/policy.ts';
import { type BaselineAsset, readBaselines } from './read-baselines.ts';

/** A configuration, checked, with the baselines it names. */
export interface FleetConfiguration {
  readonly fleet: FleetPolicy;
  /** Their baselines' paths are those inside the Lambda asset. */
  readonly models: readonly ModelPolicy[];
  readonly deployment: DeploymentPolicy;
  /** By SHA-256. */
  readonly baselines: ReadonlyMap<string, BaselineAsset>;
}

/** Where the Lambda asset keeps a baseline. */
export function baselineAssetPath(sha256: string): string {
  return `config/baselines/${sha256}.json`;
}

/**
 * Checks a configuration and reads its baselines.
 * @param config what `defineConfig` was given
 * @param folder where the configuration lies: paths of baselines are relative to it
 * @throws {ConfigError} with everything that is wrong in it; {BaselineFileError} for a baseline that can't be shipped.
 */
export function loadFleet(config: unknown, folder: string): FleetConfiguration {
  const { fleet, models, deployment } = parseConfig(config);
  const byPath = readBaselines(models, folder);
  return {
    fleet,
    models: models.map((policy) => withAssetPaths(policy, byPath)),
    deployment,
    baselines: new Map([...byPath.values()].map((asset) => [asset.sha256, asset])),
  };
}

function withAssetPaths(policy: ModelPolicy, baselines: ReadonlyMap<string, BaselineAsset>): ModelPolicy {
  return {
    ...policy,
    versions: policy.versions.map((version) => {
      const asset = version.baseline && baselines.get(version.baseline.path);
      if (!asset) return version;
      return { ...version, baseline: { path: baselineAssetPath(asset.sha256), sha256: asset.sha256 } };
    }),
  };
}

/** The models of a shard. */
export function modelsOfShard(configuration: FleetConfiguration, shard: string): readonly ModelPolicy[] {
  const names = new Set(configuration.deployment.shards.find(({ name }) => name === shard)?.models);
  return configuration.models.filter(({ name }) => names.has(name));
}
