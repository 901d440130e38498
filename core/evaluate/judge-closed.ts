import type { Calendar } from '../model/calendar.ts';
import type { Layout } from '../model/layout.ts';
import { type Finding, type Verdict, worstTier } from '../model/verdict.ts';
import type { ChartFinding } from './charts/judge-charts.ts';
import { joinQuality, judgeQuality, type QualityReference } from './data-quality.ts';
import type { DriftContext } from './drift-context.ts';
import { evaluateWindow, type WindowInput } from './evaluate-window.ts';
import { judgeDrift } from './judge-drift.ts';
import { type Learning, muteLearning, outputsOf } from './learning.ts';
import { nameSlices } from './slice-explanation.ts';
import { judgeSlices, type SliceContext } from './slice-judgement.ts';

/** Everything that is known beside a closed window, and the level that each kind of finding may spend. */
export interface ClosedContext {
  readonly drift: DriftContext;
  readonly calendar: Calendar;
  readonly quality: { readonly reference: QualityReference; readonly level: number };
  readonly slices: { readonly contexts: readonly SliceContext[]; readonly level: number } | undefined;
  readonly charts: readonly ChartFinding[];
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
  const alone = evaluateWindow({ ...input, mode: 'closed', context: context.drift });
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
    ...addSlices(joinQuality(keepOwnRanges(alone.findings, baseline.layout, context), quality), input, context),
    ...context.charts,
  ];
  const verdict = { ...alone, findings, tier: worstTier(findings.map(({ tier }) => tier)) };
  return context.learning ? muteLearning(verdict, baseline.layout, context.learning) : verdict;
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
  { policy, baseline }: Omit<WindowInput, 'context' | 'mode'>,
  { drift, calendar, slices }: ClosedContext,
): readonly Finding[] {
  if (!slices || slices.contexts.length === 0 || !baseline) return findings;
  const { calibration, stretches } = drift;
  const judged = judgeSlices({
    policy,
    baseline,
    calendar,
    stretches,
    whole: judgeDrift({ policy, baseline, calibration, stretches, level: drift.level }),
    slices: slices.contexts,
    level: slices.level,
  });
  return [...nameSlices(findings, judged.explanations), ...judged.findings];
}
