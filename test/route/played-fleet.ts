import type { AlarmStateValue } from '../../core/model/alarm.ts';
import type { FindingKind } from '../../core/model/verdict.ts';
import type { Aftermath, ToldStretch } from '../../core/route/aftermath.ts';
import { cascadeSlackSeconds, companyOf, DependencyGraph, mutedBy } from '../../core/route/cascade.ts';
import {
  type EpisodeMessage,
  type EpisodeState,
  type EpisodeStep,
  type MessageTier,
  recoveryHoldSeconds,
  reportAffected,
  speak,
  stepEpisode,
} from '../../core/route/episode.ts';
import { isExplained } from '../../core/route/tier-policy.ts';

export const minute = 60_000;
export const hold = recoveryHoldSeconds / 60;
export const slack = cascadeSlackSeconds / 60;
export const start = Date.UTC(2001, 2, 10);

/** What rings when, because of what. */
export type Change = readonly [
  minute: number,
  model: string,
  tier: MessageTier,
  to: AlarmStateValue,
  because?: FindingKind,
];

export const members = [
  { name: 'root' },
  { name: 'middle', dependsOn: ['root'] },
  { name: 'leaf', dependsOn: ['middle'] },
  { name: 'other', dependsOn: ['root'] },
  { name: 'alone' },
].map((member) => ({ ...member, windowSeconds: 3600, graceSeconds: 600 }));

/** What the newest verdicts say in a minute of what is yellow beside a red of before; nothing: no verdict is yellow. */
export type Aftermaths = (minute: number, red: ToldStretch) => Aftermath | undefined;

/** Plays a fleet, minute by minute, as the notifying function does. */
export function play(changes: readonly Change[], last: number, aftermaths: Aftermaths = () => 'unclear') {
  const graph = new DependencyGraph(members);
  const standings = new Map<string, EpisodeState>();
  const all = () => new Map([...standings].map(([model, state]) => [model, [state]]));
  const reasons = new Map<string, FindingKind>();
  const sent: (EpisodeMessage & { readonly said: number })[] = [];
  const keep = (model: string, { state, messages }: EpisodeStep, at: number) => {
    if (state) standings.set(model, JSON.parse(JSON.stringify(state)) as EpisodeState);
    sent.push(...messages.map((message) => ({ ...message, said: at })));
  };
  for (let at = 0; at <= last; at++) {
    const now = start + at * minute;
    const company = (model: string) =>
      companyOf(
        graph,
        model,
        all(),
        now,
        (tier) => {
          const kind = reasons.get(`${model} ${tier}`);
          return kind !== undefined && isExplained([{ id: kind, kind, tier, message: '', evidence: {} }], tier);
        },
        {
          isFound: (tier) => tier === 'red' || aftermaths(at, { from: 0, to: 0 }) !== undefined,
          aftermathOf: (red) => aftermaths(at, red) ?? 'unclear',
        },
      );
    for (const [, model, tier, to, because = 'drift'] of changes.filter(([when]) => when === at)) {
      if (to === 'ALARM') reasons.set(`${model} ${tier}`, because);
      const transition = { model, cause: 'health', tier, to, time: now };
      keep(model, stepEpisode(standings.get(model), transition, now, company(model)), at);
    }
    for (const [model, state] of [...standings]) keep(model, speak(state, now, company(model)), at);
    for (const { name } of members) {
      const state = standings.get(name);
      if (state) keep(name, reportAffected(state, mutedBy(graph, state, all()), now), at);
    }
  }
  return { sent, standings, words: sent.map((m) => `${m.said} ${m.model} ${m.tier} ${m.event}`) };
}
