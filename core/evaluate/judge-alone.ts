import type { Baseline } from '../model/baseline.ts';
import type { FeatureLayout } from '../model/layout.ts';
import type { FeatureVerdict, Finding } from '../model/verdict.ts';
import { looksLikeDeciles } from './bin-sentence.ts';
import { describeMissingColumn, isMissingColumn } from './column-findings.ts';
import { compareFeature, type FeatureComparison } from './compare-feature.ts';
import {
  addVectors,
  type ComparedFeature,
  describeUntested,
  type FeatureJudgement,
  findInFeature,
  vectorShare,
  withVectors,
} from './compared-feature.ts';
import { type DriftDecision, decideDrift } from './decide-drift.ts';
import { rememberDetectableEffects } from './detectable-effect.ts';
import { type DriftEvidence, describeDrift } from './drift-finding.ts';
import { embeddingsOfBaseline } from './embedding/calibrate-embeddings.ts';
import { type EmbeddingJudgement, judgeEmbeddings } from './embedding/judge-embeddings.ts';
import { pearsonShare } from './test-shares.ts';
import type { WindowInput } from './window-verdict.ts';

/** Judges the window by itself against the baseline as a whole, its records taken for independent. */
export function judgeAlone(
  input: WindowInput,
  baseline: Baseline,
  features: readonly ComparedFeature[],
  enough: boolean,
): FeatureJudgement {
  const { policy, window } = input;
  const share = vectorShare(features);
  const compared = withVectors(features, share === 0 ? [] : judgeVectors(input, baseline, policy.drift.level * share));
  const drift = { ...policy.drift, level: policy.drift.level * (1 - share) };
  const missing = new Set(
    compared.filter((feature) => enough && isMissingColumn(feature, baseline.time, window, drift.minimumRecords)),
  );
  const candidates = compared.flatMap((feature) => {
    if (!enough || missing.has(feature)) return [];
    const { layout, minimumEffect } = feature;
    return [
      { feature, comparison: compareFeature(layout, feature.baseline, feature.current, minimumEffect), minimumEffect },
    ];
  });
  const comparisons = new Map(candidates.map(({ feature, comparison }) => [feature, comparison]));
  const decisions = new Map(
    decideDrift(candidates, drift).map((decision, index) => [candidates[index]?.feature, decision] as const),
  );
  const tested = candidates.filter(({ comparison }) => comparison.combinedPValue !== null).length;
  // One drifting feature is rejected by Benjamini–Hochberg at level/tested, shared by its tests.
  const familyLevel = drift.level / Math.max(tested, enough ? 1 : compared.length, 1);
  const detectable = rememberDetectableEffects();
  const rangeLevel = drift.level / compared.length;
  const verdicts: (readonly [string, FeatureVerdict])[] = [];
  const findings: Finding[] = [];
  for (const feature of compared) {
    const comparison = comparisons.get(feature);
    const detectableByFeature = detectable({
      baselineSize: feature.baseline.summary.count,
      currentSize: feature.current.count,
      bins: comparison?.bins?.baseline.length ?? binsOf(feature.layout),
      level: familyLevel * pearsonShare(feature.layout.kind),
      minimumEffect: feature.minimumEffect,
      effectLevel: drift.effectLevel,
    });
    const decision = decisions.get(feature);
    const verdict: FeatureVerdict = {
      ...describeUntested(feature),
      ...(comparison && { scores: comparison.scores, tests: comparison.tests }),
      qValue: decision?.qValue ?? null,
      minimumDetectableEffect: detectableByFeature,
      drifted: (decision?.causes.length ?? 0) > 0,
      ...(comparison?.bins && { bins: comparison.bins }),
    };
    verdicts.push([feature.name, addVectors(verdict, feature.vectors)]);
    if (missing.has(feature)) {
      const { count, missing: without } = feature.baseline.summary;
      const stretch = { records: feature.current.missing, presentShare: count / (count + without) };
      findings.push(describeMissingColumn(feature.name, stretch, feature.required));
      continue;
    }
    const evidence = explainAlone(feature, comparison, verdict, decision);
    findings.push(
      ...findInFeature(feature, evidence && describeDrift(feature.name, evidence), comparison && rangeLevel),
    );
  }
  return { features: verdicts, findings };
}

function judgeVectors(
  { policy, summary }: WindowInput,
  baseline: Baseline,
  level: number,
): readonly EmbeddingJudgement[] {
  const sums = new Map(
    summary.features.flatMap(([name, current]) => (current.kind === 'embedding' ? [[name, current] as const] : [])),
  );
  const records = summary.records.counted;
  const alone = { scale: 1, start: 0, end: 0, windows: 1, records, cells: [], sums };
  return judgeEmbeddings({ policy, embeddings: embeddingsOfBaseline(baseline), stretches: [alone], level });
}

function explainAlone(
  { layout }: ComparedFeature,
  comparison: FeatureComparison | undefined,
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
    layout,
    bins,
    areDeciles: bins?.edges !== undefined && looksLikeDeciles(values.map((count) => count / total)),
    isVector: layout.kind === 'embedding',
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

/** The bins a feature's layout has, before pooling. */
function binsOf(layout: FeatureLayout): number {
  if (layout.kind === 'numeric') return layout.binEdges.length + 1;
  return layout.kind === 'categorical' ? layout.categories.length : 0;
}
