import { fitProjection } from '../../../core/stats/embedding/fit-projection.ts';
import type { EmbeddingProjection } from '../../../core/stats/embedding/projection.ts';
import { seededUniform } from '../reference.ts';

export const dimensions = 24;
const topics = 6;

/** Standard normal numbers from uniform ones (Box and Muller). */
export function seededNormal(uniform: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Seeded vectors around a few topics, with noise that falls off over the dimensions. */
export class VectorMaker {
  readonly #uniform: () => number;
  readonly normal: () => number;
  readonly #centres: readonly number[][];

  constructor(seed: number) {
    const fixed = seededNormal(seededUniform(77));
    this.#centres = Array.from({ length: topics + 1 }, () =>
      Array.from({ length: dimensions }, (_, k) => fixed() / Math.sqrt(1 + k / 4)),
    );
    this.#uniform = seededUniform(seed);
    this.normal = seededNormal(this.#uniform);
  }

  /** @param strangers share of vectors of a topic that the others have not */
  next(strangers = 0): number[] {
    const topic = this.#uniform() < strangers ? topics : Math.floor(this.#uniform() * topics);
    return (this.#centres[topic] ?? []).map((value, k) => value + (0.7 * this.normal()) / Math.sqrt(1 + k / 4));
  }

  many(count: number, change: (vector: number[]) => number[] = (vector) => vector): number[][] {
    return Array.from({ length: count }, () => change(this.next()));
  }
}

export function projectionOf(maker: VectorMaker, count = 600): EmbeddingProjection {
  const fit = fitProjection(maker.many(count), maker.many(count));
  if (!fit) throw new Error('expected a projection');
  return fit.projection;
}
