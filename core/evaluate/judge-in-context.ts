import type { Baseline } from '../model/baseline.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { FeatureVerdict, Finding } from '../model/verdict.ts';
import { describeMissingColumn, findMissingColumn } from './column-findings.ts';
import {
  addVectors,
  type ComparedFeature,
  describeUntested,
  type FeatureJudgement,
  findInFeature,
  vectorShare,
  withVectors,
} from './compared-feature.ts';
import { rangeLevelOf } from './data-quality.ts';
import { ContextReader, type DriftContext } from './drift-context.ts';
import { describeDrift, describeProvisional } from './drift-finding.ts';
import { type EmbeddingJudgement, judgeEmbeddings } from './embedding/judge-embeddings.ts';
import { measureFineBuckets } from './fine-distances.ts';
import { judgeDrift } from './judge-drift.ts';
import { contextOf, type WindowInput } from './window-verdict.ts';

/**
 * Judges by the trailing stretches that end with the window.
 * @throws {TypeError} where the input has no context
 */
export function judgeInContext(
  input: WindowInput,
  baseline: Baseline,
  features: readonly ComparedFeature[],
  enough: boolean,
): FeatureJudgement {
  const { policy } = input;
  const context = contextOf(input);
  if (!context) throw new TypeError('window: expected a closed window with its context');
  const { calibration, stretches } = context;
  const whole = context.level ?? policy.drift.level;
  const share = vectorShare(features);
  const compared = withVectors(features, share === 0 ? [] : judgeVectors(policy, context, whole * share));
  const judgement = judgeDrift({ policy, baseline, calibration, stretches, level: whole * (1 - share) });
  const drifts = new Map(judgement.features.map((drift) => [drift.name, drift]));
  const reader = new ContextReader(
    context,
    baseline.layout.features.map(([name]) => name),
  );
  const rangeLevel =
    (context.rangeLevel ?? rangeLevelOf(policy.drift.qualityLevel ?? 0)) / Math.max(compared.length, 1);
  const verdicts: (readonly [string, FeatureVerdict])[] = [];
  const findings: Finding[] = [];
  for (const feature of compared) {
    const { name, layout, current } = feature;
    const fine = enough ? measureFineBuckets(layout, feature.baseline, current) : {};
    const alone = { ...describeUntested(feature), scores: fine };
    const drift = drifts.get(name);
    const verdict = drift ? reader.describe(drift, alone) : alone;
    const evidence = drift && reader.explain(drift, verdict);
    const isVector = layout.kind === 'embedding';
    const describe = drift?.drifted ? describeDrift : describeProvisional;
    const finding = evidence && describe(name, { ...evidence, isVector });
    const drifted = finding !== undefined && finding.tier !== 'green';
    verdicts.push([name, addVectors({ ...verdict, drifted }, feature.vectors)]);
    const missing = current.count === 0 && drift ? findMissingColumn(drift, calibration) : undefined;
    findings.push(
      ...(missing
        ? [describeMissingColumn(name, missing, feature.required)]
        : findInFeature(feature, finding, enough ? rangeLevel : undefined)),
    );
  }
  return { features: verdicts, findings, drift: judgement };
}

function judgeVectors(policy: ModelPolicy, context: DriftContext, level: number): readonly EmbeddingJudgement[] {
  const { calibrations: embeddings, stretches } = context.embeddings ?? { calibrations: [], stretches: [] };
  return judgeEmbeddings({ policy, embeddings, stretches, calibration: context.calibration, level });
}
