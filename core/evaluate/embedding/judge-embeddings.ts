import { featurePolicy, type ModelPolicy } from '../../model/policy.ts';
import type { EmbeddingScaleVerdict, EmbeddingVerdict, Finding } from '../../model/verdict.ts';
import { benjaminiHochberg } from '../../stats/benjamini-hochberg.ts';
import type { EmbeddingWander } from '../../stats/embedding/leave-one-out.ts';
import { type Calibration, uncalibrated } from '../calibration.ts';
import { rejectedLevelOf } from '../drift-causes.ts';
import { asProvisional } from '../drift-finding.ts';
import { endDriftsWhere, isEffectOver } from '../ended-drift.ts';
import { type EmbeddingCalibration, referenceOf } from './calibrate-embeddings.ts';
import {
  compareEmbedding,
  type EmbeddingComparison,
  type EmbeddingEffects,
  type EmbeddingTest,
  embeddingTests,
} from './compare-embedding.ts';
import { type DetectableEmbedding, detectableEmbedding } from './detectable-embedding.ts';
import { describeEmbeddingDrift, findEmbeddingCauses } from './embedding-finding.ts';
import type { EmbeddingStretch } from './embedding-trail.ts';

export interface EmbeddingInput {
  readonly policy: ModelPolicy;
  readonly embeddings: readonly EmbeddingCalibration[];
  /** Ascending by scale. */
  readonly stretches: readonly EmbeddingStretch[];
  /** Of a window among others; absent: it is compared by itself. */
  readonly calibration?: Pick<Calibration, 'provisionalBelow' | 'groups' | 'windowSeconds'> | undefined;
  /** Benjamini–Hochberg level of all embeddings of one stretch. */
  readonly level: number;
}

/**
 * Usable vectors that a stretch needs, or `minimumRecords` where that is more. The tests take means as normal, and where
 * rare vectors lie far out the mean of fewer is not.
 */
export const fewestVectors = 100;

/** What is said of one embedding. */
export interface EmbeddingJudgement {
  readonly name: string;
  readonly verdict: EmbeddingVerdict;
  /** The largest of the window's effects, on the scale of the population stability index. */
  readonly effect?: number | undefined;
  /** Smallest over the scales, adjusted over the embeddings; null: not tested. */
  readonly qValue: number | null;
  readonly drifted: boolean;
  readonly decidingScale?: number | undefined;
  /** Squared shift that the shortest stretch would have shown, on the scale of the population stability index. */
  readonly minimumDetectableEffect: number | null;
  readonly finding?: Finding | undefined;
}

interface Measured {
  readonly stretch: EmbeddingStretch;
  readonly scale: number;
  readonly vectors: number;
  readonly comparison: EmbeddingComparison;
  readonly detectable: DetectableEmbedding;
  readonly qValue: number | null;
  readonly causes: readonly EmbeddingTest[];
  /** The baseline's ups and downs in time are not known, and no effect is too gross to be one of them. */
  readonly isProvisional: boolean;
  readonly ended?: true | undefined;
}

/**
 * The share of a model's level for drift that its embeddings have: as many features as there are share it evenly. An
 * embedding counts twice, once for its missing values and once for its vectors.
 */
export function embeddingLevelShare(features: number, embeddings: number): number {
  return embeddings === 0 ? 0 : embeddings / (features + embeddings);
}

/**
 * The main rule for vectors: each stretch that holds enough of them is compared with the baseline's hours,
 * Benjamini–Hochberg runs over the embeddings of a stretch, and one has drifted where a test whose effect matters
 * rejects at any scale.
 */
export function judgeEmbeddings(input: EmbeddingInput): readonly EmbeddingJudgement[] {
  const { policy, stretches, level } = input;
  const embeddings = input.embeddings.filter(({ name }) => !featurePolicy(policy, name).ignore);
  const byScale = stretches.map((stretch) => judgeStretch(input, embeddings, stretch, level));
  return embeddings.map((embedding, index) => {
    const measured = byScale.flatMap((stretch) => stretch[index] ?? []);
    const scales = endDriftsWhere<EmbeddingTest, Measured>(measured, (cause, longer, shorter) =>
      isEffectOver(
        effectOf(cause, longer.comparison.effects),
        effectOf(cause, shorter.comparison.effects),
        detectableOf(cause, shorter.detectable),
      ),
    );
    return summarise(embedding, scales, input);
  });
}

function judgeStretch(
  { policy, calibration }: EmbeddingInput,
  embeddings: readonly EmbeddingCalibration[],
  stretch: EmbeddingStretch,
  level: number,
): readonly (Measured | undefined)[] {
  const testLevel = level / (embeddingTests * Math.max(1, embeddings.length));
  const enough = Math.max(fewestVectors, policy.drift.minimumRecords);
  const compared = embeddings.map((embedding) => {
    const current = stretch.sums.get(embedding.name);
    if (!current || current.count < enough) return undefined;
    const reference = referenceOf(embedding, stretch.cells, calibration?.groups);
    const wander = wanderAt(embedding, stretch);
    const { provisionalBelow } = calibration ?? {};
    const minimumEffect = floorOf(policy, embedding.name, provisionalBelow === undefined ? 0 : uncalibrated.floor);
    const compareAbove = (effect: number) =>
      compareEmbedding(embedding.layout, reference, current, { minimumEffect: effect, wander });
    const comparison = compareAbove(minimumEffect);
    const sizes = { baselineSize: reference.size, currentSize: current.count };
    const detectable = detectableEmbedding(embedding.layout, { ...sizes, level: testLevel, wander });
    return {
      stretch,
      scale: stretch.scale,
      vectors: current.count,
      comparison,
      detectable,
      minimumEffect,
      compareAbove,
    };
  });
  const tested = compared.flatMap((each) => each?.comparison.pValue ?? []);
  const adjusted = benjaminiHochberg(tested);
  const rejectedLevel = rejectedLevelOf(tested, adjusted, level);
  let next = 0;
  return compared.map((each) => {
    if (!each) return undefined;
    const { comparison, minimumEffect, compareAbove, ...rest } = each;
    const qValue = comparison.pValue === null ? null : (adjusted[next++] ?? 1);
    const causesAbove = (effect: number, compared: EmbeddingComparison) =>
      findEmbeddingCauses(compared, { rejectedLevel, minimumEffect: effect, effectLevel: policy.drift.effectLevel });
    const causes = qValue !== null && qValue <= level ? causesAbove(minimumEffect, comparison) : [];
    const gross = calibration?.provisionalBelow;
    const isProvisional =
      gross !== undefined && (causes.length === 0 || causesAbove(gross, compareAbove(gross)).length === 0);
    return { ...rest, comparison, qValue, causes, isProvisional };
  });
}

function floorOf(policy: ModelPolicy, name: string, least: number): number {
  const floor = featurePolicy(policy, name).minimumEffect ?? policy.drift.minimumEffect;
  return floor > 0 ? Math.max(floor, least) : floor;
}

/** The wander of as many windows as are really in the stretch. */
function wanderAt({ wander }: EmbeddingCalibration, { scale, windows }: EmbeddingStretch): EmbeddingWander | undefined {
  const length = Math.min(scale, Math.max(1, windows));
  return (wander.findLast(([known]) => known <= length) ?? wander[0])?.[1];
}

/** On the scale of the population stability index. */
function effectOf(cause: EmbeddingTest, effects: EmbeddingEffects): number {
  if (cause === 'shift') return effects.shift ** 2;
  return cause === 'distance' ? effects.distanceChange ** 2 : effects.distanceIndex;
}

function detectableOf(cause: EmbeddingTest, { shift, distance }: DetectableEmbedding): number | null {
  const change = cause === 'shift' ? shift : distance;
  return change === null ? null : change ** 2;
}

function summarise(
  { name, layout }: EmbeddingCalibration,
  scales: readonly Measured[],
  { calibration }: EmbeddingInput,
): EmbeddingJudgement {
  const [shortest] = scales;
  const deciding = surest(scales);
  const [first, ...others] = deciding?.causes ?? [];
  const isProvisional = deciding?.isProvisional === true;
  const describe = isProvisional ? asProvisional : (finding: Finding) => finding;
  const qValues = scales.flatMap(({ qValue }) => qValue ?? []);
  const shift = shortest?.detectable.shift ?? null;
  return {
    name,
    verdict: {
      dimensions: layout.dimensions,
      axes: layout.deviations.length,
      ...(shortest && {
        effects: shortest.comparison.effects,
        tests: shortest.comparison.tests,
        floors: shortest.comparison.floors,
        detectable: shortest.detectable,
      }),
      scales: scales.map(describeScale),
    },
    ...(shortest?.comparison.pValue !== null && shortest && { effect: largestEffect(shortest.comparison) }),
    qValue: qValues.length === 0 ? null : Math.min(...qValues),
    drifted: first !== undefined && !isProvisional,
    decidingScale: deciding?.stretch.scale,
    minimumDetectableEffect: shift === null ? null : shift ** 2,
    ...(deciding &&
      first && {
        finding: describe(
          describeEmbeddingDrift(name, deciding.comparison, [first, ...others], deciding.qValue ?? 1, {
            vectors: deciding.vectors,
            ...(calibration && {
              stretch: {
                scale: deciding.stretch.scale,
                windowSeconds: calibration.windowSeconds,
                windows: deciding.stretch.windows,
                start: deciding.stretch.start,
              },
            }),
          }),
        ),
      }),
  };
}

function largestEffect({ effects }: EmbeddingComparison): number {
  return Math.max(...(['shift', 'distance', 'spread'] as const).map((test) => effectOf(test, effects)));
}

/** Of the scales that drifted, else of those that provisionally have, else of all the one with the smallest q-value. */
function surest(scales: readonly Measured[]): Measured | undefined {
  const told = scales.filter(({ causes }) => causes.length > 0);
  const drifted = told.filter(({ isProvisional }) => !isProvisional);
  const ranked = [drifted, told, scales].find((each) => each.length > 0) ?? [];
  const candidates = ranked.filter(({ qValue }) => qValue !== null);
  return candidates.reduce<Measured | undefined>(
    (best, each) => (best && (best.qValue ?? 1) <= (each.qValue ?? 1) ? best : each),
    undefined,
  );
}

/** To four digits, as with other features. */
function describeScale({
  stretch,
  vectors,
  comparison,
  qValue,
  causes,
  isProvisional,
  ended,
}: Measured): EmbeddingScaleVerdict {
  const round = (value: number | null | undefined) =>
    value === null || value === undefined ? null : Number(value.toPrecision(4));
  const { tests, floors } = comparison;
  return {
    scale: stretch.scale,
    windows: stretch.windows,
    vectors,
    shiftPValue: round(tests.shift?.pValue),
    shiftFloorPValue: round(floors.shift?.pValue),
    distancePValue: round(tests.distance?.pValue),
    distanceFloorPValue: round(floors.distance?.pValue),
    spreadPValue: round(tests.spread?.pValue),
    spreadFloorPValue: round(floors.spread?.pValue),
    qValue: round(qValue),
    drifted: causes.length > 0 && !isProvisional,
    ...(ended && { ended }),
  };
}
