import type { AlarmStateValue } from '../model/alarm.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { AffectedModel, MessageEvent } from '../model/delivery.ts';

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
  /** Hash of episode, tier and place among the tier's messages: the same at every delivery. */
  readonly id: string;
  readonly episode: string;
  readonly model: string;
  readonly cause: string;
  readonly tier: MessageTier;
  readonly event: MessageEvent;
  /** Place among the episode's messages of this tier, from 1. */
  readonly sequence: number;
  /** Milliseconds since the epoch of the state change. */
  readonly time: number;
  /** When this tier went into alarm. */
  readonly since: number;
  /** When the episode began, in whatever tier. */
  readonly startedAt: number;
  /** Models that depend on this one and are not green, as of this message. */
  readonly affected?: readonly AffectedModel[] | undefined;
  /** Causes that turned red since its people were told of red: what an update names. */
  readonly joined?: readonly string[] | undefined;
}

/** Why a model is not told of: what it depends on has an incident that explains it. */
export interface Mute {
  /** The model whose incident it is. */
  readonly by: string;
  readonly episode: string;
  /** Since when no verdict says why it rings, milliseconds since the epoch: its alarm is about to end. */
  readonly lapsed?: number | undefined;
}

/** What is known of one tier of an episode. */
interface TierState {
  readonly inAlarm: boolean;
  /** Time of the newest state change heard of, and when it was heard. */
  readonly changed: number;
  readonly heard: number;
  /** When it went into alarm: the beginning of what its people were told, or are to be told. */
  readonly since: number;
  /** What its people believe. `lowered`: no longer this tier, and not over. */
  readonly told: 'nothing' | 'raised' | 'lowered';
  /** How many messages it has had. */
  readonly sequence: number;
  /** It rang in a way that nobody was told of yet, though it may be over: see `hear`. */
  readonly owed?: boolean | undefined;
  readonly muted?: Mute | undefined;
}

/** One incident of one model and cause, from the first alarm until all is quiet. Plain JSON, kept under compare-and-swap. */
export interface EpisodeState {
  readonly id: string;
  readonly model: string;
  readonly cause: string;
  readonly startedAt: number;
  /**
   * When the last alarm ended; present once the hold is over and the recovery told. Nothing is said of the episode after it.
   * A tier may go on ringing for what is over, or for what others tell: see `Company.isAftermath` and `isElsewhere`.
   */
  readonly endedAt?: number | undefined;
  readonly yellow?: TierState | undefined;
  readonly red?: TierState | undefined;
  /** Stretches that people were told of and that are over, newest last: what comes late belongs to them. */
  readonly past: readonly (readonly [tier: MessageTier, from: number, to: number])[];
  /** Dependents that a message has named. */
  readonly reported?: readonly string[] | undefined;
  /** Causes of red that its people were told of; absent: red was never raised. */
  readonly toldReds?: readonly string[] | undefined;
}

export interface EpisodeStep {
  readonly state: EpisodeState | undefined;
  /** To be sent in this order. */
  readonly messages: readonly EpisodeMessage[];
}

/** What the models that a model depends on mean for its episode. */
export interface Company {
  /** The incident that explains this tier; undefined: it is the model's own. */
  muteOf(tier: MessageTier, state: EpisodeState): Mute | undefined;
  /** Whether yellow rings for nothing but a red that is over: looked back at, it is still there. */
  isAftermath(state: EpisodeState): boolean;
  /** Whether a tier rings for nothing but what other incidents of the model tell of. */
  isElsewhere(tier: MessageTier): boolean;
  /** What is red, or was a moment ago, and told of by this incident. */
  redCauses(): readonly string[];
  /** Before this no recovery of a tier is told, milliseconds since the epoch: what closed windows found may return. */
  holdUntil(tier: MessageTier): number;
  /** A raise waits this long after its alarm, in case a root's follows. */
  waitSeconds(tier: MessageTier): number;
  /** Dependents that are not green. */
  affected(state: EpisodeState): readonly AffectedModel[];
}

/** Of a model that depends on nothing and that nothing depends on. */
export const alone: Company = {
  muteOf: () => undefined,
  isAftermath: () => false,
  isElsewhere: () => false,
  redCauses: () => [],
  holdUntil: () => 0,
  waitSeconds: () => 0,
  affected: () => [],
};

/** An alarm must be quiet for this long before its recovery is told. One that returns earlier continues in silence. */
export const recoveryHoldSeconds = 600;

const maximumPast = 32;
const tiers = ['red', 'yellow'] as const satisfies readonly MessageTier[];

/**
 * One step of an episode: a state change is heard, and what follows from it is said.
 *
 * | heard                                          | then                                                        |
 * |------------------------------------------------|-------------------------------------------------------------|
 * | ALARM, no episode goes on                      | a new episode; the tier is raised                           |
 * | ALARM of a tier not raised                     | raised; from yellow to red the episode stays the same       |
 * | ALARM within the hold of the tier's OK         | nothing: it never recovered                                 |
 * | ALARM of a tier in alarm for longer than the hold | raised again: its recovery was lost; rather twice than never |
 * | ALARM heard after the OK that ended it         | raised, where nobody was told; the recovery follows         |
 * | OK                                             | nothing until the hold is over, see `speak`                 |
 * | a change heard before, or an older one; INSUFFICIENT_DATA | nothing                                          |
 *
 * @param now when it is heard, milliseconds since the epoch
 */
export function stepEpisode(
  state: EpisodeState | undefined,
  transition: EpisodeTransition,
  now: number,
  company: Company = alone,
): EpisodeStep {
  // What was due before this change is said before it.
  const due = state ? speak(state, Math.min(now, transition.time), company) : { state, messages: [] };
  const heard = hear(due.state, transition, now);
  const said = heard ? speak(heard, Math.max(now, transition.time), company) : { state: heard, messages: [] };
  return { state: said.state, messages: [...due.messages, ...said.messages] };
}

/**
 * What is to be said by now. To be asked every minute of each episode that is not `isSettled`.
 *
 * | so far                                            | then                                                      |
 * |---------------------------------------------------|-----------------------------------------------------------|
 * | in alarm and not raised, muted by a root          | nothing, as long as the root's incident lasts             |
 * | in alarm and not raised                           | raised; yellow says nothing while red is raised           |
 * | red raised, and another cause of the incident turned red | updated, once for each cause                       |
 * | red raised, and quiet for the hold, yellow in alarm or held | red lowered: the incident goes on               |
 * | all quiet for the hold                            | recovered, of each tier that was told; the episode ends   |
 * | a tier rings for other incidents of the model alone | as if it were quiet                                     |
 * | red was told and is quiet for the hold, and yellow, never told, rings for that red alone | the same    |
 * | ended, and what a tier rings for is nobody else's, or not over any more | it is raised, in a new episode      |
 */
export function speak(before: EpisodeState, now: number, company: Company = alone): EpisodeStep {
  if (isSettled(before)) return { state: before, messages: [] };
  let state = before;
  if (before.endedAt !== undefined) {
    for (const name of tiers) {
      if (!before[name]?.inAlarm || state.endedAt === undefined) continue;
      const mute = company.muteOf(name, state);
      state = mute ? withMute(state, name, mute) : resume(state, name, now);
    }
    if (state.endedAt !== undefined) return { state, messages: [] };
  }
  const messages: EpisodeMessage[] = [];
  const tell = (name: MessageTier, tier: TierState, event: MessageEvent, time: number, told: TierState['told']) => {
    const sequence = tier.sequence + 1;
    const affected = company.affected(state);
    const joined = event === 'updated' ? company.redCauses().filter((one) => !state.toldReds?.includes(one)) : [];
    messages.push(messageOf(state, name, event, { sequence, time, since: tier.since, affected, joined }));
    const isRedTold = name === 'red' && told === 'raised';
    state = {
      ...state,
      [name]: { ...tier, told, sequence, owed: undefined, muted: undefined },
      ...(affected.length > 0 && { reported: namesOf(state.reported, affected) }),
      ...(isRedTold && { toldReds: [...new Set([...(state.toldReds ?? []), ...company.redCauses()])] }),
    };
  };
  const isOver = (name: MessageTier) => {
    const tier = state[name];
    if (!tier || company.isElsewhere(name)) return true;
    return isQuiet(tier, now) && (tier.told === 'nothing' || now >= company.holdUntil(name));
  };
  const { red } = state;
  const isYellow = state.yellow?.inAlarm || (state.yellow?.told === 'raised' && !isOver('yellow'));
  if (red?.told === 'raised' && isOver('red') && isYellow) {
    tell('red', red, 'lowered', endOf(red, now), 'lowered');
    state = { ...state, past: [...state.past, ['red', state.startedAt, now] as const].slice(-maximumPast) };
  }
  for (const name of tiers) {
    const tier = state[name];
    if (!tier || !isWanted(tier)) continue;
    if (name === 'yellow' && state.red?.told === 'raised') {
      // Who is told of red needs not be told of yellow, now or later: owed for ever, it would keep the episode from ending.
      if (tier.owed) state = { ...state, yellow: { ...tier, owed: undefined } };
      continue;
    }
    if (name === 'yellow' && state.red?.inAlarm) continue;
    const mute = company.muteOf(name, state);
    if (mute) {
      state = withMute(state, name, mute);
    } else if (now >= tier.since + company.waitSeconds(name) * 1000) {
      tell(name, tier, 'raised', tier.since, 'raised');
    }
  }
  const { red: told, toldReds } = state;
  if (told?.told === 'raised' && toldReds && company.redCauses().some((one) => !toldReds.includes(one)))
    tell('red', told, 'updated', now, 'raised');
  const isLookedBackAt =
    state.yellow?.muted !== undefined && state.red?.told === 'lowered' && company.isAftermath(state);
  const known = tiers.filter((name) => state[name] && !(name === 'yellow' && isLookedBackAt));
  if (known.every((name) => isOver(name) && !state[name]?.owed)) {
    for (const name of tiers) {
      const tier = state[name];
      if (tier && tier.told !== 'nothing') tell(name, tier, 'recovered', endOf(tier, now), 'nothing');
    }
    const told = messages.filter(({ event }) => event === 'recovered');
    const endedAt = Math.max(...known.flatMap((name) => (state[name] ? endOf(state[name], now) : [])));
    const past = told.map(({ tier }) => [tier, state.startedAt, endedAt] as const);
    state = { ...state, endedAt, past: [...state.past, ...past].slice(-maximumPast) };
  }
  return { state, messages };
}

/**
 * Tells the people of an incident of dependents that were muted by it since its last message.
 * @param muted by it, all of them
 */
export function reportAffected(state: EpisodeState, muted: readonly AffectedModel[], now: number): EpisodeStep {
  const isNew = muted.some(({ model }) => !state.reported?.includes(model));
  const name = tiers.find((tier) => state[tier]?.told === 'raised');
  const tier = name && state[name];
  if (!isNew || state.endedAt !== undefined || !name || !tier) return { state, messages: [] };
  const sequence = tier.sequence + 1;
  const message = messageOf(state, name, 'updated', { sequence, time: now, since: tier.since, affected: muted });
  const reported = namesOf(state.reported, muted);
  return { state: { ...state, reported, [name]: { ...tier, sequence } }, messages: [message] };
}

/** A person has taken the incident on: every tier that is raised is told so, and pagers stop calling. */
export function acknowledge(state: EpisodeState, now: number): EpisodeStep {
  let next = state;
  const messages: EpisodeMessage[] = [];
  for (const name of tiers) {
    const tier = next[name];
    if (next.endedAt !== undefined || tier?.told !== 'raised') continue;
    const sequence = tier.sequence + 1;
    messages.push(messageOf(next, name, 'acknowledged', { sequence, time: now, since: tier.since, affected: [] }));
    next = { ...next, [name]: { ...tier, sequence } };
  }
  return { state: next, messages };
}

/** Whether nothing is left to be said of a state, whatever time it is, until something changes. */
export function isSettled({ endedAt, red, yellow }: EpisodeState): boolean {
  return endedAt !== undefined && !red?.inAlarm && !yellow?.inAlarm;
}

function withMute(state: EpisodeState, name: MessageTier, mute: Mute): EpisodeState {
  const tier = state[name];
  const isKnown = tier?.muted?.episode === mute.episode && tier.muted.lapsed === mute.lapsed;
  return tier && (!isKnown || tier.owed) ? { ...state, [name]: { ...tier, muted: mute, owed: undefined } } : state;
}

/** A tier that rang on after its episode's end rings for something else by now. */
function resume(state: EpisodeState, tier: MessageTier, now: number): EpisodeState {
  const { model, cause } = state;
  const transition = { model, cause, tier, to: 'ALARM', time: now } as const;
  return beginWith(state, transition, { inAlarm: true, changed: state[tier]?.changed ?? now, now });
}

/** When a tier of an episode ended: where its alarm rings on for others, now. */
function endOf({ inAlarm, changed }: TierState, now: number): number {
  return inAlarm ? now : changed;
}

/** True where an alarm of the tier rings that its people should know of and do not. */
function isWanted(tier: TierState): boolean {
  return tier.owed === true || (tier.inAlarm && tier.told !== 'raised');
}

/** Quiet for the hold, counted from when that was heard of. */
function isQuiet(tier: TierState, now: number): boolean {
  return !tier.inAlarm && now >= Math.max(tier.changed, tier.heard) + recoveryHoldSeconds * 1000;
}

/** What is known after a state change. Says nothing. */
function hear(state: EpisodeState | undefined, transition: EpisodeTransition, now: number): EpisodeState | undefined {
  const { tier: name, to, time } = transition;
  if (to === 'INSUFFICIENT_DATA') return state;
  const inAlarm = to === 'ALARM';
  const tier = state?.[name];
  if (tier && time < tier.changed) return inAlarm ? hearLate(state, tier, transition, now) : state;
  // Of two changes at one instant the alarm counts, whichever comes first.
  if (tier && time === tier.changed && (tier.inAlarm || !inAlarm)) return state;
  if (!inAlarm && (!state || state.endedAt !== undefined)) {
    // Nobody was told of an alarm, so nobody is told of its end; but a late alarm must not be taken for a lasting one.
    const known: TierState = { inAlarm, changed: time, heard: now, since: 0, told: 'nothing', sequence: 0 };
    const ended = state ?? { ...beginEpisode(transition, []), endedAt: time };
    return { ...ended, [name]: tier ? { ...tier, inAlarm, changed: time, heard: now } : known };
  }
  if (!state || state.endedAt !== undefined) return beginWith(state, transition, { inAlarm, changed: time, now });
  if (!tier) return { ...state, [name]: freshTier({ inAlarm, changed: time, since: time, now }) };
  if (!inAlarm) return { ...state, [name]: { ...tier, inAlarm, changed: time, heard: now } };
  const isLostRecovery = tier.inAlarm && time - tier.changed > recoveryHoldSeconds * 1000;
  const continues = tier.told === 'raised' && !isLostRecovery;
  const since = continues || (tier.inAlarm && tier.told === 'nothing') ? tier.since : time;
  const owed = isLostRecovery && tier.told === 'raised' ? true : tier.owed;
  return { ...state, [name]: { ...tier, inAlarm, changed: time, heard: now, since, owed } };
}

/** An alarm that is heard after a newer change. Where it was over before anybody was told, they are told now. */
function hearLate(
  state: EpisodeState,
  tier: TierState,
  transition: EpisodeTransition,
  now: number,
): EpisodeState | undefined {
  const { tier: name, time } = transition;
  // Heard before: that it was muted, or over while it waited, is decided.
  if (tier.inAlarm || tier.since === time || wasTold(state, name, tier, time)) return state;
  if (state.endedAt === undefined) return { ...state, [name]: { ...tier, owed: true, since: time, heard: now } };
  return beginWith(state, transition, { inAlarm: false, changed: tier.changed, now, owed: true });
}

/** Whether people were told of an alarm of that time. Who was told of red needs not be told of yellow. */
function wasTold(state: EpisodeState, name: MessageTier, tier: TierState, time: number): boolean {
  if (state.endedAt === undefined && (tier.told === 'raised' || tier.owed || tier.muted)) return true;
  const [oldest] = state.past;
  if (state.past.length >= maximumPast && oldest && time < oldest[1]) return true;
  return state.past.some(([told, from, to]) => (told === name || told === 'red') && time >= from && time <= to);
}

interface Beginning {
  readonly inAlarm: boolean;
  readonly changed: number;
  readonly now: number;
  readonly owed?: boolean;
}

/** A new episode, which keeps when the tiers changed last: older changes stay old. */
function beginWith(
  before: EpisodeState | undefined,
  transition: EpisodeTransition,
  { inAlarm, changed, now, owed }: Beginning,
): EpisodeState {
  const { tier: name, time } = transition;
  const other = name === 'red' ? 'yellow' : 'red';
  const rest = before?.[other];
  const { endedAt: _, ...fresh } = beginEpisode(transition, before?.past ?? []);
  return {
    ...fresh,
    ...(rest && { [other]: { ...rest, told: 'nothing', sequence: 0, owed: undefined, muted: undefined } }),
    [name]: { ...freshTier({ inAlarm, changed, since: time, now }), ...(owed && { owed }) },
  };
}

function beginEpisode({ model, cause, time }: EpisodeTransition, past: EpisodeState['past']): EpisodeState {
  return { id: shortHash(canonicalJson(['episode', model, cause, time])), model, cause, startedAt: time, past };
}

function freshTier(given: { inAlarm: boolean; changed: number; since: number; now: number }): TierState {
  const { inAlarm, changed, since, now } = given;
  return { inAlarm, changed, heard: now, since, told: 'nothing', sequence: 0 };
}

function namesOf(reported: readonly string[] | undefined, affected: readonly AffectedModel[]): readonly string[] {
  return [...new Set([...(reported ?? []), ...affected.map(({ model }) => model)])].sort();
}

function messageOf(
  state: EpisodeState,
  tier: MessageTier,
  event: MessageEvent,
  of: Pick<EpisodeMessage, 'sequence' | 'time' | 'since' | 'joined'> & { readonly affected: readonly AffectedModel[] },
): EpisodeMessage {
  const { id: episode, model, cause, startedAt } = state;
  const { affected, joined = [], ...numbers } = of;
  const id = shortHash(canonicalJson(['message', episode, tier, event, of.sequence]));
  const more = { ...(affected.length > 0 && { affected }), ...(joined.length > 0 && { joined }) };
  return { id, episode, model, cause, tier, event, ...numbers, startedAt, ...more };
}
