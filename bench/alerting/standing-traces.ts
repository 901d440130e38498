import type { FindingKind } from '../../core/model/verdict.ts';
import type { FleetMember } from '../../core/route/cascade.ts';
import { settlingSeconds } from '../../core/route/cause-owners.ts';
import { causeOf } from '../../core/route/causes.ts';
import type { MessageTier } from '../../core/route/episode.ts';
import type { RandomSource } from '../detection/random-source.ts';
import type { Span, TrueEpisode } from './incident-traces.ts';
import { flapInMinutes, flapInWindows } from './trouble-flaps.ts';

const [minute, hour] = [60_000, 3_600_000];

/** What may break, how it is found, and how bad it is. */
interface Breakage {
  readonly kind: FindingKind;
  readonly objective?: string;
  readonly tier: MessageTier;
  readonly isLive: boolean;
}

/** Things that go on for days. */
const standing: readonly Breakage[] = [
  { kind: 'quality', objective: 'precision', tier: 'red', isLive: true },
  { kind: 'drift', tier: 'yellow', isLive: false },
  { kind: 'unknown-version', tier: 'yellow', isLive: false },
];

/** Things that begin while they do. */
const later: readonly Breakage[] = [
  { kind: 'slo', objective: 'availability', tier: 'red', isLive: true },
  { kind: 'slo', objective: 'latency', tier: 'red', isLive: true },
  { kind: 'silence', tier: 'red', isLive: true },
  { kind: 'schema-break', tier: 'red', isLive: true },
  { kind: 'slo', objective: 'freshness', tier: 'yellow', isLive: true },
  { kind: 'missing', tier: 'yellow', isLive: false },
];

/**
 * A cause that goes on for days, and others that begin, flap and end meanwhile, each an episode of its own: some return,
 * some bring another one along within their founding period, which is the same episode.
 */
export function drawStanding(member: FleetMember, begin: number, random: RandomSource) {
  const pick = (from: readonly Breakage[]) => from[Math.floor(from.length * random.uniform())] ?? from[0];
  const { name: model } = member;
  const first = pick(standing);
  if (!first) throw new Error('standing traces: expected something that may break');
  const spans: Span[] = [];
  const episodes: TrueEpisode[] = [];
  const settling = settlingSeconds(member) * 1000;
  let at = begin + settling + 2 * hour * random.uniform();
  for (let count = 1 + Math.floor(5 * random.uniform()); count > 0; count--) {
    const broken = pick(later);
    if (!broken) continue;
    const own = spansOf(model, broken, at, member, random);
    const firstEnd = Math.min(own[0]?.to ?? at, at + 30 * minute);
    const companion = random.uniform() < 0.4 ? pick(later.filter(({ kind }) => kind !== broken.kind)) : undefined;
    // What windows find comes later than what the judgement of a minute does, and would begin the episode itself.
    const follows =
      companion?.isLive && broken.isLive && companion.tier === broken.tier
        ? spansOf(model, companion, at + (firstEnd - at) * random.uniform(), member, random)
        : [];
    const all = [...own, ...follows];
    const [from, to] = [Math.min(...all.map((span) => span.from)), Math.max(...all.map((span) => span.to))];
    spans.push(...all);
    const causes = [...new Set(all.map(causeOfSpan))];
    episodes.push({ model, tier: broken.tier, from, to, causes });
    // Until windows would have been judged twice over, all that returns belongs to it.
    at = to + 2 * settling + 6 * hour * random.uniform();
  }
  const whole: Span = { model, ...spanOf(first), from: begin, to: at };
  return { spans: [whole, ...spans], episodes: [{ model, tier: first.tier, from: begin, to: at }, ...episodes] };
}

/** What a span is about. */
export function causeOfSpan({ because, objective }: Pick<Span, 'because' | 'objective'>): string {
  return causeOf({ id: `${because}:${objective ?? ''}`, kind: because, evidence: {} });
}

function spanOf({ kind, objective, tier, isLive }: Breakage) {
  return { tier, because: kind, isLive, ...(objective !== undefined && { objective }) };
}

function spansOf(model: string, broken: Breakage, from: number, member: FleetMember, random: RandomSource): Span[] {
  const count = 1 + Math.floor(6 * random.uniform());
  const flaps = broken.isLive ? flapInMinutes(from, count, random) : flapInWindows(from, count, member, random);
  return flaps.map(([start, to]) => ({ model, ...spanOf(broken), from: start, to }));
}

/** The times of a tier's alarm: red where any span is red, yellow where the worst is. */
export function alarmSpans(spans: readonly Span[]): readonly Span[] {
  const edges = [...new Set(spans.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const alarms: Span[] = [];
  for (const [index, from] of edges.entries()) {
    const to = edges[index + 1];
    const active = spans.filter((span) => span.from <= from && span.to > from);
    const worst = active.find(({ tier }) => tier === 'red') ?? active[0];
    if (to === undefined || !worst) continue;
    const before = alarms.at(-1);
    if (before && before.tier === worst.tier && before.to === from) alarms[alarms.length - 1] = { ...before, to };
    else alarms.push({ ...worst, from, to });
  }
  return alarms;
}
