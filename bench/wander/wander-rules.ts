import { BinComparison } from '../../core/evaluate/bin-comparison.ts';
import type { FeatureWindows } from '../../core/evaluate/measure-wander.ts';
import { estimateWander } from '../../core/evaluate/wander-estimate.ts';
import { type GroupedWindows, type HeldOutBlock, holdOutBlocks } from '../../core/evaluate/window-set.ts';
import { chiSquaredQuantile, chiSquaredUpperTail } from '../../core/stats/chi-squared.ts';
import { fUpperTail } from '../../core/stats/f-distribution.ts';
import { scaledChiSquaredUpperTail } from '../../core/stats/scaled-chi-squared.ts';
import { normalScoreOfStudent, studentUpperTailQuick } from '../../core/stats/student-t.ts';
import { type Scatter, wanderTail } from '../../core/stats/wander-tail.ts';
import { baselineDays, bins, plan } from './drawn-model.ts';

/** What a stretch shows of one feature. */
export interface Seen {
  readonly distance: number;
  readonly populationStabilityIndex: number;
  readonly sampling: number;
  readonly degreesOfFreedom: number;
  /** (p − q)/√q per decile. */
  readonly differences: Float64Array;
}

/** A way to turn what is seen into p-values: of no change, and of an effect under the floor. */
export interface WanderRule {
  readonly name: string;
  pValues(feature: number, scale: number, seen: Seen, floor: number): readonly [change: number, floor: number];
}

/** Moments of the excess over sampling, per feature and scale, as blocks of the baseline show them. */
interface Moments {
  readonly mean: number;
  readonly variance: number;
}

const minimumBlocks = 12;

/** The rules compared, all learned from the same baseline. */
export function learnRules(
  grouped: GroupedWindows,
  features: readonly FeatureWindows[],
  scales: readonly number[],
): readonly WanderRule[] {
  const raw = features.map((feature) => measureScales(grouped, feature, scales));
  const moments = raw.map((byScale) => borrow(byScale.map(({ blocks }) => momentsOf(blocks))));
  const shipped = estimateWander(grouped, features, scales);
  const directions = raw.map((byScale) => principalDirection(byScale[4]?.blocks ?? []));
  const split = raw.map((byScale, feature) =>
    borrow(byScale.map(({ blocks }) => splitWander(blocks, directions[feature] ?? new Float64Array(bins)))),
  );
  return [
    satterthwaite('Satterthwaite', moments, 1),
    satterthwaite('Satterthwaite, cautious', moments, baselineDays / chiSquaredQuantile(0.05, baselineDays)),
    satterthwaiteF(moments),
    oneDirection('one direction, t', (feature, scale) => {
      const { mean } = moments[feature]?.[scale] ?? { mean: 0 };
      return [mean, (2 * mean * mean) / baselineDays];
    }),
    oneDirection('one direction, t, moderated (shipped)', (feature, scale) => {
      const wander = shipped[feature]?.[scale]?.shares;
      return [wander?.variance ?? 0, wander?.uncertainty ?? 0];
    }),
    hotelling(directions, split),
  ];
}

interface Block extends Seen {}

function measureScales(grouped: GroupedWindows, feature: FeatureWindows, scales: readonly number[]) {
  const totals = Array.from({ length: grouped.groups.size }, () => new Float64Array(bins + 1));
  grouped.groupOf.forEach((group, window) => {
    addTo(totals[group], feature.counts[window], 1);
  });
  return scales.map((scale) => ({
    blocks: holdOutBlocks(grouped, scale, 0).map((block) => measureBlock(totals, feature, block)),
  }));
}

function measureBlock(totals: readonly Float64Array[], { counts }: FeatureWindows, block: HeldOutBlock): Block {
  const current = new Float64Array(bins + 1);
  const expected = new Float64Array(bins + 1);
  for (let window = block.from; window < block.to; window++) addTo(current, counts[window], 1);
  for (const { group, weight, records, removed } of block.groups) {
    addTo(expected, totals[group], weight / records);
    for (const window of removed) addTo(expected, counts[window], -weight / records);
  }
  return see(current, expected, block.effectiveSize);
}

function addTo(target: Float64Array | undefined, source: ArrayLike<number> | undefined, factor: number): void {
  if (!target || !source) return;
  for (let bin = 0; bin < target.length; bin++) target[bin] = (target[bin] ?? 0) + factor * (source[bin] ?? 0);
}

const comparison = new BinComparison(bins + 1);

export function see(current: Float64Array, expected: Float64Array, effectiveSize: number): Seen {
  comparison.compare(plan, current, expected, effectiveSize);
  const rows = current.reduce((sum, count) => sum + count, 0);
  const differences = Float64Array.from({ length: bins }, (_, bin) => {
    const share = expected[bin] ?? 0;
    return share > 0 && rows > 0 ? ((current[bin] ?? 0) / rows - share) / Math.sqrt(share) : 0;
  });
  return {
    distance: comparison.distance,
    populationStabilityIndex: comparison.populationStabilityIndex,
    sampling: comparison.sampling,
    degreesOfFreedom: Math.max(1, comparison.bins - 1),
    differences,
  };
}

function momentsOf(blocks: readonly Block[]): Moments | undefined {
  if (blocks.length < minimumBlocks) return undefined;
  const excess = blocks.map(({ distance, sampling, degreesOfFreedom }) => distance - sampling * degreesOfFreedom);
  const plain = average(excess);
  const mean = Math.max(0, plain);
  const noise = average(blocks.map(({ sampling: s, degreesOfFreedom }) => 2 * s * s * degreesOfFreedom + 4 * s * mean));
  const variance = average(excess.map((each) => (each - plain) ** 2)) - noise;
  return { mean, variance: Math.min(Math.max(variance, (2 / 3) * mean * mean), 2 * mean * mean) };
}

/** Scales without an estimate take that of the largest that has one. */
function borrow<T>(byScale: readonly (T | undefined)[]): readonly T[] {
  const known = byScale.filter((each) => each !== undefined);
  const last = known.at(-1);
  return byScale.flatMap((each) => each ?? last ?? []);
}

/** One χ² with the moments of sampling, wander and floor together. */
function satterthwaite(name: string, moments: readonly (readonly Moments[])[], inflation: number): WanderRule {
  const tail = ({ sampling: s, degreesOfFreedom: d }: Seen, value: number, known: Moments, floor: number) => {
    const [m, v] = [known.mean * inflation, known.variance * inflation ** 2];
    const mean = s * d + m + floor;
    const variance = 2 * s * s * d + 4 * s * m + v + 4 * s * floor + 4 * floor * Math.sqrt(v / 2);
    return scaledChiSquaredUpperTail(value, mean, variance);
  };
  return {
    name,
    pValues: (feature, scale, seen, floor) => {
      const known = moments[feature]?.[scale] ?? { mean: 0, variance: 0 };
      return [tail(seen, seen.distance, known, 0), tail(seen, seen.populationStabilityIndex, known, floor)];
    },
  };
}

/** The same moments with an F tail, whose second degrees of freedom say how well the mean is known. */
function satterthwaiteF(moments: readonly (readonly Moments[])[]): WanderRule {
  const tail = ({ sampling: s, degreesOfFreedom: d }: Seen, value: number, { mean: m }: Moments, floor: number) => {
    const mean = s * d + m + floor;
    const variance = 2 * s * s * d + 4 * s * m + 2 * m * m + 4 * (s + m) * floor;
    const degrees = (2 * mean * mean) / variance;
    const certainty = Math.min(1e6, m > 0 ? baselineDays * ((s + m) / m) ** 2 : 1e6);
    const ratio = value / mean;
    return fUpperTail(ratio, degrees, certainty);
  };
  return {
    name: 'Satterthwaite, F tail',
    pValues: (feature, scale, seen, floor) => {
      const known = moments[feature]?.[scale] ?? { mean: 0, variance: 0 };
      return [tail(seen, seen.distance, known, 0), tail(seen, seen.populationStabilityIndex, known, floor)];
    },
  };
}

function oneDirection(
  name: string,
  wanderOf: (feature: number, scale: number) => readonly [number, number],
): WanderRule {
  return {
    name,
    pValues: (feature, scale, seen, floor) => {
      const [wander, uncertainty] = wanderOf(feature, scale);
      const total = seen.sampling + wander;
      const scatter: Scatter = {
        sampling: seen.sampling,
        degreesOfFreedom: seen.degreesOfFreedom,
        wander,
        certainty: uncertainty > 0 ? (2 * total * total) / uncertainty : Number.POSITIVE_INFINITY,
      };
      return [wanderTail(seen.distance, scatter), wanderTail(seen.populationStabilityIndex, scatter, floor)];
    },
  };
}

interface SplitWander {
  readonly along: number;
  readonly across: number;
}

function splitWander(blocks: readonly Block[], direction: Float64Array): SplitWander | undefined {
  if (blocks.length < minimumBlocks) return undefined;
  const along = average(blocks.map((block) => project(block.differences, direction) ** 2 - block.sampling));
  const all = average(blocks.map((block) => square(block.differences) - block.sampling * (bins - 1)));
  return { along: Math.max(0, along), across: Math.max(0, all - Math.max(0, along)) };
}

/** Hotelling's form with one factor: the direction that wanders most is scaled by its own variance, the rest by theirs. */
function hotelling(directions: readonly Float64Array[], split: readonly (readonly SplitWander[])[]): WanderRule {
  return {
    name: 'Hotelling, one factor',
    pValues: (feature, scale, seen, floor) => {
      const { along, across } = split[feature]?.[scale] ?? { along: 0, across: 0 };
      const direction = directions[feature] ?? new Float64Array(bins);
      const s = seen.sampling;
      const certainty = along > 0 ? baselineDays * ((s + along) / along) ** 2 : 1e9;
      const first = project(seen.differences, direction);
      const score = normalScoreOfStudent(Math.abs(first) / Math.sqrt(s + along), certainty);
      const rest = Math.max(0, square(seen.differences) - first * first) / (s + across / (bins - 2));
      const change = chiSquaredUpperTail(score * score + rest, bins - 1);
      // The floor in the same two parts: the shift is laid where the least of it shows.
      const left = Math.sqrt(Math.max(0, seen.populationStabilityIndex)) - Math.sqrt(floor);
      const spread = Math.sqrt(s + along);
      return [change, studentUpperTailQuick(left / spread, certainty)];
    },
  };
}

/** The leading eigenvector of the blocks' second moments, by power iteration. */
function principalDirection(blocks: readonly Block[]): Float64Array {
  let direction = Float64Array.from({ length: bins }, (_, bin) => bin - (bins - 1) / 2);
  for (let round = 0; round < 50; round++) {
    const next = new Float64Array(bins);
    for (const { differences } of blocks) {
      const along = project(differences, direction);
      for (let bin = 0; bin < bins; bin++) next[bin] = (next[bin] ?? 0) + along * (differences[bin] ?? 0);
    }
    const length = Math.sqrt(square(next));
    if (!(length > 0)) return direction;
    direction = next.map((value) => value / length);
  }
  return direction;
}

function project(values: Float64Array, direction: Float64Array): number {
  return values.reduce((sum, value, bin) => sum + value * (direction[bin] ?? 0), 0);
}

function square(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}
