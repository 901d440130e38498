import { type Tier, tierValue } from '../model/verdict.ts';
import type { EpisodeState, MessageTier } from './episode.ts';

/** A verdict that no alarm rings for, this long, is told of all the same. Alarms ring within five minutes. */
export const doorbellSeconds = 600;

/**
 * An alarm that verdicts have been below for this long is over, though its OK was not heard. Longer than alarms take to end,
 * and than what a root has muted takes to lapse.
 */
export const outlivedSeconds = 1200;

/** What is remembered of a model between minutes. */
export interface Doorbell {
  /** Since when the verdicts say more than the alarms that were heard; absent: they agree. */
  readonly silent?: { readonly tier: MessageTier; readonly since: number } | undefined;
  /** What was told in an alarm's place; nobody else will say that it is over. */
  readonly rung?: MessageTier | undefined;
  /** Since when the verdicts say less than an alarm that was heard; absent: they do not. */
  readonly outlived?: { readonly tier: MessageTier; readonly since: number } | undefined;
}

export interface DoorbellStep {
  readonly doorbell: Doorbell;
  /** State changes that stand in for the alarms', in this order. */
  readonly rings: readonly { readonly tier: MessageTier; readonly to: 'ALARM' | 'OK' }[];
}

/**
 * Compares what the verdicts in force say with the alarms that were heard. Where an alarm, its topic or its message is
 * lost, switched off or forged, the verdict rings in its place; where its OK is lost, the verdict ends it.
 * @param inForce worst tier of the newest verdicts that are not stale
 * @param now milliseconds since the epoch
 * @param judged tiers that nothing else may ring by now: the verdicts are fresh, and neither lag nor quarantine explains them
 */
export function checkDoorbell(
  doorbell: Doorbell,
  inForce: Tier,
  heard: EpisodeState | undefined,
  now: number,
  judged: readonly MessageTier[] = [],
): DoorbellStep {
  const { rung } = doorbell;
  if (rung && tierValue[inForce] < tierValue[rung]) {
    const over = { tier: rung, to: 'OK' } as const;
    if (inForce === 'green') return { doorbell: {}, rings: [over] };
    return { doorbell: { rung: inForce }, rings: [{ tier: inForce, to: 'ALARM' }, over] };
  }
  const outlived = judged.find((tier) => heard?.[tier]?.inAlarm && tierValue[inForce] < tierValue[tier]);
  if (outlived) return waitForEnd(doorbell, outlived, inForce, heard, now);
  const isHeard =
    inForce === 'green' || heard?.red?.inAlarm === true || (inForce === 'yellow' && heard?.yellow?.inAlarm === true);
  if (isHeard) return { doorbell: doorbell.silent || doorbell.outlived ? { rung } : doorbell, rings: [] };
  const isKnown = doorbell.silent?.tier === inForce;
  const since = isKnown ? (doorbell.silent?.since ?? now) : now;
  if (now - since >= doorbellSeconds * 1000)
    return { doorbell: { rung: inForce }, rings: [{ tier: inForce, to: 'ALARM' }] };
  return { doorbell: isKnown ? doorbell : { rung, silent: { tier: inForce, since } }, rings: [] };
}

/** The mirror of the silent doorbell: an alarm that goes on in nothing but what was heard. */
function waitForEnd(
  doorbell: Doorbell,
  tier: MessageTier,
  inForce: Tier,
  heard: EpisodeState | undefined,
  now: number,
): DoorbellStep {
  const { rung, outlived } = doorbell;
  const isKnown = outlived?.tier === tier && outlived.since >= (heard?.[tier]?.changed ?? 0);
  const since = isKnown ? outlived.since : now;
  if (now - since < outlivedSeconds * 1000)
    return { doorbell: isKnown ? doorbell : { rung, outlived: { tier, since } }, rings: [] };
  const over = { tier, to: 'OK' } as const;
  if (inForce === 'green' || heard?.[inForce]?.inAlarm) return { doorbell: { rung }, rings: [over] };
  return { doorbell: { rung: inForce }, rings: [{ tier: inForce, to: 'ALARM' }, over] };
}
