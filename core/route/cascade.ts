import type { AffectedModel } from '../model/delivery.ts';
import type { Company, EpisodeState, MessageTier, Mute } from './episode.ts';

/** What is known of the models' own episodes, by model. */
export type Standings = ReadonlyMap<string, EpisodeState>;

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
): Company {
  const roots = graph.rootsOf(model);
  const member = graph.member(model);
  const patience = (tier: MessageTier) =>
    // Yellow is judged by windows: the next one shows whether it is over with the root's incident.
    tier === 'red' || !member ? 0 : (member.windowSeconds + member.graceSeconds) * 1000;
  return {
    muteOf: (tier, state) => {
      if (!isExplained(tier)) return undefined;
      const echo = tier === 'yellow' ? echoOf(state, now, patience(tier)) : undefined;
      if (echo) return echo;
      for (const root of roots) {
        const standing = standings.get(root);
        const mute = standing && muteBy(standing, tier, state, now, patience(tier));
        if (mute) return mute;
      }
      return undefined;
    },
    waitSeconds: (tier) => {
      if (tier !== 'yellow' || roots.length === 0 || !isExplained(tier)) return 0;
      // A root that depends on others waits as well; its dependents wait for it, though they rang a moment earlier.
      const isRootWaiting = roots.some((root) => isWaiting(standings.get(root), now));
      return isRootWaiting ? Number.POSITIVE_INFINITY : cascadeSlackSeconds;
    },
    affected: (state) => affectedBy(graph, state, standings),
  };
}

/**
 * What was red for some hours is yellow once its window closes, and people know of it: a yellow that follows a red within a
 * window is told only where it outlasts the window after.
 */
function echoOf(state: EpisodeState, now: number, patienceMilliseconds: number): Mute | undefined {
  const since = state.yellow?.since;
  if (since === undefined || patienceMilliseconds === 0) return undefined;
  const isEcho = state.past.some(
    ([tier, from, to]) => tier === 'red' && since >= from && since <= to + patienceMilliseconds,
  );
  const until = since + patienceMilliseconds + cascadeSlackSeconds * 1000;
  return isEcho && now < until ? { by: state.model, episode: state.id } : undefined;
}

/** A root's yellow explains no red: nobody would be paged. */
function muteBy(
  root: EpisodeState,
  tier: MessageTier,
  state: EpisodeState,
  now: number,
  patienceMilliseconds: number,
): Mute | undefined {
  const mute = { by: root.model, episode: root.id };
  const own = state[tier];
  if (!own) return undefined;
  const ended = own.muted?.by === root.model ? endOf(root, own.muted.episode) : undefined;
  // Also where the root rings anew by now, as the echo of its red does.
  if (ended !== undefined && now < ended + patienceMilliseconds) return own.muted;
  if (root.endedAt !== undefined) return undefined;
  const isTold = tier === 'red' ? root.red?.told === 'raised' : isKnown(root);
  return isTold && own.since >= root.startedAt - cascadeSlackSeconds * 1000 ? mute : undefined;
}

/** When an incident of a root was over; undefined: it goes on. */
function endOf(root: EpisodeState, episode: string): number | undefined {
  if (episode === root.id) return root.endedAt;
  return root.past.findLast(([, from]) => from < root.startedAt)?.[2];
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
    const standing = standings.get(model);
    if (!standing || standing.endedAt !== undefined) return [];
    const { red, yellow } = standing;
    const worst = red?.inAlarm ? red : yellow?.inAlarm ? yellow : undefined;
    if (!worst || worst.since < state.startedAt - cascadeSlackSeconds * 1000) return [];
    const lagMilliseconds = worst.since - state.startedAt;
    return [
      { model, tier: worst === red ? 'red' : 'yellow', lagMilliseconds, muted: worst.muted?.episode === state.id },
    ];
  });
}

/** Those that an incident mutes now. */
export function mutedBy(graph: DependencyGraph, state: EpisodeState, standings: Standings): readonly AffectedModel[] {
  return affectedBy(graph, state, standings).filter(({ muted }) => muted);
}
