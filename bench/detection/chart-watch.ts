import { allocateBudget } from '../../core/evaluate/budget.ts';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import { type ChartsState, initialChartsState, judgeCharts } from '../../core/evaluate/charts/judge-charts.ts';
import { choosePhaseOne } from '../../core/evaluate/charts/phase-one.ts';
import { type PreparedCharts, prepareCharts } from '../../core/evaluate/charts/prepare-charts.ts';
import { missingValuesName, recordsName, type WindowValue } from '../../core/evaluate/charts/window-values.ts';
import type { Baseline } from '../../core/model/baseline.ts';
import type { Calendar } from '../../core/model/calendar.ts';
import { chooseScales } from '../../core/model/scales.ts';
import type { StreamWindow } from './model-stream.ts';
import { hourMilliseconds, hoursPerWeek } from './scenario.ts';

const windowSeconds = hourMilliseconds / 1000;
const predictionName = 'mean of prediction';
/** Live windows after which charts are calibrated (anew). */
const milestones: readonly number[] = [24, hoursPerWeek, 4 * hoursPerWeek];

/**
 * The charts as the pipeline runs them over one series: volume and missing share by the baseline's windows from the 25th
 * live one on, the mean prediction by the first week's.
 */
export class ChartWatch {
  readonly #baseline: Baseline;
  readonly #calendar: Calendar;
  readonly #prediction: number;
  readonly #falseAlarmsPerWeek: number;
  readonly #starts: number[] = [];
  readonly #values: (readonly WindowValue[])[] = [];
  #prepared: PreparedCharts | undefined;
  #state: ChartsState = initialChartsState;
  #watchesPrediction = true;

  /** @param prediction index of the numeric feature that is taken for the model's output. */
  constructor(baseline: Baseline, prediction: number, calendar: Calendar) {
    const scales = chooseScales(windowSeconds).length;
    const budget = allocateBudget({ yellowPerWeek: 1, models: 1, windowSeconds, scales, uses: { charts: true } });
    this.#baseline = baseline;
    this.#calendar = calendar;
    this.#prediction = prediction;
    this.#falseAlarmsPerWeek = budget.risks.charts;
  }

  /** @returns names of the charts that signal. */
  judge(window: StreamWindow): readonly string[] {
    if (milestones.includes(this.#starts.length)) this.#prepare();
    const all = readValues(window, this.#prediction);
    const values = this.#watchesPrediction ? all : all.filter(({ name }) => name !== predictionName);
    this.#starts.push(window.start);
    this.#values.push(values);
    if (!this.#prepared) return [];
    const cell = cellOfWindow(window.start, this.#calendar);
    const seen = { start: window.start, values: values.map((value) => ({ ...value, cell })) };
    const { state, findings } = judgeCharts(this.#prepared, this.#state, seen);
    this.#state = state;
    return findings.map(({ id }) => id);
  }

  /** A new version predicts anew: its level is not known yet. */
  restart(): void {
    this.#watchesPrediction = false;
  }

  #prepare(): void {
    const options = { windowSeconds, calendar: this.#calendar, fewestWindows: hoursPerWeek };
    const pasts = choosePhaseOne(this.#baseline, { starts: this.#starts, values: this.#values }, options);
    this.#prepared = prepareCharts(pasts, { windowSeconds, falseAlarmsPerWeek: this.#falseAlarmsPerWeek });
  }
}

function readValues(window: StreamWindow, prediction: number): readonly WindowValue[] {
  const { records } = window;
  const values: WindowValue[] = [{ name: recordsName, kind: 'count', value: records, weight: records }];
  const missing = window.counts.reduce((sum, counts) => sum + (counts.at(-1) ?? 0), 0);
  if (records > 0 && window.counts.length > 0) {
    const share = missing / (records * window.counts.length);
    values.push({ name: missingValuesName, kind: 'share', value: share, weight: records });
  }
  const counts = window.counts[prediction]?.slice(0, -1) ?? [];
  const present = counts.reduce((sum, count) => sum + count, 0);
  // Deciles stand for their middles: a prediction between 0 and 1.
  const sum = counts.reduce((total, count, bin) => total + count * ((bin + 0.5) / counts.length), 0);
  if (present > 0) values.push({ name: predictionName, kind: 'mean', value: sum / present, weight: present });
  return values;
}
