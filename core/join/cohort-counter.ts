import type { CalibrationMap } from '../model/calibration-map.ts';
import { type Cohort, type CohortHour, type LabelTask, lagEdges } from '../model/labels.ts';
import { stepOf } from '../stats/calibration-steps.ts';
import { ExactSum } from '../stats/exact-sum.ts';
import type { LabelRow } from './label-rows.ts';

const secondsPerHour = 3600;
const secondsPerDay = 86_400;
const binCount = 100;
const scoreUnits = 2 ** 20;

/** An inference as the join knows it. */
export interface IndexedRecord {
  readonly value: number;
  /** Seconds since the epoch. */
  readonly time: number;
  readonly predicted: boolean;
}

const countNames = [
  'predicted',
  'others',
  'truePositives',
  'falsePositives',
  'falseNegatives',
  'trueNegatives',
] as const;

type OpenHour = Record<(typeof countNames)[number], number> & { squaredErrors: ExactSum | undefined };

/** The steps that scores of a version are counted by. */
export interface ScoreSteps {
  readonly id: string;
  readonly map: Pick<CalibrationMap, 'edges' | 'steps'>;
}

/**
 * The counts of a cohort while labels are joined. All of them are sums of whole numbers (squared errors are summed exactly), so
 * the order of additions, and of what is taken back, makes no difference.
 */
export class CohortCounter {
  readonly #task: LabelTask;
  readonly #name: Pick<Cohort, 'day' | 'variant' | 'version'>;
  readonly #hours = new Map<number, OpenHour>();
  readonly #bins = new Map<number, [records: number, scoreSum: number, positives: number]>();
  readonly #lags = new Map<number, number>();
  readonly #sources = new Map<number, number>();
  #scores: { readonly id: string; readonly counts: number[] } | undefined;
  #corrected = 0;

  constructor(task: LabelTask, name: Pick<Cohort, 'day' | 'variant' | 'version'>) {
    this.#task = task;
    this.#name = { day: name.day, variant: name.variant, version: name.version };
  }

  /** Adds what was counted before. */
  merge(before: Cohort): void {
    for (const { hour, squaredErrors, ...counts } of before.hours) {
      const open = this.#open(hour);
      for (const name of countNames) open[name] += counts[name];
      if (squaredErrors === undefined) continue;
      open.squaredErrors ??= new ExactSum();
      open.squaredErrors.merge(ExactSum.parse(squaredErrors));
    }
    for (const [index, records, scoreSum, positive] of before.bins) {
      const bin = this.#binOf(index);
      bin[0] += records;
      bin[1] += scoreSum;
      bin[2] += positive;
    }
    for (const [bucket, records] of before.lags) addTo(this.#lags, bucket, records);
    for (const [source, records] of before.sources) addTo(this.#sources, source, records);
    if (before.scores) this.#mergeScores(...before.scores);
    this.#corrected += before.corrected;
  }

  /** Counts an inference, with a label or without. */
  addRecord(record: IndexedRecord, steps?: ScoreSteps): void {
    const hour = this.#hourOf(record);
    if (record.predicted) hour.predicted++;
    else hour.others++;
    if (!steps) return;
    this.#scores ??= { id: steps.id, counts: steps.map.steps.map(() => 0) };
    if (this.#scores.id !== steps.id) return;
    const step = stepOf(steps.map.edges, record.value);
    this.#scores.counts[step] = (this.#scores.counts[step] ?? 0) + 1;
  }

  /** Counts how an inference turned out, or with a sign of −1 takes it back. */
  addOutcome(record: IndexedRecord, label: LabelRow, sign: 1 | -1): void {
    const hour = this.#hourOf(record);
    if (this.#task === 'binary') {
      const isPositive = label.value === 1;
      if (record.predicted) hour[isPositive ? 'truePositives' : 'falsePositives'] += sign;
      else hour[isPositive ? 'falseNegatives' : 'trueNegatives'] += sign;
      this.#addScore(record.value, isPositive, sign);
    } else if (this.#task === 'classes') {
      hour[record.value === label.value ? 'truePositives' : 'falsePositives'] += sign;
    } else {
      hour.truePositives += sign;
      hour.squaredErrors ??= new ExactSum();
      hour.squaredErrors.add(sign * (record.value - label.value) ** 2);
    }
    const lag = label.time - record.time;
    const bucket = lagEdges.findIndex((edge) => lag <= edge);
    addTo(this.#lags, bucket < 0 ? lagEdges.length : bucket, sign);
    addTo(this.#sources, label.source, sign);
  }

  addCorrected(count: number): void {
    this.#corrected += count;
  }

  finish(): Cohort {
    const hours = [...this.#hours]
      .filter(([, { predicted, others }]) => predicted + others > 0)
      .sort(([a], [b]) => a - b)
      .map(([hour, { squaredErrors, ...counts }]): CohortHour => {
        if (counts.truePositives === 0 || !squaredErrors) return { hour, ...counts };
        return { hour, ...counts, squaredErrors: squaredErrors.toString() };
      });
    return {
      ...this.#name,
      hours,
      bins: [...this.#bins]
        .filter(([, [records]]) => records > 0)
        .sort(([a], [b]) => a - b)
        .map(([bin, counts]) => [bin, ...counts] as const),
      ...(this.#scores && { scores: [this.#scores.id, this.#scores.counts] as const }),
      lags: positives(this.#lags),
      sources: positives(this.#sources),
      corrected: this.#corrected,
    };
  }

  #hourOf({ time }: IndexedRecord): OpenHour {
    return this.#open(Math.floor((time % secondsPerDay) / secondsPerHour));
  }

  #open(hour: number): OpenHour {
    const known = this.#hours.get(hour);
    if (known) return known;
    const counts = { truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 };
    const open: OpenHour = { predicted: 0, others: 0, ...counts, squaredErrors: undefined };
    this.#hours.set(hour, open);
    return open;
  }

  #addScore(score: number, isPositive: boolean, sign: 1 | -1): void {
    if (!(score >= 0 && score <= 1)) return;
    const index = Math.min(binCount - 1, Math.floor(score * binCount));
    const bin = this.#binOf(index);
    bin[0] += sign;
    bin[1] += sign * Math.round(score * scoreUnits);
    if (isPositive) bin[2] += sign;
  }

  #binOf(index: number): [records: number, scoreSum: number, positives: number] {
    const bin = this.#bins.get(index) ?? [0, 0, 0];
    this.#bins.set(index, bin);
    return bin;
  }

  /** Counts by another calibration are not added up: those of the first one stay, and the estimate is of their records. */
  #mergeScores(id: string, counts: readonly number[]): void {
    const own = this.#scores?.id === id ? this.#scores.counts : [];
    this.#scores = { id, counts: counts.map((count, step) => count + (own[step] ?? 0)) };
  }
}

function addTo(counts: Map<number, number>, key: number, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function positives(counts: ReadonlyMap<number, number>): readonly (readonly [number, number])[] {
  return [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
}
