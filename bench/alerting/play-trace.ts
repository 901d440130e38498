import { type FindingKind, type Tier, worstTier } from '../../core/model/verdict.ts';
import { healthCause } from '../../core/route/alarm-notice.ts';
import { companyOf, DependencyGraph, type FleetMember, mutedBy, redsBehind } from '../../core/route/cascade.ts';
import { amongCauses, followCauses, type KnownCause, ringOf, settlingSeconds } from '../../core/route/cause-owners.ts';
import type { FoundCause } from '../../core/route/causes.ts';
import { checkDoorbell, type Doorbell } from '../../core/route/doorbell.ts';
import {
  type EpisodeMessage,
  type EpisodeState,
  type EpisodeStep,
  type EpisodeTransition,
  isSettled,
  type MessageTier,
  reportAffected,
  speak,
  stepEpisode,
} from '../../core/route/episode.ts';
import { isExplained, isMutedByRoot } from '../../core/route/tier-policy.ts';
import type { Span, Trace } from './incident-traces.ts';
import { causeOfSpan } from './standing-traces.ts';

const minute = 60_000;
/** Traces begin here, so that times are those of a calendar. */
export const traceStart = Date.UTC(2026, 0, 5);

/** A message and when it was said, in milliseconds since the trace began. */
export interface Said {
  readonly message: EpisodeMessage;
  readonly at: number;
}

/** Plays a trace as the notifying function does: notices as they are heard, and each minute causes, doorbells and what is due. */
export function playTrace(trace: Trace): readonly Said[] {
  const people = new People(trace.members);
  const spansOf = Map.groupBy(trace.spans, ({ model }) => model);
  let next = 0;
  for (let at = 0; at <= trace.minutes * minute; at += minute) {
    const inForce = (model: string) => (spansOf.get(model) ?? []).filter(({ from, to }) => at >= from && at < to);
    for (let notice = trace.notices[next]; notice && notice.heard <= at; notice = trace.notices[++next]) {
      const { model, tier, to, time, heard, because } = notice;
      if (to === 'ALARM') people.expect(model, healthCause, tier, because);
      people.watch(model, inForce(model), heard);
      people.hear({ model, cause: healthCause, tier, to, time: traceStart + time }, healthCause, heard);
    }
    for (const model of spansOf.keys()) people.watch(model, inForce(model), at);
    people.sayWhatIsDue(at);
    for (const model of spansOf.keys()) people.answerDoorbell(model, inForce(model), at);
  }
  return people.said;
}

/** What is known of the incidents of a fleet, and what was said of them. */
class People {
  readonly said: Said[] = [];
  readonly #graph: DependencyGraph;
  readonly #members: ReadonlyMap<string, FleetMember>;
  /** By model, then by name. */
  readonly #incidents = new Map<string, Map<string, EpisodeState>>();
  readonly #causes = new Map<string, readonly KnownCause[]>();
  readonly #doorbells = new Map<string, Doorbell>();
  /** Why a tier of an incident rings. */
  readonly #reasons = new Map<string, FindingKind>();

  constructor(members: readonly FleetMember[]) {
    this.#graph = new DependencyGraph(members);
    this.#members = new Map(members.map((member) => [member.name, member]));
  }

  expect(model: string, incident: string, tier: MessageTier, because: FindingKind): void {
    this.#reasons.set(`${model} ${incident} ${tier}`, because);
  }

  /** Finds out which incident each cause belongs to, and lets those of later causes ring. */
  watch(model: string, spans: readonly Span[], at: number): void {
    const before = this.#causes.get(model) ?? [];
    const member = this.#members.get(model);
    if (!member || (spans.length === 0 && before.length === 0)) return;
    const now = traceStart + at;
    const incidents = this.#of(model);
    const found = spans.map((span): FoundCause => ({ cause: causeOfSpan(span), tier: span.tier, isLive: span.isLive }));
    const isAftermath = ({ cause, tier }: FoundCause, incident: EpisodeState) =>
      tier === 'yellow' &&
      spans.some((span) => causeOfSpan(span) === cause && isMutedByRoot(span.because)) &&
      redsBehind(
        incident,
        0,
        now,
        found.some((one) => one.tier === 'red'),
      ).some((red) => now <= red.to + settlingSeconds(member) * 1000);
    const known = followCauses(before, found, { incidents, timing: member, isStale: false, now, isAftermath });
    this.#causes.set(model, known);
    for (const span of spans) {
      const owner = known.find(({ cause, tier }) => cause === causeOfSpan(span) && tier === span.tier)?.owner;
      this.expect(model, owner ?? healthCause, span.tier, span.because);
    }
    const later = new Set([...incidents.keys(), ...known.map(({ owner }) => owner)]);
    later.delete(healthCause);
    for (const name of later) {
      for (const tier of ['red', 'yellow'] as const) {
        const ring = ringOf(known, name, tier, incidents.get(name), now);
        const cause = known.find((one) => one.owner === name && one.tier === tier)?.cause ?? name;
        if (ring) this.hear({ model, cause, tier, ...ring }, name, at);
      }
    }
  }

  hear(transition: EpisodeTransition, name: string, at: number): void {
    const now = traceStart + at;
    const { model } = transition;
    this.#keep(
      model,
      name,
      stepEpisode(this.#of(model).get(name), transition, now, this.#company(model, name, now)),
      at,
    );
  }

  /** A verdict that no alarm rings for. */
  answerDoorbell(model: string, spans: readonly Span[], at: number): void {
    const tier: Tier = worstTier(spans.map((span) => span.tier));
    const before = this.#doorbells.get(model) ?? {};
    const heard = this.#of(model).get(healthCause);
    const { doorbell, rings } = checkDoorbell(before, tier, heard, traceStart + at);
    this.#doorbells.set(model, doorbell);
    for (const ring of rings) this.hear({ model, cause: healthCause, ...ring, time: traceStart + at }, healthCause, at);
  }

  sayWhatIsDue(at: number): void {
    const now = traceStart + at;
    const open = [...this.#incidents].flatMap(([model, own]) =>
      [...own].flatMap(([name, state]) => (isSettled(state) ? [] : [[model, name] as const])),
    );
    const state = (model: string, name: string) => this.#of(model).get(name);
    for (const [model, name] of open) {
      const own = state(model, name);
      if (own) this.#keep(model, name, speak(own, now, this.#company(model, name, now)), at);
    }
    for (const [model, name] of open) {
      const own = state(model, name);
      if (own) this.#keep(model, name, reportAffected(own, mutedBy(this.#graph, own, this.#standings()), now), at);
    }
  }

  #company(model: string, name: string, now: number) {
    const isOwn = (tier: MessageTier) => {
      const kind = this.#reasons.get(`${model} ${name} ${tier}`);
      return kind !== undefined && isExplained([{ id: kind, kind, tier, message: '', evidence: {} }], tier);
    };
    const fleet = companyOf(this.#graph, model, this.#standings(), now, isOwn);
    const timing = this.#members.get(model) ?? { windowSeconds: 0, graceSeconds: 0 };
    return amongCauses(fleet, this.#causes.get(model) ?? [], name, this.#of(model), timing);
  }

  #standings(): ReadonlyMap<string, readonly EpisodeState[]> {
    return new Map([...this.#incidents].map(([model, own]) => [model, [...own.values()]]));
  }

  #of(model: string): Map<string, EpisodeState> {
    const known = this.#incidents.get(model) ?? new Map<string, EpisodeState>();
    this.#incidents.set(model, known);
    return known;
  }

  #keep(model: string, name: string, { state, messages }: EpisodeStep, at: number): void {
    if (state) this.#of(model).set(name, state);
    for (const message of messages) this.said.push({ message, at });
  }
}
