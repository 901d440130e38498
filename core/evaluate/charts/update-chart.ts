import { updateCusum } from '../../stats/cusum-chart.ts';
import { updateEwma } from '../../stats/ewma-chart.ts';

/**
 * How a chart turns scores (residuals of about variance 1) into signals. Scores are held within ±`clip`, so that one
 * wild window cannot raise an alarm.
 */
export type ChartDesign =
  | { readonly method: 'ewma'; readonly lambda: number; readonly limit: number; readonly clip: number }
  | { readonly method: 'cusum'; readonly reference: number; readonly limit: number; readonly clip: number };

/** What has gathered on one side since it was last at nothing: the estimate of onset and size of a shift. */
export interface Excursion {
  /** CUSUM of the scores. */
  readonly sum: number;
  /** Start of its first window, milliseconds since the epoch; 0 while `sum` is 0. */
  readonly since: number;
  readonly windows: number;
  /** Mean residual over these windows, weighted by precision, and the sum of these weights. */
  readonly shift: number;
  readonly weight: number;
}

/** State of one chart after a window: plain JSON. */
export interface ChartState {
  /** Start of the newest window in it, milliseconds since the epoch; null before the first. */
  readonly at: number | null;
  /** The EWMA of the scores. */
  readonly value: number;
  readonly up: Excursion;
  readonly down: Excursion;
  /** Of a count: runs of bursts in the last week, [start of the first window, of the last]; absent: none. */
  readonly bursts?: readonly (readonly [first: number, last: number])[] | undefined;
}

/** One window as the chart sees it. */
export interface ChartInput {
  readonly start: number;
  /** The residual over its standard deviation. */
  readonly score: number;
  /** On the charted scale. */
  readonly residual: number;
  /** Precision of the residual: 1/variance. */
  readonly weight: number;
}

export interface ChartSignal {
  readonly direction: 'up' | 'down';
  /** The statistic over its limit, above 1. */
  readonly excess: number;
  readonly excursion: Excursion;
}

/** Shifts are dated by a CUSUM of this reference value, also on an EWMA chart. */
const datingReference = 0.5;
/** A CUSUM grows no further, so that it ends soon after the shift does. */
const ceilingOverLimit = 1.5;

const nothing: Excursion = { sum: 0, since: 0, windows: 0, shift: 0, weight: 0 };

/** The state of a chart that has seen nothing. */
export const initialChartState: ChartState = { at: null, value: 0, up: nothing, down: nothing };

/** Pure recursion: the state after one more window, and the signal where the chart is beyond its limit. */
export function updateChart(
  design: ChartDesign,
  state: ChartState,
  input: ChartInput,
): { state: ChartState; signal: ChartSignal | undefined } {
  const score = Math.min(design.clip, Math.max(-design.clip, input.score));
  const reference = design.method === 'cusum' ? design.reference : datingReference;
  const ceiling = design.method === 'cusum' ? ceilingOverLimit * design.limit : 1e6;
  const up = extend(state.up, updateCusum(state.up.sum, score, reference, ceiling), input);
  const down = extend(state.down, updateCusum(state.down.sum, -score, reference, ceiling), input);
  const value = design.method === 'ewma' ? updateEwma(state.value, score, design.lambda) : 0;
  const next: ChartState = { at: input.start, value, up, down };
  return { state: next, signal: readSignal(design, next, input) };
}

/** A state of JSON from elsewhere, or the initial one where a number in it is not finite. */
export function checkChartState(state: ChartState): ChartState {
  const sides = [state.up, state.down].flatMap((side) => Object.values(side));
  const numbers = [state.at ?? 0, state.value, ...sides, ...(state.bursts ?? []).flat()];
  return numbers.every((number) => Number.isFinite(number)) ? state : initialChartState;
}

function extend(before: Excursion, sum: number, { start, residual, weight }: ChartInput): Excursion {
  if (sum === 0) return nothing;
  const begins = before.sum === 0;
  const total = (begins ? 0 : before.weight) + weight;
  const shift = begins ? residual : before.shift + (weight / total) * (residual - before.shift);
  return { sum, since: begins ? start : before.since, windows: begins ? 1 : before.windows + 1, shift, weight: total };
}

function readSignal(design: ChartDesign, state: ChartState, input: ChartInput): ChartSignal | undefined {
  const upward = design.method === 'ewma' ? state.value : state.up.sum;
  const downward = design.method === 'ewma' ? -state.value : state.down.sum;
  const direction = upward >= downward ? 'up' : 'down';
  const excess = Math.max(upward, downward) / design.limit;
  if (!(excess > 1)) return undefined;
  const excursion = state[direction];
  // An EWMA may still be beyond its limit when the scores have turned back already.
  const dated = excursion.windows > 0 ? excursion : extend(nothing, 1, input);
  return { direction, excess, excursion: dated };
}
