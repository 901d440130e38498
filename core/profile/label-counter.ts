import type { ScoreCalibration } from '../model/calibration-map.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { shortHash } from '../model/content-hash.ts';
import type { Cell, RecordBatch } from '../model/record-batch.ts';
import { fitCalibration } from '../stats/calibration-steps.ts';

/** What labels are compared with. */
export interface LabelledScores {
  /** The column that holds the labels. */
  readonly label: string;
  /** The numeric output that is calibrated. */
  readonly score: string;
  /** The output that names the predicted class: the score is the confidence in it. Absent: the score is that of a yes. */
  readonly predicted?: string | undefined;
  /** The label of a yes; absent: 1 and true, and 0 and false are a no. */
  readonly positive?: string | undefined;
  /** Scores from here on are a predicted yes. */
  readonly threshold?: number | undefined;
}

interface Group {
  readonly score: number;
  records: number;
  positives: number;
}

/** Distinct scores kept; beyond it they are counted in steps of a millionth. */
const maximumScores = 100_000;
const fineness = 2 ** 20;

const yes: ReadonlySet<string> = new Set(['1', 'true']);
const no: ReadonlySet<string> = new Set(['0', 'false']);

/** Counts what a baseline's scores turned out to mean. */
export class LabelCounter {
  readonly #labelled: LabelledScores;
  #groups = new Map<number, Group>();
  #isExact = true;
  #records = 0;
  #unread = 0;

  constructor(labelled: LabelledScores) {
    this.#labelled = labelled;
  }

  /** Records with a score and a label. */
  get records(): number {
    return this.#records;
  }

  /** Labels that were there and could not be read. */
  get unread(): number {
    return this.#unread;
  }

  /** @param batch validated against the layout, the labels' column as it came */
  add(batch: RecordBatch): void {
    const { label, score, predicted } = this.#labelled;
    const cells = new Map(batch.columns.map((column) => [column.name, column.cells]));
    const [labels, scores] = [cells.get(label), cells.get(score)];
    if (!labels || !scores) return;
    const predictions = predicted === undefined ? undefined : cells.get(predicted);
    for (let row = 0; row < batch.rows.length; row++) {
      const value = scores[row];
      const text = textOf(labels[row]);
      if (typeof value !== 'number' || text === undefined) continue;
      const isPositive = predicted === undefined ? this.#isYes(text) : textOf(predictions?.[row]) === text;
      if (isPositive === undefined) this.#unread++;
      else this.#count(value, isPositive);
    }
  }

  /** Undefined where no record had a score and a label. */
  finish(): ScoreCalibration | undefined {
    const { label, score, predicted, threshold } = this.#labelled;
    const map = fitCalibration([...this.#groups.values()], threshold);
    if (!map) return undefined;
    const calibration = { score, of: predicted === undefined ? 'positives' : 'right', label, map } as const;
    return { id: shortHash(canonicalJson(calibration)), ...calibration };
  }

  #isYes(text: string): boolean | undefined {
    const { positive } = this.#labelled;
    if (positive !== undefined) return text === positive;
    const lower = text.toLowerCase();
    return yes.has(lower) ? true : no.has(lower) ? false : undefined;
  }

  #count(score: number, isPositive: boolean): void {
    const key = this.#isExact ? score : this.#round(score);
    const group = this.#groups.get(key) ?? { score: key, records: 0, positives: 0 };
    this.#groups.set(key, group);
    group.records++;
    if (isPositive) group.positives++;
    this.#records++;
    if (this.#isExact && this.#groups.size > maximumScores) this.#coarsen();
  }

  #coarsen(): void {
    this.#isExact = false;
    const groups = new Map<number, Group>();
    for (const { score, records, positives } of this.#groups.values()) {
      const key = this.#round(score);
      const group = groups.get(key) ?? { score: key, records: 0, positives: 0 };
      group.records += records;
      group.positives += positives;
      groups.set(key, group);
    }
    this.#groups = groups;
  }

  /** Downwards from the threshold, so that no score changes sides. */
  #round(score: number): number {
    const { threshold = 0 } = this.#labelled;
    const rounded = threshold + Math.floor((score - threshold) * fineness) / fineness;
    return Number.isFinite(rounded) ? rounded : score;
  }
}

/** Labels are compared as text, whatever they came as; undefined where there is none. */
function textOf(cell: Cell): string | undefined {
  if (cell === null || cell === undefined || typeof cell === 'object') return undefined;
  const text = String(cell).trim();
  return text === '' ? undefined : text;
}
