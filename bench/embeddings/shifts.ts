import type { RandomSource } from './random-source.ts';

/** What vectors are drawn from: a space with classes, some of which the baseline has never seen. */
export interface VectorSource {
  readonly dimensions: number;
  /** Standard deviation of a vector's elements, averaged over the dimensions. */
  readonly elementDeviation: number;
  /** A class by its share in the baseline's traffic. */
  drawClass(random: RandomSource): number;
  /** @param label −1: a class that the baseline has never seen */
  draw(random: RandomSource, label: number, spread?: number): Float64Array;
  /** Images only: turned by so many degrees, moved by so many pixels to the right. */
  readonly move?: (vector: Float64Array, degrees: number, pixels: number) => Float64Array;
  /** A direction in which the baseline varies much, of unit length. */
  readonly mainDirection: Float64Array;
}

/** A way in which a window's vectors differ from the baseline's. */
export interface Shift {
  readonly name: string;
  /** The next vector of a shifted window. */
  readonly draw: (source: VectorSource, random: RandomSource) => Float64Array;
  readonly needsImages?: boolean;
}

const usual = (source: VectorSource, random: RandomSource) => source.draw(random, source.drawClass(random));

/** Applies a change to a share of the vectors. */
function onShare(
  share: number,
  change: (vector: Float64Array, source: VectorSource, random: RandomSource) => Float64Array,
): Shift['draw'] {
  return (source, random) => {
    const vector = usual(source, random);
    return random.uniform() < share ? change(vector, source, random) : vector;
  };
}

const addNoise = (size: number) => (vector: Float64Array, source: VectorSource, random: RandomSource) =>
  vector.map((value) => value + size * source.elementDeviation * random.normal());

const scale = (factor: number) => (vector: Float64Array) => vector.map((value) => value * factor);

/** Replaces a share of the records of class 0 by others: the knock-out of "Failing Loudly". */
function knockOut(share: number): Shift['draw'] {
  return (source, random) => {
    for (;;) {
      const label = source.drawClass(random);
      if (label !== 0 || random.uniform() >= share) return source.draw(random, label);
    }
  };
}

function newClass(share: number): Shift['draw'] {
  return (source, random) => source.draw(random, random.uniform() < share ? -1 : source.drawClass(random));
}

/** Every vector moved by so many of its elements' standard deviations along one direction spread over all dimensions. */
function moveAlong(length: number, direction: 'main' | 'any'): Shift['draw'] {
  return (source, random) => {
    const vector = usual(source, random);
    return vector.map((value, k) => {
      const step =
        direction === 'main' ? (source.mainDirection[k] ?? 0) : (k % 2 === 0 ? 1 : -1) / Math.sqrt(vector.length);
      return value + length * source.elementDeviation * step;
    });
  };
}

const mirror = (vector: Float64Array, source: VectorSource) => {
  let score = 0;
  for (let k = 0; k < vector.length; k++) score += (vector[k] ?? 0) * (source.mainDirection[k] ?? 0);
  return vector.map((value, k) => value - 2 * score * (source.mainDirection[k] ?? 0));
};

const dropDimensions = (every: number) => (vector: Float64Array) =>
  vector.map((value, k) => (k % every === 0 ? 0 : value));

/** A caller stuck on one input: each window its own. */
function stuck(share: number): Shift['draw'] {
  let last: Float64Array | undefined;
  let left = 0;
  return (source, random) => {
    if (left-- <= 0 || last === undefined) [last, left] = [usual(source, random), 500];
    return random.uniform() < share ? last : usual(source, random);
  };
}

/**
 * The shifts of "Failing Loudly" (Rabanser, Günnemann and Lipton 2019, arXiv 1810.11953): Gaussian noise, image changes,
 * knocked-out classes, alone and together, each on a part of the records; and what goes wrong with embeddings in
 * service: new topics, another scale, moved means, lost dimensions, a stuck caller.
 */
export const shifts: readonly Shift[] = [
  { name: 'small noise (.1) on all', draw: onShare(1, addNoise(0.1)) },
  { name: 'medium noise (.3) on 10 %', draw: onShare(0.1, addNoise(0.3)) },
  { name: 'medium noise (.3) on 50 %', draw: onShare(0.5, addNoise(0.3)) },
  { name: 'large noise (1) on 10 %', draw: onShare(0.1, addNoise(1)) },
  { name: 'class 0 knocked out by 25 %', draw: knockOut(0.25) },
  { name: 'class 0 knocked out by 50 %', draw: knockOut(0.5) },
  { name: 'class 0 knocked out', draw: knockOut(1) },
  { name: '2 % new topic', draw: newClass(0.02) },
  { name: '4 % new topic', draw: newClass(0.04) },
  { name: '8 % new topic', draw: newClass(0.08) },
  { name: 'scale × 1.02', draw: onShare(1, scale(1.02)) },
  { name: 'scale × 1.1', draw: onShare(1, scale(1.1)) },
  { name: 'scale × 2 on 5 %', draw: onShare(0.05, scale(2)) },
  { name: 'mean moved .5 along the main direction', draw: moveAlong(0.5, 'main') },
  { name: 'mean moved 2 along the main direction', draw: moveAlong(2, 'main') },
  { name: 'mean moved .5 across', draw: moveAlong(0.5, 'any') },
  { name: 'mean moved 2 across', draw: moveAlong(2, 'any') },
  {
    name: 'spread within a class × .95',
    draw: (source, random) => source.draw(random, source.drawClass(random), 0.95),
  },
  { name: '30 % mirrored in the main direction', draw: onShare(0.3, mirror) },
  { name: 'every 8th dimension 0, on 5 %', draw: onShare(0.05, dropDimensions(8)) },
  { name: '5 % one and the same vector', draw: stuck(0.05) },
  {
    name: 'turned by 10° on 50 %',
    needsImages: true,
    draw: onShare(0.5, (vector, source) => source.move?.(vector, 10, 0) ?? vector),
  },
  {
    name: 'turned by 40° on 10 %',
    needsImages: true,
    draw: onShare(0.1, (vector, source) => source.move?.(vector, 40, 0) ?? vector),
  },
  {
    name: 'moved by .5 pixels on 50 %',
    needsImages: true,
    draw: onShare(0.5, (vector, source) => source.move?.(vector, 0, 0.5) ?? vector),
  },
  {
    name: 'knocked out by 50 % and turned by 10° on 10 %',
    needsImages: true,
    draw: (source, random) => {
      const vector = knockOut(0.5)(source, random);
      return random.uniform() < 0.1 ? (source.move?.(vector, 10, 0) ?? vector) : vector;
    },
  },
];

export const noShift: Shift = { name: 'none', draw: usual };
