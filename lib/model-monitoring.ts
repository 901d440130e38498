import { Construct } from 'constructs';
import type { ConfigInput } from '../core/contract/config.ts';
import { loadFleet } from './fleet-configuration.ts';
import { ModelShard } from './model-shard.ts';
import { Platform } from './platform.ts';

export interface ModelMonitoringProps extends ConfigInput {
  /**
   * Where paths of baselines begin.
   * @default - the working directory
   */
  readonly baselineFolder?: string;
  /**
   * Refuses to delete the state table, also when the stack is removed.
   * @default true
   */
  readonly deletionProtection?: boolean;
}

/**
 * All of Tidewatch in one construct, for up to about forty models in a stack of your own: platform and shards together.
 * `fleet` and `models` are those of a configuration file, see docs/configuration.md. One per account and region.
 * @throws {ConfigError} with everything that is wrong in the configuration.
 */
export class ModelMonitoring extends Construct {
  readonly platform: Platform;
  readonly shards: readonly ModelShard[];

  constructor(scope: Construct, id: string, props: ModelMonitoringProps) {
    super(scope, id);
    const { baselineFolder, deletionProtection, ...config } = props;
    const configuration = loadFleet(config, baselineFolder ?? process.cwd());
    this.platform = new Platform(this, 'Platform', {
      configuration,
      ...(deletionProtection !== undefined && { deletionProtection }),
    });
    this.shards = configuration.deployment.shards.map(({ name }) => {
      const shard = new ModelShard(this, `Shard-${name}`, { configuration, shard: name });
      // Names are passed as text, so nothing else says that these come first.
      shard.node.addDependency(this.platform.storage, this.platform.topics, this.platform.notification.failureAlarm);
      this.platform.stateTable.createAfter(shard);
      return shard;
    });
  }
}
