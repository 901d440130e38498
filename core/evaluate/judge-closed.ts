import type { Baseline } from '../model/baseline.ts';
import type { Calendar } from '../model/calendar.ts';
import type { Layout } from '../model/layout.ts';
import { type Finding, type Verdict, worstTier } from '../model/verdict.ts';
import { capTiers } from '../model/worst-tiers.ts';
import type { ChartFinding } from './charts/judge-charts.ts';
import { addBeside, type BesideContext, type BesideInput, shareWithBeside } from './compare-beside.ts';
import { joinQuality, judgeQuality, type QualityReference, rangeLevelOf } from './data-quality.ts';
import type { DriftContext } from './drift-context.ts';
import type { DriftJudgement } from './judge-drift.ts';
import { judgeInContext } from './judge-in-context.ts';
import { type Learning, muteLearning, outputsOf } from './learning.ts';
import { addPerformance, type PerformanceContext } from './performance/judge-performance.ts';
import { nameSlices } from './slice-explanation.ts';
import { judgeSlices, type SliceContext } from './slice-judgement.ts';
import { composeVerdict, type WindowInput } from './window-verdict.ts';

/** Everything that is known beside a closed window, and the level that each kind of finding may spend. */
export interface ClosedContext {
  readonly drift: DriftContext;
  readonly calendar: Calendar;
  readonly quality: { readonly reference: QualityReference; readonly level: number };
  readonly slices: { readonly contexts: readonly SliceContext[]; readonly level: number } | undefined;
  readonly charts: readonly ChartFinding[];
  /** What is to be said of callers that sent more than their share. */
  readonly callers?: readonly Finding[] | undefined;
  /** Present where a larger series of the model was called in the same window. */
  readonly beside?: BesideContext | undefined;
  /** Present where the baseline had labels, and the scores are those of the model that it was made with. */
  readonly performance?: PerformanceContext | undefined;
  /** Present while the outputs of a new version are being learned. */
  readonly learning: Learning | undefined;
  /** True where the outputs were learned from the version's first windows: the baseline's range is not theirs. */
  readonly isRelearned: boolean;
}

/**
 * The verdict of a closed window in its context: drift over the trailing stretches, the quality of the data, slices and
 * control charts. Pure: the same input gives the same verdict, byte for byte.
 */
export function judgeClosed(input: Omit<WindowInput, 'context' | 'mode'>, context: ClosedContext): Verdict {
  const { baseline } = input;
  const levels = levelsOfDrift(input, context);
  const drift = { ...context.drift, level: levels.baseline, rangeLevel: rangeLevelOf(context.quality.level) };
  const { verdict: alone, drift: whole } = composeVerdict({ ...input, mode: 'closed', context: drift }, judgeInContext);
  if (!baseline) return alone;
  const drifted = new Set(Object.entries(alone.features).flatMap(([name, verdict]) => (verdict.drifted ? [name] : [])));
  const quality = judgeQuality({
    baseline,
    reference: context.quality.reference,
    summary: input.summary,
    stretches: context.drift.stretches,
    windowsOfTrail: context.drift.windowsOfTrail,
    drifted,
    ignored: new Set(input.policy.features.flatMap(([name, { ignore }]) => (ignore ? [name] : []))),
    level: context.quality.level,
  });
  const findings: readonly Finding[] = [
    ...addSlices(joinQuality(keepOwnRanges(alone.findings, baseline.layout, context), quality), whole, input, context),
    ...context.charts,
    ...(context.callers ?? []),
  ];
  const judged = { ...alone, findings, tier: worstTier(findings.map(({ tier }) => tier)) };
  const compared = context.beside
    ? addBeside(judged, { ...besideInput(input, baseline, context.beside, context), level: levels.beside })
    : judged;
  const verdict = addPerformance(compared, context.performance);
  return capTiers(context.learning ? muteLearning(verdict, baseline.layout, context.learning) : verdict);
}

function levelsOfDrift({ policy }: Omit<WindowInput, 'context' | 'mode'>, { drift, beside }: ClosedContext) {
  const level = drift.level ?? policy.drift.level;
  return beside ? shareWithBeside(level, drift.calibration.scales.length) : { baseline: level, beside: 0 };
}

function besideInput(
  { policy }: Omit<WindowInput, 'context' | 'mode'>,
  { layout }: Baseline,
  beside: BesideContext,
  { drift, learning, isRelearned }: ClosedContext,
): Omit<BesideInput, 'level'> {
  const positions = new Map(layout.features.map(([name], position) => [name, position]));
  return {
    policy,
    features: drift.calibration.features.map((feature) => [feature, positions.get(feature.name) ?? -1]),
    beside,
    windowSeconds: drift.calibration.windowSeconds,
    // That a new version answers otherwise than the old one is what it was made for.
    muted: learning || isRelearned ? outputsOf(layout) : new Set(),
  };
}

function keepOwnRanges(
  findings: readonly Finding[],
  layout: Layout,
  { isRelearned }: ClosedContext,
): readonly Finding[] {
  if (!isRelearned) return findings;
  const outputs = outputsOf(layout);
  return findings.filter(({ kind, feature }) => kind !== 'range' || feature === undefined || !outputs.has(feature));
}

function addSlices(
  findings: readonly Finding[],
  whole: DriftJudgement | undefined,
  { policy, baseline }: Omit<WindowInput, 'context' | 'mode'>,
  { drift, calendar, slices }: ClosedContext,
): readonly Finding[] {
  if (!slices || slices.contexts.length === 0 || !baseline || !whole) return findings;
  const judged = judgeSlices({
    policy,
    baseline,
    calendar,
    stretches: drift.stretches,
    whole,
    slices: slices.contexts,
    level: slices.level,
  });
  return [...nameSlices(findings, judged.explanations), ...judged.findings];
}
