import { type ChartPolicy, defaultChartPolicy } from '../../model/policy.ts';
import { longestWantedRunLength } from '../../stats/arl-limit.ts';
import { cusumLimit } from '../../stats/cusum-run-length.ts';
import { ewmaLimit, ewmaStandardDeviation } from '../../stats/ewma-run-length.ts';
import { estimateSpread, type ResidualSpread, robustDeviation, windowDeviation } from './residual-spread.ts';
import {
  defaultMinimumEffect,
  largestValue,
  type ScalarSeries,
  type SeriesKind,
  transformValue,
} from './scalar-series.ts';
import { measureMemory, type ScoreMemory } from './score-memory.ts';
import type { ChartDesign } from './update-chart.ts';
import { findHabits, type VolumeHabits } from './volume-habits.ts';
import { fitVolume, type VolumeModel } from './volume-model.ts';
import {
  type CellCentre,
  type CellScheme,
  cellOf,
  chooseCellScheme,
  dayOf,
  estimateCellCentres,
} from './week-cells.ts';

/** How the charts of one model are set up. */
export interface ChartOptions {
  readonly windowSeconds: number;
  /** What all charts together may cost: false alarms a week, their share of the model's budget. */
  readonly falseAlarmsPerWeek: number;
  /** Absent: `defaultChartPolicy`. */
  readonly policy?: ChartPolicy | undefined;
}

/** One chart, calibrated on its phase I. Plain JSON. */
export interface PreparedChart {
  readonly name: string;
  readonly kind: SeriesKind;
  readonly scheme: CellScheme;
  readonly overall: CellCentre;
  /** [cell, what is expected in it], on the charted scale. */
  readonly cells: readonly (readonly [cell: string, centre: CellCentre])[];
  readonly spread: ResidualSpread;
  /** What the robust standard deviation of the standardised residuals was. */
  readonly scale: number;
  readonly design: ChartDesign;
  readonly minimumEffect: number;
  /** Windows of phase I. */
  readonly windows: number;
  readonly memory: ScoreMemory;
  /** Only of a count. */
  readonly volume?: VolumeModel | undefined;
  readonly habits?: VolumeHabits | undefined;
}

/** The charts of one model, with limits for their share of the budget. Plain JSON: make once per baseline and configuration. */
export interface PreparedCharts {
  readonly schema: 'tidewatch.charts/1';
  readonly windowSeconds: number;
  /** How they add up; absent: `defaultChartPolicy`. */
  readonly policy?: ChartPolicy | undefined;
  /** In-control average run length of each chart, in windows; 1 over it is also the level of a volume test. */
  readonly runLength: number;
  readonly charts: readonly PreparedChart[];
  /** Sentences on what was left out or assumed. */
  readonly notes: readonly string[];
}

/** Fewer windows of phase I than this calibrate no chart. */
const fewestPhaseOneWindows = 24;
const secondsPerWeek = 604_800;
/** Scores are held within this many standard deviations, more where the limit is far out. */
const smallestClip = 3;
/** At 1.5 times the limit no window alone raises an alarm, however wild, and a shock that dies away does not. */
const clipOverLimit = 1.5;
/** In the unit of a CUSUM. At 2 one wild window and those that it pulls along get to the limit where memory is long. */
const clipOverUnit = 1.5;
/** Missing windows are taken as empty up to so many: a count's phase I may be years long, but not with years of nothing. */
const mostWindows = 200_000;

/**
 * The run length each of so many charts needs, so that P(any alarm in a week) ≤ the budget: by the union bound over charts
 * and windows. Within what limits can be computed for; a budget that is no positive number counts as none.
 */
export function allocateRunLength(charts: number, windowSeconds: number, falseAlarmsPerWeek: number): number {
  if (!(falseAlarmsPerWeek > 0)) return longestWantedRunLength;
  const wanted = (charts * (secondsPerWeek / windowSeconds)) / falseAlarmsPerWeek;
  return Number.isFinite(wanted) ? Math.min(longestWantedRunLength, Math.max(2, wanted)) : longestWantedRunLength;
}

/** Calibrates a chart per series. Series with too short a past are left out, with a note. */
export function prepareCharts(series: readonly ScalarSeries[], options: ChartOptions): PreparedCharts {
  const { windowSeconds } = options;
  if (!(windowSeconds > 0 && windowSeconds < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`charts: expected a window of more than 0 seconds, saw ${windowSeconds}`);
  }
  const names = new Set(series.map(({ name }) => name));
  if (names.size < series.length) throw new RangeError('charts: expected series of different names');
  const notes: string[] = [];
  const usable = series.flatMap((one) => {
    const points = cleanPhaseOne(one, windowSeconds * 1000);
    if (points.length >= fewestPhaseOneWindows) return [{ series: one, points }];
    notes.push(
      `${one.name} is not charted: ${points.length} windows in the baseline, ${fewestPhaseOneWindows} are needed`,
    );
    return [];
  });
  // A count has two tests, the chart and the tail of each window.
  const tests = usable.reduce((sum, one) => sum + (one.series.kind === 'count' ? 2 : 1), 0);
  const runLength = allocateRunLength(Math.max(1, tests), windowSeconds, options.falseAlarmsPerWeek);
  const limits = usable.length === 0 ? undefined : computeLimits(options, runLength);
  const charts = limits ? usable.map((one) => calibrate(one.series, one.points, options, limits)) : [];
  const { policy } = options;
  return { schema: 'tidewatch.charts/1', windowSeconds, ...(policy && { policy }), runLength, charts, notes };
}

interface Point {
  readonly start: number;
  readonly value: number;
  readonly transformed: number;
  readonly weight: number;
  readonly cell: string | undefined;
}

interface Limits {
  readonly policy: ChartPolicy;
  /** In standard deviations of the EWMA, or of the scores for a CUSUM. */
  readonly limit: number;
  readonly runLength: number;
}

function computeLimits({ policy = defaultChartPolicy }: ChartOptions, runLength: number): Limits {
  const limit =
    policy.method === 'ewma' ? ewmaLimit(policy.lambda, runLength) : cusumLimit(policy.reference, runLength);
  return { policy, limit, runLength };
}

/** Points in order of time, one per window, on the charted scale; a count's empty windows filled in. */
function cleanPhaseOne(series: ScalarSeries, windowMilliseconds: number): Point[] {
  const byStart = new Map<number, Point>();
  for (const { start, value, weight, cell } of series.phaseOne) {
    const records = series.kind === 'count' ? 1 : Math.min(weight, 1e15);
    const transformed = transformValue(series.kind, value, records);
    if (transformed === undefined || !Number.isFinite(new Date(start).getTime()) || Math.abs(value) > largestValue)
      continue;
    byStart.set(start, { start, value, transformed, weight: records, cell });
  }
  const points = [...byStart.values()].sort((a, b) => a.start - b.start);
  return series.kind === 'count' ? fillEmpty(points, windowMilliseconds) : points;
}

function fillEmpty(points: readonly Point[], windowMilliseconds: number): Point[] {
  const [first, last] = [points[0]?.start ?? 0, points.at(-1)?.start ?? 0];
  if ((last - first) / windowMilliseconds > mostWindows) return [...points];
  return points.flatMap((point, i) => {
    const filled = [point];
    const next = points[i + 1]?.start ?? point.start;
    for (
      let start = point.start + windowMilliseconds;
      start < next - windowMilliseconds / 2;
      start += windowMilliseconds
    ) {
      filled.push({ start, value: 0, transformed: Math.log(0.5), weight: 1, cell: undefined });
    }
    return filled;
  });
}

function calibrate(
  series: ScalarSeries,
  points: readonly Point[],
  options: ChartOptions,
  limits: Limits,
): PreparedChart {
  const starts = points.map(({ start }) => start);
  const weights = points.map(({ weight }) => weight);
  const width = options.windowSeconds * 1000;
  const scheme = chooseCellScheme(((starts.at(-1) ?? 0) - (starts[0] ?? 0) + width) / 86_400_000);
  const cells = points.map(({ start, cell }) => cellOf(scheme, start, cell));
  const known = series.kind === 'share' ? 0.25 : series.kind === 'count' ? 0 : series.withinVariance;
  // Twice: the weights of the second pass come from the spread of the first.
  let relative = weights.map(() => 1);
  let spread: ResidualSpread = { between: 0, within: 0 };
  let centres = centresOf(points, cells, relative);
  for (let pass = 0; pass < 2; pass++) {
    if (pass > 0) centres = centresOf(points, cells, relative);
    const residuals = points.map((point, i) => {
      const centre = centres.withoutOwnDay[i] ?? centres.overall;
      return (point.transformed - centre.mean) / Math.sqrt(1 + centre.relativeError);
    });
    spread = floorSpread(estimateSpread(residuals, weights, known), centres.overall.mean);
    const variances = weights.map((weight) => windowDeviation(spread, weight) ** 2);
    const typical = variances.reduce((sum, variance) => sum + variance, 0) / variances.length;
    relative = variances.map((variance) => typical / variance);
  }
  const standardised = points.map((point, i) => {
    const centre = centres.withoutOwnDay[i] ?? centres.overall;
    return (point.transformed - centre.mean) / deviationOf(spread, centre, point.weight);
  });
  // A known variance within windows may be too large for the windows seen; that is left as it is.
  const scale = Math.max(1, robustDeviation(standardised));
  const scores = standardised.map((value) => value / scale);
  const { design, memory } = designChart(starts, scores, width, limits);
  const base = { name: series.name, kind: series.kind, scheme, overall: centres.overall, cells: [...centres.cells] };
  const minimumEffect = series.minimumEffect ?? defaultMinimumEffect[series.kind];
  const chart = { ...base, spread, scale, design, minimumEffect, windows: points.length, memory };
  return series.kind === 'count'
    ? { ...chart, ...prepareVolume(points, cells, scores, chart, options, 1 / limits.runLength) }
    : chart;
}

function centresOf(points: readonly Point[], cells: readonly string[], weights: readonly number[]) {
  return estimateCellCentres(
    points.map(({ start, transformed }, i) => ({
      cell: cells[i] ?? '',
      day: dayOf(start),
      value: transformed,
      weight: weights[i] ?? 1,
    })),
  );
}

/** A constant series has no spread; a billionth of its size stands for it, so that any visible change is far out. */
function floorSpread(spread: ResidualSpread, mean: number): ResidualSpread {
  const smallest = (1e-9 * Math.max(Math.abs(mean), 1e-12)) ** 2;
  return spread.between + spread.within > smallest ? spread : { between: smallest, within: 0 };
}

/** Standard deviation of a window's residual: its own, and that of what is expected. */
export function deviationOf(spread: ResidualSpread, centre: CellCentre, weight: number): number {
  return windowDeviation(spread, weight) * Math.sqrt(1 + centre.relativeError);
}

function designChart(starts: readonly number[], scores: readonly number[], width: number, limits: Limits) {
  const { policy, limit, runLength } = limits;
  // A CUSUM of a small reference value adds up for long: it is measured by the EWMA that is about as slow.
  const lambda = policy.method === 'ewma' ? policy.lambda : policy.reference / 5;
  const hold = (clip: number) => scores.map((score) => Math.min(clip, Math.max(-clip, score)));
  const measure = (clip: number) => measureMemory(starts, hold(clip), width, lambda, runLength);
  const bound = (memory: ScoreMemory) =>
    limit * ewmaStandardDeviation(lambda) * Math.sqrt(memory.ewmaVarianceFactor) * memory.guaranteeFactor;
  let memory = measure(smallestClip);
  if (policy.method === 'cusum') {
    const unit = Math.sqrt(memory.longRunVarianceFactor) * memory.guaranteeFactor;
    const reference = policy.reference * unit;
    const clip = Math.max(smallestClip, clipOverUnit * unit);
    const design: ChartDesign = { method: 'cusum', reference, limit: limit * unit, clip };
    return { design, memory };
  }
  const clip = Math.max(smallestClip, clipOverLimit * bound(memory));
  if (clip > smallestClip) memory = measure(clip);
  const design: ChartDesign = {
    method: 'ewma',
    lambda,
    limit: bound(memory),
    clip: Math.max(smallestClip, clipOverLimit * bound(memory)),
  };
  return { design, memory };
}

function prepareVolume(
  points: readonly Point[],
  cells: readonly string[],
  scores: readonly number[],
  chart: Pick<PreparedChart, 'cells' | 'overall' | 'memory' | 'minimumEffect'>,
  { windowSeconds }: ChartOptions,
  level: number,
): { volume: VolumeModel; habits: VolumeHabits } {
  const typical = new Map(chart.cells);
  const counted = points.map(({ start, value }, i) => {
    const cell = cells[i] ?? '';
    const centre = typical.get(cell) ?? chart.overall;
    const expected = Math.max(0, Math.exp(centre.mean) - 0.5);
    return { start, cell, day: dayOf(start), count: value, typical: expected, score: scores[i] ?? 0 };
  });
  const { degreesOfFreedom } = chart.memory;
  const { minimumEffect } = chart;
  const windowMilliseconds = windowSeconds * 1000;
  const { habits, calm } = findHabits(counted, { windowMilliseconds, level, minimumEffect, degreesOfFreedom });
  return { volume: fitVolume(calm, degreesOfFreedom), habits };
}
