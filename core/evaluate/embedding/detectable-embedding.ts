import type { EmbeddingLayout } from '../../model/embedding.ts';
import { axisWeights } from '../../stats/embedding/compare-sums.ts';
import type { EmbeddingWander } from '../../stats/embedding/leave-one-out.ts';
import {
  expectedNoise,
  type QuadraticMeasure,
  type QuadraticWander,
  quadraticUpperTail,
} from '../../stats/embedding/quadratic-test.ts';
import { findRoot } from '../../stats/root.ts';

/** The chance of being noticed that "detectable" means. */
const power = 0.8;

export interface EmbeddingDesign {
  readonly baselineSize: number;
  readonly currentSize: number;
  /** Level at which one test must reject. */
  readonly level: number;
  readonly wander?: EmbeddingWander | undefined;
}

/** The smallest changes that a window would have shown with power 0.8. */
export interface DetectableEmbedding {
  /** Shift of the mean along the strongest main axis, in standard deviations; null: no axes. */
  readonly shift: number | null;
  /** Change of the mean distance, in standard deviations; null: the distance never varied. */
  readonly distance: number | null;
  /**
   * Share of a new topic whose vectors lie as far away as the baseline's farthest per cent; null where the distance says
   * nothing, or not even a window full of it would be seen.
   */
  readonly newTopicShare: number | null;
}

/** What a window of this size could have shown. The effect floor is not part of it. */
export function detectableEmbedding(layout: EmbeddingLayout, design: EmbeddingDesign): DetectableEmbedding {
  const { baselineSize, currentSize, level, wander } = design;
  if (!(baselineSize > 0 && currentSize > 0 && level > 0 && level < 1)) {
    return { shift: null, distance: null, newTopicShare: null };
  }
  const scale = 1 / baselineSize + 1 / currentSize;
  const axes = axisWeights(layout).map((weight) => ({ weight, degreesOfFreedom: 1 }));
  const shift = axes.length === 0 ? null : detectableChange({ squared: 0, scale, noise: axes }, level, wander?.shift);
  const distance = detectableDistance(layout, scale, level, wander?.distance);
  return { shift, distance, newTopicShare: shareOfStrangers(layout, distance) };
}

function detectableDistance(
  { distanceDeviation }: EmbeddingLayout,
  scale: number,
  level: number,
  wander: QuadraticWander | undefined,
): number | null {
  if (!(distanceDeviation > 0)) return null;
  return detectableChange({ squared: 0, scale, noise: [{ weight: 1, degreesOfFreedom: 1 }] }, level, wander);
}

function shareOfStrangers(
  { distanceMean, distanceDeviation, distanceEdges }: EmbeddingLayout,
  distance: number | null,
): number | null {
  const farthest = distanceEdges.at(-1);
  if (farthest === undefined || distance === null) return null;
  const share = (distance * distanceDeviation) / (farthest - distanceMean);
  return share > 0 && share <= 1 ? share : null;
}

/** √ of the smallest squared change that exceeds, with the wanted power, what the level allows by chance. */
function detectableChange(measure: QuadraticMeasure, level: number, wander: QuadraticWander | undefined): number {
  const tail = (squared: number, floor: number) => quadraticUpperTail({ ...measure, squared }, wander, floor);
  const start = expectedNoise(measure);
  const critical = rootAbove(start, (squared) => Math.log(level) - Math.log(Math.max(tail(squared, 0), 1e-320)));
  return Math.sqrt(rootAbove(start, (floor) => tail(critical, floor) - power));
}

/** Where a rising function crosses zero, above 0. */
function rootAbove(start: number, rising: (x: number) => number): number {
  let upper = start;
  while (rising(upper) < 0) upper *= 2;
  return findRoot(rising, 0, upper);
}
