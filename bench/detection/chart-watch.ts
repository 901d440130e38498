import { allocateBudget } from '../../core/evaluate/budget.ts';
import { cellOfWindow } from '../../core/evaluate/cells.ts';
import {
  type ChartsState,
  type ChartWindow,
  initialChartsState,
  judgeCharts,
} from '../../core/evaluate/charts/judge-charts.ts';
import { type PreparedCharts, prepareCharts } from '../../core/evaluate/charts/prepare-charts.ts';
import type { Calendar } from '../../core/model/calendar.ts';
import { chooseScales } from '../../core/model/scales.ts';
import type { StreamWindow } from './model-stream.ts';
import { hourMilliseconds } from './scenario.ts';

const windowSeconds = hourMilliseconds / 1000;

/** The shipped charts over one series: volume, mean prediction, and the prediction's share of missing values. */
export class ChartWatch {
  readonly #prepared: PreparedCharts;
  readonly #calendar: Calendar;
  readonly #prediction: number;
  #state: ChartsState = initialChartsState;
  #watchesPrediction = true;

  /** @param prediction index of the numeric feature that is taken for the model's output. */
  constructor(baseline: readonly StreamWindow[], prediction: number, calendar: Calendar) {
    const past = baseline.map((window) => readSeries(window, prediction, calendar));
    const phaseOne = (name: string) =>
      past.flatMap(({ start, values }) => {
        const value = values.find((each) => each.name === name);
        return value ? [{ ...value, start }] : [];
      });
    const scales = chooseScales(windowSeconds).length;
    const budget = allocateBudget({ yellowPerWeek: 1, models: 1, windowSeconds, scales, uses: { charts: true } });
    this.#calendar = calendar;
    this.#prediction = prediction;
    this.#prepared = prepareCharts(
      [
        { name: 'volume', kind: 'count', phaseOne: phaseOne('volume') },
        { name: 'prediction mean', kind: 'mean', phaseOne: phaseOne('prediction mean') },
        { name: 'prediction missing', kind: 'share', phaseOne: phaseOne('prediction missing') },
      ],
      { windowSeconds, falseAlarmsPerWeek: budget.risks.charts },
    );
  }

  /** @returns names of the charts that signal. */
  judge(window: StreamWindow): readonly string[] {
    const series = readSeries(window, this.#prediction, this.#calendar);
    const values = this.#watchesPrediction ? series.values : series.values.filter(({ name }) => name === 'volume');
    const { state, findings } = judgeCharts(this.#prepared, this.#state, { ...series, values });
    this.#state = state;
    return findings.map(({ id }) => id);
  }

  /** A new version predicts anew: its level is not known yet. */
  restart(): void {
    this.#watchesPrediction = false;
  }
}

function readSeries(window: StreamWindow, prediction: number, calendar: Calendar): ChartWindow {
  const cell = cellOfWindow(window.start, calendar);
  const counts = window.counts[prediction] ?? [];
  const missing = counts.at(-1) ?? 0;
  const present = window.records - missing;
  let sum = 0;
  // Deciles stand for their middles: a prediction between 0 and 1.
  for (let bin = 0; bin < counts.length - 1; bin++) sum += (counts[bin] ?? 0) * ((bin + 0.5) / (counts.length - 1));
  const values = [{ name: 'volume', value: window.records, weight: 1, cell }];
  if (window.records > 0) {
    values.push({ name: 'prediction missing', value: missing / window.records, weight: window.records, cell });
  }
  if (present > 0) values.push({ name: 'prediction mean', value: sum / present, weight: present, cell });
  return { start: window.start, values };
}
