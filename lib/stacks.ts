import { type App, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { FleetConfiguration } from './fleet-configuration.ts';
import { ModelShard, type ModelShardProps } from './model-shard.ts';
import { Platform, type PlatformProps } from './platform.ts';

/** The stack a fleet has once. */
export class PlatformStack extends Stack {
  readonly platform: Platform;

  constructor(scope: Construct, id: string, props: PlatformProps & StackProps) {
    super(scope, id, { description: 'Tidewatch: storage, topics, notify and dashboard of a fleet', ...props });
    this.platform = new Platform(this, 'Platform', props);
  }
}

/** The stack of one shard of models. */
export class ModelShardStack extends Stack {
  readonly shard: ModelShard;

  constructor(scope: Construct, id: string, props: ModelShardProps & StackProps) {
    super(scope, id, { description: `Tidewatch: models of shard ${props.shard}`, ...props });
    this.shard = new ModelShard(this, 'Shard', props);
  }
}

/** All stacks of a fleet: `{fleet}-platform` and a `{fleet}-{shard}` for each shard. */
export function createStacks(app: App, configuration: FleetConfiguration) {
  const { fleetName, shards } = configuration.deployment;
  const platform = new PlatformStack(app, `${fleetName}-platform`, { configuration });
  return {
    platform,
    shards: shards.map(({ name }) => {
      const stack = new ModelShardStack(app, `${fleetName}-${name}`, { configuration, shard: name });
      stack.addStackDependency(platform, 'names are derived, so nothing else orders the stacks');
      return stack;
    }),
  };
}
