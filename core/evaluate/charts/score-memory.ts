import { shewhartLimit } from '../../stats/arl-shewhart.ts';
import { estimateAutoregression, ewmaVarianceFactor, longRunVarianceFactor } from '../../stats/autoregression.ts';
import { chiSquaredQuantile } from '../../stats/chi-squared.ts';
import { updateEwma } from '../../stats/ewma-chart.ts';
import { ewmaStandardDeviation } from '../../stats/ewma-run-length.ts';
import { findRoot } from '../../stats/root.ts';
import { studentUpperTail } from '../../stats/student-t.ts';
import { robustDeviation } from './residual-spread.ts';

/** A chart that has missed more windows than this starts afresh. */
export const forgottenAfterWindows = 24;
/** Autocorrelations are looked at over two days of hourly windows. */
const longestLag = 48;
/** Fewer degrees of freedom than these are not believed in. */
const fewestDegrees = 3;
/** One baseline in this many may have a true in-control run length below the wanted one. */
const guaranteeRisk = 0.1;

/** What phase I says of how the scores hang together in time, and how much the limits must be widened for it. */
export interface ScoreMemory {
  /** First autocorrelation, corrected for bias. */
  readonly autocorrelation: number;
  /** Variance of the EWMA of the scores over that of independent scores of variance 1; at least 1. */
  readonly ewmaVarianceFactor: number;
  /** The like for a long mean, at least 1: what a CUSUM meets. */
  readonly longRunVarianceFactor: number;
  /** Degrees of freedom of these estimates: independent pieces of phase I, never more than it has days. */
  readonly degreesOfFreedom: number;
  /**
   * Factor on the limits for the uncertainty of these estimates: holds the wanted run length in 9 of 10 baselines of this
   * size, and the wanted rate of false alarms on average over baselines.
   */
  readonly guaranteeFactor: number;
}

/**
 * Measures the EWMA of the phase-I scores twice: by the AR(1) formula and directly, by running it. The larger counts:
 * the formula misses slow wander, the direct measure is noisy.
 * @param starts ascending. @param scores held within the clip. @param runLength the wanted one.
 */
export function measureMemory(
  starts: readonly number[],
  scores: readonly number[],
  windowMilliseconds: number,
  lambda: number,
  runLength: number,
): ScoreMemory {
  const slots = starts.map((start) => Math.round(start / windowMilliseconds));
  const follows = slots.map((slot, i) => i > 0 && slot - (slots[i - 1] ?? 0) === 1);
  const autocorrelation = Math.max(0, estimateAutoregression(scores, follows));
  const smoothed = runEwma(slots, scores, lambda);
  const unit = ewmaStandardDeviation(lambda) ** 2;
  const variance = scores.reduce((sum, score) => sum + score * score, 0) / scores.length;
  const byFormula = variance * ewmaVarianceFactor(autocorrelation, lambda);
  const measured = robustDeviation(smoothed.map(([, value]) => value)) ** 2 / unit;
  const span = (starts.at(-1) ?? 0) - (starts[0] ?? 0) + windowMilliseconds;
  const degreesOfFreedom = Math.min(countIndependent(smoothed), countDays(span));
  return {
    autocorrelation,
    ewmaVarianceFactor: Math.max(1, byFormula, measured),
    longRunVarianceFactor: Math.max(1, variance * longRunVarianceFactor(autocorrelation), measured),
    degreesOfFreedom,
    guaranteeFactor: guardLimit(degreesOfFreedom, runLength),
  };
}

/**
 * The larger of two factors: the one that covers all but a tenth of the estimates of a standard deviation, and Student's t
 * over the normal quantile at the level of one window, for the few that come out far too small cost more than their share.
 */
function guardLimit(degreesOfFreedom: number, runLength: number): number {
  const conditional = Math.sqrt(degreesOfFreedom / chiSquaredQuantile(guaranteeRisk, degreesOfFreedom));
  const normal = shewhartLimit(runLength);
  const excess = (logFactor: number) =>
    Math.log(2 * runLength * studentUpperTail(normal * Math.exp(logFactor), degreesOfFreedom));
  const highest = 12;
  const marginal = excess(highest) >= 0 ? highest : findRoot(excess, -1e-6, highest);
  return Math.max(conditional, Math.exp(marginal));
}

/** The EWMA at each slot, without the first values after a start, where it has not settled. */
function runEwma(slots: readonly number[], scores: readonly number[], lambda: number): (readonly [number, number])[] {
  const settling = Math.min(Math.round(2 / lambda), scores.length >> 1);
  const smoothed: (readonly [number, number])[] = [];
  let [value, steps] = [0, 0];
  scores.forEach((score, i) => {
    const slot = slots[i] ?? 0;
    if (i > 0 && slot - (slots[i - 1] ?? 0) > forgottenAfterWindows) [value, steps] = [0, 0];
    value = updateEwma(value, score, lambda);
    steps++;
    if (steps > settling) smoothed.push([slot, value]);
  });
  return smoothed;
}

/**
 * What moves from day to day was seen as often as there are days. Beneath the noise of single windows the autocorrelation of
 * a week need not show it, and the EWMA, which averages most of a day, meets it all the same.
 */
function countDays(spanMilliseconds: number): number {
  return Math.max(fewestDegrees, spanMilliseconds / 86_400_000 - 1);
}

/** N/(1 + 2Σρ²): the degrees of freedom of a variance estimated from N correlated normal values. */
function countIndependent(series: readonly (readonly [slot: number, value: number])[]): number {
  const values = new Map(series);
  const squares = series.reduce((sum, [, value]) => sum + value * value, 0);
  if (!(squares > 0)) return Math.max(fewestDegrees, series.length);
  let excess = 0;
  for (let lag = 1; lag <= Math.min(longestLag, series.length >> 2); lag++) {
    let [products, pairs] = [0, 0];
    for (const [slot, value] of series) {
      const earlier = values.get(slot - lag);
      if (earlier === undefined) continue;
      products += value * earlier;
      pairs++;
    }
    if (pairs === 0) continue;
    const correlation = Math.min(1, Math.abs((products / pairs) * (series.length / squares)));
    excess += Math.max(0, correlation * correlation - 1 / pairs);
  }
  return Math.max(fewestDegrees, series.length / (1 + 2 * excess));
}
