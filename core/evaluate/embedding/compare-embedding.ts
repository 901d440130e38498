import type { EmbeddingLayout } from '../../model/embedding.ts';
import type { EmbeddingEffects, EmbeddingTest, TestResult } from '../../model/verdict.ts';

import {
  type EmbeddingDifference,
  type EmbeddingReference,
  measureDifference,
} from '../../stats/embedding/compare-sums.ts';
import type { EmbeddingSums } from '../../stats/embedding/embedding-sums.ts';
import type { EmbeddingWander } from '../../stats/embedding/leave-one-out.ts';
import { type QuadraticMeasure, quadraticUpperTail } from '../../stats/embedding/quadratic-test.ts';

export type { EmbeddingEffects, EmbeddingTest } from '../../model/verdict.ts';

/** Tests of one feature of vectors that share its false-alarm level. */
export const embeddingTests = 3;
/** Share of the baseline that counts as its far, or near, end. */
const endShare = 0.05;

export interface EmbeddingComparison {
  /** min(1, 3·min of the tests' p-values); null where none could be run. */
  readonly pValue: number | null;
  readonly tests: Readonly<Partial<Record<EmbeddingTest, TestResult>>>;
  /** p-values of "the true effect is at most the floor". */
  readonly floors: Readonly<Partial<Record<EmbeddingTest, TestResult>>>;
  readonly effects: EmbeddingEffects;
}

export interface EmbeddingRule {
  /** Floor of the effects, on the scale of the population stability index; 0: none. */
  readonly minimumEffect: number;
  /** How far each measure wanders in health, at the scale judged; absent: vectors are taken as independent. */
  readonly wander?: EmbeddingWander | undefined;
}

/**
 * Compares a window's vectors with a reference mixed from the baseline (`mixReference`). Judges nothing.
 *
 * The floor is on one scale for all tests: a shift of d standard deviations of a normal distribution has a population
 * stability index of d², so the default floor of .02 is a shift by .14 standard deviations along the strongest axis
 * (weaker axes count less, by their standard deviation), and the same of the distance.
 * @throws {RangeError} on sums made with another layout
 */
export function compareEmbedding(
  layout: EmbeddingLayout,
  reference: EmbeddingReference,
  current: EmbeddingSums,
  rule: EmbeddingRule,
): EmbeddingComparison {
  const difference = measureDifference(layout, reference, current);
  const { wander, minimumEffect } = rule;
  const floorOf = (measure: QuadraticMeasure | undefined, own: EmbeddingWander[keyof EmbeddingWander] | undefined) =>
    measure && minimumEffect > 0 ? testOf(measure, quadraticUpperTail(measure, own, minimumEffect)) : undefined;
  const { shift, distance, distanceBins } = difference;
  // The floor of the bins is on their index, the test on Pearson's sum: the one measures, the other keeps its level.
  const index = distanceBins && { ...distanceBins, squared: difference.distanceIndex };
  const tests = {
    ...(shift && { shift: testOf(shift, quadraticUpperTail(shift, wander?.shift)) }),
    ...(distance && { distance: testOf(distance, quadraticUpperTail(distance, wander?.distance)) }),
    ...(distanceBins && { spread: testOf(distanceBins, quadraticUpperTail(distanceBins, wander?.distanceBins)) }),
  };
  const floors = {
    shift: floorOf(shift, wander?.shift),
    distance: floorOf(distance, wander?.distance),
    spread: floorOf(index, wander?.distanceBins),
  };
  const pValues = Object.values(tests).map(({ pValue }) => pValue);
  return {
    pValue: pValues.length === 0 ? null : Math.min(1, embeddingTests * Math.min(...pValues)),
    tests,
    floors: {
      ...(floors.shift && { shift: floors.shift }),
      ...(floors.distance && { distance: floors.distance }),
      ...(floors.spread && { spread: floors.spread }),
    },
    effects: describeEffects(difference, reference, current),
  };
}

function testOf(measure: QuadraticMeasure, pValue: number): TestResult {
  const [first] = measure.noise;
  return {
    statistic: measure.squared / measure.scale,
    ...(measure.noise.length === 1 && first && { degreesOfFreedom: first.degreesOfFreedom }),
    pValue,
  };
}

function describeEffects(
  difference: EmbeddingDifference,
  reference: EmbeddingReference,
  current: EmbeddingSums,
): EmbeddingEffects {
  const { scoreChanges, shift, scale } = difference;
  const squared = scoreChanges.reduce((sum, change) => sum + change * change, 0);
  const noise = shift ? scale * scoreChanges.length : 0;
  const mainAxis = scoreChanges.reduce(
    (best, change, axis) => (Math.abs(change) > Math.abs(scoreChanges[best] ?? 0) ? axis : best),
    0,
  );
  const far = endOf(reference.distanceShares, 'far');
  const near = endOf(reference.distanceShares, 'near');
  const shareIn = (bins: readonly number[], values: readonly number[]) =>
    bins.reduce((sum, bin) => sum + (values[bin] ?? 0), 0);
  const currentShares = current.distances.map((count) => share(count, current.count));
  return {
    shift: Math.sqrt(Math.max(0, squared - noise)),
    mainAxis: scoreChanges.length === 0 ? 0 : mainAxis + 1,
    mainAxisChange: scoreChanges[mainAxis] ?? 0,
    distanceChange: difference.distanceChange,
    distanceIndex: difference.distanceIndex,
    farShare: shareIn(far, currentShares),
    baselineFarShare: shareIn(far, reference.distanceShares),
    nearShare: shareIn(near, currentShares),
    baselineNearShare: shareIn(near, reference.distanceShares),
  };
}

/** Bins at one end, as few as hold at least `endShare` of the baseline. */
function endOf(shares: readonly number[], end: 'far' | 'near'): readonly number[] {
  const order = shares.map((_, bin) => (end === 'near' ? bin : shares.length - 1 - bin));
  const chosen: number[] = [];
  let held = 0;
  for (const bin of order) {
    // With slack: the 95th percentile of a sample lies a little off the baseline's own.
    if (held >= endShare * 0.7) break;
    chosen.push(bin);
    held += shares[bin] ?? 0;
  }
  return chosen;
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
