import type { Baseline } from '../model/baseline.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { Series, Summary, Window } from '../model/profile.ts';
import { type Finding, type Verdict, worstTier } from '../model/verdict.ts';
import { capTiers } from '../model/worst-tiers.ts';
import { findExtraColumns } from './column-findings.ts';
import { type ComparedFeature, type FeatureJudgement, pairFeatures } from './compared-feature.ts';
import type { DriftContext } from './drift-context.ts';
import type { DriftJudgement } from './judge-drift.ts';
import { silenceAfterSeconds } from './judge-live.ts';
import { formatInstant } from './number-text.ts';
import {
  describeInsufficientData,
  describeMissingBaseline,
  findQuarantine,
  findUnknownVersion,
  judgeEmptyWindow,
} from './record-findings.ts';

/** How the p-values are calibrated where a window is judged alone; printed in every verdict. */
export const calibration = 'independent records, no cells';

/** Everything a window's verdict follows from. */
export interface WindowInput {
  readonly policy: ModelPolicy;
  /** Absent: the version has none, and drift is not judged. */
  readonly baseline: Baseline | undefined;
  /** All that was counted in the window, merged. */
  readonly summary: Summary;
  readonly window: Window;
  readonly series: Pick<Series, 'variant' | 'version'>;
  /** 0 at first judgement. */
  readonly revision: number;
  /** Records of `summary` that arrived after the window's end plus grace. */
  readonly lateCounted: number;
  readonly evidence: Verdict['evidence'];
  /** How often the source says the model was called in the window; undefined: it can't tell. */
  readonly invocations: number | undefined;
  readonly mode: Exclude<Verdict['mode'], 'live'>;
  /**
   * What to expect and what came before. Absent, or in an analysis: the window is judged alone, its records taken for
   * independent and the baseline as a whole.
   */
  readonly context?: DriftContext | undefined;
}

export interface WindowJudgement {
  readonly verdict: Verdict;
  /** What the trailing stretches show, by the level that the verdict names; absent: the window was judged alone. */
  readonly drift: DriftJudgement | undefined;
}

/**
 * Judges the features of a window that has a baseline.
 * @param enough whether the window is large enough to be compared by itself
 */
export type FeatureJudge = (
  input: WindowInput,
  baseline: Baseline,
  compared: readonly ComparedFeature[],
  enough: boolean,
) => FeatureJudgement;

/**
 * Makes the verdict of a window: what is to be said of its records as a whole, and of its features.
 * @param judge of the features; not asked where there is no baseline
 */
export function composeVerdict(input: WindowInput, judge: FeatureJudge): WindowJudgement {
  const { features, findings, drift } = judgeFeatures(input, judge);
  return { verdict: capTiers(describeWindow(input, features, findings)), drift };
}

function describeWindow(
  input: WindowInput,
  features: FeatureJudgement['features'],
  featureFindings: readonly Finding[],
): Verdict {
  const { policy, summary, window, series } = input;
  const context = contextOf(input);
  const findings = [
    ...findRecordProblems(input),
    ...[findUnknownVersion(policy, series.version), findExtraColumns(summary)].filter((found) => found !== undefined),
    ...featureFindings,
  ];
  return {
    schema: 'tidewatch.verdict/1',
    mode: input.mode,
    model: policy.name,
    variant: series.variant,
    version: series.version,
    window: { start: formatInstant(window.start), end: formatInstant(window.end) },
    revision: input.revision,
    tier: worstTier(findings.map(({ tier }) => tier)),
    records: { ...summary.records, late: input.lateCounted },
    ...(summary.requests.captured > 0 && { requests: summary.requests }),
    rule: {
      level: context?.level ?? policy.drift.level,
      minimumEffect: policy.drift.minimumEffect,
      effectLevel: policy.drift.effectLevel,
      ...(context
        ? {
            calibration: context.calibration.description,
            scales: context.stretches.map(({ scale }) => scale),
            ...((context.series ?? 1) > 1 && { series: context.series }),
          }
        : { calibration }),
    },
    // Object.fromEntries defines own properties, so that a feature called `__proto__` is one as well.
    features: Object.fromEntries(features),
    slos: [],
    quality: [],
    findings,
    evidence: input.evidence,
  };
}

/** An analysis compares what it is given with the baseline as a whole. */
export function contextOf({ context, mode, baseline }: WindowInput): DriftContext | undefined {
  return mode === 'closed' && baseline ? context : undefined;
}

function findRecordProblems(input: WindowInput): readonly Finding[] {
  const { policy, summary, baseline } = input;
  const { captured, counted } = summary.records;
  const findings: Finding[] = [...findQuarantine(summary, policy)];
  if (captured === 0 && input.mode === 'closed') {
    const allowedSeconds = silenceAfterSeconds(policy, baseline?.time?.longestGapSeconds);
    findings.push(judgeEmptyWindow(summary, input.window, input.invocations, allowedSeconds));
  }
  if (!baseline) findings.push(describeMissingBaseline(input.series.version, counted));
  return findings;
}

function judgeFeatures(input: WindowInput, judge: FeatureJudge): FeatureJudgement {
  const { policy, baseline, summary } = input;
  if (!baseline) return { features: [], findings: [] };
  const { minimumRecords } = policy.drift;
  const { counted } = summary.records;
  const enough = counted > 0 && counted >= minimumRecords;
  const judged = judge(input, baseline, pairFeatures(policy, baseline, summary), enough);
  // A short window may be part of stretches that hold enough.
  const { stretches = [] } = contextOf(input) ?? {};
  if (enough || stretches.some(({ records }) => records > 0 && records >= minimumRecords)) return judged;
  const effects = judged.features.flatMap(([, verdict]) => verdict.minimumDetectableEffect ?? []).sort((a, b) => a - b);
  const typical = effects[Math.floor(effects.length / 2)] ?? null;
  const few = describeInsufficientData(counted, minimumRecords, typical);
  return { ...judged, findings: [few, ...judged.findings] };
}
