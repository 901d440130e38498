import type { AffectedModel } from '../model/delivery.ts';
import type { Aftermath, ToldStretch } from './aftermath.ts';
import { alone, type Company, type EpisodeState, type MessageTier, type Mute } from './episode.ts';

/** What is known of the episodes of models, by model: the first of each, and those of later causes. */
export type Standings = ReadonlyMap<string, readonly EpisodeState[]>;

/** A model and what it depends on directly. */
export interface FleetMember {
  readonly name: string;
  readonly dependsOn?: readonly string[] | undefined;
  readonly windowSeconds: number;
  readonly graceSeconds: number;
}

/**
 * Alarms of a root and its dependents that follow from one cause ring within a few minutes of each other in any order:
 * both windows close together. A yellow of a dependent waits this long, and one that began this much earlier follows.
 */
export const cascadeSlackSeconds = 300;

/**
 * What an incident explains begins soon after it was raised: within this long, or four windows and the grace of the model
 * that depends on it, whichever is longer. What begins later is that model's own.
 */
const explainedSeconds = 86_400;
const explainedWindows = 4;

/** An alarm that was muted and whose findings are gone is about to end: it may ring on for this long. */
const lapseSeconds = 600;

/** What the newest verdicts in force say of a model, beside what of it a root may explain. */
export interface InForce {
  /** Whether they hold a finding of a tier. */
  isFound(tier: MessageTier): boolean;
  /** What their yellow is to a red that is over: see `judgeAftermath`. */
  aftermathOf(red: ToldStretch): Aftermath;
}

const unknownVerdicts: InForce = { isFound: () => true, aftermathOf: () => 'unclear' };

/** Who depends on whom, both ways and however far. */
export class DependencyGraph {
  readonly #members: ReadonlyMap<string, FleetMember>;
  readonly #dependents: ReadonlyMap<string, readonly string[]>;

  constructor(members: readonly FleetMember[]) {
    this.#members = new Map(members.map((member) => [member.name, member]));
    const edges = members.flatMap(({ name, dependsOn = [] }) => dependsOn.map((root) => ({ root, name })));
    const grouped = Map.groupBy(edges, ({ root }) => root);
    this.#dependents = new Map([...grouped].map(([root, of]) => [root, of.map(({ name }) => name)]));
  }

  member(model: string): FleetMember | undefined {
    return this.#members.get(model);
  }

  /** All that a model depends on, sorted. */
  rootsOf(model: string): readonly string[] {
    return reach(model, (name) => this.#members.get(name)?.dependsOn ?? []);
  }

  /** All that depend on a model, sorted. */
  dependentsOf(model: string): readonly string[] {
    return reach(model, (name) => this.#dependents.get(name) ?? []);
  }
}

/** Also of a graph with a cycle, which the configuration refuses: a model is never its own root. */
function reach(start: string, next: (name: string) => readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const waiting = [...next(start)];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === start || seen.has(name)) continue;
    seen.add(name);
    waiting.push(...next(name));
  }
  return [...seen].sort();
}

/**
 * What the fleet means for the episode of one model.
 * @param isExplained whether all there is of a tier is drift or quality: see `tierPolicy`
 */
export function companyOf(
  graph: DependencyGraph,
  model: string,
  standings: Standings,
  now: number,
  isExplained: (tier: MessageTier) => boolean,
  { isFound, aftermathOf }: InForce = unknownVerdicts,
): Company {
  const roots = graph.rootsOf(model);
  const member = graph.member(model);
  const patience = (tier: MessageTier) =>
    // Yellow is judged by windows: the next one shows whether it is over with the root's incident.
    tier === 'red' || !member ? 0 : (member.windowSeconds + member.graceSeconds) * 1000;
  const standingsOf = (root: string) => standings.get(root) ?? [];
  return {
    ...alone,
    muteOf: (tier, state) => {
      if (!isFound(tier)) return lapse(state[tier]?.muted, now);
      if (!isExplained(tier)) return undefined;
      if (tier === 'yellow' && member && isEcho(state, member, now, aftermathOf))
        return { by: state.model, episode: state.id };
      for (const standing of roots.flatMap(standingsOf)) {
        const mute = muteBy(standing, tier, state, now, member, patience(tier), aftermathOf);
        if (mute) return mute;
      }
      return undefined;
    },
    isAftermath: (state) =>
      member !== undefined &&
      isExplained('yellow') &&
      toldReds(state, patience('yellow')).some((red) => aftermathOf(red) === 'past'),
    waitSeconds: (tier) => {
      if (tier !== 'yellow' || roots.length === 0 || !isExplained(tier)) return 0;
      // A root that depends on others waits as well; its dependents wait for it, though they rang a moment earlier.
      const isRootWaiting = roots.flatMap(standingsOf).some((standing) => isWaiting(standing, now));
      return isRootWaiting ? Number.POSITIVE_INFINITY : cascadeSlackSeconds;
    },
    affected: (state) => affectedBy(graph, state, standings),
  };
}

function lapse(muted: Mute | undefined, now: number): Mute | undefined {
  const lapsed = muted?.lapsed ?? now;
  return muted && now < lapsed + lapseSeconds * 1000 ? { ...muted, lapsed } : undefined;
}

/**
 * What was red for some hours stays yellow as long as stretches of windows hold it, and people know of it: a yellow that
 * follows a red is not told while it is nothing else. Where that can't be told, a yellow within a window of the red is told
 * only if it outlasts another window, and the first that begins after the red.
 */
function isEcho(
  state: EpisodeState,
  { windowSeconds, graceSeconds }: FleetMember,
  now: number,
  aftermathOf: InForce['aftermathOf'],
): boolean {
  const since = state.yellow?.since;
  if (since === undefined) return false;
  const [window, grace] = [windowSeconds * 1000, graceSeconds * 1000];
  return toldReds(state, window + grace).some((red) => {
    const aftermath = aftermathOf(red);
    if (aftermath !== 'unclear') return aftermath === 'past';
    const windowAfter = Math.ceil(red.to / window) * window + window;
    const judged = Math.max(windowAfter, since + window) + grace;
    return since >= red.from && since <= red.to + window + grace && now < judged + cascadeSlackSeconds * 1000;
  });
}

/**
 * Reds that people were told of and that are over, also where that is not told yet.
 * @param isRed whether a verdict is red now; where none is, an alarm may ring on for a moment
 */
export function redsBehind(
  state: EpisodeState,
  apartMilliseconds: number,
  now: number,
  isRed: boolean,
): readonly ToldStretch[] {
  const { red, startedAt: from } = state;
  const isEnding = state.endedAt === undefined && red?.told === 'raised' && !(red.inAlarm && isRed);
  const to = red?.inAlarm ? now : red?.changed;
  return [...toldReds(state, apartMilliseconds), ...(isEnding && to !== undefined ? [{ from, to }] : [])];
}

/** Reds that people were told of and that are over. Those at most so far apart are one. */
function toldReds({ past }: EpisodeState, apartMilliseconds: number): readonly ToldStretch[] {
  const reds: ToldStretch[] = [];
  for (const [tier, from, to] of past) {
    if (tier !== 'red') continue;
    const before = reds.at(-1);
    if (before && from <= before.to + apartMilliseconds)
      reds[reds.length - 1] = { from: before.from, to: Math.max(to, before.to) };
    else reds.push({ from, to });
  }
  return reds;
}

/** A root's yellow explains no red: nobody would be paged. */
function muteBy(
  root: EpisodeState,
  tier: MessageTier,
  state: EpisodeState,
  now: number,
  member: FleetMember | undefined,
  patienceMilliseconds: number,
  aftermathOf: InForce['aftermathOf'],
): Mute | undefined {
  const mute = { by: root.model, episode: root.id };
  const own = state[tier];
  if (!own) return undefined;
  const over = own.muted?.by === root.model ? stretchOf(root, own.muted.episode) : undefined;
  // Also where the root rings anew by now, as the echo of its red does.
  if (
    own.muted &&
    over &&
    (now < over.to + patienceMilliseconds || (tier === 'yellow' && aftermathOf(over) === 'past'))
  )
    return { by: root.model, episode: own.muted.episode };
  if (root.endedAt !== undefined) return undefined;
  const isTold = tier === 'red' ? root.red?.told === 'raised' : isKnown(root);
  const isAfter = own.since >= root.startedAt - cascadeSlackSeconds * 1000;
  return isTold && isAfter && own.since <= explainedUntil(root, tier, member) ? mute : undefined;
}

/** Until when what begins is explained by an incident that goes on, counted from when it, or a tier of it, was raised last. */
function explainedUntil(
  { red, yellow, startedAt }: EpisodeState,
  tier: MessageTier,
  { windowSeconds, graceSeconds } = { windowSeconds: 0, graceSeconds: 0 },
): number {
  const told = (tier === 'red' ? [red] : [red, yellow]).filter((one) => one !== undefined && one.told !== 'nothing');
  const raised = Math.max(startedAt, ...told.map((one) => one?.since ?? startedAt));
  return raised + Math.max(explainedSeconds, explainedWindows * windowSeconds + graceSeconds) * 1000;
}

/** An incident of a root that is over; undefined: it goes on. */
function stretchOf(root: EpisodeState, episode: string): ToldStretch | undefined {
  if (episode === root.id) return root.endedAt === undefined ? undefined : { from: root.startedAt, to: root.endedAt };
  const past = root.past.findLast(([, from]) => from < root.startedAt);
  return past && { from: past[1], to: past[2] };
}

/** Whether people are about to be told of its yellow, unless a root of its own explains it. */
function isWaiting(root: EpisodeState | undefined, now: number): boolean {
  const yellow = root?.endedAt === undefined ? root?.yellow : undefined;
  if (!yellow?.inAlarm || yellow.told !== 'nothing' || yellow.muted) return false;
  // A minute more: what is due is said once a minute.
  return now < yellow.since + (cascadeSlackSeconds + 60) * 1000;
}

/** Whether people know of the incident. */
function isKnown({ yellow, red }: EpisodeState): boolean {
  return [yellow, red].some((tier) => tier !== undefined && tier.told !== 'nothing');
}

/** Dependents that are not green and did not fail before their root. */
function affectedBy(graph: DependencyGraph, state: EpisodeState, standings: Standings): readonly AffectedModel[] {
  return graph.dependentsOf(state.model).flatMap((model): AffectedModel[] => {
    const ringing = (standings.get(model) ?? []).flatMap(({ id, endedAt, red, yellow }): AffectedModel[] => {
      const worst = red?.inAlarm ? red : yellow?.inAlarm ? yellow : undefined;
      if (endedAt !== undefined || !worst) return [];
      // What another incident of the model tells of is that one's.
      if (worst.muted?.by === model && worst.muted.episode !== id) return [];
      if (worst.since < state.startedAt - cascadeSlackSeconds * 1000) return [];
      const lagMilliseconds = worst.since - state.startedAt;
      return [
        { model, tier: worst === red ? 'red' : 'yellow', lagMilliseconds, muted: worst.muted?.episode === state.id },
      ];
    });
    const [first] = ringing.sort((a, b) => Number(b.tier === 'red') - Number(a.tier === 'red'));
    return first ? [first] : [];
  });
}

/** Those that an incident mutes now. */
export function mutedBy(graph: DependencyGraph, state: EpisodeState, standings: Standings): readonly AffectedModel[] {
  return affectedBy(graph, state, standings).filter(({ muted }) => muted);
}
