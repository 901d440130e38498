import type { Cohort, IndexRows, LabelRows, LabelTask } from '../model/labels.ts';
import { CohortCounter, type IndexedRecord, type ScoreSteps } from './cohort-counter.ts';
import { lowerBound, matchIds } from './columns.ts';
import { type LabelRow, labelAt } from './label-rows.ts';

/** Labels that arrived on one day. */
export interface DatedLabels {
  /** UTC, yyyy-mm-dd. */
  readonly day: string;
  readonly rows: LabelRows;
}

/** Labels of a day by what is known of their ids. */
export interface LabelDayChange {
  /** Ids that had no label before. */
  ids: number;
  /** Of them, those whose inference is known now. */
  matched: number;
}

interface DatedLabel extends LabelRow {
  readonly day: string;
}

const secondsPerDay = 86_400;

/**
 * What changes where inferences and labels are added to those that are known. Every inference meets every label of its id once:
 * when the later of the two is added. To be called in this order: `addKnownLabels` for all labels known before, `countNew`, and
 * `addKnownRecords` for all inferences known before.
 *
 * Of several labels of an inference the newest is in force, of one time the one that the hash of their content puts last; so the
 * result is the same in whatever order they came.
 */
export class LabelJoin {
  readonly #task: LabelTask;
  readonly #records: IndexRows;
  readonly #added: readonly DatedLabels[];
  readonly #stepsOf: (version: string) => ScoreSteps | undefined;
  readonly #known = new Map<number, DatedLabel[]>();
  readonly #cohorts = new Map<string, CohortCounter>();
  readonly #names = new Map<string, Pick<Cohort, 'day' | 'variant' | 'version'>>();
  readonly #days = new Map<string, LabelDayChange>();

  /**
   * @param records and @param added what is new.
   * @param stepsOf the steps that scores of a version are counted by.
   */
  constructor(
    task: LabelTask,
    records: IndexRows,
    added: readonly DatedLabels[],
    stepsOf: (version: string) => ScoreSteps | undefined,
  ) {
    this.#task = task;
    this.#records = records;
    this.#added = added;
    this.#stepsOf = stepsOf;
  }

  /** Keeps those of them that meet something new. */
  addKnownLabels({ day, rows }: DatedLabels): void {
    const keep = (id: number, row: number) => {
      const label = { ...labelAt(rows, row), day };
      const labels = this.#known.get(id);
      if (!labels) this.#known.set(id, [label]);
      else if (!labels.some((one) => isSame(one, label))) labels.push(label);
    };
    for (const ids of [this.#records.ids, ...this.#added.map((added) => added.rows.ids)]) {
      let last = -1;
      matchIds(ids, rows.ids, (own, row) => {
        // Of several new rows of an id the first one fetches its labels.
        if (own !== last && ids[own] === ids[last]) return;
        last = own;
        keep(ids[own] ?? 0, row);
      });
    }
  }

  /**
   * Counts the new inferences, each with its labels, and the ids that have a label for the first time.
   * @param areCounted of the ids of the new labels: an earlier call of the same labels did.
   */
  countNew(areCounted = false): void {
    for (const { day, rows } of areCounted ? [] : this.#added) {
      rows.ids.forEach((id, row) => {
        const isFirst = id !== rows.ids[row - 1] && !this.#known.has(id);
        const isEarlier = this.#added.some((other) => other.day < day && has(other.rows.ids, id));
        if (isFirst && !isEarlier) this.#dayOf(day).ids++;
      });
    }
    const { ids, places, series } = this.#records;
    for (let row = 0; row < ids.length; row++) {
      const record = recordAt(this.#records, row);
      const [variant = '', version = ''] = series[places[row] ?? 0] ?? [];
      const cohort = this.#cohortOf(record, variant, version);
      cohort.addRecord(record, this.#stepsOf(version));
      const labels = this.#labelsOf(ids[row] ?? 0);
      const label = inForce(labels);
      if (!label) continue;
      cohort.addOutcome(record, label, 1);
      cohort.addCorrected(Number(isContradicted(labels)));
      // A second record of the same id matches no second label.
      if (row === 0 || ids[row - 1] !== ids[row]) this.#dayOf(firstDay(labels)).matched++;
    }
  }

  /** Counts what new labels change of inferences that were known before. */
  addKnownRecords(rows: IndexRows): void {
    for (const [index, { rows: added }] of this.#added.entries()) {
      let last: number | undefined;
      matchIds(added.ids, rows.ids, (label, row) => {
        const id = added.ids[label] ?? 0;
        // Each id once, whatever number of new labels it has.
        if (added.ids[label - 1] === id || this.#added.slice(0, index).some((other) => has(other.rows.ids, id))) return;
        this.#restate(rows, row, id, last === id);
        last = id;
      });
    }
  }

  /** What the cohorts concerned add to what was known of them. */
  changes(): readonly {
    readonly name: Pick<Cohort, 'day' | 'variant' | 'version'>;
    readonly counter: CohortCounter;
  }[] {
    return [...this.#cohorts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([key, counter]) => {
        const name = this.#names.get(key);
        return name ? [{ name, counter }] : [];
      });
  }

  /** By the day on which labels arrived. */
  days(): ReadonlyMap<string, LabelDayChange> {
    return this.#days;
  }

  #restate(rows: IndexRows, row: number, id: number, isRepeated: boolean): void {
    const known = this.#known.get(id) ?? [];
    const all = this.#labelsOf(id);
    const before = inForce(known);
    const after = inForce(all);
    if (!after) return;
    const record = recordAt(rows, row);
    const corrected = Number(isContradicted(all)) - Number(isContradicted(known));
    const isUnchanged = before !== undefined && isSame(before, after);
    if (isUnchanged && corrected === 0) return;
    const [variant = '', version = ''] = rows.series[rows.places[row] ?? 0] ?? [];
    const cohort = this.#cohortOf(record, variant, version);
    if (!isUnchanged) {
      if (before) cohort.addOutcome(record, before, -1);
      cohort.addOutcome(record, after, 1);
    }
    cohort.addCorrected(corrected);
    if (!before && !isRepeated) this.#dayOf(firstDay(all)).matched++;
  }

  #labelsOf(id: number): readonly DatedLabel[] {
    const labels = [...(this.#known.get(id) ?? [])];
    for (const { day, rows } of this.#added) {
      for (let row = lowerBound(rows.ids, id); rows.ids[row] === id; row++) labels.push({ ...labelAt(rows, row), day });
    }
    return labels;
  }

  #dayOf(day: string): LabelDayChange {
    const known = this.#days.get(day) ?? { ids: 0, matched: 0 };
    this.#days.set(day, known);
    return known;
  }

  #cohortOf({ time }: IndexedRecord, variant: string, version: string): CohortCounter {
    const day = new Date(Math.floor(time / secondsPerDay) * secondsPerDay * 1000).toISOString().slice(0, 10);
    const name = { day, variant, version };
    const key = JSON.stringify([day, variant, version]);
    const known = this.#cohorts.get(key);
    if (known) return known;
    const counter = new CohortCounter(this.#task, name);
    this.#cohorts.set(key, counter);
    this.#names.set(key, name);
    return counter;
  }
}

function recordAt({ values, times, predicted }: IndexRows, row: number): IndexedRecord {
  return { value: values[row] ?? 0, time: times[row] ?? 0, predicted: predicted[row] === 1 };
}

function has(ids: Float64Array, id: number): boolean {
  return ids[lowerBound(ids, id)] === id;
}

function isSame(a: LabelRow, b: LabelRow): boolean {
  return a.time === b.time && a.order === b.order;
}

function inForce<Label extends LabelRow>(labels: readonly Label[]): Label | undefined {
  return labels.reduce<Label | undefined>((newest, label) => {
    if (!newest || label.time > newest.time) return label;
    return label.time === newest.time && label.order > newest.order ? label : newest;
  }, undefined);
}

function isContradicted(labels: readonly LabelRow[]): boolean {
  return labels.some(({ value }) => value !== labels[0]?.value);
}

function firstDay(labels: readonly DatedLabel[]): string {
  return labels.reduce((first, { day }) => (day < first ? day : first), labels[0]?.day ?? '');
}
