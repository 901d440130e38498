import { describeShift, describeVolume } from './chart-finding.ts';
import { deviationOf, type PreparedChart, type PreparedCharts } from './prepare-charts.ts';
import { restoreValue, transformValue } from './scalar-series.ts';
import { forgottenAfterWindows } from './score-memory.ts';
import { type ChartSignal, type ChartState, checkChartState, initialChartState, updateChart } from './update-chart.ts';
import { testVolume } from './volume-model.ts';
import { cellOf } from './week-cells.ts';

/** State of all charts of a series of windows after one of them. Plain JSON; names in pairs, because they may be any text. */
export interface ChartsState {
  readonly schema: 'tidewatch.chart-state/1';
  readonly charts: readonly (readonly [name: string, state: ChartState])[];
}

/** A closed window's values. A chart whose value is absent stays as it is. */
export interface ChartWindow {
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly values: readonly {
    readonly name: string;
    readonly value: number;
    /** Records the value was made of. */
    readonly weight: number;
    readonly cell?: string | undefined;
  }[];
}

/** A judged fact of a chart: a `Finding` of the kind `chart`. */
export interface ChartFinding {
  /** `chart:` and the series' name. */
  readonly id: string;
  readonly tier: 'yellow';
  readonly kind: 'chart';
  readonly message: string;
  readonly evidence: Readonly<Record<string, number | string | boolean | null>>;
}

/** One chart at one window, whether it alarms or not. */
export interface ChartReading {
  readonly name: string;
  readonly value: number;
  readonly expected: number;
  /** Standard deviations from what was expected. */
  readonly score: number;
  /** The chart's statistic over its limit: above 1 it signals. */
  readonly excess: number;
}

export interface ChartJudgement {
  readonly state: ChartsState;
  readonly findings: readonly ChartFinding[];
  readonly readings: readonly ChartReading[];
}

/** The state before the first window. */
export const initialChartsState: ChartsState = { schema: 'tidewatch.chart-state/1', charts: [] };

/**
 * Judges one closed window: state in, state out. Windows must come in the order of time; one that is not newer than a
 * chart's state is not charted again. After more than 24 missing windows a chart starts afresh. Also start from
 * `initialChartsState` after a new baseline or model version.
 */
export function judgeCharts(prepared: PreparedCharts, state: ChartsState, window: ChartWindow): ChartJudgement {
  const before = new Map(state.charts);
  const values = new Map(window.values.map((value) => [value.name, value]));
  const after: (readonly [string, ChartState])[] = [];
  const findings: ChartFinding[] = [];
  const readings: ChartReading[] = [];
  for (const chart of prepared.charts) {
    const old = checkChartState(before.get(chart.name) ?? initialChartState);
    const seen = values.get(chart.name);
    const judged = seen && judgeChart(chart, prepared, old, window.start, seen);
    after.push([chart.name, judged?.state ?? old]);
    if (!judged) continue;
    readings.push(judged.reading);
    if (judged.finding) findings.push(judged.finding);
  }
  return { state: { schema: 'tidewatch.chart-state/1', charts: after }, findings, readings };
}

interface JudgedChart {
  readonly state: ChartState;
  readonly reading: ChartReading;
  readonly finding: ChartFinding | undefined;
}

function judgeChart(
  chart: PreparedChart,
  prepared: PreparedCharts,
  old: ChartState,
  start: number,
  seen: ChartWindow['values'][number],
): JudgedChart | undefined {
  const width = prepared.windowSeconds * 1000;
  if (!Number.isFinite(new Date(start).getTime()) || (old.at !== null && start <= old.at)) return undefined;
  const weight = chart.kind === 'count' ? 1 : Math.min(seen.weight, 1e15);
  const transformed = transformValue(chart.kind, seen.value, weight);
  if (transformed === undefined) return undefined;
  const cell = cellOf(chart.scheme, start, seen.cell);
  const centre = chart.cells.find(([name]) => name === cell)?.[1] ?? chart.overall;
  const deviation = deviationOf(chart.spread, centre, weight) * chart.scale;
  const residual = transformed - centre.mean;
  const score = residual / deviation;
  const forgotten = old.at !== null && (start - old.at) / width > forgottenAfterWindows + 1;
  const input = { start, score, residual, weight: Math.min(1e200, 1 / (deviation * deviation)) };
  const { state, signal } = updateChart(chart.design, forgotten ? initialChartState : old, input);
  const reading: ChartReading = {
    name: chart.name,
    value: seen.value,
    expected: restoreValue(chart.kind, centre.mean),
    score: Math.min(1e6, Math.max(-1e6, score)),
    excess: signal?.excess ?? statisticOf(chart, state) / chart.design.limit,
  };
  const facts = { chart, prepared, reading, start };
  const drop = chart.volume && judgeVolume(chart, prepared, seen.value, cell);
  const shift = signal && isLargeEnough(chart, centre.mean, signal) ? describeShift(facts, signal) : undefined;
  return { state, reading, finding: drop ? describeVolume(facts, drop, signal) : shift };
}

function statisticOf({ design }: PreparedChart, state: ChartState): number {
  return design.method === 'ewma' ? Math.abs(state.value) : Math.max(state.up.sum, state.down.sum);
}

/** Is the mean shift since its onset one that matters? */
function isLargeEnough(chart: PreparedChart, expected: number, { excursion }: ChartSignal): boolean {
  switch (chart.kind) {
    case 'mean':
      return Math.abs(excursion.shift) >= chart.minimumEffect;
    case 'share':
      return (
        Math.abs(restoreValue('share', expected + excursion.shift) - restoreValue('share', expected)) >=
        chart.minimumEffect
      );
    default:
      return Math.abs(Math.expm1(Math.min(700, excursion.shift))) >= chart.minimumEffect;
  }
}

/** The window's count alone: too few or too many by chance, and by enough to matter. */
function judgeVolume(
  chart: PreparedChart,
  prepared: PreparedCharts,
  count: number,
  cell: string,
): { expected: number; pValue: number } | undefined {
  if (!chart.volume) return undefined;
  const test = testVolume(chart.volume, cell, Math.min(1e15, count));
  const isLarge = test.expected > 0 && Math.abs(count / test.expected - 1) >= chart.minimumEffect;
  return isLarge && test.pValue <= 1 / prepared.runLength ? test : undefined;
}
