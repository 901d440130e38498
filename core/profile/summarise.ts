import type { ScoreCalibration } from '../model/calibration-map.ts';
import type { Layout } from '../model/layout.ts';
import type { MinuteSlot, RecordCounts, Summary } from '../model/profile.ts';
import { isSchemaBreak, type Quarantined } from '../model/quarantine.ts';
import type { Column, Invocation, RecordBatch } from '../model/record-batch.ts';
import { CallerCounter, type CallerPlan } from './caller-counter.ts';
import { ExtraColumnCounter } from './extra-columns.ts';
import { createFeatureCounter, type FeatureCounter } from './feature-counter.ts';
import { compareNames } from './names.ts';
import { ScoreCounter } from './score-counter.ts';
import { SliceCounter, type SlicePlan } from './slice-counter.ts';

export { compareNames } from './names.ts';

const millisecondsPerMinute = 60_000;

/** A service-level indicator, as far as counting needs to know it. */
export interface Indicator {
  readonly slo: string;
  classify(invocation: Invocation): 'good' | 'bad' | 'not-valid';
}

/** What is counted beside the features themselves. */
export interface Watch {
  /** Absent where there is no baseline: records are counted, features are not. */
  readonly layout: Layout | undefined;
  readonly indicators: readonly Indicator[];
  /** Features whose missing values are counted per minute. */
  readonly required: readonly string[];
  /** The objective of records that have a value in all of them; absent: there is none. */
  readonly completeness?: string | undefined;
  /** Columns that the config ignores: neither counted nor reported as extra. */
  readonly ignored: ReadonlySet<string>;
  readonly role: 'inferences' | 'requests';
  /** Parts of the records that are counted beside the whole; absent: none. */
  readonly slices?: SlicePlan | undefined;
  /** What scores meant in the baseline; absent: they are not counted by it. */
  readonly calibration?: ScoreCalibration | undefined;
  /** How callers are told apart; absent: not at all. */
  readonly callers?: CallerPlan | undefined;
}

interface OpenSlot {
  rows: number;
  requests: number;
  schemaBreaks: number;
  readonly slis: Map<string, { good: number; valid: number }>;
  readonly missing: Map<string, number>;
}

/** Counts the records of one window from one capture object. */
export class SummaryBuilder {
  readonly #watch: Watch;
  readonly #counters: ReadonlyMap<string, FeatureCounter>;
  readonly #known: ReadonlySet<string>;
  readonly #slots = new Map<number, OpenSlot>();
  readonly #quarantine = new Map<string, number>();
  readonly #extraColumns = new ExtraColumnCounter();
  readonly #slices: SliceCounter | undefined;
  readonly #scores: ScoreCounter | undefined;
  readonly #callers: CallerCounter | undefined;
  #counted = 0;
  #quarantined = 0;
  #duplicate = 0;
  #firstTime: number | undefined;
  #lastTime: number | undefined;

  constructor(watch: Watch) {
    this.#watch = watch;
    const features = watch.role === 'inferences' ? (watch.layout?.features ?? []) : [];
    this.#counters = new Map(
      features
        .filter(([name]) => !watch.ignored.has(name))
        .map(([name, layout]) => [name, createFeatureCounter(layout)]),
    );
    this.#scores = watch.calibration && watch.role === 'inferences' ? new ScoreCounter(watch.calibration) : undefined;
    this.#slices = watch.slices && watch.role === 'inferences' ? new SliceCounter(watch.slices) : undefined;
    this.#callers = watch.callers && watch.role === 'inferences' ? new CallerCounter(watch.callers) : undefined;
    this.#known = new Set([
      ...features.map(([name]) => name),
      ...(watch.layout?.leftOut ?? []),
      ...watch.ignored,
      ...(watch.callers ? [watch.callers.column] : []),
    ]);
  }

  /** Counts an invocation's status and latency, once per invocation, whether or not it carries rows. */
  addInvocation(invocation: Invocation): void {
    this.#see(invocation.time);
    if (this.#watch.role === 'requests') this.#counted++;
    if (invocation.status === undefined && invocation.latencyMilliseconds === undefined) return;
    const slot = this.#slotAt(invocation.time);
    slot.requests++;
    for (const indicator of this.#watch.indicators) {
      const outcome = indicator.classify(invocation);
      if (outcome !== 'not-valid') countEvent(slot, indicator.slo, outcome === 'good');
    }
  }

  /** Counts the given rows of a validated batch, all of which lie in this window. */
  addRows(batch: RecordBatch, rows: readonly number[]): void {
    if (rows.length === 0) return;
    const columns = new Map(batch.columns.map((column) => [column.name, column]));
    for (const [name, counter] of this.#counters) {
      const cells = columns.get(name)?.cells;
      for (const row of rows) counter.add(cells?.[row]);
    }
    this.#slices?.add(batch, rows);
    this.#scores?.add(columns.get(this.#scores.column)?.cells, rows);
    this.#callers?.add(batch, rows);
    const { completeness } = this.#watch;
    const required = this.#watch.required.map((name) => [name, columns.get(name)?.cells] as const);
    for (const row of rows) {
      const invocation = invocationOf(batch, row);
      this.#see(invocation.time);
      const slot = this.#slotAt(invocation.time);
      slot.rows++;
      let isComplete = true;
      for (const [name, cells] of required) {
        const cell = cells?.[row];
        if (cell !== null && cell !== undefined && cell !== '') continue;
        slot.missing.set(name, (slot.missing.get(name) ?? 0) + 1);
        isComplete = false;
      }
      if (completeness !== undefined) countEvent(slot, completeness, isComplete);
    }
    this.#counted += rows.length;
    if (this.#watch.layout === undefined) return;
    for (const column of batch.columns) if (!this.#known.has(column.name)) this.#addExtraColumn(column, rows);
  }

  /**
   * @param time where the line could not be dated itself, the nearest time known of its object.
   * @param schemaIsOwn false: the record's version has no schema of its own, so that a misfit breaks none.
   */
  addQuarantined(entry: Quarantined, time: number, schemaIsOwn = true): void {
    this.#quarantined++;
    this.#quarantine.set(entry.reason, (this.#quarantine.get(entry.reason) ?? 0) + 1);
    if (schemaIsOwn && isSchemaBreak(entry.reason)) this.#slotAt(time).schemaBreaks++;
  }

  addDuplicates(rows: number): void {
    this.#duplicate += rows;
  }

  finish(): Summary {
    const counts: RecordCounts = {
      captured: this.#counted + this.#quarantined + this.#duplicate,
      counted: this.#counted,
      quarantined: this.#quarantined,
      duplicate: this.#duplicate,
      pending: 0,
      expired: 0,
      late: 0,
    };
    const inferences = this.#watch.role === 'inferences';
    const slices = this.#slices?.finish() ?? [];
    const scores = this.#scores?.finish() ?? [];
    const callers = this.#callers?.finish() ?? [];
    return {
      records: inferences ? counts : noRecords,
      requests: inferences ? noRecords : counts,
      quarantine: sortByName(this.#quarantine),
      features: [...this.#counters]
        .map(([name, counter]) => [name, counter.finish()] as const)
        .sort(([a], [b]) => compareNames(a, b)),
      extraColumns: this.#extraColumns.finish(),
      minutes: [...this.#slots].sort(([a], [b]) => a - b).map(([minute, slot]) => closeSlot(minute, slot)),
      firstTime: this.#firstTime,
      lastTime: this.#lastTime,
      ...(slices.length > 0 && { slices }),
      ...(scores.length > 0 && { scores }),
      ...(callers.length > 0 && { callers }),
    };
  }

  #see(time: number): void {
    if (this.#firstTime === undefined || time < this.#firstTime) this.#firstTime = time;
    if (this.#lastTime === undefined || time > this.#lastTime) this.#lastTime = time;
  }

  #slotAt(time: number): OpenSlot {
    const minute = Math.floor(time / millisecondsPerMinute);
    const known = this.#slots.get(minute);
    if (known) return known;
    const slot: OpenSlot = { rows: 0, requests: 0, schemaBreaks: 0, slis: new Map(), missing: new Map() };
    this.#slots.set(minute, slot);
    return slot;
  }

  #addExtraColumn(column: Column, rows: readonly number[]): void {
    const present = rows.reduce((count, row) => (column.cells[row] === undefined ? count : count + 1), 0);
    if (present > 0) this.#extraColumns.add(column.name, present);
  }
}

/** No record at all. */
export const noRecords: RecordCounts = {
  captured: 0,
  counted: 0,
  quarantined: 0,
  duplicate: 0,
  pending: 0,
  expired: 0,
  late: 0,
};

/** The invocation that a row of a batch came with. */
export function invocationOf(batch: RecordBatch, row: number): Invocation {
  const invocation = batch.invocations[batch.rows[row]?.invocation ?? -1];
  if (!invocation)
    throw new RangeError(`record batch: row ${row} has no invocation, expected one of ${batch.rows.length} rows`);
  return invocation;
}

function countEvent({ slis }: OpenSlot, slo: string, isGood: boolean): void {
  const sli = slis.get(slo) ?? { good: 0, valid: 0 };
  sli.valid++;
  if (isGood) sli.good++;
  slis.set(slo, sli);
}

function closeSlot(minute: number, slot: OpenSlot): MinuteSlot {
  return {
    minute,
    rows: slot.rows,
    requests: slot.requests,
    schemaBreaks: slot.schemaBreaks,
    slis: [...slot.slis]
      .map(([slo, { good, valid }]) => [slo, good, valid] as const)
      .sort(([a], [b]) => compareNames(a, b)),
    missing: sortByName(slot.missing),
  };
}

function sortByName(counts: ReadonlyMap<string, number>): (readonly [string, number])[] {
  return [...counts].sort(([a], [b]) => compareNames(a, b));
}
