import type { RandomSource } from './random-source.ts';

/** A made-up embedding space: topics as clusters, common directions, and noise that falls off over the dimensions. */
export interface TopicSpace {
  readonly dimensions: number;
  readonly centres: readonly Float64Array[];
  /** Cumulated shares of the topics that traffic has; further centres are topics nobody has asked about yet. */
  readonly cumulatedShares: readonly number[];
  readonly loadings: readonly Float64Array[];
  readonly noise: Float64Array;
  /** Vectors are scaled to length 1, as many models give them. */
  readonly unitLength: boolean;
}

export interface TopicSpaceOptions {
  readonly dimensions: number;
  readonly topics: number;
  /** Topics held back as new. */
  readonly strangers: number;
  /** Length of the topics' centres in units of the noise. */
  readonly separation: number;
  readonly unitLength: boolean;
}

const commonDirections = 8;

export function createTopicSpace(random: RandomSource, options: TopicSpaceOptions): TopicSpace {
  const { dimensions, topics, strangers, separation, unitLength } = options;
  const noise = Float64Array.from({ length: dimensions }, (_, k) => (1 + k / 8) ** -0.35);
  const direction = (length: number) => Float64Array.from(noise, (value) => value * random.normal() * length);
  const weights = Array.from({ length: topics }, (_, topic) => 1 / (topic + 3));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let cumulated = 0;
  return {
    dimensions,
    centres: Array.from({ length: topics + strangers }, () => direction(separation)),
    cumulatedShares: weights.map((weight) => {
      cumulated += weight / total;
      return cumulated;
    }),
    loadings: Array.from({ length: commonDirections }, (_, i) => direction(0.5 / (1 + i / 2))),
    noise,
    unitLength,
  };
}

export interface DrawOptions {
  /** Topic to draw from; absent: by the topics' shares. */
  readonly topic?: number;
  /** Factor on the spread within a topic. */
  readonly spread?: number;
}

export function drawTopic(space: TopicSpace, random: RandomSource): number {
  const u = random.uniform();
  const topic = space.cumulatedShares.findIndex((share) => u < share);
  return topic < 0 ? space.cumulatedShares.length - 1 : topic;
}

export function drawVector(space: TopicSpace, random: RandomSource, options: DrawOptions = {}): Float64Array {
  const centre = space.centres[options.topic ?? drawTopic(space, random)] ?? new Float64Array(space.dimensions);
  const spread = options.spread ?? 1;
  const vector = Float64Array.from(centre);
  for (const loading of space.loadings) {
    const weight = spread * random.normal();
    for (let k = 0; k < vector.length; k++) vector[k] = (vector[k] ?? 0) + weight * (loading[k] ?? 0);
  }
  for (let k = 0; k < vector.length; k++)
    vector[k] = (vector[k] ?? 0) + spread * (space.noise[k] ?? 0) * random.normal();
  return space.unitLength ? scaleVector(vector, 1 / lengthOf(vector)) : vector;
}

export function scaleVector(vector: Float64Array, factor: number): Float64Array {
  return vector.map((value) => value * factor);
}

export function lengthOf(vector: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < vector.length; k++) sum += (vector[k] ?? 0) ** 2;
  return Math.sqrt(sum);
}
