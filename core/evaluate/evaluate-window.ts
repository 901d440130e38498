import type { Baseline, BaselineFeature } from '../model/baseline.ts';
import type { FeatureLayout } from '../model/layout.ts';
import { featurePolicy, type ModelPolicy } from '../model/policy.ts';
import type { FeatureSummary, Series, Summary, Window } from '../model/profile.ts';
import { type FeatureVerdict, type Finding, type Verdict, worstTier } from '../model/verdict.ts';
import { describeMissingColumn, findExtraColumns, isMissingColumn } from './column-findings.ts';
import { compareFeature, type FeatureComparison } from './compare-feature.ts';
import { type DriftDecision, decideDrift } from './decide-drift.ts';
import { rememberDetectableEffects } from './detectable-effect.ts';
import { describeDrift } from './drift-finding.ts';
import { describeBaseline, describeFeature } from './feature-statistics.ts';
import { silenceAfterSeconds } from './judge-live.ts';
import { formatInstant } from './number-text.ts';
import { findOutOfRange } from './range-finding.ts';
import {
  describeInsufficientData,
  describeMissingBaseline,
  findQuarantine,
  findUnknownVersion,
  judgeEmptyWindow,
} from './record-findings.ts';

/** How the p-values are calibrated; printed in every verdict. */
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
}

/**
 * Judges a window: compares every feature with the baseline, applies the rule that controls false alarms over all of
 * them, and says in findings what a person should know. Pure: the same input gives the same verdict, byte for byte.
 */
export function evaluateWindow(input: WindowInput): Verdict {
  const { policy, summary, window, series } = input;
  const { features, findings: featureFindings } = judgeFeatures(input);
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
      level: policy.drift.level,
      minimumEffect: policy.drift.minimumEffect,
      effectLevel: policy.drift.effectLevel,
      calibration,
    },
    // Object.fromEntries defines own properties, so that a feature called `__proto__` is one as well.
    features: Object.fromEntries(features),
    slos: [],
    quality: [],
    findings,
    evidence: input.evidence,
  };
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

interface ComparedFeature {
  readonly name: string;
  readonly layout: FeatureLayout;
  readonly baseline: BaselineFeature;
  readonly current: FeatureSummary;
  readonly minimumEffect: number;
  readonly required: boolean;
  readonly columnMissing: boolean;
  /** Present where the window is large enough to be judged. */
  readonly comparison?: FeatureComparison;
}

interface FeatureJudgement {
  readonly features: readonly (readonly [name: string, verdict: FeatureVerdict])[];
  readonly findings: readonly Finding[];
}

function judgeFeatures(input: WindowInput): FeatureJudgement {
  const { policy, baseline, summary } = input;
  if (!baseline) return { features: [], findings: [] };
  const { drift } = policy;
  const enough = summary.records.counted > 0 && summary.records.counted >= drift.minimumRecords;
  const compared = pairFeatures(input, baseline, enough);
  const candidates = compared.flatMap((feature) =>
    feature.comparison ? [{ feature, comparison: feature.comparison, minimumEffect: feature.minimumEffect }] : [],
  );
  const decisions = new Map(
    decideDrift(candidates, drift).map((decision, index) => [candidates[index]?.feature, decision] as const),
  );
  const tested = candidates.filter(({ comparison }) => comparison.combinedPValue !== null).length;
  // One drifting feature is rejected by Benjamini–Hochberg at level/tested, shared by its three tests.
  const testLevel = drift.level / (3 * Math.max(tested, enough ? 1 : compared.length, 1));
  const detectable = rememberDetectableEffects();
  const features = compared.map((feature) => {
    const detectableByFeature = detectable({
      baselineSize: feature.baseline.summary.count,
      currentSize: feature.current.count,
      bins: feature.comparison?.bins?.baseline.length ?? binsOf(feature.layout),
      level: testLevel,
      minimumEffect: feature.minimumEffect,
      effectLevel: drift.effectLevel,
    });
    return [feature.name, describeVerdict(feature, decisions.get(feature), detectableByFeature)] as const;
  });
  const findings = compared.flatMap((feature, index) => {
    const verdict = features[index]?.[1];
    return verdict ? findInFeature(feature, verdict, decisions.get(feature), drift.level / compared.length) : [];
  });
  if (enough) return { features, findings };
  const effects = features.flatMap(([, verdict]) => verdict.minimumDetectableEffect ?? []).sort((a, b) => a - b);
  const typical = effects[Math.floor(effects.length / 2)] ?? null;
  const few = describeInsufficientData(summary.records.counted, drift.minimumRecords, typical);
  return { features, findings: [few, ...findings] };
}

function pairFeatures(input: WindowInput, baseline: Baseline, enough: boolean): readonly ComparedFeature[] {
  const baselines = new Map(baseline.features);
  const summaries = new Map(input.summary.features);
  return baseline.layout.features.flatMap(([name, layout]) => {
    const known = baselines.get(name);
    const policy = featurePolicy(input.policy, name);
    if (!known || policy.ignore) return [];
    const current = summaries.get(name) ?? emptySummary(layout, input.summary.records.counted);
    const minimumEffect = policy.minimumEffect ?? input.policy.drift.minimumEffect;
    const columnMissing = enough && isMissingColumn(known, current, input.policy.drift.minimumRecords);
    const feature = { name, layout, baseline: known, current, minimumEffect, required: policy.required, columnMissing };
    if (!enough || columnMissing) return [feature];
    return [{ ...feature, comparison: compareFeature(layout, known, current, minimumEffect) }];
  });
}

function describeVerdict(
  feature: ComparedFeature,
  decision: DriftDecision | undefined,
  detectable: number | null,
): FeatureVerdict {
  const { layout, comparison } = feature;
  return {
    kind: layout.kind,
    baseline: describeBaseline(layout, feature.baseline),
    current: describeFeature(layout, feature.current),
    scores: comparison?.scores ?? {},
    tests: comparison?.tests ?? {},
    qValue: decision?.qValue ?? null,
    minimumDetectableEffect: detectable,
    drifted: (decision?.causes.length ?? 0) > 0,
    ...(comparison?.bins && { bins: comparison.bins }),
  };
}

function findInFeature(
  feature: ComparedFeature,
  verdict: FeatureVerdict,
  decision: DriftDecision | undefined,
  rangeLevel: number,
): readonly Finding[] {
  const { name, layout, baseline, current, comparison } = feature;
  if (feature.columnMissing) return [describeMissingColumn(name, baseline, current.missing, feature.required)];
  if (!comparison) return [];
  const findings: Finding[] = [];
  const [first, ...others] = decision?.causes ?? [];
  if (first) findings.push(describeDrift(name, verdict, comparison, [first, ...others]));
  if (layout.kind === 'numeric' && baseline.summary.kind === 'numeric' && current.kind === 'numeric') {
    const range = findOutOfRange(name, layout, baseline.summary, current, rangeLevel);
    if (range) findings.push(range);
  }
  return findings;
}

/** The bins a feature's layout has, before pooling. */
function binsOf(layout: FeatureLayout): number {
  if (layout.kind === 'numeric') return layout.binEdges.length + 1;
  return layout.kind === 'categorical' ? layout.categories.length : 0;
}

/** A feature that no fragment counted is missing from every record. */
function emptySummary(layout: FeatureLayout, rows: number): FeatureSummary {
  const none = { count: 0, missing: rows };
  if (layout.kind === 'numeric') return { kind: 'numeric', ...none, sum: '0', sumOfSquares: '0', buckets: [] };
  if (layout.kind === 'categorical') return { kind: 'categorical', ...none, categories: [], unseen: 0 };
  return { kind: 'opaque', ...none };
}
