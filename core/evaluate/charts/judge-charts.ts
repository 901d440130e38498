import { canonicalJson } from '../../model/canonical-json.ts';
import { type ChartPolicy, defaultChartPolicy } from '../../model/policy.ts';
import { describeShift, describeVolume } from './chart-finding.ts';
import { deviationOf, type PreparedChart, type PreparedCharts } from './prepare-charts.ts';
import { restoreValue, transformValue } from './scalar-series.ts';
import { forgottenAfterWindows } from './score-memory.ts';
import { type ChartSignal, type ChartState, checkChartState, initialChartState, updateChart } from './update-chart.ts';
import { type BurstRate, type BurstRun, exceedsHabit, extendRuns, slotOf } from './volume-habits.ts';
import { largestCount, testVolume } from './volume-model.ts';
import { cellOf } from './week-cells.ts';

/** State of all charts of a series of windows after one of them. Plain JSON; names in pairs, because they may be any text. */
export interface ChartsState {
  readonly schema: 'tidewatch.chart-state/1';
  /** How the charts added up; absent: `defaultChartPolicy`. */
  readonly policy?: ChartPolicy | undefined;
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
 * chart's state is not charted again. After more than 24 missing windows a chart starts afresh, and all do where they add
 * up in another way than before. Also start from `initialChartsState` after a new baseline or model version.
 */
export function judgeCharts(prepared: PreparedCharts, state: ChartsState, window: ChartWindow): ChartJudgement {
  const { policy } = prepared;
  const before = new Map(isSamePolicy(policy, state.policy) ? state.charts : []);
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
  return { state: { schema: 'tidewatch.chart-state/1', ...(policy && { policy }), charts: after }, findings, readings };
}

function isSamePolicy(one = defaultChartPolicy, other = defaultChartPolicy): boolean {
  return canonicalJson(one) === canonicalJson(other);
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
  const { unlike, bursts } = judgeVolume(chart, prepared, { start, count: seen.value, cell, runs: old.bursts ?? [] });
  const shift = signal && isLargeEnough(chart, centre.mean, signal) ? describeShift(facts, signal) : undefined;
  return {
    state: bursts.length > 0 ? { ...state, bursts } : state,
    reading,
    finding: unlike ? describeVolume(facts, unlike, signal) : shift,
  };
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

/** Windows of a cell that tell a habit from what is usual in it, where phase I is too short to tell it otherwise. */
const fewestOfCell = 3;

/** A count that is no habit. */
export interface UnlikeVolume {
  readonly expected: number;
  readonly pValue: number;
  /** Of a burst that comes too often. */
  readonly rate?: BurstRate | undefined;
}

/** The window's count alone: too few or too many by chance, by enough to matter, and not by habit. */
function judgeVolume(
  chart: PreparedChart,
  prepared: PreparedCharts,
  seen: { readonly start: number; readonly count: number; readonly cell: string; readonly runs: readonly BurstRun[] },
): { readonly unlike: UnlikeVolume | undefined; readonly bursts: readonly BurstRun[] } {
  const { volume, habits } = chart;
  const { start, count, cell, runs } = seen;
  if (!volume) return { unlike: undefined, bursts: runs };
  const level = 1 / prepared.runLength;
  const slot = habits?.slots.find(([name]) => name === slotOf(cell, start));
  const known = slot && { expected: slot[1], windows: slot[2] };
  const test = testVolume(volume, cell, Math.min(largestCount, count), known);
  const isLarge = test.expected > 0 && Math.abs(count / test.expected - 1) >= chart.minimumEffect;
  if (!isLarge || test.pValue > level) return { unlike: undefined, bursts: runs };
  if (count < test.expected) {
    // Both windows of a weekend may have been bursts, and then any other is too few.
    const isTold = habits?.areKnown || test.windows >= fewestOfCell;
    return { unlike: isTold ? test : undefined, bursts: runs };
  }
  const windowMilliseconds = prepared.windowSeconds * 1000;
  const bursts = extendRuns(runs, start, windowMilliseconds);
  // Whether that is a habit nobody knows yet; a rise that lasts is the chart's to find.
  if (!habits?.areKnown) return { unlike: undefined, bursts };
  if (!habits.bursts) return { unlike: test, bursts };
  const ratio = count / test.expected;
  const excess = exceedsHabit(habits.bursts, bursts, start, ratio, { windowMilliseconds, level });
  if (!excess) return { unlike: undefined, bursts };
  return { unlike: { ...test, ...(excess !== 'higher' && { rate: excess }) }, bursts };
}
