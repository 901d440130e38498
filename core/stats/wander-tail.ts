import { chiSquaredUpperTail } from './chi-squared.ts';
import { noncentralChiSquaredUpperTail } from './noncentral-chi-squared.ts';
import { studentUpperTailQuick } from './student-t.ts';

/**
 * How a distance between shares scatters where nothing lasting has changed: sampling in every direction, and between
 * windows a wander in one.
 */
export interface Scatter {
  /** 1/n + 1/m: variance of a standardised share by sampling. */
  readonly sampling: number;
  /** Bins − 1. */
  readonly degreesOfFreedom: number;
  /** Variance that the wander adds in its direction. */
  readonly wander: number;
  /** How well sampling + wander is known, in degrees of freedom; Infinity: exactly. */
  readonly certainty: number;
}

const smallestRatio = 1e-9;
const largestRatio = 1e12;

/**
 * P(distance ≥ what was seen), the distance Σ(p − q)²/q. With Z normal and s the sampling variance it is distributed as
 *
 *   (s + wander)·(Z + √(shift/(s + wander)))² + s·χ²(degrees of freedom − 1).
 *
 * All of the wander in one direction is the heaviest tail that its total allows. `shift` is a lasting difference, laid
 * in the same direction: 0 for the test of no change, the floor for the test of an effect.
 *
 * Without wander, and with certainty, it is exactly Pearson's χ² or its noncentral tail. Otherwise it is Lugannani and
 * Rice's saddle-point tail in the form of Barndorff-Nielsen, a normal score, and that score is read in Student's t
 * distribution with `certainty` degrees of freedom, because the wander is itself an estimate.
 */
export function wanderTail(distance: number, scatter: Scatter, shift = 0): number {
  const { sampling, degreesOfFreedom, wander, certainty } = scatter;
  if (!(sampling > 0 && sampling < Number.POSITIVE_INFINITY && degreesOfFreedom >= 1 && degreesOfFreedom < 1e9)) {
    throw new RangeError(
      `wander: expected a positive sampling variance and a degree of freedom, saw ${sampling} and ${degreesOfFreedom}`,
    );
  }
  if (!(wander >= 0 && wander < Number.POSITIVE_INFINITY && certainty > 0 && shift >= 0)) {
    throw new RangeError(`wander: expected a variance, a certainty and a shift, saw ${wander}, ${certainty}, ${shift}`);
  }
  if (Number.isNaN(distance)) throw new RangeError('wander: expected a distance, saw NaN');
  if (distance <= 0) return 1;
  if (distance === Number.POSITIVE_INFINITY) return 0;
  if (wander === 0 && certainty > 1e9) {
    return shift === 0
      ? chiSquaredUpperTail(distance / sampling, degreesOfFreedom)
      : noncentralChiSquaredUpperTail(distance / sampling, degreesOfFreedom, shift / sampling);
  }
  return studentUpperTailQuick(wanderScore(distance, scatter, shift), certainty);
}

/**
 * The normal score of `wanderTail`: with the wander known exactly, P(distance ≥ what was seen) is P(Z ≥ score).
 * Rises with the distance.
 */
export function wanderScore(distance: number, scatter: Scatter, shift = 0): number {
  const { sampling: s, degreesOfFreedom } = scatter;
  const rest = degreesOfFreedom - 1;
  const wide = s + scatter.wander;
  // In units of the wide direction: x = distance/wide, the narrow ones have variance `narrow` ≤ 1. Beyond the bounds
  // nothing but the number of digits would change.
  const x = Math.min(Math.max(distance / wide, smallestRatio), largestRatio);
  const narrow = s / wide;
  const lambda = Math.min(shift / wide, largestRatio);
  if (rest === 0 && lambda === 0) return scoreOfSquare(x);
  const u = 1 - 2 * solveTilt(x, lambda, rest, narrow);
  const t = (1 - u) / 2;
  const v = 1 - 2 * narrow * t;
  // K(t) = −½ ln u + λt/u − (rest/2) ln v
  const cumulant = -0.5 * Math.log(u) + (lambda * t) / u - 0.5 * rest * Math.log(v);
  const variance = 2 / (u * u) + (4 * lambda) / (u * u * u) + (2 * rest * narrow * narrow) / (v * v);
  const w = Math.sign(t) * Math.sqrt(Math.max(0, 2 * (t * x - cumulant)));
  if (Math.abs(w) < 1e-3) {
    const third = 8 / u ** 3 + (24 * lambda) / u ** 4 + (8 * rest * narrow ** 3) / v ** 3;
    return w + third / (6 * variance ** 1.5);
  }
  return w + Math.log((t * Math.sqrt(variance)) / w) / w;
}

/** The t < ½ with K′(t) = x: 1/(1 − 2t) + λ/(1 − 2t)² + rest·narrow/(1 − 2·narrow·t) = x. */
function solveTilt(x: number, lambda: number, rest: number, narrow: number): number {
  // In 1/u, u = 1 − 2t, each term rises; bracket the root between all of the mean in one term and in none.
  let low = 0;
  let high = 0.5;
  let t = startTilt(x, lambda, rest, narrow);
  if (t < 0) {
    low = Math.min(-0.5, 2 * t - 1);
    while (meanAt(low, lambda, rest, narrow) > x) low *= 4;
    high = 0;
    if (x >= meanAt(0, lambda, rest, narrow)) return 0;
  }
  for (let step = 0; step < 60; step++) {
    const u = 1 - 2 * t;
    const v = 1 - 2 * narrow * t;
    const mean = 1 / u + lambda / (u * u) + (rest * narrow) / v;
    const excess = mean - x;
    if (excess > 0) high = t;
    else low = t;
    if (Math.abs(excess) <= 1e-12 * x) break;
    const slope = 2 / (u * u) + (4 * lambda) / (u * u * u) + (2 * rest * narrow * narrow) / (v * v);
    // Newton on 1/mean, which is nearly linear in t: from the pole's side it does not overshoot.
    const next = t - (excess * mean) / (slope * x);
    t = next > low && next < high ? next : (low + high) / 2;
    if (high - low < 1e-15) break;
  }
  return t;
}

function meanAt(t: number, lambda: number, rest: number, narrow: number): number {
  const u = 1 - 2 * t;
  return 1 / u + lambda / (u * u) + (rest * narrow) / (1 - 2 * narrow * t);
}

/** The tilt of one gamma distribution with the same mean and variance. */
function startTilt(x: number, lambda: number, rest: number, narrow: number): number {
  const mean = 1 + lambda + rest * narrow;
  const variance = 2 + 4 * lambda + 2 * rest * narrow * narrow;
  const t = (mean / variance) * (1 - mean / x);
  return Math.min(t, 0.5 - 0.25 / (1 + x));
}

/** The normal score of one squared normal variable: P(Z ≥ score) = P(Z² ≥ x), to about 1e-3 in the score. */
function scoreOfSquare(x: number): number {
  const w2 = x - 1 - Math.log(x);
  const t = 0.5 * (1 - 1 / x);
  const w = Math.sign(t) * Math.sqrt(Math.max(0, w2));
  if (Math.abs(w) < 1e-3) return w + 8 / (6 * 2 ** 1.5);
  return w + Math.log((t * x * Math.SQRT2) / w) / w;
}
