import type { AlarmStateValue } from '../model/alarm.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';

/** Tiers that have people. */
export type MessageTier = 'yellow' | 'red';

/** A state change of an alarm that has people, with its actions enabled. */
export interface EpisodeTransition {
  readonly model: string;
  /** What the episode is about: see `AlarmNotice.cause`. */
  readonly cause: string;
  readonly tier: MessageTier;
  readonly to: AlarmStateValue;
  /** Milliseconds since the epoch of the state change, not of its delivery. */
  readonly time: number;
}

/** A message an episode needs, before it has words. */
export interface EpisodeMessage {
  /** Hash of episode, tier, event and the time of the state change: the same at every redelivery. */
  readonly id: string;
  readonly episode: string;
  readonly model: string;
  readonly cause: string;
  readonly tier: MessageTier;
  readonly event: 'raised' | 'recovered';
  /** Milliseconds since the epoch of the state change. */
  readonly time: number;
  /** When this tier went into alarm. */
  readonly since: number;
  /** When the episode began, in whatever tier. */
  readonly startedAt: number;
}

/** What is known of one tier of an episode. */
interface TierState {
  readonly inAlarm: boolean;
  /** Time of the newest state change heard of. */
  readonly changed: number;
  /** When it last went into alarm. */
  readonly since: number;
  /** True while the last message sent says that the tier is raised. */
  readonly raised: boolean;
  readonly recoveredAt?: number | undefined;
  /** The message of the newest state change, for its redelivery. */
  readonly message?: EpisodeMessage | undefined;
}

/** An unbroken run of alarm for one model and cause. Plain JSON, kept under compare-and-swap. */
export interface EpisodeState {
  readonly id: string;
  readonly model: string;
  readonly cause: string;
  readonly startedAt: number;
  /** When no tier was in alarm any more; absent: it goes on. */
  readonly endedAt?: number | undefined;
  readonly yellow?: TierState | undefined;
  readonly red?: TierState | undefined;
}

export interface EpisodeStep {
  readonly state: EpisodeState | undefined;
  readonly message?: EpisodeMessage | undefined;
}

/** An alarm that returns within this time of its recovery continues its episode in silence. */
export const holdOffSeconds = 600;

/**
 * One step of an episode.
 *
 * | heard                                    | then                                                                  |
 * |------------------------------------------|-----------------------------------------------------------------------|
 * | ALARM, no episode, or one that ended more than the hold-off ago | a new episode; the tier is raised              |
 * | ALARM of a tier not raised in the episode | the tier is raised (escalation keeps the episode)                    |
 * | ALARM within the hold-off of the tier's recovery | nothing now; `overdueMessage` raises it if it lasts           |
 * | yellow ALARM, still raised, within the hold-off of a change of red | nothing: yellow people know (de-escalation)  |
 * | ALARM of a tier still raised, later      | raised again: its recovery must have been lost; rather twice than never |
 * | OK of a raised tier                      | recovered; the episode ends when no tier is in alarm                   |
 * | the newest change of a tier once more    | the same message with the same id                                     |
 * | an older change, or INSUFFICIENT_DATA    | nothing                                                               |
 *
 * @returns the state to keep, and the message to send, if any
 */
export function nextEpisode(state: EpisodeState | undefined, transition: EpisodeTransition): EpisodeStep {
  if (transition.to === 'INSUFFICIENT_DATA') return { state };
  const alarm = transition.to === 'ALARM';
  const tier = state?.[transition.tier];
  if (tier !== undefined && transition.time <= tier.changed) {
    const redelivery = transition.time === tier.changed && alarm === tier.inAlarm;
    return redelivery && tier.message !== undefined ? { state, message: tier.message } : { state };
  }
  return alarm ? alarmed(state, transition) : recovered(state, transition);
}

/**
 * The raise that the hold-off held back, where the alarm has lasted beyond it. To be asked at every tick for episodes
 * that go on; red comes first, and yellow says nothing while red is in alarm.
 * @param now milliseconds since the epoch
 */
export function overdueMessage(state: EpisodeState, now: number): EpisodeStep {
  for (const name of ['red', 'yellow'] as const) {
    const tier = state[name];
    if (tier === undefined || !tier.inAlarm || tier.raised) continue;
    if (now < (tier.recoveredAt ?? tier.changed) + holdOffSeconds * 1000) continue;
    if (name === 'yellow' && state.red?.inAlarm) continue;
    const message = messageOf(state, name, 'raised', tier.changed, tier.since);
    return { state: { ...state, [name]: { ...tier, raised: true, message } }, message };
  }
  return { state };
}

function alarmed(before: EpisodeState | undefined, transition: EpisodeTransition): EpisodeStep {
  const { time } = transition;
  const over = before?.endedAt !== undefined && !withinHoldOff(before.endedAt, time);
  const state = before === undefined || over ? newEpisode(transition) : before;
  const tier = state[transition.tier];
  const silent =
    tier !== undefined &&
    (tier.raised
      ? withinHoldOff(Math.max(tier.changed, state.red?.changed ?? 0), time)
      : tier.recoveredAt !== undefined && withinHoldOff(tier.recoveredAt, time));
  const message = silent ? undefined : messageOf(state, transition.tier, 'raised', time, time);
  // A tier that is still raised has been in alarm all along, as far as its people know.
  const since = silent && tier?.raised ? tier.since : time;
  const next: TierState = {
    inAlarm: true,
    changed: time,
    since,
    raised: !silent || tier?.raised === true,
    recoveredAt: tier?.recoveredAt,
    message,
  };
  return { state: { ...state, endedAt: undefined, [transition.tier]: next }, message };
}

function recovered(state: EpisodeState | undefined, transition: EpisodeTransition): EpisodeStep {
  const tier = state?.[transition.tier];
  // Nobody was told of an alarm, so nobody is told of its end.
  if (state === undefined || tier === undefined) return { state };
  const { time } = transition;
  const message = tier.raised ? messageOf(state, transition.tier, 'recovered', time, tier.since) : undefined;
  const next: TierState = {
    inAlarm: false,
    changed: time,
    since: tier.since,
    raised: false,
    recoveredAt: message ? time : tier.recoveredAt,
    message,
  };
  const other = transition.tier === 'red' ? state.yellow : state.red;
  const endedAt = other?.inAlarm ? undefined : (state.endedAt ?? time);
  return { state: { ...state, endedAt, [transition.tier]: next }, message };
}

function newEpisode({ model, cause, time }: EpisodeTransition): EpisodeState {
  return { id: shortHash(canonicalJson(['episode', model, cause, time])), model, cause, startedAt: time };
}

function withinHoldOff(earlier: number, time: number): boolean {
  return time - earlier <= holdOffSeconds * 1000;
}

function messageOf(
  state: EpisodeState,
  tier: MessageTier,
  event: EpisodeMessage['event'],
  time: number,
  since: number,
): EpisodeMessage {
  const { id: episode, model, cause, startedAt } = state;
  const id = shortHash(canonicalJson(['message', episode, tier, event, time]));
  return { id, episode, model, cause, tier, event, time, since, startedAt };
}
