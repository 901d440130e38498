import type { Baseline } from '../../model/baseline.ts';
import type { Calendar } from '../../model/calendar.ts';
import { createCellReader } from '../cells.ts';
import { type ScalarSeries, type SeriesPoint, transformValue } from './scalar-series.ts';
import { medianOf } from './week-cells.ts';
import { missingValuesName, recordsName, type WindowValue } from './window-values.ts';

/** Closed windows of a series, with what is charted of them. */
export interface SeenWindows {
  /** Milliseconds since the epoch, ascending. */
  readonly starts: readonly number[];
  readonly values: readonly (readonly WindowValue[])[];
}

export interface PhaseOneOptions {
  readonly windowSeconds: number;
  readonly calendar: Calendar;
  /** Windows from which on live ones are a phase I by themselves, and the baseline's are one. */
  readonly fewestWindows: number;
}

/** Live windows that tell whether the baseline's level is the series' own. */
const fewestLiveWindows = 24;
/** A series whose level differs by more than this factor, or by more than this share, is not what the baseline counted. */
const sameVolume = 1.25;
const sameShare = 0.005;

/**
 * The past of every series that can be charted. Records and missing values are judged by the baseline's windows where
 * they are more than the live ones and tell the same level; a canary has fewer records than its baseline, and the
 * baseline may be a sample. Everything else, and they where the levels differ, by the first live windows.
 */
export function choosePhaseOne(
  baseline: Baseline,
  live: SeenWindows,
  options: PhaseOneOptions,
): readonly ScalarSeries[] {
  const cellOf = createCellReader(options.calendar);
  const seen = pointsOf(live, cellOf);
  const own = baselineWindows(baseline, options.windowSeconds);
  const known = own && own.starts.length >= options.fewestWindows ? pointsOf(own, cellOf) : new Map<string, Points>();
  return [...seen].flatMap(([name, { kind, points }]) => {
    const before = known.get(name);
    if (before && before.points.length > points.length && haveSameLevel(kind, before.points, points)) {
      return [{ name, kind, phaseOne: before.points }];
    }
    return live.starts.length >= options.fewestWindows ? [{ name, kind, phaseOne: points }] : [];
  });
}

interface Points {
  readonly kind: WindowValue['kind'];
  readonly points: SeriesPoint[];
}

function pointsOf({ starts, values }: SeenWindows, cellOf: (start: number) => string): Map<string, Points> {
  const series = new Map<string, Points>();
  values.forEach((ofWindow, window) => {
    const start = starts[window] ?? 0;
    for (const { name, kind, value, weight } of ofWindow) {
      const known = series.get(name) ?? { kind, points: [] };
      series.set(name, known);
      known.points.push({ start, value, weight, cell: cellOf(start) });
    }
  });
  return series;
}

/** What the baseline kept of its windows that is charted: records, and the share of missing values. */
function baselineWindows(baseline: Baseline, windowSeconds: number): SeenWindows | undefined {
  const { time, layout } = baseline;
  if (!time || time.windowSeconds !== windowSeconds) return undefined;
  const known = new Map(baseline.features);
  const counts = layout.features.map(([name]) => known.get(name)?.binCounts?.windows);
  const hasMissing = counts.length > 0 && counts.every((rows) => rows?.length === time.windows.length);
  const values = time.windows.map(([, records], window): readonly WindowValue[] => {
    const volume = { name: recordsName, kind: 'count', value: records, weight: records } as const;
    if (!hasMissing || records === 0) return [volume];
    const missing = counts.reduce((sum, rows) => sum + (rows?.[window]?.at(-1) ?? 0), 0);
    const share = Math.min(1, missing / (records * counts.length));
    return [volume, { name: missingValuesName, kind: 'share', value: share, weight: records }];
  });
  return { starts: time.windows.map(([start]) => Date.parse(start)), values };
}

/** Do live windows lie, in the middle, where the baseline's windows of the same cell do? */
function haveSameLevel(
  kind: WindowValue['kind'],
  before: readonly SeriesPoint[],
  live: readonly SeriesPoint[],
): boolean {
  if (live.length < fewestLiveWindows) return false;
  const levelOf = (points: readonly SeriesPoint[]) =>
    medianOf(points.flatMap(({ value }) => (kind === 'count' ? (transformValue(kind, value, 1) ?? []) : value)));
  const byCell = Map.groupBy(before, ({ cell = '' }) => cell);
  const levels = new Map([...byCell].map(([cell, points]) => [cell, levelOf(points)]));
  const overall = levelOf(before);
  const difference = medianOf(live.map((point) => levelOf([point]) - (levels.get(point.cell ?? '') ?? overall)));
  return Math.abs(difference) <= (kind === 'count' ? Math.log(sameVolume) : sameShare);
}
