import type { EmbeddingSums } from '../../../core/stats/embedding/embedding-sums.ts';
import type { EmbeddingWindow } from '../../../core/stats/embedding/leave-one-out.ts';
import type { EmbeddingUnits } from '../../../core/stats/embedding/projection.ts';
import { seededUniform } from '../reference.ts';
import { seededNormal } from './made-vectors.ts';

/** Units of a projection with four axes; the distance is normal, and its edges its quartiles. */
export const units: EmbeddingUnits = {
  deviations: [4, 3, 2, 1],
  distanceMean: 10,
  distanceDeviation: 1,
  distanceEdges: [9.3255, 10, 10.6745],
};

/** What a window's vectors have in common beyond the baseline's mean, in standard deviations. */
export interface Offset {
  readonly score?: number;
  readonly distance?: number;
}

/** Draws the sums of windows without drawing their vectors. */
export class SumsMaker {
  readonly normal: () => number;

  constructor(seed: number) {
    this.normal = seededNormal(seededUniform(seed));
  }

  /** Sums of `count` vectors; the offset of scores is along the first axis. */
  sums(count: number, { score = 0, distance = 0 }: Offset = {}): EmbeddingSums {
    const distances = [0, 0, 0, 0];
    let distanceSum = 0;
    for (let i = 0; i < count; i++) {
      const value = distance + this.normal();
      distanceSum += Math.round(value * 65_536);
      const bin = units.distanceEdges.filter((edge) => edge <= 10 + value).length;
      distances[bin] = (distances[bin] ?? 0) + 1;
    }
    const scoreSums = units.deviations.map((_, axis) =>
      Math.round((count * (axis === 0 ? score : 0) + Math.sqrt(count) * this.normal()) * 65_536),
    );
    return { count, missing: 0, invalid: 0, scoreSums, distanceSum, distances };
  }

  /** Hourly windows of some days, each day with an offset of its own. */
  windows(days: number, count: number, wander: number): EmbeddingWindow[] {
    return Array.from({ length: days }, (_, day) => {
      const offset = { score: wander * this.normal(), distance: wander * this.normal() };
      return Array.from({ length: 24 }, (_, hour) => ({
        cell: `${hour}`,
        day: `${day}`,
        sums: this.sums(count, offset),
      }));
    }).flat();
  }
}
