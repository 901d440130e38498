import {
  type ChartFinding,
  type ChartsState,
  initialChartsState,
  judgeCharts,
} from '../../../core/evaluate/charts/judge-charts.ts';
import type { PreparedCharts } from '../../../core/evaluate/charts/prepare-charts.ts';
import type { SeriesPoint } from '../../../core/evaluate/charts/scalar-series.ts';
import { createRandom, healthyStreams, hour, monday, type StreamKind } from './streams.ts';

export const options = { windowSeconds: 3600, falseAlarmsPerWeek: 0.02 };
export const cusum = { ...options, policy: { method: 'cusum', reference: 0.5 } } as const;
export const fourWeeks = 28 * 24;

export function streamOf(name: string): StreamKind {
  const kind = healthyStreams.find((stream) => stream.name === name);
  if (!kind) throw new Error(`expected a stream ${name}`);
  return kind;
}

export function run(
  prepared: PreparedCharts,
  name: string,
  points: readonly SeriesPoint[],
  from: ChartsState = initialChartsState,
): { state: ChartsState; found: { index: number; finding: ChartFinding }[] } {
  let state = from;
  const found: { index: number; finding: ChartFinding }[] = [];
  points.forEach((point, index) => {
    const judged = judgeCharts(prepared, state, { start: point.start, values: [{ ...point, name }] });
    state = judged.state;
    for (const finding of judged.findings) found.push({ index, finding });
  });
  return { state, found };
}

/** Of standard deviation .1. */
export const noise = drawNoise(1000);

function drawNoise(count: number): number[] {
  const { normal } = createRandom(77);
  return Array.from({ length: count }, () => 0.1 * normal());
}

/** Points of constant weight from a function of the hour. */
export function points(hours: number, first: number, value: (index: number) => number, weight = 400): SeriesPoint[] {
  return Array.from({ length: hours }, (_, i) => ({
    start: monday + (first + i) * hour,
    value: value(first + i),
    weight,
  }));
}
