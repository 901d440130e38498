import { principalAxes } from '../../core/stats/embedding/principal-axes.ts';
import { RandomSource } from './random-source.ts';
import type { VectorSource } from './shifts.ts';
import { createTopicSpace, drawTopic, drawVector, type TopicSpaceOptions } from './topic-mixture.ts';

/** A mixture of topics made from a seed. */
export function createTopicSource(seed: number, options: TopicSpaceOptions): VectorSource {
  const random = new RandomSource(seed);
  const space = createTopicSpace(random, options);
  const draw: VectorSource['draw'] = (source, label, spread = 1) => {
    const stranger = options.topics + source.below(Math.max(1, options.strangers));
    return drawVector(space, source, { topic: label < 0 ? stranger : label, spread });
  };
  return describeSource({ dimensions: options.dimensions, drawClass: (r) => drawTopic(space, r), draw }, random);
}

/** Images with a label each, eight by eight pixels; label 9 is kept as the class that nobody has seen. */
export interface LabelledImages {
  readonly images: readonly (readonly number[])[];
  readonly labels: readonly number[];
}

const side = 8;
const unseenLabel = 9;

/**
 * Draws images with a little noise on every pixel, so that there are as many different ones as anybody asks for and
 * baseline and windows come from one distribution.
 */
export function createImageSource(data: LabelledImages, seed: number): VectorSource {
  const random = new RandomSource(seed);
  const byLabel = Array.from({ length: unseenLabel + 1 }, (_, label) =>
    data.images.filter((_, index) => data.labels[index] === label),
  );
  const draw: VectorSource['draw'] = (source, label, spread = 1) => {
    const images = byLabel[label < 0 ? unseenLabel : label] ?? [];
    const image = images[source.below(images.length)] ?? [];
    return Float64Array.from(image, (value) => spread * value + 0.5 * source.normal());
  };
  const base = { dimensions: side * side, drawClass: (r: RandomSource) => r.below(unseenLabel), draw, move: moveImage };
  return describeSource(base, random);
}

function describeSource(
  base: Omit<VectorSource, 'elementDeviation' | 'mainDirection'>,
  random: RandomSource,
): VectorSource {
  const sample = Array.from({ length: 2000 }, () => base.draw(random, base.drawClass(random)));
  const { axes, totalVariance } = principalAxes(sample, 1);
  return { ...base, elementDeviation: Math.sqrt(totalVariance / base.dimensions), mainDirection: axes };
}

/** Turned about the middle and moved to the right, by bilinear interpolation; outside is 0. */
function moveImage(image: Float64Array, degrees: number, pixels: number): Float64Array {
  const angle = (degrees * Math.PI) / 180;
  const [cosine, sine, middle] = [Math.cos(angle), Math.sin(angle), (side - 1) / 2];
  const pixel = (row: number, column: number) =>
    row < 0 || column < 0 || row >= side || column >= side ? 0 : (image[row * side + column] ?? 0);
  return Float64Array.from(image, (_, index) => {
    const [y, x] = [Math.floor(index / side) - middle, (index % side) - middle - pixels];
    const [row, column] = [middle + cosine * y - sine * x, middle + sine * y + cosine * x];
    const [top, left] = [Math.floor(row), Math.floor(column)];
    const [down, right] = [row - top, column - left];
    return (
      (1 - down) * ((1 - right) * pixel(top, left) + right * pixel(top, left + 1)) +
      down * ((1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1))
    );
  });
}
