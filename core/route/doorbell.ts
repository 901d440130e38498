import { type Tier, tierValue } from '../model/verdict.ts';
import type { EpisodeState, MessageTier } from './episode.ts';

/** A verdict that no alarm rings for, this long, is told of all the same. Alarms ring within five minutes. */
export const doorbellSeconds = 600;

/** What is remembered of a model between minutes. */
export interface Doorbell {
  /** Since when the verdicts say more than the alarms that were heard; absent: they agree. */
  readonly silent?: { readonly tier: MessageTier; readonly since: number } | undefined;
  /** What was told in an alarm's place; nobody else will say that it is over. */
  readonly rung?: MessageTier | undefined;
}

export interface DoorbellStep {
  readonly doorbell: Doorbell;
  /** State changes that stand in for the alarms', in this order. */
  readonly rings: readonly { readonly tier: MessageTier; readonly to: 'ALARM' | 'OK' }[];
}

/**
 * Compares what the verdicts in force say with the alarms that were heard. Where an alarm, its topic or its message is
 * lost, switched off or forged, the verdict rings in its place.
 * @param inForce worst tier of the newest verdicts that are not stale
 * @param now milliseconds since the epoch
 */
export function checkDoorbell(
  doorbell: Doorbell,
  inForce: Tier,
  heard: EpisodeState | undefined,
  now: number,
): DoorbellStep {
  const { rung } = doorbell;
  if (rung && tierValue[inForce] < tierValue[rung]) {
    const over = { tier: rung, to: 'OK' } as const;
    if (inForce === 'green') return { doorbell: {}, rings: [over] };
    return { doorbell: { rung: inForce }, rings: [{ tier: inForce, to: 'ALARM' }, over] };
  }
  const isHeard =
    inForce === 'green' || heard?.red?.inAlarm === true || (inForce === 'yellow' && heard?.yellow?.inAlarm === true);
  if (isHeard) return { doorbell: doorbell.silent ? { rung } : doorbell, rings: [] };
  const isKnown = doorbell.silent?.tier === inForce;
  const since = isKnown ? (doorbell.silent?.since ?? now) : now;
  if (now - since >= doorbellSeconds * 1000)
    return { doorbell: { rung: inForce }, rings: [{ tier: inForce, to: 'ALARM' }] };
  return { doorbell: isKnown ? doorbell : { rung, silent: { tier: inForce, since } }, rings: [] };
}
