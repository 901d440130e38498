import {
  evaluationLagLimitSeconds,
  modelAlarmNames,
  runbookArticles,
  runbookLink,
} from '../contract/alarm-definitions.ts';
import type { FleetPolicy, ModelPolicy } from '../model/policy.ts';
import { type Tier, worstTier } from '../model/verdict.ts';
import { type AlarmNotice, healthCause } from '../route/alarm-notice.ts';
import { checkDoorbell, type Doorbell, doorbellSeconds } from '../route/doorbell.ts';
import type { MessageTier } from '../route/episode.ts';
import { keysInForce } from './cause-ledger.ts';
import { readStanding } from './episode-rows.ts';
import { readModelState } from './model-state.ts';
import { type NotifyPorts, notifyOf } from './notify.ts';
import { quarantineShare } from './quarantine-share.ts';
import { listSeries, newestVerdicts } from './series.ts';

const partition = 'doorbells';

/**
 * Tells people of verdicts that no alarm rings for, and ends alarms whose OK was lost: metrics can be forged or lost, alarms
 * and topics be switched off. To be called every minute where the alarms are somebody else's.
 * @throws {AggregateError} of the models that failed.
 */
export async function answerDoorbells(
  fleet: FleetPolicy,
  policies: readonly ModelPolicy[],
  ports: NotifyPorts,
): Promise<void> {
  const errors: unknown[] = [];
  for (const policy of policies) {
    try {
      await answerDoorbell(fleet, policies, policy, ports);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} models could not be looked after`);
}

async function answerDoorbell(
  fleet: FleetPolicy,
  policies: readonly ModelPolicy[],
  policy: ModelPolicy,
  ports: NotifyPorts,
): Promise<void> {
  const now = ports.clock.now();
  const row = await ports.table.get(partition, policy.name);
  const known = (row?.value ?? {}) as Doorbell;
  const heard = await readStanding(ports.table, policy.name);
  const judged = heard?.red?.inAlarm || heard?.yellow?.inAlarm ? await judgedTiers(policy, ports) : [];
  const { doorbell, rings } = checkDoorbell(known, await tierInForce(policy, ports, now), heard, now, judged);
  const note = async () =>
    doorbell === known || (await ports.table.put(partition, policy.name, doorbell, row?.revision ?? 0));
  // A beginning is noted first: killed in between, it rings ten minutes later, and is known to be nobody else's. An end is
  // noted last: killed in between, it rings once more, which changes nothing.
  const isEnd = rings.some(({ to }) => to === 'OK');
  if (!isEnd && !(await note())) return;
  for (const { tier, to } of rings) await notifyOf(policies, ports, noticeOf(fleet, policy, tier, to, now));
  if (isEnd) await note();
}

/** What `Tier` is published as: a closed window's verdict counts only while it is fresh. */
async function tierInForce(policy: ModelPolicy, ports: NotifyPorts, now: number): Promise<Tier> {
  const { live } = await readModelState(ports.table, policy.name, now);
  const states = await listSeries(ports.table, policy.name);
  const ends = states.flatMap(({ newest, windowSeconds }) =>
    newest ? [newest.windowStart + windowSeconds * 1000] : [],
  );
  const isFresh = now - Math.max(...ends) <= evaluationLagLimitSeconds(policy) * 1000;
  return worstTier([live.tier, ...(isFresh ? newestVerdicts(states).map(({ tier }) => tier) : [])]);
}

/**
 * Tiers whose alarms ring for nothing but the tier in force. `Tier` is withheld while judging is behind, which leaves its alarms
 * as they are; stored bytes that do not match are red without a verdict; lag and quarantine ring yellow.
 */
async function judgedTiers(policy: ModelPolicy, ports: NotifyPorts): Promise<readonly MessageTier[]> {
  const { isBehind, unsaid } = await keysInForce(ports, policy);
  if (isBehind || unsaid.length > 0) return [];
  const share = quarantineShare(newestVerdicts(await listSeries(ports.table, policy.name)));
  return share !== undefined && share <= policy.drift.maximumQuarantineShare ? ['red', 'yellow'] : ['red'];
}

function noticeOf(
  fleet: FleetPolicy,
  { name }: ModelPolicy,
  tier: 'yellow' | 'red',
  to: 'ALARM' | 'OK',
  time: number,
): AlarmNotice {
  return {
    alarm: modelAlarmNames(name)[tier],
    description: `${name} was judged ${tier}, and no alarm was heard of`,
    runbook: runbookLink(fleet, runbookArticles[tier]),
    tier,
    model: name,
    cause: healthCause,
    triggers: ['doorbell'],
    to,
    reason:
      to === 'ALARM'
        ? `the verdict in force has been ${tier} for ${doorbellSeconds / 60} minutes and no alarm rang`
        : `the verdict in force is no longer ${tier}`,
    time,
  };
}
