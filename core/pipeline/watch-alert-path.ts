import { runbookArticles, runbookLink } from '../contract/alarm-definitions.ts';
import { type AlertWay, pathCause } from '../model/alert-way.ts';
import type { FleetPolicy, ModelPolicy } from '../model/policy.ts';
import { isDelivered } from '../model/policy.ts';
import { type AlarmNotice, fleetModel } from '../route/alarm-notice.ts';
import type { MessageTier } from '../route/episode.ts';
import { hearProbe, type PathState, type PathStep, probeText, watchPath } from '../route/probe.ts';
import { alertPathPartition } from './alert-path-state.ts';
import { type NotifyPorts, notifyOf } from './notify.ts';
import type { ProbeSender } from './ports.ts';
import { readProbeReceipt } from './probe-receipts.ts';

const tiers = ['yellow', 'red'] as const;

/**
 * Sends a probe each way that alarms and messages take, and tells people where none comes back. The ways to deliver are
 * there where a contact needs it. To be called every minute.
 * @throws {AggregateError} of what failed.
 */
export async function watchAlertPath(
  fleet: FleetPolicy,
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
  probes: ProbeSender,
): Promise<void> {
  const errors: unknown[] = [];
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      errors.push(error);
    }
  };
  const isDelivering = policies.some(({ alerts }) => [...alerts.yellow, ...alerts.red].some(isDelivered));
  const tryOut = async (tier: MessageTier, way: AlertWay, next: (state: PathState, now: number) => PathStep) => {
    const now = ports.clock.now();
    const { send } = await step(fleet, policies, ports, way, (state) => next(state, now));
    if (send) await probes.send(way, probeText(tier, now));
  };
  for (const tier of tiers) {
    await attempt(() => tryOut(tier, tier, watchPath));
    if (!isDelivering) continue;
    await attempt(async () => {
      const arrived = await readProbeReceipt(ports.table, tier);
      await tryOut(tier, `deliver-${tier}`, (state, now) =>
        state.waitingSince !== undefined && arrived >= state.waitingSince ? hearProbe(state) : watchPath(state, now),
      );
    });
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} ways could not be tried out`);
}

/** A probe came back through the alarm topic of a tier. */
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
  way: AlertWay,
  next: (state: PathState) => PathStep,
): Promise<PathStep> {
  for (;;) {
    const row = await ports.table.get(alertPathPartition, way);
    const before: PathState = row ? (row.value as PathState) : { isCut: false };
    const after = next(before);
    // Told first and noted after: killed in between it is told again, which its episode knows.
    if (after.change) await notifyOf(policies, ports, noticeOf(fleet, way, after.change, ports.clock.now()));
    if (after.state === before) return after;
    if (await ports.table.put(alertPathPartition, way, after.state, row?.revision ?? 0)) return after;
  }
}

function noticeOf(fleet: FleetPolicy, way: AlertWay, to: 'ALARM' | 'OK', time: number): AlarmNotice {
  const isAlarms = way === 'yellow' || way === 'red';
  return {
    alarm: `tidewatch/alert-path/${way}`,
    description: isAlarms
      ? `${way} alarms of models do not reach the notifying function: what is sent the same way does not come back`
      : `messages do not reach the function that calls pagers, chats and webhooks: what is sent by the topic ${way} does not arrive`,
    runbook: runbookLink(fleet, runbookArticles.alertPath),
    tier: 'red',
    model: fleetModel,
    cause: pathCause(way),
    triggers: [isAlarms ? 'alert-path' : 'deliver-path'],
    to,
    reason: `no probe has come through the topic ${isAlarms ? `of ${way} alarms` : way} for fifteen minutes`,
    time,
  };
}
