import type { ModelPolicy } from '../core/model/policy.ts';
import type { FleetConfiguration } from './fleet-configuration.ts';
import type { FleetNames } from './names.ts';

/** What every part of a shard is made from. */
export interface ShardContext {
  readonly shard: string;
  readonly names: FleetNames;
  readonly configuration: FleetConfiguration;
  /** The shard's. */
  readonly models: readonly ModelPolicy[];
}
