import type { Baseline, BaselineFeature } from '../model/baseline.ts';
import type { FeatureLayout } from '../model/layout.ts';
import { featurePolicy, type ModelPolicy } from '../model/policy.ts';
import type { FeatureSummary, Summary } from '../model/profile.ts';
import type { FeatureVerdict, Finding } from '../model/verdict.ts';
import { type EmbeddingJudgement, embeddingLevelShare } from './embedding/judge-embeddings.ts';
import { describeBaseline, describeFeature } from './feature-statistics.ts';
import type { DriftJudgement } from './judge-drift.ts';
import { findOutOfRange } from './range-finding.ts';

/** A feature of the window beside the same of the baseline. */
export interface ComparedFeature {
  readonly name: string;
  readonly layout: FeatureLayout;
  readonly baseline: BaselineFeature;
  readonly current: FeatureSummary;
  readonly minimumEffect: number;
  readonly required: boolean;
  /** Of an embedding: what is said of its vectors. */
  readonly vectors?: EmbeddingJudgement | undefined;
}

/** What is said of the features of a window. */
export interface FeatureJudgement {
  readonly features: readonly (readonly [name: string, verdict: FeatureVerdict])[];
  readonly findings: readonly Finding[];
  readonly drift?: DriftJudgement | undefined;
}

/** The features that are judged, in the order of the baseline's layout. */
export function pairFeatures(policy: ModelPolicy, baseline: Baseline, summary: Summary): readonly ComparedFeature[] {
  const baselines = new Map(baseline.features);
  const summaries = new Map(summary.features);
  return baseline.layout.features.flatMap(([name, layout]) => {
    const known = baselines.get(name);
    const { ignore, required, minimumEffect: own } = featurePolicy(policy, name);
    if (!known || ignore) return [];
    const current = summaries.get(name) ?? emptySummary(layout, summary.records.counted);
    const minimumEffect = own ?? policy.drift.minimumEffect;
    return [{ name, layout, baseline: known, current, minimumEffect, required }];
  });
}

/** Share of the level for drift that the columns of vectors have. */
export function vectorShare(compared: readonly ComparedFeature[]): number {
  return embeddingLevelShare(compared.length, compared.filter(({ layout }) => layout.kind === 'embedding').length);
}

export function withVectors(
  compared: readonly ComparedFeature[],
  vectors: readonly EmbeddingJudgement[],
): readonly ComparedFeature[] {
  const byName = new Map(vectors.map((judgement) => [judgement.name, judgement]));
  return compared.map((feature) => ({ ...feature, vectors: byName.get(feature.name) }));
}

/** What is known of a feature before it is tested. */
export function describeUntested({ layout, baseline, current }: ComparedFeature): FeatureVerdict {
  return {
    kind: layout.kind,
    baseline: describeBaseline(layout, baseline),
    current: describeFeature(layout, current),
    scores: {},
    tests: {},
    qValue: null,
    minimumDetectableEffect: null,
    drifted: false,
  };
}

/** What is said of the vectors of a column, beside what is said of its missing values. */
export function addVectors(verdict: FeatureVerdict, vectors: EmbeddingJudgement | undefined): FeatureVerdict {
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

/**
 * What is to be said of a feature that has values: its drift, its vectors and its range.
 * @param rangeLevel undefined: too few values are known to speak of a range
 */
export function findInFeature(
  { name, layout, baseline: { summary }, current, vectors }: ComparedFeature,
  drift: Finding | undefined,
  rangeLevel: number | undefined,
): readonly Finding[] {
  const isNumeric = layout.kind === 'numeric' && summary.kind === 'numeric' && current.kind === 'numeric';
  const range =
    isNumeric && rangeLevel !== undefined ? findOutOfRange(name, layout, summary, current, rangeLevel) : undefined;
  return [drift, vectors?.finding, range].filter((finding) => finding !== undefined);
}

/** A feature that no fragment counted is missing from every record. */
function emptySummary(layout: FeatureLayout, rows: number): FeatureSummary {
  const none = { count: 0, missing: rows };
  if (layout.kind === 'numeric') return { kind: 'numeric', ...none, sum: '0', sumOfSquares: '0', buckets: [] };
  if (layout.kind === 'categorical') return { kind: 'categorical', ...none, categories: [], unseen: 0 };
  return { kind: 'opaque', ...none };
}
