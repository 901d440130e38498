import type { Baseline, BaselineFeature } from '../model/baseline.ts';
import type { FeatureLayout } from '../model/layout.ts';
import { featurePolicy, type ModelPolicy } from '../model/policy.ts';
import type { FeatureSummary, Series, Summary, Window } from '../model/profile.ts';
import { type FeatureVerdict, type Finding, type Verdict, worstTier } from '../model/verdict.ts';
import { looksLikeDeciles } from './bin-sentence.ts';
import { describeMissingColumn, findExtraColumns, isMissingColumn } from './column-findings.ts';
import { compareFeature, type FeatureComparison } from './compare-feature.ts';
import { rangeLevelOf } from './data-quality.ts';
import { type DriftDecision, decideDrift } from './decide-drift.ts';
import { rememberDetectableEffects } from './detectable-effect.ts';
import { ContextReader, type DriftContext } from './drift-context.ts';
import { type DriftEvidence, describeDrift } from './drift-finding.ts';
import { embeddingsOfBaseline } from './embedding/calibrate-embeddings.ts';
import { type EmbeddingJudgement, embeddingLevelShare, judgeEmbeddings } from './embedding/judge-embeddings.ts';
import { describeBaseline, describeFeature } from './feature-statistics.ts';
import { type DriftJudgement, judgeDrift } from './judge-drift.ts';
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
import { pearsonShare } from './test-shares.ts';

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

/**
 * Judges a window: compares every feature with the baseline, applies the rule that controls false alarms over all of
 * them, and says in findings what a person should know. Pure: the same input gives the same verdict, byte for byte.
 */
export function evaluateWindow(input: WindowInput): Verdict {
  return evaluateWithDrift(input).verdict;
}

export interface WindowJudgement {
  readonly verdict: Verdict;
  /** What the trailing stretches show, by the level that the verdict names; absent: the window was judged alone. */
  readonly drift: DriftJudgement | undefined;
}

/** `evaluateWindow`, and the judgement of drift that its verdict follows from. */
export function evaluateWithDrift(input: WindowInput): WindowJudgement {
  const { features, findings, drift } = judgeFeatures(input);
  return { verdict: describeWindow(input, features, findings), drift };
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
function contextOf({ context, mode, baseline }: WindowInput): DriftContext | undefined {
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

interface ComparedFeature {
  readonly name: string;
  readonly layout: FeatureLayout;
  readonly baseline: BaselineFeature;
  readonly current: FeatureSummary;
  readonly minimumEffect: number;
  readonly required: boolean;
  readonly columnMissing: boolean;
  /** Of an embedding: what is said of its vectors. */
  readonly vectors?: EmbeddingJudgement | undefined;
  /** Present where the window is large enough to be judged. */
  readonly comparison?: FeatureComparison;
}

interface FeatureJudgement {
  readonly features: readonly (readonly [name: string, verdict: FeatureVerdict])[];
  readonly findings: readonly Finding[];
  readonly drift?: DriftJudgement | undefined;
}

function judgeFeatures(input: WindowInput): FeatureJudgement {
  const { policy, baseline, summary } = input;
  if (!baseline) return { features: [], findings: [] };
  const { minimumRecords } = policy.drift;
  const { counted } = summary.records;
  const enough = counted > 0 && counted >= minimumRecords;
  const compared = pairFeatures(input, baseline, enough);
  const context = contextOf(input);
  const embeddings = compared.filter(({ layout }) => layout.kind === 'embedding').length;
  const share = embeddingLevelShare(compared.length, embeddings);
  const vectors = judgeVectors(input, baseline, context, share);
  const features = compared.map((feature) => ({ ...feature, vectors: vectors.get(feature.name) }));
  const judged = context
    ? judgeInContext(input, baseline, features, context, 1 - share)
    : judgeAlone(input, features, enough, 1 - share);
  // A short window may be part of stretches that hold enough.
  const { stretches = [] } = context ?? {};
  if (enough || stretches.some(({ records }) => records > 0 && records >= minimumRecords)) return judged;
  const effects = judged.features.flatMap(([, verdict]) => verdict.minimumDetectableEffect ?? []).sort((a, b) => a - b);
  const typical = effects[Math.floor(effects.length / 2)] ?? null;
  const few = describeInsufficientData(counted, minimumRecords, typical);
  return { ...judged, findings: [few, ...judged.findings] };
}

/** @param share of the level for drift that vectors have */
function judgeVectors(
  { policy, summary }: WindowInput,
  baseline: Baseline,
  context: DriftContext | undefined,
  share: number,
): ReadonlyMap<string, EmbeddingJudgement> {
  if (share === 0) return new Map();
  const level = (context?.level ?? policy.drift.level) * share;
  if (context) {
    const { calibrations: embeddings, stretches } = context.embeddings ?? { calibrations: [], stretches: [] };
    const { calibration } = context;
    return byName(judgeEmbeddings({ policy, embeddings, stretches, calibration, level }));
  }
  const sums = new Map(
    summary.features.flatMap(([name, current]) => (current.kind === 'embedding' ? [[name, current] as const] : [])),
  );
  const records = summary.records.counted;
  const alone = { scale: 1, start: 0, end: 0, windows: 1, records, cells: [], sums };
  return byName(judgeEmbeddings({ policy, embeddings: embeddingsOfBaseline(baseline), stretches: [alone], level }));
}

function byName<T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}

/** Judges by the trailing stretches that end with the window. */
function judgeInContext(
  input: WindowInput,
  baseline: Baseline,
  compared: readonly ComparedFeature[],
  context: DriftContext,
  share: number,
): FeatureJudgement {
  const { policy } = input;
  const { calibration, stretches } = context;
  const level = (context.level ?? policy.drift.level) * share;
  const judgement = judgeDrift({ policy, baseline, calibration, stretches, level });
  const drifts = new Map(judgement.features.map((drift) => [drift.name, drift]));
  const reader = new ContextReader(
    context,
    baseline.layout.features.map(([name]) => name),
  );
  const rangeLevel =
    (context.rangeLevel ?? rangeLevelOf(policy.drift.qualityLevel ?? 0)) / Math.max(compared.length, 1);
  const features: (readonly [string, FeatureVerdict])[] = [];
  const findings: Finding[] = [];
  for (const feature of compared) {
    const alone = describeVerdict(feature, undefined, null);
    const drift = drifts.get(feature.name);
    const verdict = drift ? reader.describe(drift, alone) : alone;
    features.push([feature.name, addVectors(verdict, feature.vectors)]);
    findings.push(...findInFeature(feature, drift?.drifted ? reader.explain(drift, verdict) : undefined, rangeLevel));
  }
  return { features, findings, drift: judgement };
}

/** Judges the window by itself against the baseline as a whole, its records taken for independent. */
function judgeAlone(
  input: WindowInput,
  compared: readonly ComparedFeature[],
  enough: boolean,
  share: number,
): FeatureJudgement {
  const drift = { ...input.policy.drift, level: input.policy.drift.level * share };
  const candidates = compared.flatMap((feature) =>
    feature.comparison ? [{ feature, comparison: feature.comparison, minimumEffect: feature.minimumEffect }] : [],
  );
  const decisions = new Map(
    decideDrift(candidates, drift).map((decision, index) => [candidates[index]?.feature, decision] as const),
  );
  const tested = candidates.filter(({ comparison }) => comparison.combinedPValue !== null).length;
  // One drifting feature is rejected by Benjamini–Hochberg at level/tested, shared by its tests.
  const familyLevel = drift.level / Math.max(tested, enough ? 1 : compared.length, 1);
  const detectable = rememberDetectableEffects();
  const rangeLevel = drift.level / compared.length;
  const features: (readonly [string, FeatureVerdict])[] = [];
  const findings: Finding[] = [];
  for (const feature of compared) {
    const detectableByFeature = detectable({
      baselineSize: feature.baseline.summary.count,
      currentSize: feature.current.count,
      bins: feature.comparison?.bins?.baseline.length ?? binsOf(feature.layout),
      level: familyLevel * pearsonShare(feature.layout.kind),
      minimumEffect: feature.minimumEffect,
      effectLevel: drift.effectLevel,
    });
    const decision = decisions.get(feature);
    const verdict = describeVerdict(feature, decision, detectableByFeature);
    features.push([feature.name, addVectors(verdict, feature.vectors)]);
    findings.push(...findInFeature(feature, explainAlone(feature, verdict, decision), rangeLevel));
  }
  return { features, findings };
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

/** What is said of the vectors of a column, beside what is said of its missing values. */
function addVectors(verdict: FeatureVerdict, vectors: EmbeddingJudgement | undefined): FeatureVerdict {
  if (!vectors) return verdict;
  const qValues = [verdict.qValue, vectors.qValue].filter((qValue) => qValue !== null);
  const index = vectors.effect;
  const decidingScale = vectors.drifted || !verdict.drifted ? vectors.decidingScale : verdict.decidingScale;
  return {
    ...verdict,
    scores: { ...verdict.scores, ...(index !== undefined && { populationStabilityIndex: index }) },
    qValue: qValues.length === 0 ? null : Math.min(...qValues),
    minimumDetectableEffect: vectors.minimumDetectableEffect,
    drifted: verdict.drifted || vectors.drifted,
    embedding: vectors.verdict,
    ...(decidingScale !== undefined && verdict.scales && { decidingScale }),
  };
}

function explainAlone(
  { comparison }: ComparedFeature,
  verdict: FeatureVerdict,
  decision: DriftDecision | undefined,
): DriftEvidence | undefined {
  const [first, ...others] = decision?.causes ?? [];
  if (!first || !comparison) return undefined;
  const { current, tests, bins } = verdict;
  const records = current.count + current.missing;
  const values = bins ? bins.baseline.slice(0, bins.missing ? -1 : undefined) : [];
  const total = values.reduce((sum, count) => sum + count, 0);
  return {
    causes: [first, ...others],
    qValue: verdict.qValue,
    records,
    populationStabilityIndex: verdict.scores.populationStabilityIndex ?? null,
    bins,
    areDeciles: bins?.edges !== undefined && looksLikeDeciles(values.map((count) => count / total)),
    missingShare: records > 0 ? current.missing / records : 0,
    missingRise: comparison.missingRise,
    unseenShare: comparison.unseenRise + comparison.expectedUnseenShare,
    unseenRise: comparison.unseenRise,
    pValues: {
      pearson: tests.pearson?.pValue ?? null,
      ranks: tests.ranks?.pValue ?? null,
      effectFloor: tests.effectFloor?.pValue ?? null,
      missing: tests.missing?.pValue ?? null,
      unseen: tests.unseen?.pValue ?? null,
    },
    baseline: verdict.baseline,
    current,
  };
}

function findInFeature(
  feature: ComparedFeature,
  drift: DriftEvidence | undefined,
  rangeLevel: number,
): readonly Finding[] {
  const { name, layout, baseline, current, comparison } = feature;
  if (feature.columnMissing) return [describeMissingColumn(name, baseline, current.missing, feature.required)];
  const isVector = layout.kind === 'embedding';
  const findings: Finding[] = drift ? [describeDrift(name, { ...drift, isVector })] : [];
  if (feature.vectors?.finding) findings.push(feature.vectors.finding);
  if (!comparison) return findings;
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
