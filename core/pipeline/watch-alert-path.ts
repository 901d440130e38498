import { runbookArticles, runbookLink } from '../contract/alarm-definitions.ts';
import type { FleetPolicy, ModelPolicy } from '../model/policy.ts';
import { fleetModel } from '../route/alarm-notice.ts';
import type { MessageTier } from '../route/episode.ts';
import { hearProbe, type PathState, type PathStep, probeText, watchPath } from '../route/probe.ts';
import { type NotifyPorts, notifyOf } from './notify.ts';
import type { ProbeSender } from './ports.ts';

const partition = 'alert-path';
const tiers = ['yellow', 'red'] as const;

/**
 * Sends a probe the way that alarms take, and tells people where none comes back. To be called every minute.
 * @throws {AggregateError} of what failed.
 */
export async function watchAlertPath(
  fleet: FleetPolicy,
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  probes: ProbeSender,
): Promise<void> {
  const errors: unknown[] = [];
  for (const tier of tiers) {
    try {
      const { send } = await step(fleet, policies, ports, tier, (state) => watchPath(state, ports.clock.now()));
      if (send) await probes.send(tier, probeText(tier));
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} ways could not be tried out`);
}

/** A probe came back through the topic of a tier. */
export async function answerProbe(
  fleet: FleetPolicy,
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  tier: MessageTier,
): Promise<void> {
  await step(fleet, policies, ports, tier, hearProbe);
}

async function step(
  fleet: FleetPolicy,
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  tier: MessageTier,
  next: (state: PathState) => PathStep,
): Promise<PathStep> {
  for (;;) {
    const row = await ports.table.get(partition, tier);
    const before: PathState = row ? (row.value as PathState) : { isCut: false };
    const after = next(before);
    // Told first and noted after: killed in between it is told again, which its episode knows.
    if (after.change) await tell(fleet, policies, ports, tier, after.change);
    if (after.state === before) return after;
    if (await ports.table.put(partition, tier, after.state, row?.revision ?? 0)) return after;
  }
}

function tell(
  fleet: FleetPolicy,
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  tier: MessageTier,
  to: 'ALARM' | 'OK',
): Promise<void> {
  return notifyOf(policies, ports, {
    alarm: `tidewatch/alert-path/${tier}`,
    description: `${tier} alarms of models do not reach the notifying function: what is sent the same way does not come back`,
    runbook: runbookLink(fleet, runbookArticles.alertPath),
    tier: 'red',
    model: fleetModel,
    cause: `alert-path-${tier}`,
    triggers: ['alert-path'],
    to,
    reason: `no message has come through the topic of ${tier} alarms for fifteen minutes`,
    time: ports.clock.now(),
  });
}
