import type { ScoreCalibration } from '../model/calibration-map.ts';
import type { Summary } from '../model/profile.ts';
import type { Cell } from '../model/record-batch.ts';
import { stepOf } from '../stats/calibration-steps.ts';

/** Counts scores by the steps of a calibration. Cells must have passed validation. */
export class ScoreCounter {
  /** The column that holds the score. */
  readonly column: string;
  readonly #calibration: ScoreCalibration;
  readonly #counts: number[];
  #total = 0;

  constructor(calibration: ScoreCalibration) {
    this.column = calibration.score;
    this.#calibration = calibration;
    this.#counts = calibration.map.steps.map(() => 0);
  }

  add(cells: readonly Cell[] | undefined, rows: readonly number[]): void {
    if (!cells) return;
    const { edges } = this.#calibration.map;
    for (const row of rows) {
      const score = cells[row];
      if (typeof score !== 'number') continue;
      const step = stepOf(edges, score);
      this.#counts[step] = (this.#counts[step] ?? 0) + 1;
      this.#total++;
    }
  }

  finish(): NonNullable<Summary['scores']> {
    return this.#total > 0 ? [[this.#calibration.id, this.#counts]] : [];
  }
}
