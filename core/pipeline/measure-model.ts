import { evaluationLagLimitSeconds } from '../contract/alarm-definitions.ts';
import type { LiveJudgement } from '../evaluate/judge-live.ts';
import { type Tier, worstTier } from '../model/verdict.ts';
import type { ModelState as ModelGauges } from '../publish/gauge-metrics.ts';
import { guardIntegrity } from './guard-integrity.ts';
import { judgeNow, type LivePorts } from './judge-now.ts';
import { isInForce, type ModelRuntime } from './model-runtime.ts';
import { updateModelState } from './model-state.ts';
import { quarantineShare } from './quarantine-share.ts';
import { type NewestVerdict, newestVerdicts, type SeriesState } from './series.ts';

/** Judges a model as of now. Where what is stored of it can't be trusted, that pages, and nothing else is said of it. */
export async function measureModel(
  runtime: ModelRuntime,
  ports: LivePorts,
  states: readonly SeriesState[],
): Promise<ModelGauges> {
  const gauges = await guardIntegrity(runtime, ports, () => measureReadable(runtime, ports, states));
  return gauges ?? unreadable(runtime.policy.name);
}

const nothingFound: LiveJudgement = { tier: 'green', findings: [], slos: [] };

function unreadable(model: string): ModelGauges {
  return { model, tier: 'red', evaluationLagSeconds: undefined, quarantineShare: undefined, slos: [] };
}

async function measureReadable(
  runtime: ModelRuntime,
  ports: LivePorts,
  states: readonly SeriesState[],
): Promise<ModelGauges> {
  const { policy } = runtime;
  const now = ports.clock.now();
  // The first tick makes the model known: silence counts from then.
  const model = await updateModelState(ports.table, policy.name, now, (state) => state);
  const isQuiet = model.live.tier === 'green' && ports.isQuiet?.(policy.name, now);
  const judgement = isQuiet ? nothingFound : await judgeNow(runtime, ports, states, model);
  const seen = (ports.liveClock ?? ports.clock).now();
  const lagSeconds = Math.max(0, (seen - judgedUntil(runtime, states, model.since, now)) / 1000);
  const stale = lagSeconds > evaluationLagLimitSeconds(policy);
  const newest = newestVerdicts(states);
  return {
    model: policy.name,
    tier: currentTier(judgement.tier, newest, stale),
    evaluationLagSeconds: lagSeconds,
    quarantineShare: stale ? undefined : quarantineShare(newest),
    slos: judgement.slos,
    quality: judgement.quality,
    labelCoverage: judgement.labelCoverage,
  };
}

/**
 * The end of what has been judged: of the series that is behind with a window it has records of, or of the newest window
 * of those in force; of the others until the first of these is judged.
 */
function judgedUntil(runtime: ModelRuntime, states: readonly SeriesState[], since: number, now: number): number {
  const { policy } = runtime;
  const until = (state: SeriesState) =>
    // The limit is that of the windows in force: a wider one of before is not late for being judged later than they are.
    state.judgedThrough + Math.max(0, state.windowSeconds - policy.windowSeconds) * 1000;
  const behind = states.filter((state) => {
    const due = now - (state.windowSeconds + policy.graceSeconds) * 1000;
    return state.judgedThrough <= Math.min(state.newestWindow, due);
  });
  if (behind.length > 0) return Math.min(...behind.map(until));
  const judged = states.filter(({ newest }) => newest);
  const inForce = judged.filter((state) => isInForce(runtime, state));
  const known = inForce.length > 0 ? inForce : judged;
  return known.length > 0 ? Math.max(...known.map(until)) : since;
}

/** A stale judgement neither raises nor clears anything, but an objective that is broken right now still pages. */
function currentTier(live: Tier, newest: readonly NewestVerdict[], stale: boolean): Tier | undefined {
  if (stale) return live === 'red' ? live : undefined;
  return worstTier([live, ...newest.map(({ tier }) => tier)]);
}
