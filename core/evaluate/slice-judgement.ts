import type { Baseline } from '../model/baseline.ts';
import type { Calendar } from '../model/calendar.ts';
import type { ModelPolicy } from '../model/policy.ts';
import type { SlicePolicy } from '../model/slice.ts';
import type { Trail, TrailingCounts } from '../model/trailing-counts.ts';
import type { FeatureVerdict, Finding } from '../model/verdict.ts';
import { benjaminiHochberg } from '../stats/benjamini-hochberg.ts';
import type { Calibration } from './calibration.ts';
import { findCauses, rejectedLevelOf } from './drift-causes.ts';
import { ContextReader } from './drift-context.ts';
import { describeDrift } from './drift-finding.ts';
import { endDrifts } from './ended-drift.ts';
import {
  type DriftJudgement,
  decideOverScales,
  type FeatureDrift,
  judgeDrift,
  type ScaleResult,
} from './judge-drift.ts';
import { formatName } from './number-text.ts';
import { type ChangedSlice, explainBySlices, type SliceExplanation } from './slice-explanation.ts';
import { windowsOfTrails } from './trail.ts';

/** A slice and what it is judged by: prepared like a model of its own. */
export interface SliceContext {
  readonly slice: SlicePolicy;
  /** `sliceBaseline`. */
  readonly baseline: Baseline;
  readonly calibration: Calibration;
  /** `trailingCounts` of the slice's trail. */
  readonly stretches: readonly TrailingCounts[];
  /** Of the slice, that of the window judged as the last: the onset is looked for in what lies between them. */
  readonly trails: readonly Trail[];
}

export interface SliceInput {
  readonly policy: ModelPolicy;
  /** Of the whole model, with the counts of its slices. */
  readonly baseline: Baseline;
  readonly calendar: Calendar;
  /** Trailing counts of the whole model, and what was found in them. */
  readonly stretches: readonly TrailingCounts[];
  readonly whole: DriftJudgement;
  readonly slices: readonly SliceContext[];
  /** Benjamini–Hochberg level of all slices and features of a window and scale together: `Budget.sliceLevel`. */
  readonly level: number;
}

export interface SliceDrift {
  readonly slice: SlicePolicy;
  /** With q-values over all slices and features of a scale. */
  readonly features: readonly FeatureDrift[];
}

export interface SliceJudgement {
  readonly slices: readonly SliceDrift[];
  /** One per feature that drifted in a slice and not as a whole: of its surest slice, the others named. */
  readonly findings: readonly Finding[];
  /** By feature that drifted as a whole: the slices it comes from. See `nameSlices`. */
  readonly explanations: ReadonlyMap<string, SliceExplanation>;
}

/** A slice has changed in a feature that drifted as a whole where chance, over all slices, explains it this badly. */
const changedProbability = 0.001;
const namedSlices = 3;

/**
 * Judges every slice by the main rule, with one Benjamini–Hochberg over all slices and features of a scale. A feature
 * that drifted in slices alone gives one finding; of one that drifted as a whole the slices that explain it are named,
 * and there is no second finding.
 */
export function judgeSlices(input: SliceInput): SliceJudgement {
  const slices = adjustTogether(input);
  const whole = new Map(input.whole.features.map((feature) => [feature.name, feature]));
  const hits = new Map<string, SliceHit[]>();
  slices.forEach(({ features }, index) => {
    const context = input.slices[index];
    for (const drift of features) {
      if (!context || !drift.drifted || whole.get(drift.name)?.drifted) continue;
      hits.set(drift.name, [...(hits.get(drift.name) ?? []), { context, drift }]);
    }
  });
  const drifted = input.whole.features
    .filter((drift) => drift.drifted)
    .map((drift) => ({ drift, changed: changedSlices(drift, slices, input.slices) }));
  const { policy, baseline, calendar, stretches } = input;
  const windowSeconds = input.slices[0]?.calibration.windowSeconds ?? policy.windowSeconds;
  return {
    slices,
    findings: [...hits].flatMap(([feature, here]) => describeHits(feature, here) ?? []),
    explanations: explainBySlices({ policy, baseline, calendar, windowSeconds, stretches }, drifted),
  };
}

interface SliceHit {
  readonly context: SliceContext;
  readonly drift: FeatureDrift;
}

function adjustTogether({ policy, slices, level }: SliceInput): readonly SliceDrift[] {
  const judged = slices.map(({ baseline, calibration, stretches }) =>
    judgeDrift({ policy, baseline, calibration, stretches, level: level / slices.length }),
  );
  // Slices may have begun at different times, but a stretch has the same scale in all of them.
  const byScale = new Map<number, { readonly slice: number; readonly name: string; readonly result: ScaleResult }[]>();
  judged.forEach(({ features }, slice) => {
    for (const { name, scales } of features) {
      for (const result of scales) {
        if (result.combinedPValue === null) continue;
        const list = byScale.get(result.scale);
        if (list) list.push({ slice, name, result });
        else byScale.set(result.scale, [{ slice, name, result }]);
      }
    }
  });
  const floors = new Map(policy.features.map(([name, { minimumEffect }]) => [name, minimumEffect]));
  const adjusted = new Map<ScaleResult, ScaleResult>();
  for (const tested of byScale.values()) {
    const pValues = tested.map(({ result }) => result.combinedPValue ?? 1);
    const qValues = benjaminiHochberg(pValues);
    const rejectedLevel = rejectedLevelOf(pValues, qValues, level);
    tested.forEach(({ name, result }, index) => {
      const qValue = qValues[index] ?? 1;
      const minimumEffect = floors.get(name) ?? policy.drift.minimumEffect;
      const causes = qValue <= level ? findCauses(result, minimumEffect, policy.drift, rejectedLevel) : [];
      adjusted.set(result, { ...result, ended: undefined, qValue, causes });
    });
  }
  return judged.map(({ features }, index) => ({
    slice: slices[index]?.slice ?? { name: '', column: '', value: '' },
    features: features.map(({ name, scales }) =>
      decideOverScales(
        name,
        endDrifts(scales.map((result) => adjusted.get(result) ?? { ...result, qValue: null, causes: [] })),
      ),
    ),
  }));
}

function bySureness(a: ScaleResult, b: ScaleResult): number {
  return (
    (a.qValue ?? 1) - (b.qValue ?? 1) ||
    (a.combinedPValue ?? 1) - (b.combinedPValue ?? 1) ||
    (b.populationStabilityIndex ?? 0) - (a.populationStabilityIndex ?? 0) ||
    a.scale - b.scale
  );
}

/** The slices that have changed in a feature, at the scale at which it drifted as a whole. */
function changedSlices(
  drift: FeatureDrift,
  slices: readonly SliceDrift[],
  contexts: readonly SliceContext[],
): readonly ChangedSlice[] {
  const scale = drift.scales[drift.deciding]?.scale;
  return slices.flatMap(({ slice, features }, index) => {
    const result = features.find(({ name }) => name === drift.name)?.scales.find((each) => each.scale === scale);
    const stretches = contexts[index]?.stretches;
    if (!result || !stretches || result.combinedPValue === null) return [];
    return result.combinedPValue * slices.length <= changedProbability ? [{ slice, result, stretches }] : [];
  });
}

function describeHits(feature: string, hits: readonly SliceHit[]): Finding | undefined {
  const decidingOf = ({ drift }: SliceHit) => drift.scales[drift.deciding];
  const sorted = [...hits].sort((a, b) => {
    const [x, y] = [decidingOf(a), decidingOf(b)];
    return (x && y ? bySureness(x, y) : 0) || (a.context.slice.name < b.context.slice.name ? -1 : 1);
  });
  const [surest] = sorted;
  if (!surest) return undefined;
  const { context, drift } = surest;
  const { slice, baseline, calibration, stretches, trails } = context;
  const reader = new ContextReader(
    { calibration, stretches, windowsOfTrail: windowsOfTrails(trails) },
    baseline.layout.features.map(([name]) => name),
  );
  const evidence = reader.explain(drift, reader.describe(drift, plainVerdict(feature, context)));
  if (!evidence) return undefined;
  const finding = describeDrift(feature, evidence);
  const others = sorted.slice(1).map((each) => each.context.slice.name);
  const named = others.slice(0, namedSlices).map(formatName).join(', ');
  const more = others.length > namedSlices ? ` and ${others.length - namedSlices} more` : '';
  const sentence = finding.message.slice(formatName(feature).length);
  return {
    ...finding,
    id: `${finding.id}@${slice.name}`,
    slice: slice.name,
    message: `${formatName(feature)} where ${formatName(slice.name)}${sentence}${others.length > 0 ? `; also where ${named}${more}` : ''}`,
    evidence: { ...finding.evidence, slices: [slice.name, ...others].join(', ') },
  };
}

/** A slice has coarse counts alone: its verdict begins with nothing but them. */
function plainVerdict(feature: string, { baseline }: SliceContext): FeatureVerdict {
  const known = baseline.features.find(([name]) => name === feature)?.[1];
  return {
    kind: known?.kind ?? 'opaque',
    baseline: { count: known?.summary.count ?? 0, missing: known?.summary.missing ?? 0 },
    current: { count: 0, missing: 0 },
    scores: {},
    tests: {},
    qValue: null,
    minimumDetectableEffect: null,
    drifted: true,
  };
}
