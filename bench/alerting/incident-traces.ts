import type { AlarmStateValue } from '../../core/model/alarm.ts';
import type { FindingKind } from '../../core/model/verdict.ts';
import type { FleetMember } from '../../core/route/cascade.ts';
import type { MessageTier } from '../../core/route/episode.ts';
import type { RandomSource } from '../detection/random-source.ts';
import { alarmSpans, drawStanding } from './standing-traces.ts';
import { burstFlaps, flapInMinutes, flapInWindows } from './trouble-flaps.ts';

/** A stretch in which verdicts are of a tier, and its alarm rings. Times in milliseconds since the trace began. */
export interface Span {
  readonly model: string;
  readonly tier: MessageTier;
  readonly from: number;
  readonly to: number;
  readonly because: FindingKind;
  /** Of a finding about an objective: which. */
  readonly objective?: string;
  /** Whether the judgement of a minute finds it; else closed windows do. */
  readonly isLive: boolean;
}

/** What people should hear of once: trouble of one model from its first alarm until all it explains is over. */
export interface TrueEpisode {
  readonly model: string;
  readonly tier: MessageTier;
  readonly from: number;
  readonly to: number;
  /** Of one that begins while another goes on: what it is about, any of these. */
  readonly causes?: readonly string[];
}

/** One delivery of a state change. */
export interface Notice {
  readonly model: string;
  readonly tier: MessageTier;
  readonly to: AlarmStateValue;
  readonly time: number;
  readonly heard: number;
  readonly because: FindingKind;
}

export const traceKinds = ['flapping', 'cascading', 'bursty', 'standing'] as const;
export type TraceKind = (typeof traceKinds)[number];

export interface Trace {
  readonly members: readonly FleetMember[];
  readonly spans: readonly Span[];
  readonly episodes: readonly TrueEpisode[];
  /** Ascending by when they are heard. */
  readonly notices: readonly Notice[];
  readonly minutes: number;
}

/** How notices travel. */
export interface Delivery {
  /** Share of first deliveries that take up to `lateMinutes`; the others take up to 20 s. */
  readonly lateShare: number;
  readonly lateMinutes: number;
  /** Share of notices that are delivered twice, the second time up to half an hour late. */
  readonly repeatedShare: number;
  /** Share of episodes all of whose notices are lost: the verdicts must ring by themselves. */
  readonly cutShare: number;
}

const minute = 60_000;
/** Between two episodes of one fleet: longer than anything of the first is on its way, or waits for windows. */
const quietMinutes = 300;

interface Draft {
  readonly spans: readonly Span[];
  readonly episodes: readonly TrueEpisode[];
  readonly isCut?: boolean;
  /** What rings; absent: all spans. */
  readonly alarms?: readonly Span[];
}

export function drawTrace(kind: TraceKind, random: RandomSource, delivery: Delivery): Trace {
  const members = drawMembers(kind, random);
  const drafts: Draft[] = [];
  let begin = 5 * minute;
  for (let round = between(random, 1, 3); round > 0; round--) {
    const drawn = drawRound(kind, members, begin, random, delivery.cutShare);
    drafts.push(...drawn);
    begin = Math.max(...drawn.flatMap(({ spans }) => spans.map(({ to }) => to))) + quietMinutes * minute;
  }
  return {
    members,
    spans: drafts.flatMap(({ spans }) => spans),
    episodes: drafts.flatMap(({ episodes }) => episodes),
    notices: drafts
      .flatMap((draft) =>
        draft.isCut ? [] : (draft.alarms ?? draft.spans).flatMap((span) => deliver(span, random, delivery)),
      )
      .sort((a, b) => a.heard - b.heard),
    minutes: begin / minute,
  };
}

function drawMembers(kind: TraceKind, random: RandomSource): readonly FleetMember[] {
  const count =
    kind === 'flapping' || kind === 'standing'
      ? 1
      : kind === 'cascading'
        ? between(random, 4, 12)
        : between(random, 8, 20);
  return Array.from({ length: count }, (_, at) => {
    const roots = Array.from({ length: kind === 'cascading' && at > 0 ? between(random, at === 1 ? 1 : 0, 2) : 0 });
    const dependsOn = [...new Set(roots.map(() => `m${between(random, 0, at - 1)}`))];
    return { name: `m${at}`, dependsOn, windowSeconds: 3600, graceSeconds: 600 };
  });
}

function drawRound(
  kind: TraceKind,
  members: readonly FleetMember[],
  begin: number,
  random: RandomSource,
  cutShare: number,
): readonly Draft[] {
  if (kind === 'cascading') return drawCascade(members, begin, random);
  const [only] = members;
  if (kind === 'standing' && only) {
    const isCut = random.uniform() < cutShare;
    const drawn = drawStanding(only, begin, random);
    return [{ ...drawn, alarms: alarmSpans(drawn.spans), isCut }];
  }
  const failing = kind === 'flapping' ? 1 : between(random, 3, Math.min(8, members.length));
  return shuffle(members, random)
    .slice(0, failing)
    .map((member) => {
      const { name } = member;
      const from = begin + random.uniform() * 2 * minute;
      // What no alarm tells of must last for the verdicts to ring: one stretch of a quarter of an hour and more.
      const isCut = random.uniform() < cutShare;
      const tier = drawTier(random);
      const flaps = isCut
        ? [[from, from + (15 + 45 * random.uniform()) * minute] as const]
        : tier === 'yellow'
          ? flapInWindows(from, between(random, 1, kind === 'flapping' ? 12 : 4), member, random)
          : kind === 'flapping'
            ? flapInMinutes(from, between(random, 1, 12), random)
            : flapInMinutes(from, between(random, 5, 30), random, burstFlaps);
      return { ...drawEpisode(name, tier, flaps, random), isCut };
    });
}

/** Red, in some cases yellow before and after it or as the echo of its window; or yellow alone. */
function drawEpisode(
  model: string,
  tier: MessageTier,
  flaps: readonly (readonly [number, number])[],
  random: RandomSource,
): Draft {
  const [first, last] = [flaps[0]?.[0] ?? 0, flaps.at(-1)?.[1] ?? 0];
  const because = tier === 'red' ? 'slo' : 'drift';
  const spans: Span[] = flaps.map(([from, to]) => ({ model, tier, from, to, because, isLive: because === 'slo' }));
  const form = random.uniform();
  if (tier === 'red' && form < 0.5) {
    const [from, to] = [first - 4 * minute * random.uniform(), last + 8 * minute * random.uniform()];
    spans.unshift({ model, tier: 'yellow', from, to, because: 'slo', isLive: true });
  } else if (tier === 'red' && form < 0.75) {
    const from = last + 60 * minute * random.uniform();
    const to = from + 60 * minute * random.uniform();
    spans.push({ model, tier: 'yellow', from, to, because: 'missing', isLive: false });
  }
  return { spans, episodes: [{ model, tier, from: first, to: Math.max(...spans.map(({ to }) => to)) }] };
}

function drawTier(random: RandomSource): MessageTier {
  return random.uniform() < 0.7 ? 'red' : 'yellow';
}

/** A root fails; what depends on it drifts, and some of it breaks an objective by itself. */
function drawCascade(members: readonly FleetMember[], begin: number, random: RandomSource): readonly Draft[] {
  const roots = members.filter(({ name }) => dependentsOf(members, name).length > 0);
  const root = roots[between(random, 0, roots.length - 1)]?.name ?? '';
  const tier = drawTier(random);
  const member = members.find(({ name }) => name === root);
  const count = between(random, 1, 8);
  const flaps =
    tier === 'yellow' && member ? flapInWindows(begin, count, member, random) : flapInMinutes(begin, count, random);
  const own = drawEpisode(root, tier, flaps, random);
  const drafts = [own];
  // A root's yellow before its red, or echo after it, are not what its dependents go by.
  const failing = own.spans.filter((span) => span.tier === tier);
  const [from, to] = [failing[0]?.from ?? 0, failing.at(-1)?.to ?? 0];
  for (const model of dependentsOf(members, root)) {
    const fate = random.uniform();
    const at = from + (random.uniform() < 0.2 ? -1.5 * minute * random.uniform() : (to - from) * random.uniform());
    if (fate < 0.15) {
      const spans = flapInMinutes(at, between(random, 1, 5), random).map(
        ([start, end]): Span => ({ model, tier: 'red', from: start, to: end, because: 'slo', isLive: true }),
      );
      drafts.push({ spans, episodes: [{ model, tier: 'red', from: at, to: spans.at(-1)?.to ?? at }] });
    } else if (fate < 0.8) {
      const end = Math.max(at + 10 * minute, at + (to + 40 * minute - at) * random.uniform());
      const because = random.uniform() < 0.5 ? 'drift' : 'missing';
      drafts.push({ spans: [{ model, tier: 'yellow', from: at, to: end, because, isLive: false }], episodes: [] });
    }
  }
  return drafts;
}

function dependentsOf(members: readonly FleetMember[], root: string): readonly string[] {
  const reached = new Set([root]);
  // Members depend on earlier ones only.
  for (const { name, dependsOn = [] } of members) if (dependsOn.some((one) => reached.has(one))) reached.add(name);
  return [...reached].filter((name) => name !== root);
}

function deliver({ model, tier, from, to, because }: Span, random: RandomSource, delivery: Delivery): Notice[] {
  return (['ALARM', 'OK'] as const).flatMap((state) => {
    const time = state === 'ALARM' ? from : to;
    const isLate = random.uniform() < delivery.lateShare;
    const heard = time + (isLate ? delivery.lateMinutes * minute : 20_000) * random.uniform();
    const notice = { model, tier, to: state, time, heard, because };
    const isRepeated = random.uniform() < delivery.repeatedShare;
    return isRepeated ? [notice, { ...notice, heard: heard + 30 * minute * random.uniform() }] : [notice];
  });
}

/** A whole number of [least, most]. */
function between(random: RandomSource, least: number, most: number): number {
  return least + Math.floor(random.uniform() * (most - least + 1));
}

function shuffle<Item>(items: readonly Item[], random: RandomSource): readonly Item[] {
  return items
    .map((item) => [random.uniform(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
