import { type FindingKind, type Tier, tierValue } from '../../core/model/verdict.ts';
import { companyOf, DependencyGraph, mutedBy } from '../../core/route/cascade.ts';
import { checkDoorbell, type Doorbell } from '../../core/route/doorbell.ts';
import {
  type EpisodeMessage,
  type EpisodeState,
  type EpisodeStep,
  type MessageTier,
  reportAffected,
  speak,
  stepEpisode,
} from '../../core/route/episode.ts';
import { isExplained } from '../../core/route/tier-policy.ts';
import type { Trace } from './incident-traces.ts';

const minute = 60_000;
/** Traces begin here, so that times are those of a calendar. */
export const traceStart = Date.UTC(2026, 0, 5);

/** A message and when it was said, in milliseconds since the trace began. */
export interface Said {
  readonly message: EpisodeMessage;
  readonly at: number;
}

/** Plays a trace as the notifying function does: notices as they are heard, and each minute doorbells and what is due. */
export function playTrace({ members, spans, notices, minutes }: Trace): readonly Said[] {
  const graph = new DependencyGraph(members);
  const standings = new Map<string, EpisodeState>();
  const doorbells = new Map<string, Doorbell>();
  const reasons = new Map<string, FindingKind>();
  const said: Said[] = [];
  const keep = (model: string, { state, messages }: EpisodeStep, at: number) => {
    if (state) standings.set(model, state);
    for (const message of messages) said.push({ message, at });
  };
  const companyAt = (model: string, now: number) =>
    companyOf(graph, model, standings, now, (tier) => {
      const kind = reasons.get(`${model} ${tier}`);
      return kind !== undefined && isExplained([{ id: kind, kind, tier, message: '', evidence: {} }], tier);
    });
  const hear = (model: string, tier: MessageTier, to: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA', time: number, at: number) =>
    keep(
      model,
      stepEpisode(
        standings.get(model),
        { model, cause: 'health', tier, to, time: traceStart + time },
        traceStart + at,
        companyAt(model, traceStart + at),
      ),
      at,
    );
  const spansOf = Map.groupBy(spans, ({ model }) => model);
  let next = 0;
  for (let at = 0; at <= minutes * minute; at += minute) {
    for (let notice = notices[next]; notice && notice.heard <= at; notice = notices[++next]) {
      if (notice.to === 'ALARM') reasons.set(`${notice.model} ${notice.tier}`, notice.because);
      hear(notice.model, notice.tier, notice.to, notice.time, notice.heard);
    }
    for (const [model, own] of spansOf) {
      let inForce: Tier = 'green';
      for (const { tier, from, to, because } of own) {
        if (at < from || at >= to) continue;
        if (tierValue[tier] > tierValue[inForce]) inForce = tier;
        reasons.set(`${model} ${tier}`, because);
      }
      const before = doorbells.get(model) ?? {};
      const { doorbell, rings } = checkDoorbell(before, inForce, standings.get(model), traceStart + at);
      doorbells.set(model, doorbell);
      for (const { tier, to } of rings) hear(model, tier, to, at, at);
    }
    const now = traceStart + at;
    const open = [...standings].filter(([, { endedAt }]) => endedAt === undefined);
    for (const [model, state] of open) keep(model, speak(state, now, companyAt(model, now)), at);
    for (const [model] of open) {
      const state = standings.get(model);
      if (state) keep(model, reportAffected(state, mutedBy(graph, state, standings), now), at);
    }
  }
  return said;
}
