import { healthCause } from './alarm-notice.ts';
import type { FoundCause } from './causes.ts';
import { type Company, type EpisodeState, type MessageTier, type Mute, recoveryHoldSeconds } from './episode.ts';

/** Time a judgement may take beyond the moment its window is due. */
const judgingSeconds = 900;

/** Windows of a model, as far as they tell how long its causes go on. */
export interface WindowTiming {
  readonly windowSeconds: number;
  readonly graceSeconds: number;
}

/** By then the next window has been judged: what a closed window found is over only if that one does not find it. */
export function settlingSeconds({ windowSeconds, graceSeconds }: WindowTiming): number {
  return windowSeconds + graceSeconds + judgingSeconds;
}

/** The judgement of a minute looks back an hour: a trouble is seen by then in all that it breaks. */
const liveFoundingSeconds = 3600 + judgingSeconds;

/** Signs of one fault end within so long of each other, for the same reason; those of closed windows with the next window. */
const livePartingSeconds = 3600;

/** What is not found any more for this long is forgotten. Later than its recovery is told, so that nobody is told twice. */
const liveMemorySeconds = recoveryHoldSeconds + 300;

/** A cause that is in force, or was a moment ago, and the incident that tells of it. Plain JSON. */
export interface KnownCause extends FoundCause {
  /** The name of an incident of the model: `health`, or that of the cause which an incident of its own began with. */
  readonly owner: string;
  /** Milliseconds since the epoch: since when it is in force, and since when it is not; absent: it is. */
  readonly since: number;
  readonly goneSince?: number | undefined;
  /** A red that joined its incident after people were told of other reds: see `partJoined`. */
  readonly joined?: true | undefined;
  /** Of one that joined: since when nothing that its incident was raised for is known any more; absent: something is. */
  readonly aloneSince?: number | undefined;
}

/** Incidents of one model by name: the first, `health`, and those of later causes. */
export type Incidents = ReadonlyMap<string, EpisodeState>;

export interface CauseContext {
  readonly incidents: Incidents;
  readonly timing: WindowTiming;
  /** Whether closed windows say nothing of now: what they found is neither over nor new. */
  readonly isStale: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether a cause is what an incident's red, that is over, has left behind: see `judgeAftermath`. */
  isAftermath(cause: FoundCause, incident: EpisodeState): boolean;
}

/**
 * What is known of a model's causes after a minute, and which incident tells of each.
 *
 * | a cause that was not known                                         | belongs to                                |
 * |--------------------------------------------------------------------|-------------------------------------------|
 * | the same cause is known in the other tier                           | its incident; a red not, where that one is red already |
 * | it began in the founding period of an incident that goes on         | that incident: one root cause shows in many ways |
 * | it is drift or quality that a red which is over has left behind     | the incident of that red                  |
 * | nothing goes on                                                     | `health`: the alarm of its tier is about to ring |
 * | any other                                                           | an incident of its own                    |
 *
 * The founding period: from when an incident or one of its tiers began until the next window has been judged; of what the
 * judgement of a minute finds an hour and a quarter at most. A red that joins an incident so and outlasts all
 * reds that the incident was raised for by an hour becomes an incident of its own: see `partJoined`.
 * @returns the same array where nothing changed
 */
export function followCauses(
  known: readonly KnownCause[],
  found: readonly FoundCause[],
  context: CauseContext,
): readonly KnownCause[] {
  const { now, isStale, timing, incidents } = context;
  const kept = known.flatMap((one): KnownCause[] => {
    const memory = one.isLive ? liveMemorySeconds : settlingSeconds(timing);
    if (one.goneSince !== undefined && now >= one.goneSince + memory * 1000) return [];
    const again = found.find((other) => isSame(one, other));
    if (again) {
      const isUnchanged = one.goneSince === undefined && one.isLive === again.isLive;
      return [isUnchanged ? one : { ...one, isLive: again.isLive, goneSince: undefined }];
    }
    if (isStale && !one.isLive) return [one];
    return [one.goneSince === undefined ? { ...one, goneSince: now } : one];
  });
  const next: KnownCause[] = [];
  const founded = new Set<string>();
  const others = (one: FoundCause) => [
    ...next,
    ...kept.filter((other) => !isSame(one, other) && !next.includes(other)),
  ];
  for (const one of kept) {
    const owner = isUnheard(one, incidents) ? ownerOf(one, others(one), founded, context) : one.owner;
    next.push(owner === one.owner ? one : { ...one, owner, joined: undefined, aloneSince: undefined });
  }
  for (const one of found) {
    if (next.some((other) => isSame(one, other))) continue;
    const owner = ownerOf(one, next, founded, context);
    next.push({ ...one, owner, since: now, ...(isJoining(one, owner, next, incidents) && { joined: true }) });
  }
  const parted = partJoined(next, context);
  const isUnchanged = parted.length === known.length && parted.every((one, index) => one === known[index]);
  return isUnchanged ? known : parted;
}

/** Whether a new red comes to an incident that people were told of as red, for other causes. */
function isJoining({ tier }: FoundCause, owner: string, known: readonly KnownCause[], incidents: Incidents): boolean {
  const state = incidents.get(owner);
  return (
    tier === 'red' &&
    goesOn(state) &&
    state?.red?.told === 'raised' &&
    known.some((one) => one.owner === owner && one.tier === 'red')
  );
}

/**
 * Reds that joined an incident and go on for long after every red that it was raised for is over begin an incident of their
 * own, together: else the page of what is over would stand for what nobody was called for.
 */
function partJoined(known: readonly KnownCause[], { incidents, timing, now }: CauseContext): readonly KnownCause[] {
  let after = known;
  const reds = known.filter(({ tier }) => tier === 'red');
  for (const [owner, own] of Map.groupBy(reds, (one) => one.owner)) {
    const first = own.find(({ goneSince }) => goneSince === undefined);
    if (!first || own.some(({ joined }) => !joined)) continue;
    const since = Math.min(...own.map(({ aloneSince = now }) => aloneSince));
    const isParting = now >= since + (first.isLive ? livePartingSeconds : settlingSeconds(timing)) * 1000;
    const name = isParting ? freeName(first.cause, after, incidents) : owner;
    const causes = new Set(own.map(({ cause }) => cause));
    after = after.map((one): KnownCause => {
      if (one.owner !== owner || !causes.has(one.cause)) return one;
      if (isParting) return { ...one, owner: name, joined: undefined, aloneSince: undefined };
      return one.joined && one.aloneSince === undefined ? { ...one, aloneSince: since } : one;
    });
  }
  return after;
}

function isSame(a: FoundCause, b: FoundCause): boolean {
  return a.cause === b.cause && a.tier === b.tier;
}

function goesOn(state: EpisodeState | undefined): boolean {
  return state !== undefined && state.endedAt === undefined;
}

/** The first incident is over, and the red of another one keeps the alarm from ringing that would begin it anew. */
export function isUnheard({ owner, tier, goneSince }: KnownCause, incidents: Incidents): boolean {
  const health = incidents.get(healthCause);
  if (owner !== healthCause || goneSince !== undefined || goesOn(health) || health?.[tier]?.inAlarm) return false;
  return [...incidents].some(([name, state]) => name !== healthCause && goesOn(state) && state.red?.inAlarm);
}

/** @param founded names of incidents that begin with causes of this minute */
function ownerOf(
  cause: FoundCause,
  known: readonly KnownCause[],
  founded: Set<string>,
  { incidents, timing, now, isAftermath }: CauseContext,
): string {
  const other = known.find((one) => one.cause === cause.cause && one.tier !== cause.tier)?.owner;
  const isRed = other !== undefined && incidents.get(other)?.red?.told === 'raised' && goesOn(incidents.get(other));
  if (other !== undefined && !(cause.tier === 'red' && isRed)) return other;
  const [first] = founded;
  if (first !== undefined) return first;
  const newestFirst = [...incidents].sort(
    ([a, { startedAt: startA }], [b, { startedAt: startB }]) =>
      Number(a === healthCause) - Number(b === healthCause) || startB - startA,
  );
  const founder = newestFirst.find(([, state]) => goesOn(state) && isFounding(state, cause, timing, now));
  if (founder) return founder[0];
  const before = newestFirst.find(([, state]) => isAftermath(cause, state));
  if (before) return before[0];
  if (!newestFirst.some(([, state]) => goesOn(state))) return healthCause;
  const name = freeName(cause.cause, known, incidents);
  founded.add(name);
  return name;
}

/** Whether a cause that is found now is of the time in which an incident, or a tier of it, began. */
function isFounding(state: EpisodeState, cause: FoundCause, timing: WindowTiming, now: number): boolean {
  const settling = settlingSeconds(timing);
  const founding = cause.isLive ? Math.min(settling, liveFoundingSeconds) : settling;
  const tiers = [state.red, state.yellow].flatMap((tier) => (tier && tier.told !== 'nothing' ? [tier.since] : []));
  return [state.startedAt, ...tiers].some((start) => {
    if (now <= start + founding * 1000) return true;
    // Alarms ring after what they ring for.
    const earliest = start - 2 * timing.windowSeconds * 1000;
    return cause.began !== undefined && cause.began >= earliest && cause.began <= start + founding * 1000;
  });
}

/** A cause that returns while the incident it began goes on for something else begins another one. */
function freeName(cause: string, known: readonly KnownCause[], incidents: Incidents): string {
  const taken = new Set([
    ...known.map(({ owner }) => owner),
    ...[...incidents].flatMap(([name, state]) => (goesOn(state) ? [name] : [])),
  ]);
  let name = cause;
  for (let count = 2; taken.has(name); count++) name = `${cause} ${count}`;
  return name;
}

/** The state change that an incident of its own is to hear, so that it rings where its causes are in force. */
export function ringOf(
  known: readonly KnownCause[],
  owner: string,
  tier: MessageTier,
  state: EpisodeState | undefined,
  now: number,
): { readonly to: 'ALARM' | 'OK'; readonly time: number } | undefined {
  const own = known.filter((one) => one.owner === owner && one.tier === tier && one.goneSince === undefined);
  const heard = state?.[tier];
  if (own.length > 0 === (heard?.inAlarm === true)) return undefined;
  if (own.length === 0) return { to: 'OK', time: now };
  const since = Math.min(...own.map((one) => one.since));
  return { to: 'ALARM', time: since > (heard?.changed ?? 0) ? since : now };
}

/**
 * What a model's other incidents and its own causes mean for one of its incidents: it says nothing of a tier that rings for
 * others alone, and is not over as long as what closed windows found in it may return.
 */
export function amongCauses(
  company: Company,
  known: readonly KnownCause[],
  owner: string,
  incidents: Incidents,
  timing: WindowTiming,
): Company {
  const elsewhere = (tier: MessageTier): Mute | undefined => {
    const ofTier = known.filter((one) => one.tier === tier);
    if (ofTier.some((one) => one.owner === owner)) return undefined;
    // Alarms end after what they ring for: what is gone is known for as long.
    const other = ofTier.find(
      ({ owner: by, goneSince }) => goneSince !== undefined || incidents.get(by)?.[tier]?.inAlarm,
    );
    const incident = other && incidents.get(other.owner);
    return incident && { by: incident.model, episode: incident.id };
  };
  return {
    ...company,
    muteOf: (tier, state) => elsewhere(tier) ?? company.muteOf(tier, state),
    isElsewhere: (tier) => elsewhere(tier) !== undefined,
    redCauses: () => known.filter((one) => one.owner === owner && one.tier === 'red').map(({ cause }) => cause),
    holdUntil: (tier) => {
      const own = known.filter((one) => one.owner === owner && one.tier === tier);
      const ends = own.map(({ goneSince, isLive }) => {
        if (goneSince === undefined) return Number.POSITIVE_INFINITY;
        return isLive ? 0 : goneSince + settlingSeconds(timing) * 1000;
      });
      return Math.max(0, ...ends);
    },
  };
}
