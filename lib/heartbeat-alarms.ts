import { Construct } from 'constructs';
import { shardAlarms } from '../core/contract/shard-alarms.ts';
import { renderAlarm, routedActions } from './alarms.ts';
import type { RepeatedRun } from './schedule.ts';
import type { ShardContext } from './shard-context.ts';

/** The page for a shard that has stopped. Made after the schedule that keeps it alive. */
export class HeartbeatAlarms extends Construct {
  constructor(scope: Construct, id: string, { shard, names, configuration }: ShardContext, tick: RepeatedRun) {
    super(scope, id);
    const [beats, heartbeat] = shardAlarms(shard, configuration.fleet);
    const child = renderAlarm(this, 'Beats', beats, []);
    const actions = routedActions(names, heartbeat);
    renderAlarm(this, 'Heartbeat', heartbeat, actions, actions).addResourceDependency(child);
    this.node.addDependency(tick);
  }
}
